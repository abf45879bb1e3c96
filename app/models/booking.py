"""Bookings: cells and their places, a hold and the booking it becomes, what it takes, its log, the waiting list.

``used <= capacity`` is the promise that nothing is overbooked; the database keeps it.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, BigId, Pk
from app.domain.booking import Half, State, WishState

_STATES = ", ".join(f"'{state}'" for state in State)
_WISH_STATES = ", ".join(f"'{state}'" for state in WishState)
_HALVES = ", ".join(f"'{half}'" for half in Half)
_HELD = text("state = 'held'")
_BOOKED = text("state = 'booked'")
_KEPT = text("erased_at IS NULL")
_OPEN_WISH = text("state IN ('waiting', 'offered')")


class Slot(Base):
    """One cell of a pool of places (a line, or a group of services in it), from its first use on.

    ``capacity`` is what the rules gave at the last change, or ``set_capacity`` where staff said otherwise
    (0: blocked). ``staff_only`` of them are kept for staff until ``staff_used`` has used them up.
    """

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("used <= capacity", name="capacity"),
        CheckConstraint("used >= 0 AND staff_used >= 0 AND staff_used <= used", name="used"),
        Index("ix_slot_office_start", "office_id", "start_at"),
    )
    pool: Mapped[str] = mapped_column(primary_key=True)
    start_at: Mapped[datetime] = mapped_column(primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"))
    capacity: Mapped[int]
    staff_only: Mapped[int]
    used: Mapped[int]
    staff_used: Mapped[int]
    set_capacity: Mapped[int | None]


class Booking(Base):
    """A hold and the booking it becomes: one row for its whole life.

    ``seed`` derives the link's token, ``token_hash`` finds it (docs/adr/0001). ``plan``: stages of slots.Plan.
    ``staff``: in places that only staff give. What a person told is sealed and bound to ``seed``; the indexes find it
    again without telling it. ``contact_id``: whom messages reach (models/delivery.py; that row is erased sooner, so
    it is no foreign key). ``holder``: a hash of who holds it. ``no_show_at``: from then on its place is not kept.
    ``erased_at``: what was personal is gone.
    """

    __tablename__ = "booking"
    __table_args__ = (
        UniqueConstraint("reference"),
        UniqueConstraint("token_hash"),
        UniqueConstraint("ticket_id"),
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        CheckConstraint("state <> 'held' OR expires_at IS NOT NULL", name="held"),
        CheckConstraint("state IN ('held', 'expired', 'cancelled') OR reference IS NOT NULL", name="reference"),
        CheckConstraint("state <> 'arrived' OR ticket_id IS NOT NULL", name="arrived"),
        CheckConstraint("party >= 1 AND start_at < end_at", name="party"),
        CheckConstraint("channel IN ('web', 'kiosk', 'staff', 'api', 'waiting_list')", name="channel"),
        Index("ix_booking_held", "office_id", "expires_at", sqlite_where=_HELD, postgresql_where=_HELD),
        Index("ix_booking_holder", "holder", sqlite_where=_HELD, postgresql_where=_HELD),
        Index("ix_booking_no_show", "office_id", "no_show_at", sqlite_where=_BOOKED, postgresql_where=_BOOKED),
        Index("ix_booking_day", "office_id", "business_date", "start_at"),
        Index("ix_booking_kept", "office_id", "end_at", sqlite_where=_KEPT, postgresql_where=_KEPT),
        Index("ix_booking_name_index", "name_index"),
        Index("ix_booking_phone_index", "phone_index"),
        Index("ix_booking_email_index", "email_index"),
    )  # fmt: skip
    id: Mapped[Pk]
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"))
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    state: Mapped[str]
    reference: Mapped[str | None]
    seed: Mapped[str]
    token_hash: Mapped[str]
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"))
    services: Mapped[list[Any]]
    plan: Mapped[list[Any]]
    party: Mapped[int]
    business_date: Mapped[date]
    start_at: Mapped[datetime]
    end_at: Mapped[datetime]
    no_show_at: Mapped[datetime]
    language: Mapped[str]
    channel: Mapped[str]
    staff: Mapped[bool]
    holder: Mapped[str | None]
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    moves: Mapped[int]
    ticket_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("ticket.id"))
    sealed_name: Mapped[str | None]
    sealed_phone: Mapped[str | None]
    sealed_email: Mapped[str | None]
    sealed_notes: Mapped[str | None]
    name_index: Mapped[str | None]
    phone_index: Mapped[str | None]
    email_index: Mapped[str | None]
    contact_id: Mapped[int | None] = mapped_column(BigId)
    erased_at: Mapped[datetime | None]


class BookingPlace(Base):
    """The places a booking takes in one cell; gone when they are given back."""

    __tablename__ = "booking_place"
    __table_args__ = (CheckConstraint("places >= 1", name="places"), Index("ix_booking_place_cell", "pool", "start_at"))
    booking_id: Mapped[int] = mapped_column(BigId, ForeignKey("booking.id"), primary_key=True)
    pool: Mapped[str] = mapped_column(primary_key=True)
    start_at: Mapped[datetime] = mapped_column(primary_key=True)
    places: Mapped[int]


class BookingEvent(Base):
    """One change of a booking: who did what, when and why; nothing personal."""

    __tablename__ = "booking_event"
    __table_args__ = (Index("ix_booking_event_booking", "booking_id"),)
    id: Mapped[Pk]
    booking_id: Mapped[int] = mapped_column(BigId, ForeignKey("booking.id"))
    at: Mapped[datetime]
    action: Mapped[str]
    before: Mapped[str | None]
    after: Mapped[str]
    actor: Mapped[str]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]]


class BookingWish(Base):
    """A place on the waiting list of some full days: the next fitting slot is offered for a limited time.

    ``half``: of each of the days, by the slot's start. ``booking_id`` is the hold that is offered. ``contact_id`` as
    in a booking.
    """

    __tablename__ = "booking_wish"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        UniqueConstraint("booking_id"),
        CheckConstraint(f"state IN ({_WISH_STATES})", name="state"),
        CheckConstraint(f"half IN ({_HALVES})", name="half"),
        CheckConstraint("first_day <= last_day AND party >= 1", name="days"),
        CheckConstraint("state <> 'offered' OR booking_id IS NOT NULL", name="offered"),
        Index("ix_booking_wish_open", "office_id", "id", sqlite_where=_OPEN_WISH, postgresql_where=_OPEN_WISH),
        Index("ix_booking_wish_contact_index", "contact_index"),
    )  # fmt: skip
    id: Mapped[Pk]
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    state: Mapped[str]
    seed: Mapped[str]
    token_hash: Mapped[str]
    services: Mapped[list[Any]]
    party: Mapped[int]
    first_day: Mapped[date]
    last_day: Mapped[date]
    half: Mapped[str]
    language: Mapped[str]
    contact_id: Mapped[int | None] = mapped_column(BigId)
    contact_index: Mapped[str | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    offers: Mapped[int]
    booking_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("booking.id"))
