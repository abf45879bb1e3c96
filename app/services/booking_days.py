"""A day that cannot be kept (typhoon, system failure): its slots are shut, and everyone is given another time.

Nobody has to do anything to keep a place: the new time stands at once, its message says how to choose another or
to cancel. Whoever cannot be placed keeps the old booking and is on a list to be called.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import later
from app.domain.booking import State
from app.domain.calendar import business_date, instant
from app.domain.errors import Conflict, InvalidInput
from app.models.booking import Booking
from app.services import availability, booking_cells, bookings, places
from app.services.availability import Slot

MOST_AT_ONCE = 50
REASONS = ("weather", "system_failure", "closure", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What happens to a day. ``until``: the last day new times are looked for; ``lines`` empty: all lines."""

    office_id: str
    day: date
    until: date
    reason: str
    lines: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class Moved:
    """What became of the bookings looked at: ``(id, new start)`` of the moved, ids of those nobody could place.

    ``left``: how many are still to be looked at.
    """

    moved: list[tuple[int, datetime]] = field(default_factory=list)
    unplaced: list[int] = field(default_factory=list)
    left: int = 0


def touched(session: Session, shift: Shift, *, at: datetime) -> Sequence[Booking]:
    """The bookings of the day that have not begun, by start: shown before anything is moved."""
    query = select(Booking).where(
        Booking.office_id == shift.office_id, Booking.business_date == shift.day, Booking.state == State.BOOKED,
        Booking.start_at >= at,
    )  # fmt: skip
    if shift.lines:
        query = query.where(Booking.category_id.in_(list(shift.lines)))
    return session.scalars(query.order_by(Booking.start_at, Booking.id)).all()


def shut(session: Session, shift: Shift, *, at: datetime) -> int:
    """Let nobody book the rest of the day any more; what is booked stays until it is moved. Returns how many cells.

    ``booking_cells.set_places`` with None opens them again. Raises what ``move`` raises, so that a wrong word in the
    form shuts nothing.
    """
    _days(shift)
    first = max(instant(shift.day, time(0)), at)
    last = instant(shift.day + timedelta(days=1), time(0))
    count = 0
    for line in shift.lines or [each.id for each in booking_cells.lines(session, shift.office_id)]:
        cells = booking_cells.claims_of(session, shift.office_id, line, first, last)
        places.shut(session, office_id=shift.office_id, cells=cells)
        count += len(cells)
    return count


def move(
    session: Session, shift: Shift, *, actor: str, at: datetime, skip: Sequence[int] = (), most: int = MOST_AT_ONCE
) -> Moved:
    """Give the next bookings of a shut day another time each; call again while ``left`` says so.

    ``skip``: ids that could not be placed before. Raises InvalidInput("bad_range", "reason_needed").
    """
    days = _days(shift)
    waiting = [booking for booking in touched(session, shift, at=at) if booking.id not in set(skip)]
    found = Moved(left=max(0, len(waiting) - most))
    for booking in waiting[:most]:
        start = _place(session, booking, days, actor=actor, at=at, reason=shift.reason)
        if start is None:
            found.unplaced.append(booking.id)
        else:
            found.moved.append((booking.id, start))
    return found


def _days(shift: Shift) -> list[date]:
    """The days new times are looked for."""
    if shift.reason not in REASONS:
        raise InvalidInput("reason_needed", field="reason")
    return [day for day in availability.days(shift.day, shift.until) if day != shift.day]


def _place(
    session: Session, booking: Booking, days: Sequence[date], *, actor: str, at: datetime, reason: str
) -> datetime | None:
    for slot in _nearest(session, booking, days, at=at):
        session.flush()
        later.write(session)
        point = session.begin_nested()
        try:
            bookings.move(session, booking, start=slot.start, actor=actor, at=at, staff=True, reason=reason)
            session.flush()
            later.write(session)
        except Conflict:
            point.rollback()
            session.info.pop("later", None)
            session.refresh(booking)
            continue
        point.commit()
        return slot.start
    return None


def _nearest(session: Session, booking: Booking, days: Sequence[date], *, at: datetime) -> list[Slot]:
    """Free slots for this booking: the first days first, on a day the ones nearest to the hour it had."""
    try:
        asked = bookings.to_move(session, booking, staff=True)
    except Conflict:
        # Nothing like it can be booked any more: its holder is called.
        return []
    slots = availability.of_days(session, asked, days, party=booking.party, at=at, staff=True)
    free = [slot for slot in slots if slot.free > 0]

    def distance(slot: Slot) -> tuple[date, timedelta]:
        day = business_date(slot.start)
        return day, abs(slot.start - (booking.start_at + (day - booking.business_date)))

    return sorted(free, key=distance)[:5]


__all__ = ["MOST_AT_ONCE", "REASONS", "Moved", "Shift", "move", "shut", "touched"]
