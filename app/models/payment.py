"""Money of visits: what a ticket or booking owes, attempts to pay it, what the provider told, refunds, days settled.

Nothing personal: a payment knows its visit, an attempt how it was paid (``VISA 4242`` at most).
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, BigId, Pk
from app.domain.payment import Method, RefundState, State

_STATES = ", ".join(f"'{state}'" for state in State)
_METHODS = ", ".join(f"'{method}'" for method in Method)
_REFUND_STATES = ", ".join(f"'{state}'" for state in RefundState)
_LIVE = text("state IN ('created', 'processing')")


class Payment(Base):
    """All money of one visit: exactly one of ``ticket_id`` and ``booking_id``.

    ``reference``: 受付番号 and number of the receipt, ``P-20260401-0317``. ``seed`` derives the token of its pages.
    ``receipts``: how often a receipt was given out; from the second on it says 再発行.
    """

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("ticket_id"),
        UniqueConstraint("booking_id"),
        UniqueConstraint("office_id", "reference"),
        UniqueConstraint("token_hash"),
        CheckConstraint("(ticket_id IS NULL) <> (booking_id IS NULL)", name="one_visit"),
    )
    id: Mapped[Pk]
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    ticket_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("ticket.id"))
    booking_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("booking.id"))
    business_date: Mapped[date]
    reference: Mapped[str]
    seed: Mapped[str]
    token_hash: Mapped[str]
    receipts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]

    @property
    def subject(self) -> str:
        """``ticket:7:9c41d0aa``, ``booking:7:9c41d0aa``: part of every key.

        The end is chance of this payment: a database made anew counts from 1 again, the provider's memory of keys
        does not, and two halls may share an account.
        """
        kind, number = ("ticket", self.ticket_id) if self.ticket_id is not None else ("booking", self.booking_id)
        return f"{kind}:{number}:{self.seed[:8]}"


class PaymentLine(Base):
    """A fee that differs from one copy at the catalogue's price: copies, an exemption with its reason and by whom."""

    __tablename__ = "payment_line"
    __table_args__ = (CheckConstraint("copies >= 0", name="copies"),)
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment.id"), primary_key=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id"), primary_key=True)
    unit_yen: Mapped[int]
    copies: Mapped[int]
    exemption: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    actor: Mapped[str]
    at: Mapped[datetime]


class PaymentAttempt(Base):
    """One try to bring money, with its key stored before anybody outside hears of it; at most one live per payment.

    ``lines``: what it pays for, ``[{service, unit, copies}, …]``, as it was when it began. ``provider_id``: the
    session there, ``provider_payment``: the charge. ``slip``: number on the register's or terminal's slip.
    ``superseded``: the visit was paid otherwise meanwhile; money that still comes goes back. ``booked_on``: the
    business date in whose settlement it counts. ``alarm``: what does not fit and needs a person; open until somebody
    has looked into it (``alarm_seen_at``, ``alarm_seen_by``) and said what it was (``alarm_note``).
    """

    __tablename__ = "payment_attempt"
    __table_args__ = (
        UniqueConstraint("key"),
        UniqueConstraint("payment_id", "number"),
        UniqueConstraint("gateway", "provider_id"),
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(f"method IN ({_METHODS})", name="method"),
        CheckConstraint("amount_yen > 0", name="amount"),
        CheckConstraint("state NOT IN ('succeeded', 'refunded') OR booked_on IS NOT NULL", name="booked"),
        CheckConstraint("refunded_yen BETWEEN 0 AND amount_yen", name="refunded"),
        Index("uq_payment_attempt_live", "payment_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("uq_payment_attempt_slip", "office_id", "booked_on", "slip", unique=True,
              sqlite_where=text("slip IS NOT NULL"), postgresql_where=text("slip IS NOT NULL")),
        Index("ix_payment_attempt_due", "look_at", sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("ix_payment_attempt_charge", "provider_payment"),
        Index("ix_payment_attempt_booked", "office_id", "booked_on"),
        Index("ix_payment_attempt_alarm", "office_id", sqlite_where=text("alarm IS NOT NULL"),
              postgresql_where=text("alarm IS NOT NULL")),
    )  # fmt: skip
    id: Mapped[Pk]
    payment_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment.id"))
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    number: Mapped[int]
    key: Mapped[str]
    gateway: Mapped[str]
    method: Mapped[str]
    state: Mapped[str]
    amount_yen: Mapped[int]
    currency: Mapped[str] = mapped_column(default="JPY")
    lines: Mapped[list[Any]]
    asked: Mapped[dict[str, Any]] = mapped_column(default=dict)
    provider_id: Mapped[str | None]
    provider_payment: Mapped[str | None]
    checkout_url: Mapped[str | None]
    paid_with: Mapped[str] = mapped_column(default="")
    slip: Mapped[str | None]
    counter_id: Mapped[str | None] = mapped_column(ForeignKey("counter.id"))
    actor: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    looks: Mapped[int] = mapped_column(default=0)
    paid_at: Mapped[datetime | None]
    booked_on: Mapped[date | None]
    refunded_yen: Mapped[int] = mapped_column(default=0)
    superseded: Mapped[bool] = mapped_column(default=False)
    alarm: Mapped[str | None]
    alarm_seen_at: Mapped[datetime | None]
    alarm_seen_by: Mapped[str | None]
    alarm_note: Mapped[str | None]


class PaymentEvent(Base):
    """A webhook, once by its id. ``state``: heard, applied, ignored, alarm; parked: its object is unknown so far."""

    __tablename__ = "payment_event"
    __table_args__ = (
        CheckConstraint("state IN ('heard', 'applied', 'ignored', 'parked', 'alarm')", name="state"),
        Index("ix_payment_event_open", "look_at", sqlite_where=text("state IN ('heard', 'parked')"),
              postgresql_where=text("state IN ('heard', 'parked')")),
    )  # fmt: skip
    gateway: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    object_kind: Mapped[str]
    object_id: Mapped[str]
    state: Mapped[str]
    heard_at: Mapped[datetime]
    look_at: Mapped[datetime | None]
    looks: Mapped[int] = mapped_column(default=0)


class Refund(Base):
    """Money on its way back: asked for by one person (or ``system``), approved by another, sent under its own key.

    ``lines``: ``[{service, unit, copies}, …]`` of the attempt that are paid back.
    """

    __tablename__ = "refund"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint(f"state IN ({_REFUND_STATES})", name="state"),
        CheckConstraint("amount_yen > 0", name="amount"),
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="two_persons"),
        CheckConstraint("state <> 'done' OR booked_on IS NOT NULL", name="booked"),
        Index("ix_refund_attempt", "attempt_id"),
        Index("ix_refund_booked", "office_id", "booked_on"),
        Index("ix_refund_sending", "look_at", sqlite_where=text("state = 'sending'"),
              postgresql_where=text("state = 'sending'")),
    )  # fmt: skip
    id: Mapped[Pk]
    attempt_id: Mapped[int] = mapped_column(BigId, ForeignKey("payment_attempt.id"))
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    key: Mapped[str]
    state: Mapped[str]
    amount_yen: Mapped[int]
    lines: Mapped[list[Any]]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    look_at: Mapped[datetime | None]
    looks: Mapped[int] = mapped_column(default=0)
    provider_id: Mapped[str | None]
    done_at: Mapped[datetime | None]
    booked_on: Mapped[date | None]
    alarm: Mapped[str | None]


class ReferenceLine(Base):
    """The last reference given at an office on a business date."""

    __tablename__ = "reference_line"
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class Settlement(Base):
    """A business date whose money is counted and closed; later findings count on the day they are found.

    ``rows``: the figures by fee and method as they stood (services/settlements.py).
    """

    __tablename__ = "settlement"
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime]
    received_yen: Mapped[int]
    refunded_yen: Mapped[int]
    rows: Mapped[list[Any]]
