"""A ticket's steps one after the other: what becomes ready by itself, what falls away, what may be taken back."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.calling import Entry
from app.domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from app.domain.ticket import Action, State
from app.models.place import Category, Offering, Service
from app.models.ticket import Event, Step, Ticket
from app.services import counters, journeys, lines, queue, tickets

AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
COUNTER = "ward-2"


def later(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def take(session: Session, *services: str, number: int = 0, channel: str = "kiosk", **more: datetime) -> Ticket:
    wish = tickets.Wish(services=list(services), channel=channel, **more)
    return tickets.issue(session, office_id="ward", wish=wish, seed=f"s{number}", secret=b"x", actor="test", at=AT)


def steps(session: Session, ticket: Ticket) -> list[tuple[str, str, str]]:
    return [(step.service_id, step.phase, step.state) for step in lines.steps_of(session, ticket.id)]


def open_for(session: Session, ticket: Ticket, place: str = COUNTER) -> None:
    wanted = sorted({step.category_id for step in lines.steps_of(session, ticket.id)})
    counters.open_counter(session, counter_id=place, actor="test", at=AT, categories=wanted)


def serve(session: Session, ticket: Ticket, *, at: datetime = AT) -> Step:
    """Call the ticket's next step, start and finish it."""
    step = queue.call_number(session, counter_id=COUNTER, number=ticket.number, actor="test", at=at)
    for action in (Action.START, Action.FINISH):
        queue.act(session, step_id=step.id, action=action, actor="test", at=at)
    return step


def test_a_certificate_waits_for_the_back_office(database: Database) -> None:
    """The hand-over becomes ready when somebody says so, and comes to the front then."""
    with database.transaction() as session:
        ticket = take(session, "juminhyo")
        open_for(session, ticket)
        serve(session, ticket)
        assert [state for *_, state in steps(session, ticket)] == ["done", "pending"]
        deliver = lines.steps_of(session, ticket.id)[1]
        queue.act(session, step_id=deliver.id, action=Action.READY, actor="test", at=later(5))
        assert (deliver.state, deliver.entry) == (State.WAITING, Entry.DELIVERY)


def test_without_back_office_the_hand_over_follows_at_once(database: Database) -> None:
    with database.transaction() as session:
        service = session.get_one(Service, "juminhyo")
        service.minutes = service.minutes | {"back": 0}
        ticket = take(session, "juminhyo")
        open_for(session, ticket)
        serve(session, ticket)
        assert [state for *_, state in steps(session, ticket)] == ["done", "waiting"]


def test_the_next_hearing_keeps_the_arrival(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "tenkyo", "mnc_pin")
        open_for(session, ticket)
        serve(session, ticket, at=later(20))
        following = next(step for step in lines.steps_of(session, ticket.id) if step.service_id == "mnc_pin")
        assert (following.state, following.entry, following.arrived_at) == (State.WAITING, Entry.JOURNEY, AT)


def test_a_hearing_that_falls_away_takes_its_hand_over_along(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "juminhyo", "tennyu")
        first = lines.steps_of(session, ticket.id)[0]
        queue.act(session, step_id=first.id, action=Action.CANCEL, actor="test", at=AT)
        found = steps(session, ticket)
        assert [state for service, _, state in found if service == "juminhyo"] == ["cancelled", "cancelled"]
        assert ("tennyu", "accept", "waiting") in found
        reasons = session.scalars(select(Event.reason).where(Event.ticket_id == ticket.id).order_by(Event.seq)).all()
        assert "hearing_cancelled" in reasons
        assert "journey" in reasons


def test_a_hand_over_that_falls_away_takes_nothing_along(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "juminhyo")
        deliver = lines.steps_of(session, ticket.id)[1]
        queue.act(session, step_id=deliver.id, action=Action.CANCEL, actor="test", at=AT)
        assert [state for *_, state in steps(session, ticket)] == ["waiting", "cancelled"]


def test_a_booked_step_waits_as_booked(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "tenkyo", "mnc_pin")
        second = next(step for step in lines.steps_of(session, ticket.id) if step.service_id == "mnc_pin")
        assert journeys.entry_of(second) is Entry.WALK_IN
        second.slot_at = later(60)
        assert journeys.entry_of(second) is Entry.BOOKED


def test_what_is_finished_is_taken_back_for_ten_minutes(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "tenkyo")
        open_for(session, ticket)
        done = serve(session, ticket)
        with pytest.raises(Conflict, match="reopen_too_late"):
            queue.act(session, step_id=done.id, action=Action.REOPEN, actor="test", at=later(10.1))
        reopened = queue.act(session, step_id=done.id, action=Action.REOPEN, actor="test", at=later(10))
        assert (reopened.state, reopened.ended_at) == (State.SERVING, None)


def test_what_is_finished_stays_so_once_the_next_step_has_begun(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "tenkyo", "mnc_pin")
        open_for(session, ticket)
        first = serve(session, ticket)
        queue.call_number(session, counter_id=COUNTER, number=ticket.number, actor="test", at=later(1))
        with pytest.raises(Conflict, match="later_step_begun"):
            queue.act(session, step_id=first.id, action=Action.REOPEN, actor="test", at=later(2))


def test_a_step_of_another_office_is_absent_at_this_counter(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "juminhyo")
        open_for(session, ticket)
        step = lines.steps_of(session, ticket.id)[0]
        branch = session.scalars(select(Category.id).where(Category.office_id == "branch")).all()
        counters.open_counter(session, counter_id="branch-1", actor="test", at=AT, categories=list(branch))
        for wrong in (step.id, 10**9):
            with pytest.raises(NotFound):
                queue.call_step(session, counter_id="branch-1", step_id=wrong, actor="test", at=AT)
        queue.act(session, step_id=step.id, action=Action.CANCEL, actor="test", at=AT)
        with pytest.raises(IllegalTransition):
            queue.call_step(session, counter_id=COUNTER, step_id=step.id, actor="test", at=AT)


def test_a_call_is_not_an_action_on_a_step(database: Database) -> None:
    """It needs a counter, and the order; there is one door for it."""
    with database.transaction() as session:
        step = lines.steps_of(session, take(session, "juminhyo").id)[0]
        with pytest.raises(InvalidInput, match="use_call"):
            queue.act(session, step_id=step.id, action=Action.CALL, actor="test", at=AT)


def test_a_transfer_goes_only_to_what_is_offered_now(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "tenkyo")
        open_for(session, ticket)
        step = queue.call_number(session, counter_id=COUNTER, number=ticket.number, actor="test", at=AT)
        session.get_one(Offering, ("ward", "mnc_pin")).active = False
        session.flush()
        for wrong in ("mnc_pin", "nothing", None):
            with pytest.raises(NotFound):
                queue.act(session, step_id=step.id, action=Action.TRANSFER, actor="test", at=AT, service_id=wrong)
        moved = queue.act(session, step_id=step.id, action=Action.TRANSFER, actor="test", at=later(9),
                          service_id="juminhyo")  # fmt: skip
        assert (moved.state, moved.entry, moved.arrived_at) == (State.WAITING, Entry.JOURNEY, AT)


def test_a_web_number_joins_the_line_when_its_holder_has_come(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "juminhyo", channel="web", confirm_by=later(60))
        assert steps(session, ticket)[0][2] == "pending"
        tickets.confirm(session, ticket, actor="test", at=later(30))
        first = lines.steps_of(session, ticket.id)[0]
        assert (first.state, first.arrived_at) == (State.WAITING, later(30))
        assert tickets.confirm(session, ticket, actor="test", at=later(31)).confirm_by is None
        assert lines.steps_of(session, ticket.id)[0].arrived_at == later(30)


def test_a_web_number_that_nobody_confirmed_is_given_up(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "juminhyo", channel="web", confirm_by=later(60))
        with pytest.raises(Conflict, match="confirm_too_late"):
            tickets.confirm(session, ticket, actor="test", at=later(61))
        assert tickets.expire_unconfirmed(session, office_id="ward", at=later(60)) == 0
        assert tickets.expire_unconfirmed(session, office_id="ward", at=later(61)) == 1
        assert tickets.expire_unconfirmed(session, office_id="ward", at=later(62)) == 0
        assert {state for *_, state in steps(session, ticket)} == {"cancelled"}


def test_a_line_for_bookings_gives_no_number_but_by_staff(database: Database) -> None:
    with database.transaction() as session:
        category = session.get_one(Offering, ("ward", "juminhyo")).category_id
        session.get_one(Category, category).booking_only = True
        session.flush()
        for channel in ("kiosk", "web"):
            with pytest.raises(Conflict, match="booking_only"):
                take(session, "juminhyo", channel=channel)
        assert take(session, "juminhyo", channel="staff").number


def test_every_line_of_a_number_is_asked_whether_it_gives_one_here(database: Database) -> None:
    """Not only the first: a second procedure would otherwise lead into a line nobody may enter that way."""
    with database.transaction() as session:
        category = session.get_one(Category, session.get_one(Offering, ("ward", "tennyu")).category_id)
        category.web_ticket = False
        session.flush()
        for number, services in enumerate((["tennyu"], ["juminhyo", "tennyu"])):
            with pytest.raises(Conflict, match="not_on_the_web"):
                take(session, *services, channel="web")
            assert take(session, *services, number=number, channel="kiosk").number
        assert take(session, "juminhyo", number=2, channel="web").number
        category.booking_only = True
        session.flush()
        with pytest.raises(Conflict, match="booking_only"):
            take(session, "juminhyo", "tennyu", channel="kiosk")


def test_a_visit_that_is_over_is_not_given_back(database: Database) -> None:
    with database.transaction() as session:
        ticket = take(session, "tenkyo")
        open_for(session, ticket)
        serve(session, ticket)
        with pytest.raises(IllegalTransition):
            queue.cancel_ticket(session, ticket=ticket, actor="test", at=later(1))
        other = take(session, "tenkyo", number=1)
        assert queue.cancel_ticket(session, ticket=other, actor="test", at=AT) is True
        assert queue.cancel_ticket(session, ticket=other, actor="test", at=AT) is False
