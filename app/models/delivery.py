"""Messages: whom they reach (sealed), what was asked for, the outbox, and what has been spent.

A contact is the only personal thing here and is erased soon after the visit; deliveries stay as figures without it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, BigId, Pk
from app.domain.delivery import Channel, Occasion, State

_STATES = ", ".join(f"'{state}'" for state in State)
_CHANNELS = ", ".join(f"'{channel}'" for channel in Channel)
_OCCASIONS = ", ".join(f"'{occasion}'" for occasion in Occasion)
_OPEN = text("state IN ('queued', 'claimed', 'sent')")


class Contact(Base):
    """A number, address, LINE user or browser of somebody: sealed, found again only by its blind index.

    ``verified_at``: the person proved to hold it. ``erase_at``: from then on it is not needed.
    """

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint(f"channel IN ({_CHANNELS})", name="channel"),
        UniqueConstraint("blind"),
        Index("ix_contact_erase_at", "erase_at"),
    )
    id: Mapped[Pk]
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"))
    channel: Mapped[str]
    sealed: Mapped[str]
    blind: Mapped[str]
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    erase_at: Mapped[datetime]


class OptOut(Base):
    """Somebody wrote STOP: nothing is sent to this contact any more; kept without the contact itself."""

    __tablename__ = "opt_out"
    blind: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class NoticeWish(Base):
    """What the holder of a number asked to be told: before its turn, and when it is called.

    ``rule`` ``ahead``: at most ``amount`` people before; ``minutes``: about so many minutes. One for a ticket.
    """

    __tablename__ = "notice_wish"
    __table_args__ = (
        CheckConstraint("rule IN ('ahead', 'minutes')", name="rule"),
        CheckConstraint(f"channel IN ({_CHANNELS})", name="channel"),
        Index("ix_notice_wish_office", "office_id", "active"),
        Index("ix_notice_wish_contact_id", "contact_id"),
    )
    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("ticket.id"), primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    contact_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contact.id", ondelete="SET NULL"))
    channel: Mapped[str]
    rule: Mapped[str]
    amount: Mapped[int]
    language: Mapped[str]
    active: Mapped[bool]
    created_at: Mapped[datetime]


class ContactCode(Base):
    """A six-digit code on its way to a contact, bound to the ticket whose page asked for it.

    The digits are derived from ``id`` with a secret outside the database. ``tries`` counts wrong ones.
    """

    __tablename__ = "contact_code"
    __table_args__ = (Index("ix_contact_code_ticket", "ticket_id"), Index("ix_contact_code_expires", "expires_at"))
    id: Mapped[Pk]
    ticket_id: Mapped[int] = mapped_column(BigId, ForeignKey("ticket.id"))
    contact_id: Mapped[int] = mapped_column(BigId, ForeignKey("contact.id", ondelete="CASCADE"))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Delivery(Base):
    """One message to one person by one channel: the outbox, and the record of what became of it.

    ``text``: fields of domain/delivery.py, Text. ``target``: what its link opens (``ticket:12``). ``claim`` grows
    with every claim and goes into every mark's WHERE. ``strikes``: how often it was handed over and may have been
    lost. ``ask_at``: when the provider is asked next what became of it. ``cost_yen``: what was spent on all tries.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        UniqueConstraint("provider_id"),
        UniqueConstraint("link_hash"),
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint(f"channel IN ({_CHANNELS})", name="channel"),
        CheckConstraint(f"occasion IN ({_OCCASIONS})", name="occasion"),
        CheckConstraint("state <> 'claimed' OR lease_until IS NOT NULL", name="lease"),
        CheckConstraint("state NOT IN ('delivered', 'failed', 'unknown') OR ended_at IS NOT NULL", name="ended"),
        CheckConstraint("state NOT IN ('failed', 'unknown') OR reason <> ''", name="reason"),
        Index("ix_delivery_due", "state", "due_at", sqlite_where=_OPEN, postgresql_where=_OPEN),
        Index("ix_delivery_office_created", "office_id", "created_at"),
        Index("ix_delivery_target", "target"),
        Index("ix_delivery_contact_id", "contact_id"),
    )
    id: Mapped[Pk]
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"))
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    dedupe_key: Mapped[str]
    occasion: Mapped[str]
    channel: Mapped[str]
    language: Mapped[str]
    contact_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("contact.id", ondelete="SET NULL"))
    target: Mapped[str]
    text: Mapped[dict[str, Any]]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    strikes: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    claim: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    ask_at: Mapped[datetime | None]
    provider_id: Mapped[str | None]
    provider_word: Mapped[str] = mapped_column(default="")
    link_hash: Mapped[str | None]
    parts: Mapped[int] = mapped_column(default=0)
    cost_yen: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Budget(Base):
    """What has been used of one limit in one period, counted where all processes see it."""

    __tablename__ = "budget"
    __table_args__ = (CheckConstraint("used >= 0", name="used"), Index("ix_budget_until", "until"))
    key: Mapped[str] = mapped_column(primary_key=True)
    used: Mapped[int]
    until: Mapped[datetime]


class MessageTemplate(Base):
    """What a city says at an occasion in a language, where it wrote a text of its own."""

    __tablename__ = "message_template"
    __table_args__ = (CheckConstraint(f"occasion IN ({_OCCASIONS})", name="occasion"),)
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"), primary_key=True)
    occasion: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    short: Mapped[str]
    subject: Mapped[str]
    long: Mapped[str]
    version: Mapped[int]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
