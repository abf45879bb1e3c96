"""Money back: asked for by one person, approved by another, sent under a key stored before, marked when it is known.

What the hall itself finds to be too much (paid twice, paid late for what was cancelled) needs no person where it was
paid online and the office lets it (``late_payment``); cash is always handed back by people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.payment import PAID, Line, Method, Money, RefundState, State, after, key_is_fresh, total
from app.gateways.base import Absent, Refused, Return, Returned, Unknown
from app.models.payment import Payment, PaymentAttempt, PaymentLine, Refund
from app.models.place import Office
from app.services import bills, events, payment_alarms, payments
from app.services.bills import Bill

SYSTEM, RULE = "system", "rule"
REASONS = frozenset({"not_issued", "wrong_fee", "exempt", "withdrawn", "surplus", "elsewhere"})
# Between two tries under the same key: doubled from the first, at most the longest.
_AGAIN, LONGEST = timedelta(seconds=15), timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Copies of fees to pay back, and why. ``reason``: a key of REASONS."""

    lines: Sequence[Line]
    reason: str
    note: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """A refund on its way: what to send, and whether the provider still knows its key."""

    refund_id: int
    gateway: str
    wish: Return
    repeatable: bool


def _left(session: Session, attempt: PaymentAttempt) -> dict[str, int]:
    """Copies of an attempt that are not on their way back yet, by service."""
    held = session.scalars(select(Refund).where(Refund.attempt_id == attempt.id)).all()
    return bills.held_copies([attempt], held)


def _line_of(attempt: PaymentAttempt, service: str) -> int:
    return int(next(line["unit"] for line in attempt.lines if line["service"] == service))


def _make(
    session: Session,
    attempt: PaymentAttempt,
    lines: Sequence[Line],
    *,
    reason: str,
    note: str,
    actor: str,
    at: datetime,
) -> Refund:
    made = Refund(
        attempt_id=attempt.id, office_id=attempt.office_id, key="", state=RefundState.REQUESTED,
        amount_yen=total(lines).amount, lines=payments.kept(lines), reason=reason, note=note[:200],
        requested_by=actor, requested_at=at,
    )  # fmt: skip
    count = session.scalar(select(func.count()).select_from(Refund).where(Refund.attempt_id == attempt.id)) or 0
    made.key = f"refund:{attempt.key}:{count + 1}"
    session.add(made)
    session.flush()
    return made


def request(session: Session, attempt_id: int, wish: Wish, *, at: datetime) -> Refund:
    """Ask for copies of one attempt to be paid back; they are not owed any more.

    Raises NotFound, InvalidInput("refund_nothing"), Conflict("refund_too_much").
    """
    attempt = _locked(session, attempt_id)
    lines = [line for line in wish.lines if line.copies > 0]
    if not lines or wish.reason not in REASONS:
        raise InvalidInput("refund_nothing")
    left = _left(session, attempt) if attempt.state in PAID else {}
    if any(line.copies > left.get(line.service, 0) for line in lines):
        raise Conflict("refund_too_much")
    lines = [Line(service=each.service, unit=_line_of(attempt, each.service), copies=each.copies) for each in lines]
    made = _make(session, attempt, lines, reason=wish.reason, note=wish.note, actor=wish.actor, at=at)
    _owe(session, attempt, lines, -1, actor=wish.actor, at=at)
    return made


def _owe(
    session: Session, attempt: PaymentAttempt, lines: Sequence[Line], sign: int, *, actor: str, at: datetime
) -> None:
    """Take copies off the bill, or put them back when the refund is declined."""
    payment = session.get_one(Payment, attempt.payment_id)
    due = {line.service: line for line in bills.of_payment(session, payment).due}
    for line in lines:
        known = due.get(line.service)
        if known is None:
            continue
        row = session.get(PaymentLine, (payment.id, line.service))
        if row is None:
            row = PaymentLine(payment_id=payment.id, service_id=line.service, unit_yen=known.unit, copies=known.copies,
                              note="", actor=actor, at=at)  # fmt: skip
            session.add(row)
        row.copies = max(0, row.copies + sign * line.copies)
        row.actor, row.at = actor, at
    session.flush()


def _locked(session: Session, attempt_id: int) -> PaymentAttempt:
    office_id = session.scalar(select(PaymentAttempt.office_id).where(PaymentAttempt.id == attempt_id))
    if office_id is None:
        raise NotFound(what="payment")
    events.lock_office(session, office_id)
    return session.get_one(PaymentAttempt, attempt_id, populate_existing=True)


def _refund(session: Session, refund_id: int) -> tuple[PaymentAttempt, Refund]:
    found = session.get(Refund, refund_id)
    if found is None:
        raise NotFound(what="refund")
    attempt = _locked(session, found.attempt_id)
    return attempt, session.get_one(Refund, refund_id, populate_existing=True)


def decide(session: Session, refund_id: int, *, approve: bool, actor: str, at: datetime) -> Refund:
    """The second person's word. Raises Forbidden("refund_own") for whoever asked, Conflict("refund_decided")."""
    attempt, refund = _refund(session, refund_id)
    if refund.state != RefundState.REQUESTED:
        raise Conflict("refund_decided")
    if refund.requested_by == actor:
        raise Forbidden("refund_own")
    refund.decided_by, refund.decided_at = actor, at
    if approve:
        _send(attempt, refund, at=at)
        return refund
    refund.state = RefundState.DECLINED
    if refund.requested_by != SYSTEM:
        _owe(session, attempt, [Line(**line) for line in refund.lines], 1, actor=actor, at=at)
    return refund


def _send(attempt: PaymentAttempt, refund: Refund, *, at: datetime) -> None:
    """On its way; cash waits for the hand that pays it out."""
    refund.state = RefundState.SENDING
    refund.look_at = at if attempt.method == Method.ONLINE else None


def paid_out(session: Session, refund_id: int, *, actor: str, at: datetime) -> Refund:
    """Handed back by people: cash, a terminal's reversal, or what the provider would not give back.

    Raises Conflict("refund_decided").
    """
    attempt, refund = _refund(session, refund_id)
    by_hand = RefundState.FAILED if attempt.method == Method.ONLINE else RefundState.SENDING
    if refund.state != by_hand:
        raise Conflict("refund_decided")
    refund.sent_at, refund.provider_id = at, f"{attempt.gateway}:{actor}"
    _done(session, attempt, refund, at=at)
    return refund


def _done(session: Session, attempt: PaymentAttempt, refund: Refund, *, at: datetime) -> None:
    office = events.lock_office(session, attempt.office_id)
    refund.booked_on = payments.booking_day(session, office, at)
    refund.state, refund.done_at, refund.look_at = RefundState.DONE, at, None
    attempt.refunded_yen += refund.amount_yen
    if attempt.refunded_yen == attempt.amount_yen:
        attempt.state = after(State(attempt.state), State.REFUNDED)
    events.append(session, office, action="payment", actor=refund.decided_by or SYSTEM, at=at, reason="refund")


def claim(session: Session, *, at: datetime) -> Sending | None:
    """The next refund to hand over or to ask about; claiming moves its next turn on."""
    due = select(Refund.id).where(Refund.state == RefundState.SENDING, Refund.look_at <= at)
    found = session.scalar(due.order_by(Refund.look_at).limit(1))
    if found is None:
        return None
    attempt, refund = _refund(session, found)
    if refund.state != RefundState.SENDING:
        return None
    refund.sent_at = refund.sent_at or at
    refund.look_at = at + min(_AGAIN * (1 << min(refund.looks, 5)), LONGEST)
    refund.looks += 1
    return Sending(
        refund_id=refund.id, gateway=attempt.gateway, repeatable=key_is_fresh(refund.sent_at, at),
        wish=Return(
            key=refund.key, provider_payment=attempt.provider_payment or "", provider_id=attempt.provider_id or "",
            amount=Money(refund.amount_yen, attempt.currency), since=refund.sent_at,
        ),
    )  # fmt: skip


def sent(session: Session, refund_id: int, outcome: Returned | Refused | Absent | Unknown, *, at: datetime) -> Refund:
    """Mark what came of it; what nobody knows stays on its way."""
    attempt, refund = _refund(session, refund_id)
    if refund.state != RefundState.SENDING:
        return refund
    if isinstance(outcome, Returned):
        refund.provider_id = outcome.provider_id
        if outcome.amount != Money(refund.amount_yen, attempt.currency):
            refund.alarm, refund.look_at = "amount_mismatch", None
        elif outcome.state == RefundState.DONE:
            _done(session, attempt, refund, at=at)
        elif outcome.state == RefundState.FAILED:
            _failed(refund, "refused")
    elif isinstance(outcome, Refused) and not outcome.at_the_door:
        _failed(refund, outcome.reason)
    elif isinstance(outcome, Absent):
        _failed(refund, "absent")
    return refund


def _failed(refund: Refund, why: str) -> None:
    refund.state, refund.look_at, refund.alarm = RefundState.FAILED, None, why


def surplus(session: Session, bill: Bill, *, at: datetime) -> int:
    """Give back copies paid for and not due, newest first, online before cash; returns how many refunds."""
    office = session.get_one(Office, bill.visit.office_id)
    by_itself = office.settings.get("late_payment", "refund") == "refund"
    wanted, made = dict(bill.surplus), 0
    for attempt in sorted(bill.paid, key=lambda each: (each.method != Method.ONLINE, -each.number)):
        stuck = any(each.attempt_id == attempt.id and each.state == RefundState.FAILED for each in bill.refunds)
        left = _left(session, attempt)
        lines = [
            Line(service=service, unit=_line_of(attempt, service), copies=min(copies, left[service]))
            for service, copies in wanted.items()
            if left.get(service, 0) > 0 and copies > 0
        ]
        if not lines or stuck:
            continue
        refund = _make(session, attempt, lines, reason="surplus", note="", actor=SYSTEM, at=at)
        if by_itself and attempt.method == Method.ONLINE:
            refund.decided_by, refund.decided_at = RULE, at
            _send(attempt, refund, at=at)
        for line in lines:
            wanted[line.service] -= line.copies
        made += 1
    return made


def seen_back(session: Session, attempt: PaymentAttempt, seen: int, *, at: datetime) -> None:
    """Yen given back on the provider's own screen: all of it is booked by itself, a part needs a person."""
    own = session.scalars(select(Refund).where(Refund.attempt_id == attempt.id)).all()
    if seen <= attempt.refunded_yen or any(each.state == RefundState.SENDING for each in own):
        return
    left = {service: copies for service, copies in _left(session, attempt).items() if copies}
    lines = [Line(service=each, unit=_line_of(attempt, each), copies=copies) for each, copies in left.items()]
    if total(lines).amount != seen - attempt.refunded_yen:
        payment_alarms.sound(attempt, "refunded_elsewhere")
        return
    refund = _make(session, attempt, lines, reason="elsewhere", note="", actor=SYSTEM, at=at)
    refund.state, refund.decided_by, refund.decided_at = RefundState.SENDING, RULE, at
    _owe(session, attempt, lines, -1, actor=SYSTEM, at=at)
    _done(session, attempt, refund, at=at)


def waiting(session: Session, office_ids: Sequence[str]) -> Sequence[Refund]:
    """Refunds that wait for somebody: a second person, the counter, or a look at what failed."""
    query = select(Refund).where(Refund.office_id.in_(office_ids))
    open_ = [RefundState.REQUESTED, RefundState.SENDING, RefundState.FAILED]
    return session.scalars(query.where(Refund.state.in_(open_)).order_by(Refund.requested_at)).all()
