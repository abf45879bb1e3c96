"""One booking at the side of the day: where each procedure is done, what is owed, what to bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.domain.errors import DomainError
from app.models.booking import Booking
from app.models.place import Category, Service
from app.services import bills, bookings, fees, guide, kiosk_visit
from app.services.bills import Bill
from app.services.kiosk_visit import Area
from app.services.visits import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A procedure as a clerk reads it out. ``beside``: it has no time of its own."""

    service: Service
    area: Area
    minutes: int
    beside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """``stops`` in the order of their times; ``documents`` are named for no one who may not be named either."""

    stops: Sequence[Stop]
    bill: Bill
    documents: Sequence[Any]


def of(session: Session, booking: Booking, *, sensitive: bool) -> Panel:
    """The side of a chosen booking; without stops where the catalogue has moved on since it was made."""
    try:
        visit = bookings.visit_of(session, booking)
    except DomainError:
        visit = None
    found = [] if visit is None or sensitive else _stops(session, booking, visit)
    return Panel(
        stops=found, bill=bills.of(session, fees.of_booking(session, booking)),
        documents=guide.documents([stop.service for stop in found]),
    )  # fmt: skip


def _stops(session: Session, booking: Booking, visit: Visit) -> list[Stop]:
    order = {str(stage["service"]): place for place, stage in enumerate(booking.plan)}
    booked = sorted(visit.parts, key=lambda part: order.get(part.service, len(order)))
    return [
        Stop(
            service=session.get_one(Service, part.service), minutes=part.minutes, beside=part in visit.along,
            area=kiosk_visit.area(session, session.get_one(Category, part.line)),
        )
        for part in (*booked, *visit.along)
    ]  # fmt: skip
