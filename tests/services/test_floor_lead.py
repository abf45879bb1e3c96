"""What a lead's screen stands on: the floor beside the snapshot, the figures of the day, and who has seen what."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain import alerts
from app.domain.advice import Deed
from app.domain.alerts import Alert, Code, Severity
from app.domain.errors import NotFound
from app.domain.roles import Role
from app.domain.ticket import Action
from app.models.place import Office
from app.models.ticket import Event
from app.services import counters, day_figures, floor, queue, seen, staff_queue, tickets
from tests.services.conftest import Member

NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def issue(session: Session, service: str, minutes: float, office: str = "ward") -> int:
    ticket = tickets.issue(
        session, office_id=office, wish=tickets.Wish(services=[service], channel="kiosk"),
        seed=f"{office}{service}{minutes}", secret=b"s" * 32, actor="test", at=after(minutes),
    )  # fmt: skip
    return ticket.id


def open_(session: Session, counter: str, minutes: float, **more: str) -> None:
    counters.open_counter(session, counter_id=counter, actor="test", at=after(minutes), **more)


def call(session: Session, counter: str, minutes: float) -> int:
    called = queue.call_next(session, counter_id=counter, actor="test", at=after(minutes))
    assert called is not None
    return called[0].id


def act(session: Session, step: int, minutes: float, *actions: Action) -> None:
    for action in actions:
        queue.act(session, step_id=step, action=action, actor="test", at=after(minutes))


def found(session: Session, minutes: float, office: str = "ward") -> list[Alert]:
    at = after(minutes)
    view = staff_queue.read(session, office_id=office, at=at)
    return alerts.find(floor.of_snapshot(session, view, at=at), at)


def test_a_late_line_of_a_real_office_gets_a_closed_counter_of_its_own(database: Database) -> None:
    with database.transaction() as session:
        open_(session, "ward-4", 0)
        for minute in (0, 1):
            issue(session, "tennyu", minute)
        act(session, call(session, "ward-4", 2), 2, Action.START)
        late = [each for each in found(session, 32) if each.code is Code.LATE]
    assert len(late) == 1
    assert late[0].category == "ward-moving"
    assert late[0].values == {"waiting": 1, "minutes": 31, "target": 30}
    assert late[0].advice is not None
    assert (late[0].advice.deed, late[0].advice.counter, late[0].advice.profile) == (
        Deed.OPEN, "ward-5", "ward-moving_help",
    )  # fmt: skip


def test_a_counter_that_has_just_ended_is_not_idle(database: Database) -> None:
    with database.transaction() as session:
        open_(session, "ward-2", 0)
        issue(session, "juminhyo", 0)
        issue(session, "juminhyo", 1)
        step = call(session, "ward-2", 2)
        act(session, step, 5, Action.MISS)
    with database.snapshot() as session:
        assert floor.last_acts(session, "ward", at=after(6))["ward-2"] == after(5)
        assert [each.code for each in found(session, 6)] == []
        assert [each.code for each in found(session, 7)] == [Code.IDLE]


def test_acts_of_yesterday_and_of_another_office_do_not_count(database: Database) -> None:
    with database.transaction() as session:
        open_(session, "ward-2", -24 * 60)
        open_(session, "branch-1", 0)
    with database.snapshot() as session:
        assert floor.last_acts(session, "ward", at=NOON) == {}


def test_a_hearing_twice_as_long_as_usual_is_known_from_the_catalogue(database: Database) -> None:
    with database.transaction() as session:
        open_(session, "ward-2", 0)
        issue(session, "juminhyo", 0)
        act(session, call(session, "ward-2", 1), 1, Action.START)
        long = [each for each in found(session, 60) if each.code is Code.LONG]
    assert len(long) == 1


def test_the_figures_of_a_day(database: Database) -> None:
    with database.transaction() as session:
        open_(session, "ward-2", 0)
        for minute in (0, 1, 2, 3):
            issue(session, "juminhyo", minute)
        issue(session, "juminhyo", 0, office="branch")
        for minute in (4, 6, 20):
            act(session, call(session, "ward-2", minute), minute + 1, Action.START, Action.FINISH)
        act(session, call(session, "ward-2", 23), 26, Action.MISS)
    with database.snapshot() as session:
        figures = day_figures.read(session, "ward", at=after(30))
    # Waits of 4, 5, 18 and 20 minutes against a target of 15.
    assert (figures.issued, figures.served, figures.missed, figures.called) == (4, 3, 1, 4)
    assert figures.mean_wait == pytest.approx(47 / 4)
    assert figures.wait_of_nine == pytest.approx(20)
    assert figures.within == pytest.approx(0.5)


def test_a_day_without_calls_has_no_mean(database: Database) -> None:
    with database.snapshot() as session:
        figures = day_figures.read(session, "ward", at=NOON)
    assert figures == day_figures.Figures(
        issued=0, served=0, missed=0, called=0, mean_wait=None, wait_of_nine=None, within=None
    )


def an_alert(severity: Severity = Severity.SOON, since: float = 0) -> Alert:
    return Alert(code=Code.LATE, severity=severity, since=after(since), category="ward-moving")


def test_who_has_seen_an_alert_is_kept_with_when(database: Database, member: Member) -> None:
    with database.transaction() as session:
        lead = member(session, Role.FLOOR_LEAD, login="yamaguchi", office_id="ward")
        other = member(session, Role.FLOOR_LEAD, login="mori", office_id="ward")
        before = session.get_one(Office, "ward").seq
        assert seen.mark(session, an_alert(), office_id="ward", actor=lead.actor, at=after(1)) is None
        second = seen.mark(session, an_alert(), office_id="ward", actor=other.actor, at=after(2))
    assert second is not None
    assert (second.by, second.at) == ("yamaguchi", after(1))
    with database.snapshot() as session:
        # One event, so that the other lead's screen hears of it at once; the second press changed nothing.
        assert session.get_one(Office, "ward").seq == before + 1
        event = session.scalars(select(Event).where(Event.action == "seen")).one()
        assert (event.actor, event.at) == (lead.actor, after(1))
        assert seen.marks(session, "ward", at=after(2))[an_alert().key].by == "yamaguchi"
        assert seen.marks(session, "branch", at=after(2)) == {}
        assert seen.marks(session, "ward", at=after(11)) == {}


def test_what_grew_worse_may_be_seen_again(database: Database, member: Member) -> None:
    with database.transaction() as session:
        lead = member(session, Role.FLOOR_LEAD, login="yamaguchi", office_id="ward")
        other = member(session, Role.FLOOR_LEAD, login="mori", office_id="ward")
        seen.mark(session, an_alert(), office_id="ward", actor=lead.actor, at=after(1))
        worse = an_alert(Severity.URGENT)
        assert seen.mark(session, worse, office_id="ward", actor=other.actor, at=after(2)) is None
        assert seen.marks(session, "ward", at=after(3))[worse.key].by == "mori"


def test_an_unknown_office_sees_nothing(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        seen.mark(session, an_alert(), office_id="nowhere", actor="staff:1", at=NOON)
