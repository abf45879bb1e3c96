"""Opening hours as content: what staff edit becomes a calendar, and what is wrong is named."""

from datetime import date, time

import pytest

from app.domain.calendar import instant
from app.domain.drafts import Content
from app.domain.hours import faults, notes, opening_calendar

WORDS = {"ja": "木曜日は19時まで", "en": "Thursdays until 19:00"}
CONTENT: dict[str, object] = {
    "holidays": {"closed": True},
    "rule.1": {
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "open": "08:30",
        "close": "17:15",
        "reception_close": "17:00",
    },
    "rule.2": {"days": ["thu"], "open": "17:15", "close": "19:00", "categories": ["moving"], "note": WORDS},
    "rule.3": {"days": ["sat"], "nth": [2, 4], "open": "09:00", "close": "12:00"},
    "rule.4": {"days": ["sun"], "season": {"from": "03-25", "to": "04-05"}, "open": "09:00", "close": "15:00"},
    "closure.year_end": {"from": "12-29", "to": "01-03", "name": {"ja": "年末年始"}},
    "special.2026-04-20": {"intervals": [{"open": "08:30", "close": "15:00"}], "note": {"ja": "更新作業"}},
    "special.2026-04-21": {"note": {"ja": "点検"}},
}


def holiday(day: date) -> str | None:
    return "昭和の日" if day == date(2026, 4, 29) else None


def hours(content: Content, day: date, category: str | None = None) -> list[tuple[str, str]]:
    calendar = opening_calendar(content, holiday)
    return [(f"{item.opens:%H:%M}", f"{item.closes:%H:%M}") for item in calendar.intervals(day, category)]


@pytest.mark.parametrize(
    ("day", "category", "expected"),
    [
        (date(2026, 4, 1), None, [("08:30", "17:15")]),
        (date(2026, 4, 2), "moving", [("08:30", "19:00")]),
        (date(2026, 4, 2), "tax", [("08:30", "17:15")]),
        (date(2026, 4, 5), None, [("09:00", "15:00")]),
        (date(2026, 4, 11), None, [("09:00", "12:00")]),
        (date(2026, 4, 18), None, []),
        (date(2026, 4, 20), None, [("08:30", "15:00")]),
        (date(2026, 4, 21), None, []),
        (date(2026, 4, 29), None, []),
        (date(2026, 12, 31), None, []),
    ],
)
def test_a_content_is_a_calendar(day: date, category: str | None, expected: list[tuple[str, str]]) -> None:
    assert faults(CONTENT, categories={"moving", "tax"}) == []
    assert hours(CONTENT, day, category) == expected


def test_an_office_may_open_on_holidays() -> None:
    assert hours({**CONTENT, "holidays": {"closed": False}}, date(2026, 4, 29)) == [("08:30", "17:15")]


def test_without_a_reception_time_numbers_are_given_until_the_end() -> None:
    calendar = opening_calendar(CONTENT, holiday)
    assert calendar.takes_numbers(instant(date(2026, 4, 11), time(11, 59)))
    assert not calendar.takes_numbers(instant(date(2026, 4, 1), time(17, 0)))


def test_the_words_of_a_day() -> None:
    calendar = opening_calendar(CONTENT, holiday)
    assert notes(CONTENT, date(2026, 4, 2), calendar) == [WORDS]
    assert notes(CONTENT, date(2026, 4, 1), calendar) == []
    assert notes(CONTENT, date(2026, 4, 21), calendar) == [{"ja": "点検"}]
    assert notes(CONTENT, date(2026, 12, 31), calendar) == [{"ja": "年末年始"}]
    assert notes(CONTENT, date(2026, 4, 18), calendar) == []


DAY = {"days": ["mon"], "open": "08:30", "close": "17:15"}


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("rule.1", {**DAY, "open": "17:15"}, "closes_before_opens"),
        ("rule.1", {**DAY, "reception_close": "18:00"}, "closes_before_opens"),
        ("rule.1", {**DAY, "open": "late"}, "bad_hours"),
        ("rule.1", {**DAY, "days": ["noday"]}, "bad_hours"),
        ("rule.1", {**DAY, "days": []}, "bad_days"),
        ("rule.1", {**DAY, "nth": [6]}, "bad_days"),
        ("rule.1", {**DAY, "season": {"from": "02-30", "to": "03-01"}}, "bad_hours"),
        ("rule.1", {**DAY, "categories": ["cellar"]}, "unknown_category"),
        ("rule.1", {"open": "08:30"}, "bad_hours"),
        ("rule.1", "always", "bad_hours"),
        ("closure.x", {"from": "12-29"}, "bad_hours"),
        ("special.2026-02-30", {"note": {"ja": "x"}}, "bad_hours"),
        ("special.2026-04-01", {"intervals": [{"open": "10:00", "close": "09:00"}]}, "closes_before_opens"),
        (
            "special.2026-04-01",
            {"intervals": [{"open": "09:00", "close": "12:00"}, {"open": "11:00", "close": "13:00"}]},
            "intervals_overlap",
        ),
        ("special.2026-04-01", {"note": {"ja": "あ" * 41}}, "too_long"),
        ("holidays", {"closed": "perhaps"}, "unknown_setting"),
        ("weather", {"closed": True}, "unknown_setting"),
    ],
)
def test_what_may_not_be_published(key: str, value: object, code: str) -> None:
    found = faults({**CONTENT, key: value}, categories={"moving"})
    assert [(fault.key, fault.code) for fault in found] == [(key, code)]
