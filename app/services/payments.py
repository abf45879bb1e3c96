"""Asking for money: the payment of a visit, an attempt online, money over the counter, copies and exemptions.

Every function takes the office's lock first, so that an attempt, the cash at the desk and a cancelled number queue
behind each other. Nothing here speaks to a provider (services/money_calls.py does, between transactions).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.payment import (
    LIVE,
    Line,
    Method,
    Money,
    State,
    attempt_key,
    konbini_days,
    online_methods,
    pay_token,
    total,
)
from app.domain.refs import token_hash
from app.gateways.at_counter import AtCounter
from app.gateways.base import Known, Order, Refused, Sight
from app.models.payment import Payment, PaymentAttempt, PaymentLine, ReferenceLine, Settlement
from app.models.place import Office
from app.services import bills, events, fees
from app.services.bills import Bill
from app.services.fees import Visit

# The payer's own page may look at once, the sweep waits until an answer could have come.
FIRST_LOOK = timedelta(seconds=12)
_SLIP = re.compile(r"[0-9A-Z-]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What an attempt online needs besides the visit. ``seed``: fresh chance, ``secret`` derives the page's token.

    ``address``: ours, without a slash at the end. ``payer``: how the provider's page names the payee.
    ``language`` of that page; empty: the visit's.
    """

    gateway: str
    seed: str
    secret: bytes
    address: str
    payer: str
    actor: str
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Money over the counter: cash or the terminal, the number on the slip, where and by whom."""

    method: Method
    slip: str
    counter_id: str | None
    actor: str


def ensure(session: Session, visit: Visit, *, seed: str, secret: bytes, at: datetime) -> Payment:
    """The payment of a visit, made with the next reference of the day if there is none."""
    office = events.lock_office(session, visit.office_id)
    known = bills.find(session, visit)
    if known is not None:
        return known
    today = business_date(at)
    line = session.get(ReferenceLine, (office.id, today), populate_existing=True)
    if line is None:
        line = ReferenceLine(office_id=office.id, business_date=today, last=0)
        session.add(line)
    line.last += 1
    made = Payment(
        office_id=office.id, business_date=today, reference=f"P-{today:%Y%m%d}-{line.last:04d}", seed=seed,
        token_hash=token_hash(pay_token(secret, seed)), created_at=at,
        ticket_id=None if visit.booking or not visit.ticket else visit.ticket.id,
        booking_id=visit.booking.id if visit.booking else None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def by_token(session: Session, token: str) -> Payment:
    """The payment of a page; raises NotFound, the same for a wrong and an erased one."""
    found = session.scalar(select(Payment).where(Payment.token_hash == token_hash(token)))
    if found is None:
        raise NotFound(what="payment")
    return found


def kept(lines: Sequence[Line]) -> list[dict[str, object]]:
    """Fees as an attempt and a refund keep them."""
    return [{"service": line.service, "unit": line.unit, "copies": line.copies} for line in lines]


def begin(session: Session, visit: Visit, asking: Asking, *, at: datetime) -> PaymentAttempt:
    """The attempt to pay online what is owed now: the one that is under way, or a new one with its key.

    Its row is committed before the provider hears of it. Raises Conflict("nothing_owed").
    """
    payment = ensure(session, visit, seed=asking.seed, secret=asking.secret, at=at)
    bill = bills.of(session, visit, payment)
    if not bill.owed:
        raise Conflict("nothing_owed")
    live = next((each for each in bill.attempts if each.state in LIVE), None)
    if live is not None:
        if live.superseded or live.lines != kept(bill.owed):
            # It asks for something else than is owed now; its end is looked after first.
            raise Conflict("payment_underway", attempt=live.id)
        return live
    methods, stands = online_methods(until=visit.begins, at=at)
    number = len(bill.attempts) + 1
    attempt = PaymentAttempt(
        payment_id=payment.id, office_id=payment.office_id, number=number,
        key=attempt_key(payment.subject, number), gateway=asking.gateway, method=Method.ONLINE, state=State.CREATED,
        amount_yen=total(bill.owed).amount, lines=kept(bill.owed), actor=asking.actor, created_at=at,
        expires_at=at + stands, look_at=at + FIRST_LOOK,
        asked={
            "methods": list(methods), "konbini_days": konbini_days(until=visit.begins, at=at),
            "language": asking.language or visit.language, "what": f"{asking.payer} {payment.reference}",
            "back_to": f"{asking.address}/pay/{pay_token(asking.secret, payment.seed)}",
        },
    )  # fmt: skip
    session.add(attempt)
    session.flush()
    return attempt


def order_of(payment: Payment, attempt: PaymentAttempt) -> Order:
    """The attempt in the words for its gateway: from the row alone, so that a repetition is word for word the same."""
    asked = attempt.asked
    return Order(
        key=attempt.key, subject=payment.subject, reference=payment.reference, office=payment.office_id,
        amount=Money(attempt.amount_yen, attempt.currency), what=asked.get("what", ""),
        back_to=asked.get("back_to", ""), language=asked.get("language", "ja"),
        expires_at=attempt.expires_at or attempt.created_at, methods=tuple(asked.get("methods", ())),
        konbini_days=asked.get("konbini_days", 1), slip=attempt.slip or "",
    )  # fmt: skip


def known_of(attempt: PaymentAttempt) -> Known:
    """The attempt as its gateway is asked about it."""
    return Known(
        key=attempt.key, provider_id=attempt.provider_id or "", amount=Money(attempt.amount_yen, attempt.currency),
        state=State(attempt.state), since=attempt.created_at, provider_payment=attempt.provider_payment or "",
    )  # fmt: skip


def slip_number(typed: str) -> str:
    """The number of a slip in its one form; raises InvalidInput("bad_slip")."""
    found = unicodedata.normalize("NFKC", typed).strip().upper()
    if not _SLIP.fullmatch(found):
        raise InvalidInput("bad_slip", field="slip")
    return found


def booking_day(session: Session, office: Office, at: datetime) -> date:
    """The business date in whose settlement money counts: today, tomorrow when today is closed already."""
    today = business_date(at)
    return today + timedelta(days=1) if session.get(Settlement, (office.id, today)) else today


def record(
    session: Session, visit: Visit, taking: Taking, *, take: Sequence[Line], seed: str, secret: bytes, at: datetime
) -> PaymentAttempt:
    """Cash or the terminal's slip for exactly what is owed (``take``, as the clerk saw it).

    An attempt online that is still open is superseded: what it may still bring goes back. Raises
    Conflict("nothing_owed"), Conflict("payment_elsewhere") when it is not what is owed any more,
    Conflict("payment_underway") while money is on its way, InvalidInput("bad_slip"), Conflict("slip_used").
    """
    payment = ensure(session, visit, seed=seed, secret=secret, at=at)
    bill = bills.of(session, visit, payment)
    if not bill.owed:
        raise Conflict("nothing_owed")
    if list(take) != list(bill.owed):
        raise Conflict("payment_elsewhere")
    for live in bill.attempts:
        if live.state == State.PROCESSING:
            raise Conflict("payment_underway")
        if live.state == State.CREATED:
            live.superseded, live.look_at = True, at
    return _taken(session, payment, bill, taking, at=at)


def _taken(session: Session, payment: Payment, bill: Bill, taking: Taking, *, at: datetime) -> PaymentAttempt:
    office, number = events.lock_office(session, payment.office_id), len(bill.attempts) + 1
    attempt = PaymentAttempt(
        payment_id=payment.id, office_id=payment.office_id, number=number,
        key=attempt_key(payment.subject, number), gateway=AtCounter.name, method=taking.method,
        state=State.SUCCEEDED, amount_yen=bill.owed_yen, currency=Money(0).currency, lines=kept(bill.owed), asked={},
        slip=slip_number(taking.slip), counter_id=taking.counter_id, actor=taking.actor, created_at=at, paid_at=at,
        booked_on=booking_day(session, office, at),
    )  # fmt: skip
    seen = AtCounter().open(order_of(payment, attempt))
    if isinstance(seen, Refused):
        raise InvalidInput("bad_slip", field="slip")
    attempt.provider_id = seen.provider_id if isinstance(seen, Sight) else None
    session.add(attempt)
    session.flush()
    events.append(session, office, action="payment", actor=taking.actor, at=at, reason=str(taking.method))
    return attempt


def change(
    session: Session, visit: Visit, *, wanted: Line, note: str, actor: str, seed: str, secret: bytes, at: datetime
) -> PaymentLine:
    """Set the copies or the exemption of one fee; a fee that was paid becomes money to give back.

    Raises NotFound when the visit has no such procedure.
    """
    service = next((each for each in visit.services if each.id == wanted.service), None)
    if service is None:
        raise NotFound(what="service")
    payment = ensure(session, visit, seed=seed, secret=secret, at=at)
    line = fees.changes(session, payment).get(wanted.service)
    if line is None:
        line = PaymentLine(payment_id=payment.id, service_id=service.id, unit_yen=service.fee_yen, actor=actor, at=at,
                           copies=1, note="")  # fmt: skip
        session.add(line)
    line.copies, line.exemption, line.note = wanted.copies, wanted.exemption, note[:200]
    line.actor, line.at = actor, at
    session.flush()
    office = events.lock_office(session, visit.office_id)
    events.append(session, office, action="payment", actor=actor, at=at, reason="fees")
    return line


def token_of(secret: bytes, payment: Payment) -> str:
    """The token of a payment's pages."""
    return pay_token(secret, payment.seed)
