"""The provider's ledger against ours: charged twice (I10), for nothing (I11), paid without charge (I12)."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sqlalchemy import select

from app.db.session import Database
from app.domain.payment import LIVE, PAID, Method
from app.models.payment import Payment, PaymentAttempt, Refund
from app.services import bills
from app.services.bills import Bill
from tests.standins.stripe_ledger import Ledger


@dataclass
class Found:
    """Keys of what breaks a promise; empty lists are a pass. ``open``: attempts nobody has settled."""

    double: list[str] = field(default_factory=list)
    charged_for_nothing: list[str] = field(default_factory=list)
    paid_without_charge: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    provider_yen: int = 0
    our_yen: int = 0

    @property
    def clean(self) -> bool:
        wrong = (self.double, self.charged_for_nothing, self.paid_without_charge, self.unequal, self.stuck)
        return not any(wrong) and self.provider_yen == self.our_yen


@dataclass
class _Seen:
    """The provider's charges by key: how many, and yen that have not gone back; yen by visit."""

    count: Counter[str]
    held: dict[str, int]
    by_visit: dict[str, int]


def _charges(ledger: Ledger) -> _Seen:
    seen = _Seen(Counter(), defaultdict(int), defaultdict(int))
    for charge in ledger.charges.values():
        marks, yen = charge["metadata"], charge["amount"] - charge["amount_refunded"]
        key = marks.get("key", charge["id"])
        seen.count[key] += 1
        seen.held[key] += yen
        seen.by_visit[marks.get("subject", key)] += yen
    return seen


def compare(database: Database, ledger: Ledger) -> Found:
    """Every charge and every attempt, by the key both know. Due is what the visit owes at the end."""
    found, seen = Found(), _charges(ledger)
    found.provider_yen = sum(seen.held.values())
    found.double = [key for key, times in seen.count.items() if times > 1]
    with database.snapshot() as session:
        attempts = {each.key: each for each in session.scalars(select(PaymentAttempt))}
        for payment in session.scalars(select(Payment)):
            bill = bills.of_payment(session, payment)
            if seen.by_visit.get(payment.subject, 0) + _cash(bill) > bill.due_yen:
                found.double.append(payment.subject)
        refunds = session.scalars(select(Refund)).all()
    # Cash that was paid for a number given back waits for people; nothing else may wait.
    found.stuck = [each.key for each in refunds if each.state in ("sending", "failed") and each.look_at is not None]
    for key, yen in seen.held.items():
        known = attempts.get(key)
        if yen and (known is None or known.state not in PAID):
            found.charged_for_nothing.append(key)
    for attempt in attempts.values():
        if attempt.method == Method.ONLINE:
            _attempt(found, seen, attempt)
    return found


def _cash(bill: Bill) -> int:
    """Yen over the counter that are neither back nor asked back."""
    cash = [each for each in bill.paid if each.method != Method.ONLINE]
    numbers = {each.id for each in cash}
    asked = sum(each.amount_yen for each in bill.refunds if each.attempt_id in numbers and each.state == "requested")
    return sum(each.amount_yen - each.refunded_yen for each in cash) - asked


def _attempt(found: Found, seen: _Seen, attempt: PaymentAttempt) -> None:
    ours = attempt.amount_yen - attempt.refunded_yen if attempt.state in PAID else 0
    found.our_yen += ours
    if attempt.state in PAID and not seen.count[attempt.key]:
        found.paid_without_charge.append(attempt.key)
    if ours != seen.held.get(attempt.key, 0):
        found.unequal.append(attempt.key)
    if attempt.alarm or (attempt.state in LIVE and attempt.superseded):
        found.stuck.append(attempt.key)
