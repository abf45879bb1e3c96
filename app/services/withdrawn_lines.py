"""Lines that offer nothing any more, and who still stands in them: no counter of the document calls such a line.

Its row stays because numbers and bookings point at it. Whoever booked in it is received there as promised, and is
then transferred by hand: somebody must know before that.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.booking import LIVE
from app.domain.calendar import business_date
from app.domain.ticket import FINAL
from app.models.booking import Booking
from app.models.place import Category, Offering
from app.models.ticket import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """One such line. ``bookings`` to come whose party would be put into it, ``numbers`` of today that stand in it."""

    category: Category
    bookings: int
    numbers: int


def find(session: Session, office_id: str, *, at: datetime) -> Sequence[Withdrawn]:
    """The lines of an office that offer nothing any more and hold somebody, in their order."""
    gone = _gone(session, office_id)
    if not gone:
        return []
    names = [category.id for category in gone]
    numbers = _numbers(session, names, at)
    bookings = _bookings(session, office_id, names, at)
    return [
        Withdrawn(category=category, bookings=bookings[category.id], numbers=numbers[category.id])
        for category in gone
        if bookings[category.id] or numbers[category.id]
    ]


def _gone(session: Session, office_id: str) -> Sequence[Category]:
    offered = select(Offering.category_id).where(Offering.office_id == office_id, Offering.active)
    query = select(Category).where(Category.office_id == office_id, Category.id.not_in(offered))
    return session.scalars(query.order_by(Category.position, Category.id)).all()


def _numbers(session: Session, lines: Sequence[str], at: datetime) -> Counter[str]:
    rows = session.execute(
        select(Step.category_id, func.count(Step.ticket_id.distinct()))
        .where(Step.category_id.in_(lines), Step.business_date == business_date(at), Step.state.not_in(FINAL))
        .group_by(Step.category_id)
    )
    return Counter(dict(rows.all()))


def _bookings(session: Session, office_id: str, lines: Sequence[str], at: datetime) -> Counter[str]:
    """Those who would be put into each line: not who booked there what another line does now."""
    offered = select(Offering.service_id, Offering.category_id).where(Offering.office_id == office_id)
    line_of = dict(session.execute(offered).all())
    rows = session.execute(
        select(Booking.services).where(
            Booking.office_id == office_id, Booking.state.in_(LIVE), Booking.business_date >= business_date(at)
        )
    )
    return Counter(
        line for (services,) in rows for line in {line_of.get(name, "") for name in services} if line in lines
    )
