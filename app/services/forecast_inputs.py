"""What a forecast is made from: counts by line and half-hour with closed time marked, the days ahead, and bookings."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import JST, OpeningCalendar, business_date
from app.domain.service_rates import Offered
from app.models.booking import Booking
from app.models.place import Category, Offering, Service
from app.services import visit_history
from app.services.hours import calendar_of, national_holiday
from app.services.visit_history import INTERVAL_MIN, SLOTS

HORIZON_DAYS = 62
MOST_HISTORY_DAYS = 3 * 366
KEPT = ("booked", "arrived")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInput:
    """One line up to yesterday. ``counts``: a row of ``SLOTS`` half-hours for each day from ``first`` on, None where
    it was closed; ``booked``: how many of them had booked. ``open``: which half-hours of the days ahead are open.
    """

    category_id: str
    first: date
    counts: Sequence[Sequence[int | None]]
    booked: Sequence[Sequence[int]]
    open: Sequence[Sequence[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingsKnown:
    """``ahead[category, day][slot]``: parties booked for the days ahead. ``show_rate``: the share of past bookings
    that came. ``leads``: for each past booking, days from its making to its day."""

    ahead: Mapping[tuple[str, date], Mapping[int, int]] = field(default_factory=dict)
    show_rate: float = 0.9
    leads: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeInput:
    """All lines of an office; the days ahead begin with ``today``."""

    office_id: str
    today: date
    lines: Sequence[LineInput]
    holidays: Sequence[date]
    bookings: BookingsKnown


def gather(session: Session, office_id: str, *, at: datetime) -> OfficeInput:
    """The inputs of an office's forecast from its past visits, hours and bookings.

    A day on which nobody at all came to an office that should have been open is taken for closed, not for empty.
    """
    today = business_date(at)
    oldest = today - timedelta(days=MOST_HISTORY_DAYS)
    first = max(visit_history.first_day(session, office_id) or today, oldest)
    calendar = calendar_of(session, office_id)
    counts = visit_history.counts(session, office_id, since=first, until=today)
    lines = session.scalars(
        select(Category.id).where(Category.office_id == office_id).order_by(Category.position, Category.id)
    ).all()
    span = [first + timedelta(days=ahead) for ahead in range((today - first).days + HORIZON_DAYS)]
    return OfficeInput(
        office_id=office_id, today=today, lines=[_line(line, span, today, calendar, counts) for line in lines],
        holidays=[day for day in span if national_holiday(day)],
        bookings=_bookings(session, office_id, today=today),
    )  # fmt: skip


def _line(
    line: str, span: Sequence[date], today: date, calendar: OpeningCalendar,
    counts: Sequence[visit_history.Count],
) -> LineInput:  # fmt: skip
    people: dict[tuple[date, int], int] = {}
    booked: dict[tuple[date, int], int] = {}
    for each in counts:
        if each.category_id == line:
            people[each.day, each.slot] = each.people
            booked[each.day, each.slot] = each.booked
    alive = {each.day for each in counts}
    past = [day for day in span if day < today]
    return LineInput(
        category_id=line, first=span[0] if span else today,
        counts=[
            [people.get((day, slot), 0 if is_open and day in alive else None)
             for slot, is_open in enumerate(_open(calendar, day, line))]
            for day in past
        ],
        booked=[[booked.get((day, slot), 0) for slot in range(SLOTS)] for day in past],
        open=[_open(calendar, day, line) for day in span if day >= today],
    )  # fmt: skip


def _open(calendar: OpeningCalendar, day: date, line: str) -> list[bool]:
    """Which half-hours of a day numbers are given in, wholly or in part."""
    found = [False] * SLOTS
    for hours in calendar.intervals(day, line):
        first, last = _minute(hours.opens), _minute(hours.reception_closes)
        for slot in range(first // INTERVAL_MIN, -(-last // INTERVAL_MIN)):
            found[slot] = True
    return found


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _bookings(session: Session, office_id: str, *, today: date) -> BookingsKnown:
    ahead: dict[tuple[str, date], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    came = missed = 0
    leads: list[int] = []
    rows = session.execute(
        select(Booking.category_id, Booking.business_date, Booking.start_at, Booking.state, Booking.created_at)
        .where(Booking.office_id == office_id, Booking.business_date >= today - timedelta(days=180))
    )  # fmt: skip
    for line, day, start, state, made in rows:
        if state in KEPT and day >= today:
            local = start.astimezone(JST)
            ahead[line, day][(local.hour * 60 + local.minute) // INTERVAL_MIN] += 1
        elif day < today and state in ("arrived", "no_show"):
            came, missed = came + (state == "arrived"), missed + (state == "no_show")
            leads.append((day - business_date(made)).days)
    # Nine of ten come, with the weight of twenty bookings, until an office knows its own.
    return BookingsKnown(ahead=ahead, show_rate=(came + 18) / (came + missed + 20), leads=leads)


def offered(session: Session, office_id: str) -> list[Offered]:
    """The services of an office with their planned minutes of hearing, for ``domain/service_rates``."""
    rows = session.execute(
        select(Offering.service_id, Offering.category_id, Service.minutes)
        .join(Service, Service.id == Offering.service_id)
        .where(Offering.office_id == office_id)
    )
    return [
        Offered(service=service, line=line, minutes=float(minutes.get("accept", 8))) for service, line, minutes in rows
    ]
