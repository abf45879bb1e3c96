"""Whom messages reach: sealed at once, found by a blind index, erased soon after the visit.

The keys are those of app/db/sealed.py. What is sealed is bound to its index: moved to another row it does not open.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain import contact as rules
from app.domain.calendar import business_date, instant
from app.domain.delivery import Channel, State
from app.domain.errors import InvalidInput
from app.models.delivery import Contact, ContactCode, Delivery
from app.services.budgets import insert_unless_known


def normal(channel: Channel, typed: str) -> str:
    """A number or address in its stored form; raises InvalidInput. What LINE or a browser gave is taken as it is."""
    if channel is Channel.SMS:
        return rules.mobile(typed, field="tel")
    if channel is Channel.EMAIL:
        return rules.email(typed, field="mail")
    if not 0 < len(typed) <= 4000:
        raise InvalidInput("bad_wish", field="channel")
    return typed


def blind(sealer: Sealer, municipality_id: str, channel: str, value: str) -> str:
    """The index of a contact: equal for equal ones of a city, and nothing without the secret."""
    return sealer.index(f"contact {channel} {municipality_id}", value)


def _place(index: str) -> str:
    """What a sealed contact is bound to: its own index."""
    return f"contact:{index}"


def reveal(sealer: Sealer, contact: Contact) -> str:
    """The number or address of a row; raises CannotOpen when it was altered or its secret is gone."""
    return sealer.open(contact.sealed, _place(contact.blind))


def revealer(sealer: Sealer) -> Callable[[Contact], str]:
    """``reveal`` for a sender."""
    return lambda contact: reveal(sealer, contact)


def keep(
    session: Session, *, sealer: Sealer, municipality_id: str, channel: Channel, value: str, at: datetime,
    erase_at: datetime,
) -> Contact:  # fmt: skip
    """The row of a contact in its stored form, made or kept longer."""
    index = blind(sealer, municipality_id, channel, value)
    session.execute(
        insert_unless_known(session, Contact).values(
            municipality_id=municipality_id, channel=channel, sealed=sealer.seal(value, _place(index)), blind=index,
            created_at=at, erase_at=erase_at,
        )
    )  # fmt: skip
    found = session.scalars(select(Contact).where(Contact.blind == index).with_for_update()).one()
    found.erase_at = max(found.erase_at, erase_at)
    return found


def after_visit(visit: datetime) -> datetime:
    """When a contact given for a visit is erased: at the end of the day after it, in Japan."""
    return instant(business_date(visit) + timedelta(days=2), time(0))


def forget(session: Session, *, at: datetime) -> int:
    """Erase the contacts whose time is over, with their codes; returns how many."""
    old = select(Contact.id).where(Contact.erase_at < at)
    session.execute(delete(ContactCode).where(ContactCode.expires_at < at - timedelta(days=1)))
    session.execute(
        update(Delivery)
        .where(Delivery.contact_id.in_(old), Delivery.state == State.QUEUED)
        .values(state=State.FAILED, reason="no_contact", ended_at=at)
        .execution_options(synchronize_session=False)
    )
    result = session.execute(delete(Contact).where(Contact.erase_at < at))
    return result.rowcount if isinstance(result, CursorResult) else 0
