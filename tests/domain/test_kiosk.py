"""The kiosk's first screen as content: order, limits, times, colours."""

from datetime import date, time
from typing import get_args

import pytest

from app.domain.calendar import Interval, OpeningCalendar, Rule, instant
from app.domain.drafts import Content, blocking
from app.domain.kiosk import PALETTE, Purpose, closed_times, faults, layout, limit_of, next_choice, shown, times_today
from config.document_office import Hue

SERVICES = {"certificates": {"juminhyo", "inkan_cert"}, "moving": {"tennyu"}}
LANGUAGES = ("ja", "ja_Hira", "en")
CONTENT: dict[str, object] = {
    "order": ["move_in", "juminhyo"],
    "purpose.juminhyo.category": "certificates",
    "purpose.juminhyo.services": ["juminhyo", "inkan_cert"],
    "purpose.juminhyo.title.ja": "住民票の写し",
    "purpose.juminhyo.title.ja_Hira": "住民票《じゅうみんひょう》",
    "purpose.juminhyo.title.en": "Certificate of residence",
    "purpose.move_in.category": "moving",
    "purpose.move_in.services": ["tennyu"],
    "purpose.move_in.title.ja": "転入",
    "purpose.move_in.title.ja_Hira": "引《ひ》っ越《こ》した",
    "purpose.move_in.title.en": "Moving in",
    "purpose.move_in.opens": "08:30",
    "purpose.move_in.closes": "16:00",
    "purpose.move_in.booked_only": True,
    "colour.moving": "purple",
}


def codes(content: Content) -> set[tuple[str, str]]:
    return {(fault.key, fault.code) for fault in faults(content, services=SERVICES, languages=LANGUAGES)}


def test_a_good_content_is_a_layout_in_order() -> None:
    assert codes(CONTENT) == set()
    screen = layout(CONTENT)
    assert [purpose.id for purpose in screen.purposes] == ["move_in", "juminhyo"]
    assert screen.colours == {"moving": "purple"}
    assert screen.purposes[0].booked_only
    assert screen.purposes[1].services == ("juminhyo", "inkan_cert")
    assert screen.purposes[1].title["en"] == "Certificate of residence"


@pytest.mark.parametrize(
    ("clock", "open_"), [(time(8, 29), False), (time(8, 30), True), (time(15, 59), True), (time(16, 0), False)]
)
def test_a_purpose_is_closed_outside_its_times(clock: time, open_: bool) -> None:
    move_in, juminhyo = layout(CONTENT).purposes
    assert move_in.open_at(clock) is open_
    assert juminhyo.open_at(clock)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("purpose.juminhyo.title.ja", "住民票の写しと記載事項", "too_long"),
        ("purpose.juminhyo.title.en", "x" * 41, "too_long"),
        ("purpose.juminhyo.line.ja", "住民票の写しと、記載事項証明書など", "too_long"),
        ("purpose.juminhyo.title.ja", "  ", "empty"),
        ("purpose.juminhyo.title.ja", 5, "unknown_setting"),
        ("purpose.juminhyo.title.tlh", "x", "unknown_setting"),
        ("purpose.juminhyo.size", "big", "unknown_setting"),
        ("theme", "dark", "unknown_setting"),
        ("purpose.move_in.closes", "25:00", "bad_clock"),
        ("purpose.move_in.closes", "8:30", "bad_clock"),
        ("purpose.move_in.closes", "08:30", "closes_before_opens"),
        ("purpose.juminhyo.category", "cellar", "unknown_category"),
        ("purpose.juminhyo.services", ["tennyu"], "unknown_service"),
        ("purpose.juminhyo.services", [], "unknown_service"),
        ("purpose.juminhyo.hidden", "yes", "unknown_setting"),
        ("colour.moving", "mauve", "bad_colour"),
        ("colour.cellar", "teal", "unknown_category"),
        ("order", ["move_in"], "order_incomplete"),
        ("order", ["move_in", "juminhyo", "juminhyo"], "order_incomplete"),
    ],
)
def test_what_may_not_be_published(key: str, value: object, code: str) -> None:
    assert (key, code) in codes({**CONTENT, key: value})


def test_a_title_of_exactly_the_limit_fits_and_ruby_takes_no_room() -> None:
    assert codes({**CONTENT, "purpose.juminhyo.title.ja": "あ" * 10}) == set()
    assert shown("戸籍《こせき》の 紙《かみ》") == "戸籍の 紙"
    assert (limit_of("title", "ja"), limit_of("line", "ja")) == (10, 16)


def test_at_least_one_purpose_is_shown() -> None:
    hidden = {**CONTENT, "purpose.juminhyo.hidden": True, "purpose.move_in.hidden": True}
    assert ("order", "nothing_shown") in codes(hidden)
    assert codes({**CONTENT, "purpose.juminhyo.hidden": True}) == set()


def test_missing_languages_are_named_and_do_not_block() -> None:
    content = {key: value for key, value in CONTENT.items() if key != "purpose.move_in.title.en"}
    found = faults(content, services=SERVICES, languages=LANGUAGES)
    assert [(fault.key, fault.code, fault.values["languages"]) for fault in found] == [
        ("purpose.move_in.title", "missing_languages", "en")
    ]
    assert blocking(found) == []


def contrast_on_white(colour: str) -> float:
    """WCAG 2.2: relative luminance of ``#rrggbb`` against white."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def test_every_colour_staff_can_choose_is_legible() -> None:
    assert contrast_on_white("#767676") == pytest.approx(4.54, abs=0.01)
    assert min(contrast_on_white(colour) for colour in PALETTE.values()) >= 4.5
    assert set(PALETTE) == set(get_args(Hue))


def purpose(name: str, *services: str, opens: time | None = None, closes: time | None = None) -> Purpose:
    return Purpose(id=name, category="moving", title={"ja": name}, services=services, opens=opens, closes=closes)


DAY = Interval(opens=time(8, 30), closes=time(17, 15), reception_closes=time(17))
WEEK = OpeningCalendar(rules=(Rule(weekdays=frozenset(range(5)), interval=DAY),))


def test_a_purpose_is_chosen_within_reception_and_its_own_times() -> None:
    monday = date(2026, 4, 6)
    assert times_today(WEEK, purpose("a"), monday) == ((time(8, 30), time(17)),)
    assert times_today(WEEK, purpose("a", opens=time(9), closes=time(16)), monday) == ((time(9), time(16)),)
    assert times_today(WEEK, purpose("a", opens=time(18)), monday) == ()


def test_the_next_time_a_purpose_can_be_chosen() -> None:
    friday, monday = date(2026, 4, 3), date(2026, 4, 6)
    late = purpose("a", opens=time(9))
    assert next_choice(WEEK, late, instant(friday, time(8, 45))) == instant(friday, time(9))
    assert next_choice(WEEK, late, instant(friday, time(9))) == instant(monday, time(9))
    assert next_choice(WEEK, purpose("a", opens=time(18)), instant(friday, time(9))) is None


def test_a_service_is_closed_when_none_of_its_purposes_can_be_chosen() -> None:
    early, late = purpose("a", "x", closes=time(12)), purpose("b", "x", "y", opens=time(9), closes=time(16))
    assert closed_times([early, late], "x") == [[960, 1440]]
    assert closed_times([early, late], "y") == [[0, 540], [960, 1440]]
    assert closed_times([early, late], "z") == []
    assert closed_times([purpose("a", "x")], "x") == []
