"""Reading the catalogue: offices, one office in full, the services of an office, phrases, life events.

Everything is scoped: an office of another municipality is NotFound, as if it did not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import Interval, business_date
from app.domain.errors import NotFound
from app.models.place import Category, Counter, Hall, Municipality, Offering, Office, Service, WorkProfile
from app.models.publication import CatalogueItem
from app.services import hours

Placed = TypeVar("Placed", Hall, Category, Counter, WorkProfile)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeDetail:
    """One office in full. ``open``: numbers are given now; ``today``: its hours; ``opens_at``: the next opening."""

    office: Office
    halls: Sequence[Hall]
    categories: Sequence[Category]
    counters: Sequence[Counter]
    profiles: Sequence[WorkProfile]
    today: Sequence[Interval]
    open: bool
    opens_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A service as one office offers it. ``closed``: it cannot be chosen at this minute of the day (T4)."""

    service: Service
    category: Category
    offering: Offering
    closed: bool


def municipality(session: Session, municipality_id: str | None = None) -> Municipality:
    """The tenant of this id; without one, the only tenant. NotFound when there is none."""
    query = select(Municipality).order_by(Municipality.id).limit(1)
    if municipality_id is not None:
        query = query.where(Municipality.id == municipality_id)
    found = session.scalar(query)
    if found is None:
        raise NotFound(what="municipality")
    return found


def offices(session: Session, municipality_id: str) -> Sequence[Office]:
    """The offices of a municipality in their order."""
    query = select(Office).where(Office.municipality_id == municipality_id).order_by(Office.position, Office.id)
    return session.scalars(query).all()


def office(session: Session, office_id: str, *, municipality_id: str | None = None) -> Office:
    """One office; NotFound when absent or of another municipality."""
    found = session.get(Office, office_id)
    if found is None or municipality_id not in (None, found.municipality_id):
        raise NotFound(what="office")
    return found


def office_detail(
    session: Session, office_id: str, *, at: datetime, municipality_id: str | None = None
) -> OfficeDetail:
    """One office with all its places and whether it is open at ``at``."""
    found = office(session, office_id, municipality_id=municipality_id)
    calendar = hours.calendar_of(session, office_id)
    return OfficeDetail(
        office=found,
        halls=_of(session, Hall, office_id),
        categories=_of(session, Category, office_id),
        counters=_of(session, Counter, office_id),
        profiles=_of(session, WorkProfile, office_id),
        today=calendar.intervals(business_date(at)),
        open=calendar.takes_numbers(at),
        opens_at=calendar.next_opening(at),
    )


def _of(session: Session, model: type[Placed], office_id: str) -> Sequence[Placed]:
    return session.scalars(select(model).where(model.office_id == office_id).order_by(model.position, model.id)).all()


def services(session: Session, office_id: str, *, at: datetime, municipality_id: str | None = None) -> list[Offered]:
    """The services an office offers, in the order of its categories; NotFound for an unknown office."""
    office(session, office_id, municipality_id=municipality_id)
    rows = session.execute(
        select(Service, Category, Offering)
        .join(Offering, Offering.service_id == Service.id)
        .join(Category, Category.id == Offering.category_id)
        .where(Offering.office_id == office_id, Offering.active)
        .order_by(Category.position, Offering.position, Service.id)
    )
    return [
        Offered(
            service=service,
            category=category,
            offering=offering,
            closed=hours.is_closed_purpose(offering.closed_times, at),
        )
        for service, category, offering in rows
    ]


def items(session: Session, municipality_id: str, kind: str) -> dict[str, dict[str, Any]]:
    """All items of a kind (``question``, ``life_event``, ``phrase``, ``holiday``, ``source``) by id, in order."""
    query = (
        select(CatalogueItem)
        .where(CatalogueItem.municipality_id == municipality_id, CatalogueItem.kind == kind)
        .order_by(CatalogueItem.position)
    )
    return {item.id: item.body for item in session.scalars(query)}


def phrase(session: Session, municipality_id: str, name: str, *, spoken: bool = False) -> dict[str, str]:
    """A sentence of the hall by language, with {number}, {counter} or {ahead} to fill; NotFound when unknown."""
    found = session.get(CatalogueItem, (municipality_id, "phrase", name))
    if found is None:
        raise NotFound(what="phrase")
    words: dict[str, str] = (found.body["spoken"] if spoken else None) or found.body["written"]
    return words
