"""What staff do with bookings: the list of a day, booking for a caller, moving and cancelling with a reason."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain import booking as rules
from app.domain.booking import Person, State
from app.domain.calendar import business_date
from app.domain.ticket import State as TicketState
from app.domain.ticket import status
from app.models.booking import Booking, BookingEvent
from app.models.place import Service
from app.models.ticket import Step, Ticket
from app.services import availability, booking_view, bookings, holds
from app.services.availability import Slot, Visit
from app.services.booking_view import Shown

SHOWN = (State.BOOKED, State.ARRIVED, State.NO_SHOW, State.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """One booking in the list of a day; nothing personal but masked.

    ``names``: services by language, neutral for sensitive ones, where also the person is left out; those without a
    time of their own last. ``number``: its ticket; ``progress``: how far that is. ``fee_yen``: of all services, whole
    yen.
    """

    id: int
    reference: str
    state: State
    start: datetime
    end: datetime
    category: str
    names: Sequence[Mapping[str, Any]]
    sensitive: bool
    party: int
    language: str
    channel: str
    person: Shown
    number: str | None
    progress: TicketState | None
    fee_yen: int
    moves: int


_NOBODY = Shown(name="", phone="", email="", notes="", masked=True)


def day_list(
    session: Session, *, office_id: str, day: date, sealer: Sealer, categories: Iterable[str] | None = None
) -> list[DayRow]:
    """The bookings of a day by start, for the screen, print and CSV; ``categories`` None: of all lines."""
    query = select(Booking).where(
        Booking.office_id == office_id, Booking.business_date == day, Booking.state.in_(SHOWN),
        Booking.reference.is_not(None),
    )  # fmt: skip
    if categories is not None:
        query = query.where(Booking.category_id.in_(list(categories)))
    rows = session.scalars(query.order_by(Booking.start_at, Booking.id)).all()
    return rows_of(session, rows, sealer)


def rows_of(session: Session, rows: Sequence[Booking], sealer: Sealer) -> list[DayRow]:
    """Bookings as rows of a list (search results, too)."""
    names = {name for row in rows for name in row.services}
    services = {each.id: each for each in session.scalars(select(Service).where(Service.id.in_(names)))}
    wanted = [row.ticket_id for row in rows if row.ticket_id]
    numbers = {each.id: each.number for each in session.scalars(select(Ticket).where(Ticket.id.in_(wanted)))}
    progress: dict[int, list[TicketState]] = {}
    for ticket_id, state in session.execute(select(Step.ticket_id, Step.state).where(Step.ticket_id.in_(wanted))):
        progress.setdefault(ticket_id, []).append(TicketState(state))
    return [_row(row, services, numbers, progress, sealer) for row in rows]


def _row(
    row: Booking, services: Mapping[str, Service], numbers: Mapping[int, str],
    progress: Mapping[int, Sequence[TicketState]], sealer: Sealer,
) -> DayRow:  # fmt: skip
    found = [services[name] for name in [*rules.described(row.plan), *bookings.along(row)] if name in services]
    sensitive = any(each.sensitive for each in found)
    steps = progress.get(row.ticket_id or 0)
    return DayRow(
        id=row.id, reference=rules.spoken_reference(row.reference or ""), state=State(row.state), start=row.start_at,
        end=row.end_at, category=row.category_id, names=[each.public_name for each in found], sensitive=sensitive,
        party=row.party, language=row.language, channel=row.channel,
        person=_NOBODY if sensitive else booking_view.person(row, sealer),
        number=numbers.get(row.ticket_id or 0), progress=status(steps) if steps else None,
        fee_yen=sum(each.fee_yen for each in found) * row.party, moves=row.moves,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """One line of a booking's history."""

    at: datetime
    action: str
    actor: str
    reason: str | None
    details: Mapping[str, Any]


def history(session: Session, booking_id: int) -> list[Done]:
    """What was done to a booking, in order."""
    rows = session.scalars(select(BookingEvent).where(BookingEvent.booking_id == booking_id).order_by(BookingEvent.id))
    return [Done(at=row.at, action=row.action, actor=row.actor, reason=row.reason, details=row.details) for row in rows]


def book_for(
    session: Session, *, asked: holds.Asked, person: Person, seed: str, secret: bytes, sealer: Sealer, actor: str,
    at: datetime,
) -> Booking:  # fmt: skip
    """Hold and confirm in one go for somebody on the telephone or at the counter, in staff places too.

    ``asked`` with ``staff=True`` and the channel ``staff``. Raises what both raise.
    """
    held = holds.hold(session, asked=asked, seed=seed, secret=secret, actor=actor, at=at)
    session.flush()
    return bookings.confirm(
        session, held, person=person, sealer=sealer, secret=secret, actor=actor, at=at, language=asked.language
    )


def slots_for(
    session: Session, asked: Visit, days: Sequence[date], *, party: int, at: datetime
) -> dict[date, list[Slot]]:
    """The slots staff may give on each of some days: from now on, with the places kept for staff."""
    found: dict[date, list[Slot]] = {day: [] for day in days}
    for slot in availability.of_days(session, asked, days, party=party, at=at, staff=True):
        found[business_date(slot.start)].append(slot)
    return found
