"""Who can work where, and the roster of a day: people's skills and hours, leave, drafts, what was published."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Pk


class StaffMember(Base):
    """A person of an office who can be put on a roster; needs no account. ``account_id``: the one that is this person,
    whatever either is called later.

    ``lines``: ids of categories, the usual one first. ``hours``: ``{"0": [from, until], …}`` by weekday (Monday is 0),
    minutes from midnight; a weekday that is not there is free. ``lunch_min`` and ``rest_min``: minutes a day of both.
    """

    __tablename__ = "staff_member"
    __table_args__ = (CheckConstraint("lunch_min >= 0 AND rest_min >= 0", name="pauses"),)
    id: Mapped[Pk]
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), index=True)
    name: Mapped[str]
    section: Mapped[str] = mapped_column(default="")
    lines: Mapped[list[Any]]
    hours: Mapped[dict[str, Any]]
    lunch_min: Mapped[int]
    rest_min: Mapped[int]
    position: Mapped[int] = mapped_column(default=0)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), unique=True)
    active: Mapped[bool] = mapped_column(default=True)


class StaffLeave(Base):
    """A time at which a person is not here, without its reason. Minutes from midnight; a whole day is 0 to 1440."""

    __tablename__ = "staff_leave"
    __table_args__ = (
        CheckConstraint("from_min >= 0 AND from_min < until_min AND until_min <= 1440", name="times"),
        Index("ix_staff_leave_member_id_day", "member_id", "day"),
    )
    id: Mapped[Pk]
    member_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    day: Mapped[date]
    from_min: Mapped[int]
    until_min: Mapped[int]


class RosterDay(Base):
    """The roster of an office's day. ``version`` grows with each change; a change names the one it has seen.

    ``draft``, ``published`` and ``before`` (what was published before, to go back to):
    ``{member id: {minute from midnight: cell}}`` with the cells of app/domain/roster.py. ``undo``: earlier drafts, the
    latest last. Both of the former are empty until ``published_at``.
    """

    __tablename__ = "roster_day"
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int]
    draft: Mapped[dict[str, Any]]
    undo: Mapped[list[Any]]
    edited_at: Mapped[datetime]
    edited_by: Mapped[str]
    published: Mapped[dict[str, Any]]
    before: Mapped[dict[str, Any]]
    published_at: Mapped[datetime | None]
    published_by: Mapped[str]


class RosterSearch(Base):
    """A search for a better roster: asked for by a person, done by a process of its own, the best so far kept here.

    ``seconds``: how long it may last. ``found``: as RosterDay.draft, empty until the first; ``shortfall``: the share
    of what is needed that it leaves open, 0 to 1; ``plans``: how many better ones were found. ``error``: a code.
    """

    __tablename__ = "roster_search"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'running', 'stopping', 'done', 'failed')", name="state"),
        CheckConstraint("seconds BETWEEN 1 AND 600", name="seconds"),
    )
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[str]
    token: Mapped[str]
    seconds: Mapped[int]
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    started_at: Mapped[datetime | None]
    heard_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    found: Mapped[dict[str, Any]]
    shortfall: Mapped[float | None]
    plans: Mapped[int]
    error: Mapped[str]
