"""What is known of the money of one visit, read in one place: for pages, the desk, the gate before a hand-over."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.payment import HOLDING, LIVE, PAID, Line, Method, RefundState, State, owed, too_much, total
from app.models.payment import Payment, PaymentAttempt, Refund
from app.services import fees
from app.services.fees import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """``due``: every fee; ``owed``: what is still to pay; ``surplus``: copies paid for that are not due, by service.

    ``live``: an attempt that may still bring money. ``refunds``: all, declined ones too.
    """

    visit: Visit
    payment: Payment | None
    due: Sequence[Line]
    owed: Sequence[Line]
    surplus: dict[str, int]
    attempts: Sequence[PaymentAttempt]
    refunds: Sequence[Refund]

    @property
    def owed_yen(self) -> int:
        return total(self.owed).amount

    @property
    def due_yen(self) -> int:
        return total(self.due).amount

    @property
    def paid(self) -> list[PaymentAttempt]:
        """Attempts that brought money, in order."""
        return [each for each in self.attempts if each.state in PAID]

    @property
    def paid_yen(self) -> int:
        """Yen received, refunds not taken off."""
        return sum(each.amount_yen for each in self.paid)

    @property
    def refunded_yen(self) -> int:
        """Yen that have gone back."""
        return sum(each.amount_yen for each in self.refunds if each.state == RefundState.DONE)

    @property
    def live(self) -> PaymentAttempt | None:
        return next((each for each in self.attempts if each.state in LIVE and not each.superseded), None)

    @property
    def last(self) -> PaymentAttempt | None:
        """The newest attempt online."""
        online = [each for each in self.attempts if each.method == Method.ONLINE]
        return online[-1] if online else None

    @property
    def state(self) -> str:
        """``free``, ``owed``, ``checking``, ``paid`` or ``refunded``: one word for screens."""
        if self.owed:
            return "checking" if self.live and self.live.state == State.PROCESSING else "owed"
        if self.refunded_yen:
            return "refunded"
        return "paid" if self.paid else "free"


def held_copies(attempts: Iterable[PaymentAttempt], refunds: Iterable[Refund]) -> dict[str, int]:
    """Copies paid for and not on their way back, by service."""
    found: Counter[str] = Counter()
    for attempt in attempts:
        if attempt.state in PAID:
            found.update({line["service"]: line["copies"] for line in attempt.lines})
    for refund in refunds:
        if refund.state in HOLDING:
            found.subtract({line["service"]: line["copies"] for line in refund.lines})
    return dict(found)


def find(session: Session, visit: Visit) -> Payment | None:
    """The payment of a visit, None before anything was asked for."""
    if visit.booking is not None:
        return session.scalar(select(Payment).where(Payment.booking_id == visit.booking.id))
    return session.scalar(select(Payment).where(Payment.ticket_id == (visit.ticket.id if visit.ticket else None)))


def of(session: Session, visit: Visit, payment: Payment | None = None) -> Bill:
    """The bill of a visit as it stands."""
    payment = payment or find(session, visit)
    attempts: Sequence[PaymentAttempt] = ()
    refunds: Sequence[Refund] = ()
    if payment is not None:
        query = select(PaymentAttempt).where(PaymentAttempt.payment_id == payment.id).order_by(PaymentAttempt.number)
        attempts = session.scalars(query).all()
        ids = [each.id for each in attempts]
        refunds = session.scalars(select(Refund).where(Refund.attempt_id.in_(ids)).order_by(Refund.id)).all()
    wanted, held = fees.due(session, visit, payment), held_copies(attempts, refunds)
    return Bill(
        visit=visit, payment=payment, due=wanted, owed=owed(wanted, held), surplus=too_much(wanted, held),
        attempts=attempts, refunds=refunds,
    )  # fmt: skip


def of_payment(session: Session, payment: Payment) -> Bill:
    """The bill a payment belongs to."""
    return of(session, fees.of_payment(session, payment), payment)
