"""Numbers, steps and the one log: ticket, note, step, event, number line, idempotency record.

The partial unique indexes are promises of the hall: one party at a counter, one counter for a party.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, BigId, Pk
from app.domain.ticket import State

_STATES = ", ".join(f"'{state}'" for state in State)
_AT_COUNTER = text("state IN ('called', 'serving')")
_EXCLUSIVE = text("state IN ('called', 'serving') AND exclusive")
_WAITING = text("state = 'waiting'")


class NumberLine(Base):
    """The numbers of one category on one business date: the last serial given, the last walk-in's due."""

    __tablename__ = "number_line"
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"), primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    last_serial: Mapped[int | None]
    last_walk_in_due: Mapped[datetime | None]


class Ticket(Base):
    """One number (番号札) a party holds for the whole visit; no personal data.

    ``seed`` derives the link's token with a secret outside the database; ``token_hash`` finds it.
    ``confirm_by``: a web ticket that must be confirmed on arrival and has not been.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        UniqueConstraint("office_id", "business_date", "number"),
        UniqueConstraint("token_hash"),
        CheckConstraint("channel IN ('kiosk', 'web', 'staff', 'api', 'booking')", name="channel"),
    )
    id: Mapped[Pk]
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    business_date: Mapped[date]
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"))
    number: Mapped[str]
    serial: Mapped[int]
    seed: Mapped[str]
    token_hash: Mapped[str]
    language: Mapped[str] = mapped_column(default="ja")
    priority: Mapped[bool] = mapped_column(default=False)
    party: Mapped[int] = mapped_column(default=1)
    channel: Mapped[str]
    issued_at: Mapped[datetime]
    confirm_by: Mapped[datetime | None]


class TicketNote(Base):
    """A few words (メモ) that one counter leaves for the next: seen by staff alone, gone at the close of day."""

    __tablename__ = "ticket_note"
    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("ticket.id"), primary_key=True)
    text: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]


class Step(Base):
    """One service and phase on a ticket. Steps, not tickets, wait, are called and are served.

    ``position`` orders the steps of a ticket. ``arrived_at``: when the party came into this line;
    ``waiting_since``: when this wait began; ``entry``, ``due_at``, ``eligible_at``: domain/calling.py.
    ``exclusive`` is false at counters configured to hold several parties.
    """

    __tablename__ = "step"
    __table_args__ = (
        UniqueConstraint("ticket_id", "position"),
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("state NOT IN ('done', 'cancelled') OR ended_at IS NOT NULL", name="ended"),
        CheckConstraint("state NOT IN ('called', 'serving') OR counter_id IS NOT NULL", name="counter"),
        CheckConstraint("state <> 'waiting' OR due_at IS NOT NULL", name="due"),
        Index("uq_step_counter_busy", "counter_id", unique=True,
              sqlite_where=_EXCLUSIVE, postgresql_where=_EXCLUSIVE),
        Index("uq_step_ticket_busy", "ticket_id", unique=True,
              sqlite_where=_AT_COUNTER, postgresql_where=_AT_COUNTER),
        # The whole order of a line: the first is read without sorting, also where PostgreSQL expects one row.
        Index("ix_step_line", "category_id", "business_date", "due_at", "arrived_at", "serial", "id",
              sqlite_where=_WAITING, postgresql_where=_WAITING),
        Index("ix_step_office_date_state", "office_id", "business_date", "state"),
        Index("ix_step_category_called", "category_id", "business_date", "called_at"),
        Index("ix_step_office_called", "office_id", "business_date", "called_at"),
        Index("ix_step_counter", "counter_id", "business_date"),
    )  # fmt: skip
    id: Mapped[Pk]
    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("ticket.id"))
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    business_date: Mapped[date]
    position: Mapped[int]
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id"))
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"))
    phase: Mapped[str]
    state: Mapped[str]
    serial: Mapped[int]
    priority: Mapped[bool] = mapped_column(default=False)
    entry: Mapped[str | None]
    slot_at: Mapped[datetime | None]
    arrived_at: Mapped[datetime | None]
    waiting_since: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    eligible_at: Mapped[datetime | None]
    called_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    counter_id: Mapped[str | None] = mapped_column(ForeignKey("counter.id"))
    exclusive: Mapped[bool] = mapped_column(default=True)
    recalls: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime]
    # For writing both at once; readers ask for what they need.
    ticket: Mapped[Ticket] = relationship(lazy="raise_on_sql")


class Event(Base):
    """One change in an office; ``seq`` is gapless. Audit, statistics and boards are readers of this."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_step", "step_id"), Index("ix_event_at", "office_id", "at"))
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    action: Mapped[str]
    ticket_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("ticket.id"))
    step_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("step.id"))
    counter_id: Mapped[str | None] = mapped_column(ForeignKey("counter.id"))
    before: Mapped[str | None]
    after: Mapped[str | None]
    actor: Mapped[str]
    request_key: Mapped[str | None]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class RequestKey(Base):
    """An Idempotency-Key with the hash of its request and the answer, written with the effect."""

    __tablename__ = "request_key"
    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)
