"""Webhooks: a hint, kept once by its id; what it speaks of is fetched anew and moves the attempt, never the event.

heard    kept, not looked after yet (a look failed, or the process ended): the sweep does it
parked   its object belongs to no attempt that is known here (yet): looked up again for a day
applied, ignored, alarm   done
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput
from app.gateways.base import Absent, Sight, Thing, Unknown
from app.models.payment import Payment, PaymentAttempt, PaymentEvent
from app.services import events, payment_alarms, sightings

PARKED_FOR = timedelta(days=1)
_AGAIN, _LONGEST = timedelta(seconds=30), timedelta(minutes=10)
# Stripe's names of events to the thing that is fetched; whatever is not here is ignored and counted.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "checkout.session.completed": "session",
        "checkout.session.async_payment_succeeded": "session",
        "checkout.session.async_payment_failed": "session",
        "checkout.session.expired": "session",
        "payment_intent.succeeded": "payment",
        "payment_intent.processing": "payment",
        "payment_intent.payment_failed": "payment",
        "payment_intent.canceled": "payment",
        "charge.succeeded": "of_charge",
        "charge.refunded": "of_charge",
        "charge.refund.updated": "of_charge",
        "refund.updated": "of_charge",
        "refund.failed": "of_charge",
        "charge.dispute.created": "dispute",
        "charge.dispute.closed": "dispute",
    }
)
_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A verified event: whose, its id and kind, and the thing it speaks of."""

    gateway: str
    id: str
    kind: str
    thing: Thing


def read(gateway: str, event: Mapping[str, Any]) -> Heard:
    """A verified event in our words. Raises InvalidInput for one in a shape that none has."""
    name, kind = event.get("id"), event.get("type")
    data = event.get("data")
    about = data.get("object") if isinstance(data, Mapping) else None
    if not (_text(name) and _text(kind) and isinstance(about, Mapping)):
        raise InvalidInput(fields=["body"])
    of = KINDS.get(str(kind), "")
    found = about.get("payment_intent") if of in ("of_charge", "dispute") else about.get("id")
    if isinstance(found, Mapping):
        found = found.get("id")
    thing = Thing(kind="payment" if of == "of_charge" else of, id=str(found) if _text(found) else "")
    return Heard(gateway=gateway, id=str(name), kind=str(kind)[:100], thing=thing)


def _text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _ID and value.isascii() and value.isprintable()


def hear(session: Session, heard: Heard, *, at: datetime) -> str:
    """Keep an event, once by its id: ``heard``, ``ignored`` (a kind of no use here), ``known`` (kept before)."""
    if session.get(PaymentEvent, (heard.gateway, heard.id)) is not None:
        return "known"
    known = bool(heard.thing.kind and heard.thing.id)
    session.add(
        PaymentEvent(
            gateway=heard.gateway, id=heard.id, kind=heard.kind, object_kind=heard.thing.kind,
            object_id=heard.thing.id, state="heard" if known else "ignored", heard_at=at,
            look_at=at + _AGAIN if known else None,
        )
    )  # fmt: skip
    session.flush()
    return "heard" if known else "ignored"


def claim(session: Session, *, at: datetime) -> Heard | None:
    """The next event whose object was not looked after."""
    query = select(PaymentEvent).where(PaymentEvent.state.in_(["heard", "parked"]), PaymentEvent.look_at <= at)
    found = session.scalar(query.order_by(PaymentEvent.look_at).limit(1).with_for_update(skip_locked=True))
    if found is None:
        return None
    found.look_at = at + min(_AGAIN * (1 << min(found.looks, 6)), _LONGEST)
    found.looks += 1
    return Heard(gateway=found.gateway, id=found.id, kind=found.kind,
                 thing=Thing(kind=found.object_kind, id=found.object_id))  # fmt: skip


def apply(session: Session, heard: Heard, seen: Sight | Absent | Unknown, *, at: datetime) -> str:
    """Move the attempt that the fetched object belongs to; returns the event's state after it."""
    attempt_id = _attempt_id(session, heard, seen)
    if attempt_id is not None:
        events.lock_office(session, session.get_one(PaymentAttempt, attempt_id).office_id)
    event = session.get_one(PaymentEvent, (heard.gateway, heard.id), populate_existing=True, with_for_update=True)
    if event.state not in ("heard", "parked"):
        return event.state
    if isinstance(seen, Unknown):
        return event.state
    if attempt_id is None:
        event.state = "parked" if at - event.heard_at < PARKED_FOR else "ignored"
    else:
        event.state = _moved(session, heard, attempt_id, seen, at=at)
    if event.state not in ("heard", "parked"):
        event.look_at = None
    return event.state


def _attempt_id(session: Session, heard: Heard, seen: Sight | Absent | Unknown) -> int | None:
    query = select(PaymentAttempt.id).where(PaymentAttempt.gateway == heard.gateway)
    if isinstance(seen, Sight):
        found = session.scalar(query.where(PaymentAttempt.provider_id == seen.provider_id))
        return found or session.scalar(query.where(PaymentAttempt.key == seen.key))
    if heard.thing.kind == "dispute":
        return session.scalar(query.where(PaymentAttempt.provider_payment == heard.thing.id))
    return None


def _moved(session: Session, heard: Heard, attempt_id: int, seen: Sight | Absent | Unknown, *, at: datetime) -> str:
    attempt = session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
    if heard.thing.kind == "dispute":
        # The bank takes the money back and asks: people answer that, the bill stays as it is.
        payment_alarms.sound(attempt, "dispute", anew=True)
        return "alarm"
    if isinstance(seen, Sight):
        sightings.saw(session, session.get_one(Payment, attempt.payment_id), attempt, seen, at=at)
    return "alarm" if attempt.alarm in ("amount_mismatch", "key_mismatch") else "applied"


def counts(session: Session) -> dict[str, int]:
    """How many events there are of each state."""
    rows = session.execute(select(PaymentEvent.state, func.count()).group_by(PaymentEvent.state))
    return {row[0]: row[1] for row in rows}
