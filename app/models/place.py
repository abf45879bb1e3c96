"""Where things happen: municipality, office, hall, category, service, counter, work profile, notices."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Pk


class Municipality(Base):
    """The tenant (自治体): nothing of one is ever visible to another."""

    __tablename__ = "municipality"
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, Any]]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Office(Base):
    """One building (庁舎): its own business day, numbers, event sequence and lock.

    ``seq`` is the number of the last event, drawn under the row's lock; ``epoch`` changes when a
    database is restored; ``changed_at`` is the instant of the last event.
    """

    __tablename__ = "office"
    id: Mapped[str] = mapped_column(primary_key=True)
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"), index=True)
    name: Mapped[dict[str, Any]]
    position: Mapped[int] = mapped_column(default=0)
    epoch: Mapped[str]
    seq: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime | None]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)

    @property
    def training(self) -> bool:
        """Numbers are for practice (訓練) and given at every hour."""
        return bool(self.settings.get("training"))


class Hall(Base):
    """A waiting room (フロア) with boards and speakers."""

    __tablename__ = "hall"
    id: Mapped[str] = mapped_column(primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), index=True)
    name: Mapped[dict[str, Any]]
    position: Mapped[int] = mapped_column(default=0)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Category(Base):
    """A line of people (受付区分): prefix letter, services, policy (fields of calling.Policy).

    ``public_name`` stands on boards and lists, ``short_name`` where there is little room, ``neutral_name``
    (empty: none needed) in place of both beside a number whose service is sensitive. ``shape`` and ``hue``
    are names (config/document_office.py); ``numbers`` are fields of refs.NumberFormat, ``booking`` those of
    slots.LineRules (empty: nothing can be booked in this line).
    """

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("office_id", "prefix"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), index=True)
    hall_id: Mapped[str] = mapped_column(ForeignKey("hall.id"), index=True)
    prefix: Mapped[str]
    name: Mapped[dict[str, Any]]
    short_name: Mapped[dict[str, Any]] = mapped_column(default=dict)
    public_name: Mapped[dict[str, Any]]
    neutral_name: Mapped[dict[str, Any]] = mapped_column(default=dict)
    section: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    shape: Mapped[str] = mapped_column(default="disc")
    hue: Mapped[str] = mapped_column(default="teal")
    target_minutes: Mapped[int] = mapped_column(default=20)
    booking_only: Mapped[bool] = mapped_column(default=False)
    web_ticket: Mapped[bool] = mapped_column(default=True)
    policy: Mapped[dict[str, Any]] = mapped_column(default=dict)
    numbers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    booking: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")


class Service(Base):
    """What a resident comes for (手続き); one catalogue for the municipality."""

    __tablename__ = "service"
    id: Mapped[str] = mapped_column(primary_key=True)
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"), index=True)
    name: Mapped[dict[str, Any]]
    public_name: Mapped[dict[str, Any]]
    fee_yen: Mapped[int] = mapped_column(default=0)
    minutes: Mapped[dict[str, Any]]
    phases: Mapped[list[Any]]
    documents: Mapped[list[Any]] = mapped_column(default=list)
    bookable: Mapped[bool] = mapped_column(default=False)
    sensitive: Mapped[bool] = mapped_column(default=False)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Offering(Base):
    """A service offered at an office, in the line of one category.

    ``closed_times``: ``[[from, until], …]`` in minutes from midnight (Asia/Tokyo) when it cannot be chosen (T4).
    """

    __tablename__ = "offering"
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id"), primary_key=True)
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    active: Mapped[bool] = mapped_column(default=True)
    closed_times: Mapped[list[Any]] = mapped_column(default=list)


class WorkProfile(Base):
    """Which categories a counter serves, in which order.

    ``lines``: ``[{"category": id, "after_minutes": null | number}, …]``; a number marks a secondary one.
    """

    __tablename__ = "work_profile"
    id: Mapped[str] = mapped_column(primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), index=True)
    name: Mapped[dict[str, Any]]
    position: Mapped[int] = mapped_column(default=0)
    lines: Mapped[list[Any]]


class Counter(Base):
    """A numbered place (窓口); open when a staff member has signed in at it with a work profile.

    ``lines`` is the profile in force while open. ``capacity``: parties at the counter at once. ``help_since``:
    since when the clerk asks the floor lead for help.
    """

    __tablename__ = "counter"
    __table_args__ = (
        UniqueConstraint("office_id", "number"),
        CheckConstraint("state IN ('open', 'paused', 'closed')", name="state"),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), index=True)
    hall_id: Mapped[str] = mapped_column(ForeignKey("hall.id"), index=True)
    number: Mapped[str]
    name: Mapped[dict[str, Any]] = mapped_column(default=dict)
    section: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    capacity: Mapped[int] = mapped_column(default=1)
    default_profile_id: Mapped[str | None] = mapped_column(ForeignKey("work_profile.id"))
    state: Mapped[str] = mapped_column(default="closed")
    profile_id: Mapped[str | None] = mapped_column(ForeignKey("work_profile.id"))
    lines: Mapped[list[Any]] = mapped_column(default=list)
    staff_id: Mapped[int | None]
    staff_name: Mapped[str] = mapped_column(default="")
    since: Mapped[datetime | None]
    back_at: Mapped[datetime | None]
    help_since: Mapped[datetime | None]


class Notice(Base):
    """City news between calls, and service notices on every public page (level news, info or warning).

    ``code`` names a notice that came from the municipality's files; those written by staff have none.
    """

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("office_id", "code"),
        CheckConstraint("level IN ('news', 'info', 'warning')", name="level"),
    )
    id: Mapped[Pk]
    code: Mapped[str | None]
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), index=True)
    hall_id: Mapped[str | None] = mapped_column(ForeignKey("hall.id"))
    level: Mapped[str]
    words: Mapped[dict[str, Any]]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(default=0)
