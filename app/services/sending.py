"""What a sender does with the outbox, each in its own short transaction: claim, mark, and settle what is in doubt.

Between claim and mark it speaks to the provider, with no transaction open. Every mark carries the claim's number
in its WHERE: whoever slept through its lease writes nothing.
"""

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.channels.base import Absent, Answer, Channel, Doubtful, Fate, Message, NotSent, Outcome, Taken, Traced, Ways
from app.domain import delivery as rules
from app.domain.calendar import business_date
from app.domain.delivery import Limits, Occasion, State, Text, Turn, after
from app.domain.message_text import filled
from app.domain.refs import token_hash
from app.domain.ticket import State as StepState
from app.models.delivery import Contact, Delivery, OptOut
from app.models.place import Municipality, Office
from app.models.ticket import Step
from app.services import budgets, holding
from app.services.outbox import name_in

log = logging.getLogger(__name__)
# After the longest time a try can take: longer than a provider needs until a message shows in its list.
DOUBT = timedelta(seconds=30)
_FIRST = case((Delivery.occasion.in_(sorted(rules.AT_ANY_HOUR)), 0), else_=1)
_MOST_REFUSED = 20
# As long as a step of the number is in one of these, the message about it is true: a provider that was away for some
# minutes must not let somebody be called who has been served since.
_TRUE_WHILE = {
    Occasion.SOON: {StepState.WAITING}, Occasion.CALLED: {StepState.CALLED}, Occasion.MISSED: {StepState.MISSED},
    Occasion.READY: {StepState.WAITING, StepState.CALLED},
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """What a sender needs besides the database. ``reveal``: the number or address of a contact's row."""

    ways: Ways
    secret: bytes
    address: str
    reveal: Callable[[Contact], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that is ours until its lease ends. ``claim`` is its fence."""

    id: int
    claim: int
    strikes: int
    attempts: int
    yen: int
    spent: Sequence[str]
    message: Message
    channel: Channel


def link_code(secret: bytes, delivery_id: int) -> str:
    """Ten letters that open what a message is about; derived, so that the database alone opens nothing."""
    digest = hmac.digest(secret, f"link:{delivery_id}".encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().lower()[:10]


def code_digits(secret: bytes, code_id: int) -> str:
    """The six digits of a contact code."""
    digest = hmac.digest(secret, f"code:{code_id}".encode(), hashlib.sha256)
    return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"


def claim(session: Session, outfit: Outfit, *, at: datetime) -> Claimed | None:
    """The next message that is due and may leave, None when nothing is due.

    What may not leave ends here with its reason, or waits for the morning.
    """
    if holding.held(session, holding.MESSAGES):
        return None
    on = sorted(outfit.ways.channels)
    due = (
        select(Delivery)
        .where(Delivery.state == State.QUEUED, Delivery.due_at <= at, Delivery.channel.in_(on))
        .order_by(_FIRST, Delivery.due_at, Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for _ in range(_MOST_REFUSED):
        row = session.scalar(due)
        if row is None:
            return None
        office, contact = session.get_one(Office, row.office_id), _contact(session, row)
        hindrance = _hindrance(session, row, contact, office, at=at)
        if isinstance(hindrance, datetime):
            row.due_at = hindrance
        elif hindrance is not None or contact is None:
            _end(row, hindrance or "no_contact", at)
        else:
            taken = _take(session, outfit, row, contact, office, at=at)
            if taken is not None:
                return taken
        session.flush()
    return None


def _contact(session: Session, row: Delivery) -> Contact | None:
    return session.get(Contact, row.contact_id) if row.contact_id else None


def _hindrance(
    session: Session, row: Delivery, contact: Contact | None, office: Office, *, at: datetime
) -> str | datetime | None:
    """Why a message may not leave, or until when it must wait; None: it may."""
    if row.expires_at <= at:
        return row.reason or "too_late"
    if contact is None:
        return "no_contact"
    if session.get(OptOut, contact.blind) is not None:
        return "opted_out"
    if _is_past(session, row):
        return "withdrawn"
    exempt = Occasion(row.occasion) in rules.AT_ANY_HOUR or row.channel == rules.Channel.EMAIL
    quiet = None if exempt else Limits.of(office.settings).quiet_end(at)
    return "quiet_hours" if quiet is not None and quiet >= row.expires_at else quiet


def _is_past(session: Session, row: Delivery) -> bool:
    """Whether what a message says of a number is no longer so."""
    kind, _, number = row.target.partition(":")
    states = _TRUE_WHILE.get(Occasion(row.occasion))
    if states is None or kind != "ticket":
        return False
    found = set(session.scalars(select(Step.state).where(Step.ticket_id == int(number))))
    return bool(found) and not found & states


def _take(
    session: Session, outfit: Outfit, row: Delivery, contact: Contact, office: Office, *, at: datetime
) -> Claimed | None:
    limits = Limits.of(office.settings)
    channel = outfit.ways.channels[rules.Channel(row.channel)]
    message = _message(session, outfit, row, contact, office, at=at)
    parts, yen = channel.price(message.text, limits)
    spent = _spend(session, row, contact, limits, yen, at=at)
    if spent is None:
        _end(row, "limit", at)
        return None
    row.state = after(State(row.state), Turn.CLAIM)
    row.claim, row.attempts, row.claimed_at = row.claim + 1, row.attempts + 1, at
    row.lease_until, row.parts, row.cost_yen = at + channel.timeout + DOUBT, parts, row.cost_yen + yen
    return Claimed(
        id=row.id, claim=row.claim, strikes=row.strikes, attempts=row.attempts, yen=yen, spent=spent, message=message,
        channel=channel,
    )  # fmt: skip


def _end(row: Delivery, reason: str, at: datetime) -> None:
    row.state, row.reason, row.ended_at = after(State(row.state), Turn.FAIL), reason, at


def _spend(
    session: Session, row: Delivery, contact: Contact, limits: Limits, yen: int, *, at: datetime
) -> Sequence[str] | None:
    """Use the limits of the office and the person; None when one of them is reached. The keys of the yen used."""
    day, hour = business_date(at), at.astimezone(rules.TOKYO).strftime("%Y-%m-%dT%H")
    tomorrow = at + timedelta(days=2)
    person = f"person:{contact.blind}:{day}"
    if row.attempts == 0 and not budgets.use(session, person, 1, most=limits.person_per_day, until=tomorrow):
        return None
    if yen == 0:
        return ()
    keys = ((f"yen:{row.office_id}:{day}", limits.yen_per_day), (f"yen:{row.office_id}:{hour}", limits.yen_per_hour))
    for place, (key, most) in enumerate(keys):
        if not budgets.use(session, key, yen, most=most, until=tomorrow):
            for used, _ in keys[:place]:
                budgets.give_back(session, used, yen)
            return None
    return tuple(key for key, _ in keys)


def _message(
    session: Session, outfit: Outfit, row: Delivery, contact: Contact, office: Office, *, at: datetime
) -> Message:
    code = link_code(outfit.secret, row.id)
    row.link_hash = token_hash(code)
    kind, _, number = row.target.partition(":")
    opens = {"短いURL": f"{outfit.address}/s/{code}"}
    if kind == "code":
        opens["コード"] = code_digits(outfit.secret, int(number))
    city = session.get_one(Municipality, office.municipality_id)
    return Message(
        id=row.id, to=outfit.reveal(contact), text=filled(Text(**row.text), opens), link=opens["短いURL"],
        sender=f"{name_in(city.name, row.language)} {name_in(office.name, row.language)}".strip(),
        language=row.language, since=row.created_at, at=at,
        report_to=f"{outfit.address}/api/v1/hooks/twilio/status?d={row.id}",
    )  # fmt: skip


def mark(session: Session, claimed: Claimed, outcome: Outcome, *, at: datetime) -> bool:
    """Write what came of a try; False when the claim is no longer ours."""
    if isinstance(outcome, Taken):
        return _taken(session, claimed, outcome, at=at)
    if isinstance(outcome, NotSent):
        return _not_sent(session, claimed, outcome, at=at)
    return _doubtful(session, claimed, outcome, at=at)


def _taken(session: Session, claimed: Claimed, outcome: Taken, *, at: datetime) -> bool:
    turn = {Fate.ACCEPTED: Turn.ACCEPT, Fate.DELIVERED: Turn.DELIVER, Fate.FAILED: Turn.FAIL}[outcome.fate]
    if turn is Turn.ACCEPT and not claimed.channel.receipts:
        # Handed over is the best that will ever be known of it.
        turn = Turn.DELIVER
    values = {
        "provider_id": outcome.provider_id,
        "provider_word": outcome.word,
        "sent_at": at,
        "reason": outcome.reason,
    }
    if turn is Turn.ACCEPT:
        values["ask_at"] = at + rules.RECEIPT_AFTER
    return _move(session, claimed, turn, at=at, **values)


def _not_sent(session: Session, claimed: Claimed, outcome: NotSent, *, at: datetime) -> bool:
    for key in claimed.spent:
        budgets.give_back(session, key, claimed.yen)
    unspent = {"cost_yen": Delivery.cost_yen - claimed.yen, "reason": outcome.reason}
    if outcome.permanent:
        return _move(session, claimed, Turn.FAIL, at=at, **unspent)
    pause = rules.PAUSES[min(claimed.attempts, len(rules.PAUSES)) - 1]
    again = at + max(outcome.retry_after, pause)
    return _move(session, claimed, Turn.AGAIN, at=at, due_at=again, **unspent)


def _doubtful(session: Session, claimed: Claimed, outcome: Doubtful, *, at: datetime) -> bool:
    """Left as claimed where the provider can be asked: the lease ends when it may be."""
    if isinstance(claimed.channel, Traced):
        return _note(session, claimed, outcome.reason)
    if claimed.channel.repeatable and claimed.strikes + 1 < rules.MOST_STRIKES:
        return _again(session, claimed, outcome.reason, at=at)
    return _give_up(session, claimed, outcome.reason, at=at)


def _again(session: Session, claimed: Claimed, reason: str, *, at: datetime) -> bool:
    pause = at + rules.PAUSES[0]
    return _move(session, claimed, Turn.AGAIN, at=at, strikes=claimed.strikes + 1, due_at=pause, reason=reason)


def _give_up(session: Session, claimed: Claimed, reason: str, *, at: datetime) -> bool:
    log.error("message %s: nobody knows whether it arrived (%s)", claimed.id, reason)
    return _move(session, claimed, Turn.GIVE_UP, at=at, strikes=claimed.strikes + 1, reason=reason)


def _note(session: Session, claimed: Claimed, reason: str) -> bool:
    return _write(session, claimed, (State.CLAIMED,), {"reason": reason})


def _move(session: Session, claimed: Claimed, turn: Turn, *, at: datetime, **values: Any) -> bool:
    state = rules.TABLE[State.CLAIMED, turn]
    values["state"] = state
    values["ended_at"] = at if state in rules.ENDED else None
    if state in (State.FAILED, State.UNKNOWN):
        values["reason"] = values.get("reason") or "failed"
    return _write(session, claimed, (State.CLAIMED,), values)


def _write(session: Session, claimed: Claimed, states: Sequence[State], values: dict[str, Any]) -> bool:
    result = session.execute(
        update(Delivery)
        .where(Delivery.id == claimed.id, Delivery.claim == claimed.claim, Delivery.state.in_(states))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


def claim_doubtful(session: Session, outfit: Outfit, *, at: datetime) -> Claimed | None:
    """The next message whose sender is gone or unsure, ours while we ask the provider."""
    row = session.scalar(
        select(Delivery)
        .where(Delivery.state == State.CLAIMED, Delivery.lease_until <= at)
        .where(Delivery.channel.in_(sorted(outfit.ways.channels)))
        .order_by(Delivery.lease_until, Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    contact = _contact(session, row)
    row.claim += 1
    if contact is None:
        row.state, row.reason, row.ended_at = State.UNKNOWN, "no_contact", at
        return None
    channel = outfit.ways.channels[rules.Channel(row.channel)]
    row.lease_until = at + channel.timeout + rules.ASK_AGAIN
    office = session.get_one(Office, row.office_id)
    message = _message(session, outfit, row, contact, office, at=row.claimed_at or at)
    return Claimed(
        id=row.id, claim=row.claim, strikes=row.strikes, attempts=row.attempts, yen=0, spent=(), message=message,
        channel=channel,
    )  # fmt: skip


def known_ids(session: Session, delivery_id: int) -> list[str]:
    """Provider ids of other messages to the same contact: what is found must not be one of these."""
    own = session.get_one(Delivery, delivery_id)
    query = select(Delivery.provider_id).where(
        Delivery.contact_id == own.contact_id, Delivery.id != delivery_id, Delivery.provider_id.is_not(None)
    )
    return [each for each in session.scalars(query) if each]


def settle(session: Session, claimed: Claimed, answer: Answer | None, *, at: datetime) -> bool:
    """Write what asking brought. ``answer`` None: this channel's provider cannot be asked."""
    if isinstance(answer, Taken):
        return _taken(session, claimed, answer, at=at)
    if answer is None:
        return _doubtful(session, claimed, Doubtful(reason="sender_gone"), at=at)
    if isinstance(answer, Absent):
        if claimed.strikes + 1 < rules.MOST_STRIKES:
            return _again(session, claimed, "never_arrived", at=at)
        return _give_up(session, claimed, "never_arrived", at=at)
    if at - claimed.message.at > rules.SETTLED_WITHIN:
        return _give_up(session, claimed, "provider_silent", at=at)
    return _write(session, claimed, (State.CLAIMED,), {"lease_until": at + rules.ASK_AGAIN, "reason": answer.reason})
