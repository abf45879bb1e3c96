"""A booking as its holder, its clerk and the API are told of it; what is personal is shown masked or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.sealed import CannotOpen, Sealer
from app.domain import booking as rules
from app.models.booking import Booking
from app.models.place import Category, Service
from app.models.ticket import Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is told of the person: masked, or in full to whoever may see it and has said why."""

    name: str
    phone: str
    email: str
    notes: str
    masked: bool


def describe(session: Session, booking: Booking) -> dict[str, Any]:
    """What the holder of the link is told: nothing personal, names of things by language, instants as datetimes."""
    services = {row.id: row for row in session.scalars(select(Service).where(Service.id.in_(booking.services)))}
    ticket = session.get(Ticket, booking.ticket_id) if booking.ticket_id else None
    planned = rules.described(booking.plan)
    return {
        "reference": rules.spoken_reference(booking.reference) if booking.reference else None,
        "office": booking.office_id, "state": booking.state, "start": booking.start_at, "end": booking.end_at,
        "party": booking.party, "language": booking.language, "category": booking.category_id,
        "services": [
            {"id": name, "name": services[name].name, "fee": services[name].fee_yen,
             "minutes": services[name].minutes, "documents": services[name].documents, "along": name not in planned}
            for name in booking.services if name in services
        ],
        "stages": [
            {"service": str(stage["service"]), "category": str(stage["line"]),
             "name": session.get_one(Category, str(stage["line"])).name,
             "start": datetime.fromisoformat(str(stage["start"]))}
            for stage in booking.plan
        ],
        "expires_at": booking.expires_at, "moves": booking.moves,
        "ticket": {"id": ticket.id, "number": ticket.number} if ticket else None,
    }  # fmt: skip


def person(booking: Booking, sealer: Sealer, *, full: bool = False) -> Shown:
    """Who comes; ``full`` only for a caller that has been let in and logged (booking_search.reveal)."""
    told = {field: _opened(booking, field, sealer) for field in ("name", "phone", "email", "notes")}
    if full:
        return Shown(**told, masked=False)
    return Shown(
        name=rules.masked_name(told["name"]), phone=rules.masked_phone(told["phone"]),
        email=rules.masked_email(told["email"]), notes="", masked=True,
    )  # fmt: skip


def _opened(booking: Booking, field: str, sealer: Sealer) -> str:
    sealed: str | None = getattr(booking, f"sealed_{field}")
    if not sealed:
        return ""
    try:
        return sealer.open(sealed, rules.place_of(booking.seed, field))
    except CannotOpen:
        # Sealed with a secret that is gone: nobody can read it, and the day goes on.
        return ""


def names(session: Session, booking: Booking, *, public: bool) -> list[Mapping[str, Any]]:
    """Names of the services by language; ``public``: neutral words where a procedure must not be named to others."""
    rows = {row.id: row for row in session.scalars(select(Service).where(Service.id.in_(booking.services)))}
    found = [rows[name] for name in booking.services if name in rows]
    return [row.public_name if public and row.sensitive else row.name for row in found]


def seconds_left(booking: Booking, *, at: datetime) -> int:
    """Seconds a hold still lasts; 0 for everything else."""
    if booking.expires_at is None:
        return 0
    return max(int((booking.expires_at - at).total_seconds()), 0)
