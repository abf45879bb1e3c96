"""The catalogue moves on, the promise stays: whoever booked what is offered no more is received as promised."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.booking import State, Timing
from app.domain.errors import Conflict, NotFound
from app.models.booking import Booking
from app.models.place import Category, Offering
from app.models.ticket import Step
from app.services import booking_days, booking_desk, booking_view, bookings, queue, tickets, withdrawn_lines
from app.services.booking_days import Shift
from tests.services.booking_desk import AT, SEALER, SECRET, agreed, book, hold, morning, used


def taken_out(session: Session) -> None:
    """The office does it no more: the files name it in no line."""
    session.get_one(Offering, ("ward", "tennyu")).active = False


def unbookable(session: Session) -> None:
    """The line gives numbers only."""
    session.get_one(Category, "ward-moving").booking = {}


def elsewhere(session: Session) -> None:
    """Another line does it now."""
    session.get_one(Offering, ("ward", "tennyu")).category_id = "ward-insurance"


def gone(session: Session) -> None:
    """Out of the files, and its line without slots."""
    taken_out(session)
    unbookable(session)


Change = Callable[[Session], None]
ALL: list[Change] = [taken_out, unbookable, elsewhere, gone]


def changed(database: Database, change: Change) -> int:
    """A booking of Thursday at ten, made before the catalogue changed."""
    with database.transaction() as session:
        made = book(session, "tennyu", "juminhyo").id
    with database.transaction() as session:
        change(session)
    return made


def move(session: Session, made: int, *, staff: bool) -> Booking:
    booking = session.get_one(Booking, made)
    return bookings.move(session, booking, start=morning(11), actor="test", at=AT, staff=staff)


@pytest.mark.parametrize("change", ALL)
def test_a_promised_party_gets_its_number_at_its_time(database: Database, change: Change) -> None:
    made = changed(database, change)
    with database.transaction() as session:
        booking = session.get_one(Booking, made)
        assert bookings.arrival(session, booking, at=morning(9, 50)) is Timing.ON_TIME
        ticket, _ = bookings.check_in(session, booking, seed="seed-in", secret=SECRET, actor="test", at=morning(9, 50))
        first, *others = session.scalars(select(Step).where(Step.ticket_id == ticket.id).order_by(Step.position))
        offering = session.get_one(Offering, ("ward", "tennyu"))
        assert (first.service_id, first.due_at, first.category_id) == ("tennyu", morning(10), offering.category_id)
        assert {step.service_id for step in others} == {"juminhyo"}


@pytest.mark.parametrize("change", ALL)
def test_it_is_looked_at_listed_and_given_back(database: Database, change: Change) -> None:
    made = changed(database, change)
    with database.transaction() as session:
        booking = session.get_one(Booking, made)
        assert booking_view.describe(session, booking)["state"] == State.BOOKED
        rows = booking_desk.day_list(session, office_id="ward", day=booking.business_date, sealer=SEALER)
        assert [row.id for row in rows] == [made]
        assert bookings.cancel(session, booking, actor="test", at=AT)
        assert used(session) == 0
        assert agreed(session)


@pytest.mark.parametrize(("change", "staff_too"), [(taken_out, False), (unbookable, True), (gone, True)])
def test_no_other_time_is_promised_for_it_and_the_old_one_stays(
    database: Database, change: Change, *, staff_too: bool
) -> None:
    made = changed(database, change)
    for staff in (False, True) if staff_too else (False,):
        with pytest.raises(Conflict, match="booking_withdrawn"), database.transaction() as session:
            move(session, made, staff=staff)
    with database.snapshot() as session:
        booking = session.get_one(Booking, made)
        assert (booking.state, booking.start_at, used(session)) == (State.BOOKED, morning(10), 1)


@pytest.mark.parametrize("change", [taken_out, elsewhere])
def test_staff_move_it_while_there_are_slots(database: Database, change: Change) -> None:
    made = changed(database, change)
    with database.transaction() as session:
        moved = move(session, made, staff=True)
        line = session.get_one(Offering, ("ward", "tennyu")).category_id
        assert (moved.start_at, moved.category_id) == (morning(11), line)
        assert used(session) == 0
        assert agreed(session)


def test_nobody_books_it_anew_not_even_staff(database: Database) -> None:
    with database.transaction() as session:
        taken_out(session)
    for staff in (False, True):
        with pytest.raises(NotFound), database.transaction() as session:
            hold(session, staff=staff, channel="staff" if staff else "web")


def test_a_number_of_it_without_a_booking_is_not_given(database: Database) -> None:
    with database.transaction() as session:
        taken_out(session)
    with pytest.raises(NotFound), database.transaction() as session:
        tickets.issue(
            session, office_id="ward", wish=tickets.Wish(services=["tennyu"], channel="kiosk"), seed="seed-t",
            secret=SECRET, actor="test", at=morning(10),
        )  # fmt: skip


def test_a_day_is_moved_around_one_that_cannot_be(database: Database) -> None:
    """Before, one such booking of a day refused the moving of all others."""
    with database.transaction() as session:
        stays, goes = book(session, "tennyu").id, book(session, "kokuho_join", start=morning(11)).id
        unbookable(session)
    day = morning(10).date()
    shift = Shift(office_id="ward", day=day, until=day + timedelta(days=7), reason="weather")
    with database.transaction() as session:
        found = booking_days.move(session, shift, actor="test", at=AT)
    assert (found.unplaced, [number for number, _ in found.moved]) == ([stays], [goes])


def line_gone(session: Session) -> None:
    """The whole line is out of the files."""
    for offering in session.scalars(select(Offering).where(Offering.category_id == "ward-moving")):
        offering.active = False


def standing(database: Database) -> list[tuple[str, int, int]]:
    with database.snapshot() as session:
        found = withdrawn_lines.find(session, "ward", at=AT)
        return [(line.category.id, line.bookings, line.numbers) for line in found]


def test_who_still_stands_in_a_line_that_is_gone_is_counted(database: Database) -> None:
    wish = tickets.Wish(services=["tennyu", "juminhyo"], channel="kiosk")
    with database.transaction() as session:
        book(session, "tennyu", "juminhyo")
        book(session, "kokuho_join", start=morning(11))
        ticket = tickets.issue(session, office_id="ward", wish=wish, seed="s", secret=SECRET, actor="test", at=AT)
    assert standing(database) == []
    with database.transaction() as session:
        taken_out(session)
    assert standing(database) == []
    with database.transaction() as session:
        line_gone(session)
    assert standing(database) == [("ward-moving", 1, 1)]
    with database.transaction() as session:
        queue.cancel_ticket(session, ticket=session.merge(ticket), actor="test", at=AT)
        elsewhere(session)
    assert standing(database) == []
