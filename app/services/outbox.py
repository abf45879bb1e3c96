"""The outbox: a message is a row written in the transaction that causes it, and once for its key."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import func, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.domain.delivery import Occasion, State, expiry
from app.domain.message_text import filled
from app.models.delivery import Delivery
from app.models.place import Municipality, Office
from app.services import message_texts
from app.services.budgets import insert_unless_known

# The last try's trouble says more than that time has run out.
_WHY_LATE = func.coalesce(func.nullif(Delivery.reason, ""), "too_late")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom it is for: a contact of services/contacts.py, its channel, the language it is told in."""

    contact_id: int
    channel: str
    language: str


def name_in(names: Mapping[str, str], language: str) -> str:
    """A name as a message says it; no readings, since a text message has no ruby."""
    own = language.replace("-", "_")
    order = ("ja",) if language in ("ja", "ja-Hira") else (own, "en", "ja")
    return next((str(names[key]) for key in order if names.get(key)), "")


def enqueue(
    session: Session,
    *,
    office: Office,
    occasion: Occasion,
    to: Recipient,
    target: str,
    once: str,
    values: Mapping[str, str],
    at: datetime,
    due_at: datetime | None = None,
    calendar: Mapping[str, str] = _NOTHING,
) -> bool:
    """Put a message into the outbox; False when this one is there already.

    ``target``: what its link opens (``ticket:12``, ``booking:7``). ``once``: what makes it another message at the
    same occasion (a step, a start time); target, occasion and ``once`` are its key. ``due_at``: when it leaves, at
    once without one. ``calendar``: ``begins`` and ``ends`` (ISO 8601), ``uid``, ``summary``, ``place``, ``sequence``.
    """
    city = session.get_one(Municipality, office.municipality_id)
    named = {"市": name_in(city.name, to.language), "庁舎": name_in(office.name, to.language)}
    words = message_texts.text(session, office.municipality_id, occasion, to.language)
    text = replace(filled(words, {**named, **values}), calendar=dict(calendar))
    due = due_at or at
    row = insert_unless_known(session, Delivery).values(
        municipality_id=office.municipality_id, office_id=office.id, dedupe_key=f"{target}/{occasion}/{once}",
        occasion=occasion, channel=to.channel, language=to.language, contact_id=to.contact_id, target=target,
        text=asdict(text), state=State.QUEUED, due_at=due, expires_at=expiry(occasion, due), created_at=at,
        reason="", attempts=0, strikes=0, claim=0, provider_word="", parts=0, cost_yen=0,
    )  # fmt: skip
    return session.scalar(row.returning(Delivery.id)) is not None


def withdraw(session: Session, *, target: str, occasions: Sequence[Occasion], at: datetime) -> int:
    """Take back what has not left yet because it is no longer true; returns how many messages."""
    result = session.execute(
        update(Delivery)
        .where(Delivery.target == target, Delivery.occasion.in_(occasions), Delivery.state == State.QUEUED)
        .values(state=State.FAILED, reason="withdrawn", ended_at=at)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


def expire(session: Session, *, at: datetime) -> int:
    """End what came to its time without having left; returns how many messages."""
    result = session.execute(
        update(Delivery)
        .where(Delivery.state == State.QUEUED, Delivery.expires_at <= at)
        .values(state=State.FAILED, reason=_WHY_LATE, ended_at=at)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


__all__ = ["Recipient", "enqueue", "expire", "name_in", "withdraw"]
