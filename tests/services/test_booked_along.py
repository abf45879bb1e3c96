"""A booked visit with procedures that need no booking: one number, no place taken for them, their turn by the rules."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.booking import State
from app.domain.calling import Entry
from app.domain.errors import InvalidInput, NotFound
from app.domain.ticket import Action
from app.domain.ticket import State as StepState
from app.models.booking import Booking, BookingPlace
from app.models.place import Category, Offering, Service
from app.models.ticket import Step
from app.services import availability, booking_days, booking_view, bookings, counters, later_today, lines, queue
from tests.services.booking_desk import AT, SECRET, agreed, book, hold, morning, used

# Thursday evening: moving and certificates are open, tax is not.
EVENING = morning(17, 30)


def arrive(session: Session, booking: Booking, at: datetime) -> tuple[Step, ...]:
    ticket, _ = bookings.check_in(session, booking, seed="t", secret=SECRET, actor="test", at=at)
    return tuple(lines.steps_of(session, ticket.id))


def hear(session: Session, number: str, counter: str, *, at: datetime) -> None:
    step = queue.call_number(session, counter_id=counter, number=number, actor="test", at=at)
    for action in (Action.START, Action.FINISH):
        queue.act(session, step_id=step.id, action=action, actor="test", at=at)


def test_what_needs_no_booking_takes_no_place_and_is_part_of_the_booking(database: Database) -> None:
    with database.transaction() as session:
        held = hold(session, "juminhyo", "tennyu")
    with database.snapshot() as session:
        row = session.get_one(Booking, held.id)
        assert (row.services, [stage["service"] for stage in row.plan]) == (["juminhyo", "tennyu"], ["tennyu"])
        assert (row.category_id, row.end_at) == ("ward-moving", morning(10, 15))
        assert {each.pool for each in session.scalars(select(BookingPlace))} == {"ward-moving"}
        told = booking_view.describe(session, row)
        assert [(each["id"], each["along"]) for each in told["services"]] == [("juminhyo", True), ("tennyu", False)]
        assert agreed(session)


@pytest.mark.parametrize("services", [("juminhyo",), ("juminhyo", "kazei_cert")])
def test_a_visit_with_nothing_to_book_is_refused(database: Database, services: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput, match="not_bookable"), database.transaction() as session:
        hold(session, *services)


def test_a_line_that_is_by_booking_only_gives_no_number_beside(database: Database) -> None:
    with database.transaction() as session:
        session.get_one(Category, "ward-tax").booking_only = True
    with pytest.raises(InvalidInput, match="not_bookable"), database.transaction() as session:
        hold(session, "tennyu", "kazei_cert")
    with database.transaction() as session:
        assert hold(session, "tennyu", "kazei_cert", staff=True, channel="staff").start_at == morning(10)


def test_nobody_is_booked_for_an_hour_in_which_the_other_line_gives_no_numbers(database: Database) -> None:
    with database.transaction() as session:
        assert hold(session, "tennyu", "juminhyo", start=EVENING).start_at == EVENING
    with pytest.raises(NotFound), database.transaction() as session:
        # A tax certificate of the line that has gone home.
        hold(session, "tennyu", "moped", start=EVENING)
    with database.snapshot() as session:
        for beside, offered in (("juminhyo", True), ("moped", False)):
            asked = availability.visit(session, office_id="ward", services=["tennyu", beside])
            slots = availability.of_days(session, asked, [EVENING.date()], party=1, at=AT)
            assert any(slot.start == EVENING for slot in slots) is offered
            assert any(slot.start == morning(10) for slot in slots)


def test_one_number_and_the_other_line_counts_from_the_arrival(database: Database) -> None:
    with database.transaction() as session:
        for counter, line in (("ward-4", "ward-moving"), ("ward-2", "ward-certificates")):
            counters.open_counter(session, counter_id=counter, actor="test", at=morning(9), categories=[line])
        booking = book(session, "juminhyo", "tennyu")
        first, accept, deliver = arrive(session, booking, morning(9, 50))
        assert (first.service_id, first.entry, first.due_at) == ("tennyu", Entry.BOOKED, morning(10))
        assert (first.ticket.number[0], accept.state, accept.slot_at) == ("B", StepState.PENDING, None)
        hear(session, first.ticket.number, "ward-4", at=morning(10, 20))
        session.refresh(accept)
        allowance = timedelta(minutes=session.get_one(Category, accept.category_id).policy["allowance"])
        assert (accept.service_id, accept.state, accept.entry) == ("juminhyo", StepState.WAITING, Entry.JOURNEY)
        assert (accept.arrived_at, accept.due_at) == (morning(9, 50), morning(9, 50) + allowance)
        assert deliver.state == StepState.PENDING


@pytest.mark.parametrize(("at", "following"), [(morning(10, 2), "juminhyo"), (morning(10, 20), "kokuho_join")])
def test_it_goes_between_two_promised_times_only_where_it_is_over_before_the_second(
    database: Database, at: datetime, following: str
) -> None:
    with database.transaction() as session:
        for counter, line in (
            ("ward-4", "ward-moving"),
            ("ward-2", "ward-certificates"),
            ("ward-13", "ward-insurance"),
        ):
            counters.open_counter(session, counter_id=counter, actor="test", at=morning(9), categories=[line])
        booking = book(session, "tennyu", "kokuho_join", "juminhyo")
        steps = arrive(session, booking, morning(9, 50))
        hear(session, steps[0].ticket.number, "ward-4", at=at)
        states = session.execute(select(Step.service_id).where(Step.state == StepState.WAITING)).scalars().all()
        assert states == [following]


def test_with_the_other_counter_shut_the_promised_time_comes_first(database: Database) -> None:
    with database.transaction() as session:
        counters.open_counter(session, counter_id="ward-4", actor="test", at=morning(9), categories=["ward-moving"])
        steps = arrive(session, book(session, "tennyu", "kokuho_join", "juminhyo"), morning(9, 50))
        hear(session, steps[0].ticket.number, "ward-4", at=morning(10, 2))
        assert [step.service_id for step in lines.steps_of(session, steps[0].ticket_id)][1] == "kokuho_join"
        assert session.scalars(select(Step.service_id).where(Step.state == StepState.WAITING)).all() == ["kokuho_join"]


def test_what_had_no_slot_gets_none_when_staff_move_it(database: Database) -> None:
    """Staff may book a report of a death; in a booking of the public it rides along, and stays so."""
    with database.transaction() as session:
        booking = book(session, "birth", "death")
        before = [stage["service"] for stage in booking.plan]
        bookings.move(session, booking, start=morning(11), actor="test", at=AT, staff=True)
        assert [stage["service"] for stage in booking.plan] == before == ["birth"]
        assert agreed(session)
        of_staff = book(session, "birth", "death", staff=True, channel="staff", start=morning(14))
        assert {stage["service"] for stage in of_staff.plan} == {"birth", "death"}


def test_a_day_that_cannot_be_kept_moves_the_whole_visit(database: Database) -> None:
    day = morning(10).date()
    with database.transaction() as session:
        booking = book(session, "tennyu", "juminhyo")
        shift = booking_days.Shift(office_id="ward", day=day, until=day + timedelta(days=5), reason="weather")
        booking_days.shut(session, shift, at=AT)
        assert [each for each, _ in booking_days.move(session, shift, actor="test", at=AT).moved] == [booking.id]
        assert (booking.services, used(session)) == (["tennyu", "juminhyo"], 0)
        assert agreed(session)


def test_who_comes_too_late_for_the_slot_still_has_the_whole_visit(database: Database) -> None:
    with database.transaction() as session:
        steps = arrive(session, book(session, "tennyu", "juminhyo"), morning(10, 31))
        assert [step.service_id for step in steps] == ["tennyu", "juminhyo", "juminhyo"]
        assert {step.slot_at for step in steps} == {None}


def test_a_line_without_booking_rules_any_more_is_not_read_as_one_that_rides_along(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session, "tennyu", "juminhyo")
        session.get_one(Category, "ward-moving").booking = {}
        found = bookings.visit_of(session, booking)
        assert [part.service for part in found.along] == ["juminhyo"]
        assert (found.withdrawn, found.bookable) == (True, False)


def test_a_certificate_no_longer_offered_is_said_before_anything_is_held(database: Database) -> None:
    with database.transaction() as session:
        offering = session.scalars(
            select(Offering).where(Offering.office_id == "ward", Offering.service_id == "juminhyo")
        ).one()
        offering.active = False
    with pytest.raises(NotFound), database.transaction() as session:
        hold(session, "tennyu", "juminhyo")
    with database.snapshot() as session:
        assert session.scalars(select(Booking)).all() == []


def test_the_kiosk_offers_a_later_time_for_the_whole_visit(database: Database) -> None:
    at = morning(9)
    with database.snapshot() as session:
        assert session.get_one(Service, "juminhyo").bookable is False
        for services, some in ((["tennyu", "juminhyo"], True), (["juminhyo"], False)):
            found = later_today.offers(session, office_id="ward", services=services, wait=30.0, at=at)
            assert bool(found) is some


def test_a_booking_with_one_beside_is_cancelled_like_any(database: Database) -> None:
    with database.transaction() as session:
        booking = book(session, "tennyu", "juminhyo")
        assert bookings.cancel(session, booking, actor="test", at=AT)
        assert (booking.state, used(session)) == (State.CANCELLED, 0)
        assert agreed(session)
