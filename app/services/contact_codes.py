"""Six digits that prove somebody holds a number or address, before the first message to it.

Bound to the ticket whose page asked, good for ten minutes and five tries. The answer is the same whether the number
is known here or not. What may be asked for is counted in the database, by number, block of numbers, ticket and
office; where it cannot be counted, nothing is sent. Who asks for ever is refused by reading (``refuse``): a writing
transaction of theirs would keep the kiosks of a small hall waiting.
"""

import hmac
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain import contact as rules
from app.domain import delivery
from app.domain.calendar import business_date
from app.domain.delivery import Channel, Limits, Occasion
from app.domain.errors import TooMany
from app.models.delivery import Contact, ContactCode
from app.models.place import Office
from app.models.ticket import Ticket
from app.services import budgets, contacts, outbox
from app.services.outbox import Recipient
from app.services.sending import code_digits

GOOD_FOR = timedelta(minutes=10)
MOST_TRIES = 5
# A ticket's last code: an older one opens nothing any more.
_LAST = (
    select(ContactCode)
    .where(ContactCode.ticket_id == bindparam("ticket"))
    .order_by(ContactCode.id.desc())
    .limit(1)
    .execution_options(populate_existing=True)
)


class Verdict(StrEnum):
    RIGHT = "right"
    WRONG = "code_wrong"
    DEAD = "code_dead"


def ask(
    session: Session, *, sealer: Sealer, ticket: Ticket, channel: Channel, value: str, language: str, at: datetime
) -> Contact:
    """Send a code to a contact in its stored form, for this ticket. Raises TooMany("message_limit")."""
    office = session.get_one(Office, ticket.office_id)
    limits = Limits.of(office.settings)
    found = contacts.keep(
        session, sealer=sealer, municipality_id=office.municipality_id, channel=channel, value=value, at=at,
        erase_at=contacts.after_visit(at),
    )  # fmt: skip
    for key, most in _limits_of(sealer, ticket, channel, value, limits, at=at):
        if not budgets.use(session, key, 1, most=most, until=at + timedelta(days=2)):
            raise TooMany("message_limit", retry_after=600)
    # Counted under the lock of the day's row, so that two at once cannot both be the third.
    _refuse_hasty(session, found.blind, limits, at=at)
    _refuse_spent(session, office, channel, limits, at=at)
    # An older code of this ticket opens nothing any more.
    session.execute(
        update(ContactCode)
        .where(ContactCode.ticket_id == ticket.id, ContactCode.used_at.is_(None))
        .values(expires_at=at)
        .execution_options(synchronize_session=False)
    )
    code = ContactCode(ticket_id=ticket.id, contact_id=found.id, created_at=at, expires_at=at + GOOD_FOR, tries=0)
    session.add(code)
    session.flush()
    outbox.enqueue(
        session, office=office, occasion=Occasion.CODE, target=f"code:{code.id}", once="1", values={}, at=at,
        to=Recipient(contact_id=found.id, channel=channel, language=language),
    )  # fmt: skip
    return found


def refuse(
    session: Session, *, sealer: Sealer, ticket: Ticket, channel: Channel, value: str, at: datetime
) -> None:  # fmt: skip
    """Raise what ``ask`` would as the counts stand, without a lock: a shortcut, ``ask`` has the last word."""
    office = session.get_one(Office, ticket.office_id)
    limits = Limits.of(office.settings)
    most = dict(_limits_of(sealer, ticket, channel, value, limits, at=at))
    if any(count >= most[key] for key, count in budgets.used(session, *most).items()):
        raise TooMany("message_limit", retry_after=600)
    _refuse_hasty(session, contacts.blind(sealer, office.municipality_id, channel, value), limits, at=at)
    _refuse_spent(session, office, channel, limits, at=at)


def _limits_of(
    sealer: Sealer, ticket: Ticket, channel: Channel, value: str, limits: Limits, *, at: datetime
) -> list[tuple[str, int]]:  # fmt: skip
    """Each count a code is counted in, and how far it may go."""
    day, hour = business_date(at), at.astimezone(delivery.TOKYO).strftime("%Y-%m-%dT%H")
    who = sealer.index("counted contact", rules.counted_as(value))
    keys = [
        (f"code:ticket:{ticket.id}", limits.codes_per_ticket), (f"code:day:{who}:{day}", limits.codes_per_day),
        (f"code:office:{ticket.office_id}:{hour}", limits.codes_per_hour),
    ]  # fmt: skip
    if channel is Channel.SMS:
        block = sealer.index("number block", rules.number_block(value))
        keys.append((f"code:block:{block}:{day}", limits.codes_per_block))
    return keys


def _refuse_hasty(session: Session, blind: str, limits: Limits, *, at: datetime) -> None:
    lately = (
        select(func.count())
        .join_from(ContactCode, Contact, Contact.id == ContactCode.contact_id)
        .where(Contact.blind == blind, ContactCode.created_at > at - timedelta(minutes=10))
    )
    if (session.scalar(lately) or 0) >= limits.codes_per_10_minutes:
        raise TooMany("message_limit", retry_after=600)


def _refuse_spent(session: Session, office: Office, channel: Channel, limits: Limits, *, at: datetime) -> None:
    """Say at once what the sender would find: the office's money for text messages is used up."""
    if channel is not Channel.SMS:
        return
    hour = at.astimezone(delivery.TOKYO).strftime("%Y-%m-%dT%H")
    of_day, of_hour = f"yen:{office.id}:{business_date(at)}", f"yen:{office.id}:{hour}"
    spent = budgets.used(session, of_day, of_hour)
    if spent[of_day] + limits.sms_yen > limits.yen_per_day or spent[of_hour] + limits.sms_yen > limits.yen_per_hour:
        raise TooMany("message_limit", retry_after=3600)


def is_dead(session: Session, ticket: Ticket, *, at: datetime) -> bool:
    """Whether no digits can be right any more, from a read; ``check`` has the last word."""
    code = session.scalar(_LAST, {"ticket": ticket.id})
    return code is None or _over(code, at=at)


def _over(code: ContactCode, *, at: datetime) -> bool:
    return code.used_at is not None or code.expires_at <= at or code.tries >= MOST_TRIES


def check(session: Session, *, secret: bytes, ticket: Ticket, digits: str, at: datetime) -> tuple[Verdict, int | None]:
    """Try a code for this ticket: the verdict, and the contact it proves. A wrong try is counted: commit it.

    Digits of another ticket's page are wrong here, as any others.
    """
    code = session.scalar(_LAST.with_for_update(), {"ticket": ticket.id})
    if code is None or _over(code, at=at):
        return Verdict.DEAD, None
    if not hmac.compare_digest(code_digits(secret, code.id).encode(), digits.encode("utf-8", "replace")):
        code.tries += 1
        return (Verdict.DEAD if code.tries >= MOST_TRIES else Verdict.WRONG), None
    code.used_at = at
    session.get_one(Contact, code.contact_id).verified_at = at
    return Verdict.RIGHT, code.contact_id
