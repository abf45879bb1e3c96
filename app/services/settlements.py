"""The money of a business date by fee and by way of paying, from attempts and refunds booked on it; closed once.

Every figure is whole yen. What is found after a date was closed counts on the day it is found, so that a closed date
never changes; ``balances`` checks that it has not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.payment import PAID, RefundState
from app.models.payment import Payment, PaymentAttempt, Refund, Settlement
from app.services import events


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fee paid in one way on one date. ``service``: id; copies and whole yen, in and back."""

    service: str
    method: str
    unit: int
    copies: int = 0
    received: int = 0
    copies_back: int = 0
    refunded: int = 0

    @property
    def net(self) -> int:
        return self.received - self.refunded


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """``received``, ``refunded``: from the attempts and refunds themselves, not from the rows; both must agree."""

    office_id: str
    business_date: date
    rows: Sequence[Row]
    received: int
    refunded: int
    closed: Settlement | None

    @property
    def net(self) -> int:
        return self.received - self.refunded

    @property
    def balances(self) -> bool:
        """Whether the rows come to what was booked, and a closed date is still what it was when it was closed."""
        rows = (sum(row.received for row in self.rows), sum(row.refunded for row in self.rows))
        kept = (self.closed.received_yen, self.closed.refunded_yen) if self.closed else rows
        return rows == (self.received, self.refunded) == kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line of the journal: money in (an attempt) or back (a refund)."""

    at: datetime
    reference: str
    attempt: PaymentAttempt
    refund: Refund | None = None

    @property
    def yen(self) -> int:
        """Whole yen; negative for money back."""
        return -self.refund.amount_yen if self.refund else self.attempt.amount_yen


def of(session: Session, office_id: str, day: date) -> Day:
    """The figures of a business date."""
    moved = movements(session, office_id, day)
    found: dict[tuple[str, str, int], Row] = {}
    for each in moved:
        for line in (each.refund or each.attempt).lines:
            key = (line["service"], str(each.attempt.method), line["unit"])
            row = found.get(key, Row(service=key[0], method=key[1], unit=key[2]))
            found[key] = _with(row, line["copies"], back=each.refund is not None)
    return Day(
        office_id=office_id, business_date=day, rows=[found[key] for key in sorted(found)],
        received=sum(each.yen for each in moved if each.yen > 0),
        refunded=-sum(each.yen for each in moved if each.yen < 0),
        closed=session.get(Settlement, (office_id, day)),
    )  # fmt: skip


def _with(row: Row, copies: int, *, back: bool) -> Row:
    values = asdict(row)
    if back:
        values["copies_back"] += copies
        values["refunded"] += copies * row.unit
    else:
        values["copies"] += copies
        values["received"] += copies * row.unit
    return Row(**values)


def movements(session: Session, office_id: str, day: date) -> list[Movement]:
    """Every receipt and refund booked on a business date, by time."""
    came = session.execute(
        select(PaymentAttempt, Payment.reference)
        .join(Payment, Payment.id == PaymentAttempt.payment_id)
        .where(
            PaymentAttempt.office_id == office_id, PaymentAttempt.booked_on == day,
            PaymentAttempt.state.in_(sorted(PAID)),
        )
    ).all()  # fmt: skip
    went = session.execute(
        select(Refund, PaymentAttempt, Payment.reference)
        .join(PaymentAttempt, PaymentAttempt.id == Refund.attempt_id)
        .join(Payment, Payment.id == PaymentAttempt.payment_id)
        .where(Refund.office_id == office_id, Refund.booked_on == day, Refund.state == RefundState.DONE)
    ).all()
    found = [Movement(at=a.paid_at or a.created_at, reference=name, attempt=a) for a, name in came]
    found += [Movement(at=r.done_at or r.requested_at, reference=name, attempt=a, refund=r) for r, a, name in went]
    return sorted(found, key=lambda each: (each.at, each.reference))


def close(session: Session, office_id: str, before: date, *, at: datetime) -> int:
    """Close every business date with money before ``before`` that stands open; returns how many."""
    events.lock_office(session, office_id)
    days = _days(session, office_id, before)
    for day in days:
        figures = of(session, office_id, day)
        session.add(
            Settlement(
                office_id=office_id, business_date=day, closed_at=at, received_yen=figures.received,
                refunded_yen=figures.refunded, rows=[asdict(row) for row in figures.rows],
            )
        )  # fmt: skip
    session.flush()
    return len(days)


def _days(session: Session, office_id: str, before: date) -> list[date]:
    def booked(model: type[PaymentAttempt | Refund]) -> Iterable[date | None]:
        query = select(model.booked_on).where(model.office_id == office_id, model.booked_on < before).distinct()
        return session.scalars(query)

    closed = set(session.scalars(select(Settlement.business_date).where(Settlement.office_id == office_id)))
    return sorted({each for model in (PaymentAttempt, Refund) for each in booked(model) if each} - closed)
