"""What providers tell of messages they took: in any order, twice, late or never. A final state never goes back."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.channels.base import Answer, Fate, Taken
from app.domain import delivery as rules
from app.domain.delivery import State, Turn, befores
from app.models.delivery import Delivery, OptOut
from app.services.budgets import insert_unless_known

log = logging.getLogger(__name__)
_UNSEEN = {"synchronize_session": False}


def learn(session: Session, told: Taken, *, at: datetime, delivery_id: int | None = None) -> bool:
    """Take over what a provider says of its message; False when it changes nothing.

    ``delivery_id``: the message our own report address names; it may be one whose sender never heard the answer.
    """
    if delivery_id is not None:
        _adopt(session, told, delivery_id, at=at)
    owned = Delivery.provider_id == told.provider_id
    if told.fate is Fate.ACCEPTED:
        waits = update(Delivery).where(owned, Delivery.state == State.SENT).values(provider_word=told.word)
        return _changed(session, waits)
    turn = Turn.DELIVER if told.fate is Fate.DELIVERED else Turn.FAIL
    ends = (
        update(Delivery)
        .where(owned, Delivery.state.in_(befores(turn)), Delivery.state != State.QUEUED)
        .values(
            state=State.DELIVERED if turn is Turn.DELIVER else State.FAILED, provider_word=told.word,
            reason=told.reason or ("failed" if turn is Turn.FAIL else ""), ended_at=at,
        )
    )  # fmt: skip
    return _changed(session, ends)


def _adopt(session: Session, told: Taken, delivery_id: int, *, at: datetime) -> None:
    """A message in doubt is told of before anybody asked: it is the one our report address names."""
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.provider_id.is_(None), Delivery.attempts > 0)
        .where(Delivery.state.in_(befores(Turn.ACCEPT)))
        .values(
            state=State.SENT, provider_id=told.provider_id, provider_word=told.word, sent_at=at,
            ask_at=at + rules.RECEIPT_AFTER, claim=Delivery.claim + 1,
        )
        .execution_options(**_UNSEEN)
    )  # fmt: skip
    session.execute(
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.provider_id.is_(None), Delivery.state == State.UNKNOWN)
        .values(provider_id=told.provider_id)
        .execution_options(**_UNSEEN)
    )


def _changed(session: Session, statement: object) -> bool:
    result = session.execute(statement.execution_options(**_UNSEEN))  # type: ignore[attr-defined]
    return isinstance(result, CursorResult) and result.rowcount == 1


def without(session: Session, *, at: datetime) -> Delivery | None:
    """The next sent message without a receipt whose provider is to be asked; asked again later and later."""
    row = session.scalar(
        select(Delivery)
        .where(Delivery.state == State.SENT, Delivery.ask_at <= at)
        .order_by(Delivery.ask_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if row is not None:
        waited = at - (row.sent_at or at)
        row.ask_at = at + max(waited, rules.RECEIPT_AFTER)
    return row


def asked(session: Session, delivery_id: int, answer: Answer, *, at: datetime) -> bool:
    """Take over the answer; after a day without a receipt nobody will know any more."""
    if isinstance(answer, Taken) and learn(session, answer, at=at) and answer.fate is not Fate.ACCEPTED:
        return True
    old = at - rules.RECEIPT_UNTIL
    gone = (
        update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state == State.SENT, Delivery.sent_at <= old)
        .values(state=State.UNKNOWN, reason="no_receipt", ended_at=at)
    )
    if not _changed(session, gone):
        return False
    log.error("message %s: no receipt within a day", delivery_id)
    return True


def stop(session: Session, blind: str, *, at: datetime) -> None:
    """Somebody wrote STOP; a second time changes nothing. Held back from now on: the next claim looks here."""
    session.execute(insert_unless_known(session, OptOut).values(blind=blind, at=at))


def resume(session: Session, blind: str) -> None:
    """Somebody wrote START, or proved with a code to want messages again."""
    found = session.get(OptOut, blind)
    if found is not None:
        session.delete(found)


def unsettled(session: Session, *, at: datetime) -> timedelta:
    """How long the oldest message that is due waits for its end: queued or in doubt, seconds of alarm."""
    oldest = session.scalar(
        select(Delivery.due_at)
        .where(Delivery.state.in_((State.QUEUED, State.CLAIMED)), Delivery.due_at <= at)
        .order_by(Delivery.due_at)
        .limit(1)
    )
    return at - oldest if oldest is not None else timedelta()
