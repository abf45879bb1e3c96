"""A later time today instead of a wait: what the kiosk offers a walk-in, taken in one go and without a name."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain.booking import Person
from app.domain.calendar import business_date
from app.domain.errors import Conflict, InvalidInput
from app.models.booking import Booking
from app.services import availability, bookings, holds
from app.services.availability import Slot
from app.services.visits import Visit

# A wait below this is not worth going away for; minutes.
WORTH = 20
MOST = 3
# Three times one after the other are one offer; these are three.
_APART = timedelta(minutes=30)


def offers(
    session: Session, *, office_id: str, services: Sequence[str], wait: float | None, at: datetime
) -> list[Slot]:  # fmt: skip
    """Up to three free times of today for a visit of these services; none where the wait (minutes) is short.

    Nobody gets ahead of those who wait by an offer: it begins when a number taken now would have been called. A
    procedure that asks for a name or a contact is booked where they can be typed in peace, not in the lobby.
    """
    if wait is None or wait < WORTH:
        return []
    visit = _visit(session, office_id, services)
    if visit is None:
        return []
    slots = availability.of_days(session, visit, [business_date(at)], party=1, at=at)
    found: list[Slot] = []
    for slot in slots:
        far = not found or slot.start >= found[-1].start + _APART
        if slot.free and far and slot.start >= at + timedelta(minutes=wait):
            found.append(slot)
    return found[:MOST]


def _visit(session: Session, office_id: str, services: Sequence[str]) -> Visit | None:
    visit = availability.visit(session, office_id=office_id, services=services, bookable_only=False)
    return visit if visit.bookable and not Person().missing(visit.asks) else None


def take(
    session: Session, *, office_id: str, services: Sequence[str], start: datetime, language: str, seed: str,
    secret: bytes, sealer: Sealer, actor: str, at: datetime,
) -> Booking:  # fmt: skip
    """Book one of the offers; ``start`` must be today. Raises Conflict("slot_full") and what holding raises."""
    if business_date(start) != business_date(at):
        raise InvalidInput("slot_too_far", field="start")
    if _visit(session, office_id, services) is None:
        raise Conflict("not_bookable")
    asked = holds.Asked(office_id=office_id, services=services, start=start, channel="kiosk", language=language)
    held = holds.hold(session, asked=asked, seed=seed, secret=secret, actor=actor, at=at)
    session.flush()
    return bookings.confirm(
        session, held, person=Person(), sealer=sealer, secret=secret, actor=actor, at=at, language=language
    )


__all__ = ["MOST", "WORTH", "offers", "take"]
