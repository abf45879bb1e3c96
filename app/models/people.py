"""Staff accounts, their sessions, API tokens, paired devices, sign-in attempts and the audit chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, Pk
from app.domain.roles import Role

_ROLES = ", ".join(f"'{role}'" for role in Role)


class Account(Base):
    """A member of staff. ``office_id`` None: all offices of the municipality (city roles)."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("municipality_id", "login"),
        CheckConstraint(f"role IN ({_ROLES})", name="role"),
    )
    id: Mapped[Pk]
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"))
    office_id: Mapped[str | None] = mapped_column(ForeignKey("office.id"))
    login: Mapped[str]
    name: Mapped[str]
    section: Mapped[str] = mapped_column(default="")
    role: Mapped[str]
    password_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    must_change: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]


class StaffSession(Base):
    """A sign-in; ends by itself, by sign-out, and with the account.

    ``second_due``: the password was right and the second factor is still asked for; such a session is nobody's.
    """

    __tablename__ = "staff_session"
    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    counter_id: Mapped[str | None] = mapped_column(ForeignKey("counter.id"))
    second_due: Mapped[bool] = mapped_column(default=False)


class SecondFactor(Base):
    """What an account proves besides its password. Without ``confirmed_at`` it was begun and is not asked for yet.

    ``sealed``: the shared secret (app/db/sealed.py). ``last_step``: the half-minute of the last code used, which
    does not count again. ``recovery``: keyed hashes of the codes on paper that are left.
    """

    __tablename__ = "second_factor"
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    sealed: Mapped[str]
    last_step: Mapped[int] = mapped_column(default=0)
    recovery: Mapped[list[Any]] = mapped_column(default=list)
    begun_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class AccessToken(Base):
    """A bearer token of a program, kiosk or board: one role, one place, revocable."""

    __tablename__ = "access_token"
    __table_args__ = (CheckConstraint(f"role IN ({_ROLES})", name="role"),)
    id: Mapped[Pk]
    token_hash: Mapped[str] = mapped_column(unique=True)
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"), index=True)
    office_id: Mapped[str | None] = mapped_column(ForeignKey("office.id"))
    hall_id: Mapped[str | None] = mapped_column(ForeignKey("hall.id"))
    counter_id: Mapped[str | None] = mapped_column(ForeignKey("counter.id"))
    role: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Pairing(Base):
    """A device showing a six-digit code for ten minutes until staff claim it.

    ``address``: where it asked from, so that staff see whether it is the device before them.
    """

    __tablename__ = "pairing"
    device_hash: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    token_id: Mapped[int | None] = mapped_column(ForeignKey("access_token.id"))


class Approval(Base):
    """An act that gives somebody the rights of a city administrator, until a second one approves it.

    ``act``: ``grant`` the role, ``open`` an account that has it, set its ``password`` anew.
    """

    __tablename__ = "approval"
    __table_args__ = (
        CheckConstraint("act IN ('grant', 'open', 'password')", name="act"),
        CheckConstraint(
            "approved IS NOT TRUE OR (decided_by <> requested_by AND decided_by <> account_id)", name="two_persons"
        ),
    )
    id: Mapped[Pk]
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    act: Mapped[str]
    requested_by: Mapped[int] = mapped_column(ForeignKey("account.id"))
    requested_at: Mapped[datetime]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    decided_at: Mapped[datetime | None]
    approved: Mapped[bool | None]


class SignInAttempt(Base):
    """A wrong sign-in, kept for slowing down; never a permanent lock."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index("ix_sign_in_attempt_who", "subject", "at"),)
    id: Mapped[Pk]
    subject: Mapped[str]
    at: Mapped[datetime]


class AuditEntry(Base):
    """Who changed or looked at what; each entry carries the hash of the one before."""

    __tablename__ = "audit_entry"
    __table_args__ = (UniqueConstraint("municipality_id", "number"),)
    id: Mapped[Pk]
    municipality_id: Mapped[str] = mapped_column(ForeignKey("municipality.id"))
    number: Mapped[int]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    chain: Mapped[str]
