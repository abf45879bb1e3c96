"""Kiosk and hours as drafts: edited, taken back singly, published with one event."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.calendar import JST
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.kiosk import layout
from app.models.place import Category, Offering, Office
from app.models.ticket import Event
from app.services import hours, kiosk_layout, opening_hours, publications
from app.services.publications import Kind

AT = datetime(2026, 4, 1, 16, 10, tzinfo=JST)
WHO = "nishimura"


@pytest.fixture
def session(own_city: Database) -> Iterator[Session]:
    with own_city.transaction() as session:
        yield session


def edit(session: Session, key: str, value: object) -> set[str]:
    return {
        fault.code for fault in kiosk_layout.edit(session, office_id="ward", key=key, value=value, actor=WHO, at=AT)
    }


def publish(session: Session, based_on: int | None = None) -> int:
    return kiosk_layout.publish(session, office_id="ward", based_on=based_on, actor=WHO, at=AT).version


def test_the_screen_of_the_sample(session: Session) -> None:
    choices = {choice.purpose.id: choice for choice in kiosk_layout.choices(session, "ward", at=AT)}
    assert len(choices) == 18
    assert list(choices)[:3] == ["juminhyo", "inkan", "koseki"]
    assert choices["move_in"].open
    assert choices["move_in"].opens_at is None
    nursery = choices["nursery"]
    # T4: closed since four, said until when, and when it opens again.
    assert (nursery.open, f"{nursery.until:%H:%M}") == (False, "16:00")
    assert nursery.opens_at == datetime(2026, 4, 2, 8, 30, tzinfo=JST)
    assert nursery.category.prefix == "G"


def test_on_a_closed_day_every_purpose_says_when_it_opens(session: Session) -> None:
    sunday = datetime(2026, 4, 12, 10, 0, tzinfo=JST)
    for choice in kiosk_layout.choices(session, "ward", at=sunday):
        assert not choice.open
        assert choice.until is None
        assert choice.opens_at == datetime(2026, 4, 13, 8, 30, tzinfo=JST)


def test_nothing_changes_before_publishing(session: Session) -> None:
    assert edit(session, "purpose.move_in.title.ja", "引っ越して来た") == set()
    kiosk_layout.move(session, office_id="ward", purpose_id="move_in", position=0, actor=WHO, at=AT)
    kiosk_layout.show(session, office_id="ward", purpose_id="care", shown=False, actor=WHO, at=AT)
    edit(session, "purpose.move_in.closes", "16:00")
    edit(session, "colour.ward-moving", "ink")
    draft = kiosk_layout.draft(session, "ward")
    assert [change.key for change in draft.changes] == [
        "colour.ward-moving",
        "order",
        "purpose.care.hidden",
        "purpose.move_in.closes",
        "purpose.move_in.title.ja",
    ]
    assert layout(draft.content).purposes[0].title["ja"] == "引っ越して来た"
    published = {choice.purpose.id: choice for choice in kiosk_layout.choices(session, "ward", at=AT)}
    assert (published["move_in"].purpose.title["ja"], published["move_in"].open) == ("転入", True)
    assert session.get_one(Category, "ward-moving").hue == "purple"

    assert publish(session, based_on=1) == 2
    published = {choice.purpose.id: choice for choice in kiosk_layout.choices(session, "ward", at=AT)}
    assert next(iter(published)) == "move_in"
    assert "care" not in published
    assert not published["move_in"].open
    # Colours and closed times reach boards and phones too.
    assert session.get_one(Category, "ward-moving").hue == "ink"
    assert session.get_one(Offering, ("ward", "tennyu")).closed_times == [[960, 1440]]
    assert kiosk_layout.draft(session, "ward").changes == []


def test_publishing_is_one_event(session: Session) -> None:
    edit(session, "purpose.move_in.title.en", "I moved in")
    before = session.get_one(Office, "ward").seq
    publish(session)
    assert session.get_one(Office, "ward").seq == before + 1
    event = session.scalars(select(Event).where(Event.office_id == "ward").order_by(Event.seq.desc())).first()
    assert event is not None
    assert (event.action, event.actor) == ("kiosk_published", WHO)
    assert event.details == {"version": 2, "keys": ["purpose.move_in.title.en"]}


def test_editing_a_draft_is_no_event(session: Session) -> None:
    before = session.scalar(select(func.count()).select_from(Event))
    edit(session, "purpose.move_in.title.en", "I moved in")
    assert session.scalar(select(func.count()).select_from(Event)) == before


def test_changes_are_taken_back_singly(session: Session) -> None:
    edit(session, "purpose.move_in.title.ja", "引っ越して来た")
    edit(session, "purpose.move_in.title.en", "I moved in")
    publications.take_back(session, office_id="ward", kind=Kind.KIOSK, key="purpose.move_in.title.ja")
    assert [change.key for change in kiosk_layout.draft(session, "ward").changes] == ["purpose.move_in.title.en"]
    with pytest.raises(NotFound):
        publications.take_back(session, office_id="ward", kind=Kind.KIOSK, key="purpose.move_in.title.ja")
    # Typing the old words again is taking back too.
    edit(session, "purpose.move_in.title.en", "Moving in")
    assert kiosk_layout.draft(session, "ward").changes == []


def test_a_published_change_is_taken_back_alone(session: Session) -> None:
    edit(session, "purpose.move_in.title.ja", "引っ越して来た")
    edit(session, "purpose.move_in.hidden", True)
    publish(session)

    def undo(key: str, version: int) -> None:
        publications.undo_published(
            session, office_id="ward", kind=Kind.KIOSK, version=version, key=key, actor=WHO, at=AT
        )

    undo("purpose.move_in.hidden", 2)
    assert publish(session) == 3
    move_in = next(item for item in kiosk_layout.layout(session, "ward").purposes if item.id == "move_in")
    assert (move_in.hidden, move_in.title["ja"]) == (False, "引っ越して来た")
    for key, version in (("order", 2), ("purpose.move_in.hidden", 9)):
        with pytest.raises(NotFound):
            undo(key, version)
    assert [item.version for item in publications.history(session, "ward", Kind.KIOSK)] == [3, 2, 1]


def test_a_text_too_long_stays_in_the_draft_and_is_not_published(session: Session) -> None:
    assert edit(session, "purpose.move_in.title.ja", "ほかの市から引っ越して来た") == {"too_long"}
    assert len(kiosk_layout.draft(session, "ward").changes) == 1
    with pytest.raises(InvalidInput) as caught:
        publish(session)
    assert caught.value.reason == "draft_has_faults"
    assert caught.value.values["faults"] == [
        {"key": "purpose.move_in.title.ja", "code": "too_long", "limit": 10, "length": 13}
    ]
    assert edit(session, "purpose.move_in.title.ja", "あ" * 10) == set()
    assert edit(session, "purpose.move_in.line.ja", "あ" * 16) == set()
    assert edit(session, "purpose.move_in.line.ja", "あ" * 17) == {"too_long"}


def test_a_missing_language_is_named_and_published(session: Session) -> None:
    edit(session, "purpose.move_in.title.vi", "  ")
    content = kiosk_layout.draft(session, "ward").content
    (warning,) = kiosk_layout.faults(session, "ward", content)
    assert (warning.warning, warning.values["languages"]) == (True, "vi")
    assert publish(session) == 2


def test_what_is_no_setting_is_refused(session: Session) -> None:
    for key in ("purpose.move_in.size", "theme", "purpose.move_in.title.tlh"):
        with pytest.raises(InvalidInput) as caught:
            edit(session, key, "x")
        assert caught.value.reason == "unknown_setting"
    with pytest.raises(NotFound):
        kiosk_layout.move(session, office_id="ward", purpose_id="none", position=0, actor=WHO, at=AT)
    with pytest.raises(NotFound):
        kiosk_layout.show(session, office_id="ward", purpose_id="none", shown=True, actor=WHO, at=AT)
    with pytest.raises(NotFound):
        kiosk_layout.faults(session, "nowhere", {})


def test_a_draft_made_before_somebody_else_published_is_looked_at_again(session: Session) -> None:
    edit(session, "purpose.move_in.title.en", "I moved in")
    publish(session, based_on=1)
    edit(session, "purpose.move_in.title.en", "I have moved in")
    with pytest.raises(Conflict) as caught:
        publish(session, based_on=1)
    assert (caught.value.reason, caught.value.values["version"]) == ("published_meanwhile", 2)
    assert publish(session, based_on=2) == 3


def test_an_empty_draft_is_not_published_and_a_draft_can_be_dropped(session: Session) -> None:
    with pytest.raises(Conflict) as caught:
        publish(session)
    assert caught.value.reason == "nothing_to_publish"
    edit(session, "purpose.move_in.title.en", "I moved in")
    edit(session, "purpose.move_in.title.en", "I moved")
    assert publications.discard(session, office_id="ward", kind=Kind.KIOSK) == 1
    assert kiosk_layout.draft(session, "ward").changes == []


def test_drafts_of_two_offices_and_kinds_do_not_meet(session: Session) -> None:
    edit(session, "purpose.juminhyo.title.en", "Residence record")
    assert kiosk_layout.draft(session, "branch").changes == []
    assert opening_hours.draft(session, "ward").changes == []


SATURDAY = date(2026, 4, 18)


OPEN = {"open": "09:00", "close": "15:00"}


def special(session: Session, *intervals: dict[str, str], day: date = SATURDAY) -> None:
    opening_hours.set_special_day(
        session,
        office_id="ward",
        day=day,
        intervals=intervals,
        note={"ja": "引越しシーズンのため、土曜日も開庁します。"},
        categories=["ward-moving"],
        actor=WHO,
        at=AT,
    )


def test_a_special_day_is_drafted_looked_at_and_published(session: Session) -> None:
    special(session, OPEN)
    assert hours.opening(session, "ward", SATURDAY) == []
    (change,) = opening_hours.days_changed(session, "ward", at=AT)
    assert (change.day, list(change.before), f"{change.after[0].closes:%H:%M}") == (SATURDAY, [], "15:00")
    version = opening_hours.publish(session, office_id="ward", based_on=1, actor=WHO, at=AT)
    assert version.version == 2
    assert hours.is_open(session, "ward", datetime(2026, 4, 18, 10, 0, tzinfo=JST), "ward-moving")
    assert not hours.is_open(session, "ward", datetime(2026, 4, 18, 10, 0, tzinfo=JST), "ward-tax")
    assert hours.notes(session, "ward", SATURDAY)[0]["ja"].startswith("引越しシーズン")
    event = session.scalars(select(Event.action).where(Event.office_id == "ward").order_by(Event.seq.desc())).first()
    assert event == "hours_published"


def test_a_day_is_closed_and_opened_again(session: Session) -> None:
    day = date(2026, 4, 3)
    special(session, day=day)
    opening_hours.publish(session, office_id="ward", based_on=None, actor=WHO, at=AT)
    assert hours.opening(session, "ward", day) == []
    opening_hours.edit(session, office_id="ward", key=f"special.{day}", value=None, actor=WHO, at=AT)
    assert [change.day for change in opening_hours.days_changed(session, "ward", at=AT)] == [day]
    opening_hours.publish(session, office_id="ward", based_on=None, actor=WHO, at=AT)
    assert hours.opening(session, "ward", day) != []


def test_a_change_of_categories_alone_is_a_change_of_the_day(session: Session) -> None:
    special(session, OPEN)
    opening_hours.publish(session, office_id="ward", based_on=None, actor=WHO, at=AT)
    key = f"special.{SATURDAY}"
    value = opening_hours.draft(session, "ward").content[key]
    assert isinstance(value, dict)
    opening_hours.edit(
        session, office_id="ward", key=key, value={**value, "categories": ["ward-tax"]}, actor=WHO, at=AT
    )
    assert [change.day for change in opening_hours.days_changed(session, "ward", at=AT)] == [SATURDAY]


@pytest.mark.parametrize(
    ("interval", "code"),
    [
        ({"open": "15:00", "close": "09:00"}, "closes_before_opens"),
        ({"open": "9 o'clock", "close": "12:00"}, "bad_hours"),
        ({"open": "09:00"}, "bad_hours"),
    ],
)
def test_hours_that_are_none_are_refused_at_once(session: Session, interval: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        special(session, interval)
    assert caught.value.reason == code
    assert opening_hours.draft(session, "ward").changes == []


def test_the_past_does_not_change(session: Session) -> None:
    with pytest.raises(InvalidInput) as caught:
        special(session, OPEN, day=date(2026, 3, 31))
    assert caught.value.reason == "day_is_past"
    special(session, OPEN, day=date(2026, 4, 1))


def test_a_rule_of_a_category_that_went_away_cannot_be_published(session: Session) -> None:
    special(session, OPEN)
    found = opening_hours.faults(session, "branch", opening_hours.draft(session, "ward").content)
    assert {fault.code for fault in found} == {"unknown_category"}


def test_an_earlier_version_becomes_the_draft(session: Session) -> None:
    edit(session, "purpose.move_in.title.ja", "引っ越して来た")
    edit(session, "purpose.move_in.closes", "16:00")
    publish(session)
    edit(session, "purpose.care.hidden", True)

    def restore(version: int) -> int:
        return publications.restore(
            session, office_id="ward", kind=Kind.KIOSK, version=version, actor=WHO, at=AT
        )  # fmt: skip

    assert restore(1) == 2
    changes = {change.key: change.after for change in kiosk_layout.draft(session, "ward").changes}
    # What was in the draft before is dropped; a key that version 1 did not have is taken out again.
    assert changes == {"purpose.move_in.title.ja": "転入", "purpose.move_in.closes": None}
    assert publish(session, based_on=2) == 3
    first, third = (publications.history(session, "ward", Kind.KIOSK)[place].content for place in (2, 0))
    assert first == third
    assert [change.key for change in publications.changes_of(publications.current(session, "ward", Kind.KIOSK))] == [
        "purpose.move_in.closes", "purpose.move_in.title.ja",
    ]  # fmt: skip
    assert restore(3) == 0
    with pytest.raises(NotFound):
        restore(9)


def test_a_draft_is_looked_at_as_the_kiosk_would_show_it(session: Session) -> None:
    edit(session, "purpose.move_in.closes", "16:00")
    content = kiosk_layout.draft(session, "ward").content
    drafted = {each.purpose.id: each.open for each in kiosk_layout.choices(session, "ward", at=AT, content=content)}
    published = {each.purpose.id: each.open for each in kiosk_layout.choices(session, "ward", at=AT)}
    assert (drafted["move_in"], published["move_in"]) == (False, True)
