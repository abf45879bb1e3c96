"""What a provider says of an attempt becomes its state: monotone, with amount and currency compared, booked on a day.

Whatever was taken and is not owed (paid twice, cancelled meanwhile, exempted) is on its way back in the same
transaction, or asks two persons where the office wants that: money is never silently kept.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.payment import LIVE, PAID, Method, Money, State, after, key_is_fresh
from app.gateways.base import Absent, Known, Order, Refused, Sight, Unknown
from app.models.payment import Payment, PaymentAttempt
from app.services import bills, events, payment_alarms, payment_messages, payments, refunds
from app.services.bills import Bill

# Between two looks at an attempt: doubled from the first, at most the longest (P6: found within 15 minutes).
FIRST, LONGEST = timedelta(seconds=15), timedelta(minutes=5)
# A call that was begun has ended by then, one way or the other: what is not there now was never made.
SURELY = timedelta(minutes=2)
# A look by the payer's own page, not more often.
NOT_SOONER = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One attempt to ask about. ``wanted`` false: nobody owes it any more, it is to be ended. ``order``: to repeat."""

    attempt_id: int
    gateway: str
    known: Known
    order: Order
    wanted: bool
    repeatable: bool


def _locked(session: Session, attempt_id: int) -> tuple[Payment, PaymentAttempt]:
    """An attempt as it is under its office's lock."""
    office_id = session.scalar(select(PaymentAttempt.office_id).where(PaymentAttempt.id == attempt_id))
    events.lock_office(session, office_id or "")
    attempt = session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
    return session.get_one(Payment, attempt.payment_id), attempt


def wait_after(looks: int) -> timedelta:
    """How long until the next look."""
    return min(FIRST * (1 << min(looks, 8)), LONGEST)


def claim(session: Session, *, at: datetime, attempt_id: int | None = None) -> Look | None:
    """The next attempt to ask about: the longest due, or a named one that was not asked about just now.

    Claiming moves its next look on, so that another worker takes the next; to ask twice would do no harm.
    """
    due = select(PaymentAttempt.id).where(PaymentAttempt.state.in_(sorted(LIVE)))
    if attempt_id is None:
        due = due.where(PaymentAttempt.look_at <= at).order_by(PaymentAttempt.look_at).limit(1)
    else:
        soon = at + wait_after(0) - NOT_SOONER
        due = due.where(PaymentAttempt.id == attempt_id, PaymentAttempt.look_at <= soon)
    found = session.scalar(due)
    if found is None:
        return None
    payment, attempt = _locked(session, found)
    if attempt.state not in LIVE:
        return None
    fresh = attempt.provider_id is None and key_is_fresh(attempt.created_at, at)
    attempt.look_at = at + (wait_after(attempt.looks) if attempt_id is None else wait_after(0))
    attempt.looks += attempt_id is None
    return Look(
        attempt_id=attempt.id, gateway=attempt.gateway, known=payments.known_of(attempt),
        order=payments.order_of(payment, attempt), repeatable=fresh,
        wanted=_wanted(bills.of_payment(session, payment), attempt),
    )  # fmt: skip


def _wanted(bill: Bill, attempt: PaymentAttempt) -> bool:
    """Whether what it asks for is still owed."""
    return not attempt.superseded and attempt.lines == payments.kept(bill.owed)


def opened(
    session: Session, attempt_id: int, outcome: Sight | Refused | Unknown | Absent, *, at: datetime
) -> PaymentAttempt:
    """Mark what came of handing an attempt over, or of asking about it."""
    payment, attempt = _locked(session, attempt_id)
    if isinstance(outcome, Sight):
        return saw(session, payment, attempt, outcome, at=at)
    if isinstance(outcome, Unknown):
        # An earlier try may have arrived: from here on a refusal at the door proves nothing.
        attempt.looks = max(attempt.looks, 1)
    elif isinstance(outcome, Refused) and not (outcome.at_the_door and attempt.looks):
        _fail(attempt, outcome.reason)
    elif isinstance(outcome, Absent) and attempt.state == State.CREATED and at - attempt.created_at > SURELY:
        _fail(attempt, "absent")
    return attempt


def _fail(attempt: PaymentAttempt, reason: str) -> None:
    attempt.state = after(State(attempt.state), State.FAILED)
    attempt.look_at, attempt.paid_with = None, attempt.paid_with or reason


def saw(session: Session, payment: Payment, attempt: PaymentAttempt, seen: Sight, *, at: datetime) -> PaymentAttempt:
    """Move the attempt along the table by one sighting; an amount that is not ours moves nothing and is said aloud."""
    if seen.amount != Money(attempt.amount_yen, attempt.currency) or seen.key != attempt.key:
        payment_alarms.sound(attempt, "amount_mismatch" if seen.key == attempt.key else "key_mismatch")
        attempt.look_at = at + LONGEST
        return attempt
    before, state = State(attempt.state), after(State(attempt.state), seen.state)
    attempt.provider_id = seen.provider_id
    attempt.provider_payment = seen.provider_payment or attempt.provider_payment
    attempt.checkout_url = seen.url or attempt.checkout_url
    if state in PAID and before not in PAID:
        _took(session, attempt, seen, at=at)
    attempt.state = state
    if state not in LIVE:
        attempt.look_at = None
    session.flush()
    if state in PAID:
        refunds.seen_back(session, attempt, seen.refunded, at=at)
        _give_back_surplus(session, payment, at=at)
    return attempt


def _took(session: Session, attempt: PaymentAttempt, seen: Sight, *, at: datetime) -> None:
    office = events.lock_office(session, attempt.office_id)
    attempt.paid_at, attempt.paid_with = at, seen.paid_with
    attempt.booked_on = payments.booking_day(session, office, at)
    events.append(session, office, action="payment", actor=attempt.gateway, at=at, reason=Method.ONLINE)
    payment_messages.received(session, attempt, at=at)


def _give_back_surplus(session: Session, payment: Payment, *, at: datetime) -> int:
    return refunds.surplus(session, bills.of_payment(session, payment), at=at)


def has_surplus(session: Session, payment_id: int) -> bool:
    """Whether something was paid for that is not due."""
    return bool(bills.of_payment(session, session.get_one(Payment, payment_id)).surplus)


def settle_visit(session: Session, payment_id: int, *, at: datetime) -> int:
    """Give back what a visit was paid for and does not owe any more (cancelled after payment); refunds made."""
    payment = session.get_one(Payment, payment_id)
    events.lock_office(session, payment.office_id)
    return _give_back_surplus(session, payment, at=at)


def told(session: Session, seen: Sight, *, gateway: str, at: datetime) -> bool:
    """One line of the provider's own ledger: whether it moved an attempt of ours that had missed it."""
    query = select(PaymentAttempt.id).where(PaymentAttempt.gateway == gateway, PaymentAttempt.key == seen.key)
    found = session.scalar(query)
    if found is None:
        return False
    payment, attempt = _locked(session, found)
    before = attempt.state
    return saw(session, payment, attempt, seen, at=at).state != before


def missed(session: Session, seen: Sight, *, gateway: str) -> bool | None:
    """Whether the provider's ledger says more of an attempt than we know; None when we have no such attempt."""
    query = select(PaymentAttempt).where(PaymentAttempt.gateway == gateway, PaymentAttempt.key == seen.key)
    attempt = session.scalar(query)
    if attempt is None:
        return None
    # A part given back elsewhere moves no state; once it is an alarm it is not found anew in every sweep.
    given_back = seen.refunded > attempt.refunded_yen and attempt.alarm is None
    return given_back or after(State(attempt.state), seen.state) != attempt.state


def as_seen(known: Known, seen: Sight) -> Known:
    """An attempt that was found by its key, to be asked about by its id."""
    return replace(known, provider_id=seen.provider_id, provider_payment=seen.provider_payment, state=seen.state)
