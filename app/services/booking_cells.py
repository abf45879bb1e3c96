"""The cells of a line as staff see and set them: how many places, how many taken, blocked or opened by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.booking import TAKING
from app.domain.calendar import business_date, instant
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.slots import Cell, LineRules, day_cells
from app.models.booking import Booking, BookingPlace
from app.models.place import Category
from app.services import hours, places
from app.services.places import Claim

MOST_PLACES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRow:
    """One cell. ``by_hand``: staff have set its places (0: blocked); ``usual``: what the rules would give."""

    start: datetime
    end: datetime
    capacity: int
    usual: int
    staff_only: int
    used: int
    staff_used: int
    by_hand: bool


def line_rules(session: Session, office_id: str, category_id: str) -> LineRules:
    """How a line of the office is booked; raises NotFound for one that is not."""
    category = session.get(Category, category_id)
    if category is None or category.office_id != office_id or not category.booking:
        raise NotFound(what="category")
    return LineRules.read(category.booking)


def lines(session: Session, office_id: str) -> Sequence[Category]:
    """The lines of an office that can be booked."""
    rows = session.scalars(select(Category).where(Category.office_id == office_id).order_by(Category.position))
    return [row for row in rows if row.booking]


def of_day(session: Session, *, office_id: str, category_id: str, day: date) -> list[CellRow]:
    """The cells of a line on a day."""
    rules = line_rules(session, office_id, category_id)
    opening = hours.opening(session, office_id, day, category_id)
    first = instant(day, time(0))
    touched = places.rooms(session, [category_id], first, first + timedelta(days=1))
    rows = []
    for start in day_cells(rules, tuple(opening), day):
        usual, staff_only = rules.places(start)
        used, staff_used, by_hand = touched.get(Cell(category_id, start), (0, 0, None))
        rows.append(
            CellRow(start=start, end=start + timedelta(minutes=rules.grid), usual=usual, staff_only=staff_only,
                    capacity=usual if by_hand is None else by_hand, used=used, staff_used=staff_used,
                    by_hand=by_hand is not None)
        )  # fmt: skip
    return rows


def set_places(
    session: Session, *, office_id: str, category_id: str, first: datetime, last: datetime, capacity: int | None
) -> int:
    """Set the places of the cells that begin from ``first`` to before ``last``: 0 blocks, None as the rules say.

    Returns how many cells. Raises Conflict("slot_in_use") with ``references`` of the bookings that do not fit any
    more (nothing is changed then, the transaction must end), InvalidInput, NotFound.
    """
    if capacity is not None and not 0 <= capacity <= MOST_PLACES:
        raise InvalidInput("bad_range", most=MOST_PLACES)
    if not timedelta() < last - first <= timedelta(days=31):
        raise InvalidInput("bad_range", most=31)
    cells = claims_of(session, office_id, category_id, first, last)
    refused = places.set_capacity(session, office_id=office_id, cells=cells, capacity=capacity)
    if refused:
        raise Conflict("slot_in_use", references=references(session, refused))
    return len(cells)


def claims_of(
    session: Session, office_id: str, category_id: str, first: datetime, last: datetime
) -> Mapping[Cell, Claim]:
    """The cells of a line that begin in a span, with what the rules give them."""
    rules = line_rules(session, office_id, category_id)
    calendar, found = hours.calendar_of(session, office_id), {}
    day = business_date(first)
    while instant(day, time(0)) < last:
        for start in day_cells(rules, calendar.intervals(day, category_id), day):
            if first <= start < last:
                capacity, staff_only = rules.places(start)
                found[Cell(category_id, start)] = Claim(
                    line=category_id, places=0, capacity=capacity, staff_only=staff_only
                )
        day += timedelta(days=1)
    return found


def references(session: Session, cells: Sequence[Cell]) -> list[str]:
    """References of the bookings that take places in some cells, each once, by start."""
    found: dict[str, None] = {}
    for cell in cells:
        rows = session.scalars(
            select(Booking.reference)
            .join(BookingPlace, BookingPlace.booking_id == Booking.id)
            .where(BookingPlace.pool == cell.pool, BookingPlace.start_at == cell.start)
            .where(Booking.state.in_(sorted(TAKING)), Booking.reference.is_not(None))
            .order_by(Booking.id)
        )
        found |= {str(reference): None for reference in rows}
    return list(found)
