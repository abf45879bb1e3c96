"""Staff accounts: add, change, close, reopen, a new password. Every act is in the audit log.

Nobody changes the own role, office or account, and what gives the rights of a city administrator waits for a
second one (approvals.py). The command line of the machine (``Principal.kind`` ``command``) is the first person
of an installation and needs no second. A change of role, office or password ends every session at once.
"""

import re
import unicodedata
from collections import Counter as Counts
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from app.domain.labels import label
from app.domain.roles import Function, Role
from app.models.people import Account, Approval, AuditEntry, SignInAttempt, StaffSession
from app.models.place import Counter, Office
from app.services import access, accounts, approvals, audit
from app.services.access import Principal
from app.services.approvals import Act

STAFF_ROLES = tuple(role for role in Role if role not in (Role.KIOSK, Role.DISPLAY))
NAME_LIMIT, SECTION_LIMIT = 40, 40
# Roles that act at counters and desks belong to one office; the others see all offices of the city.
ROLES_OF_AN_OFFICE = (Role.CLERK, Role.FLOOR_LEAD, Role.DEPARTMENT_ADMIN)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
TRIES_WITHIN = timedelta(minutes=5)  # as access.refuse_guessing counts them
MANY_TRIES = 5
_NOBODY_YET = "!"  # no password verifies against it


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A row of the list: the account, where it sits now, and whether it is signed in."""

    account: Account
    counter: str | None
    signed_in: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The account, and (``waiting``) what a second person must approve before the rest takes effect."""

    account: Account
    waiting: Approval | None = None


def command_line(municipality_id: str) -> Principal:
    """Whoever may run commands on the machine."""
    return Principal(
        kind="command", id=0, role=Role.CITY_ADMIN, municipality_id=municipality_id, office_id=None,
        name="command line",
    )  # fmt: skip


def listed(session: Session, by: Principal, *, search: str = "", at: datetime) -> list[Member]:
    """The accounts of the municipality, open ones first, by section and name; ``search`` in both and the login."""
    access.require(session, by, Function.MANAGE_PEOPLE)
    words = unicodedata.normalize("NFKC", search).casefold().split()
    signed_in = exists().where(StaffSession.account_id == Account.id, StaffSession.expires_at > at)
    rows = session.execute(
        select(Account, signed_in)
        .where(Account.municipality_id == by.municipality_id)
        .order_by(Account.active.desc(), Account.section, Account.name, Account.id)
    )
    taken = select(Counter.staff_id, Counter.number).where(Counter.staff_id.is_not(None), Counter.state != "closed")
    seats = {row.staff_id: row.number for row in session.execute(taken)}
    return [
        Member(account=account, counter=seats.get(account.id), signed_in=is_in)
        for account, is_in in rows
        if all(word in f"{account.name} {account.section} {account.login}".casefold() for word in words)
    ]


def find(session: Session, by: Principal, account_id: int) -> Account:
    """An account of the caller's municipality; NotFound for any other."""
    found = session.get(Account, account_id)
    if found is None or found.municipality_id != by.municipality_id:
        raise NotFound(what="account")
    return found


def add(
    session: Session, *, by: Principal, login: str, name: str, section: str, role: str, office_id: str | None,
    password_hash: str, at: datetime, key: bytes,
) -> Outcome:  # fmt: skip
    """A new account whose password must be changed at the first sign-in.

    A city administrator's stays closed until a second one approves. Raises InvalidInput (``bad_login``, ``empty``,
    ``too_long``, ``bad_text``, ``unknown_role``, ``office_required``, each with ``field``), NotFound for an office
    elsewhere, Conflict ``login_taken``.
    """
    _begin(session, by)
    wanted = _wanted(session, by, name=name, section=section, role=role, office_id=office_id)
    login = unicodedata.normalize("NFKC", login).strip().casefold()
    if not _LOGIN.fullmatch(login):
        raise InvalidInput("bad_login", field="login")
    if session.scalar(
        select(func.count()).where(Account.municipality_id == by.municipality_id, Account.login == login)
    ):
        raise Conflict("login_taken", field="login")
    needs_two = wanted["role"] is Role.CITY_ADMIN and by.kind != "command"
    account = Account(
        municipality_id=by.municipality_id, login=login, must_change=True, created_at=at, active=not needs_two,
        password_hash=_NOBODY_YET if needs_two else password_hash, **wanted,
    )  # fmt: skip
    session.add(account)
    session.flush()
    _told(session, account, "account_added", by=by, details={"login": login, "after": _facts(account)}, at=at, key=key)
    waiting = approvals.request(session, account, Act.OPEN, by=by, at=at, key=key) if needs_two else None
    return Outcome(account=account, waiting=waiting)


def change(
    session: Session, *, by: Principal, account_id: int, name: str, section: str, role: str, office_id: str | None,
    at: datetime, key: bytes,
) -> Outcome:  # fmt: skip
    """Name, section, role and office. Granting city administrator waits for a second one; the rest is done.

    Raises as ``add``, Forbidden ``not_your_own`` for the own role or office, Conflict ``last_city_admin``.
    """
    _begin(session, by)
    account = find(session, by, account_id)
    wanted = _wanted(session, by, name=name, section=section, role=role, office_id=office_id)
    before, grants = _facts(account), wanted["role"] is Role.CITY_ADMIN and account.role != Role.CITY_ADMIN
    if grants and by.kind != "command":
        if by.kind == "staff" and by.id == account.id:
            raise Forbidden("not_your_own")
        wanted |= {"role": Role(account.role), "office_id": account.office_id}
    else:
        grants = False
    moved = (wanted["role"], wanted["office_id"]) != (account.role, account.office_id)
    if moved:
        _allow_ending(session, by, account, ends_admin=wanted["role"] is not Role.CITY_ADMIN)
        approvals.drop(session, account.id, at=at)
    for field, value in wanted.items():
        setattr(account, field, value)
    session.flush()
    if moved:
        approvals.end_sessions(session, account.id)
    if _facts(account) != before:
        details = {"before": before, "after": _facts(account)}
        _told(session, account, "account_changed", by=by, details=details, at=at, key=key)
    waiting = approvals.request(session, account, Act.GRANT, by=by, at=at, key=key) if grants else None
    return Outcome(account=account, waiting=waiting)


def close(session: Session, *, by: Principal, account_id: int, at: datetime, key: bytes) -> Account:
    """End the account and every session of it. Raises Forbidden ``not_your_own``, Conflict ``last_city_admin``."""
    _begin(session, by)
    account = find(session, by, account_id)
    if not account.active:
        return account
    _allow_ending(session, by, account, ends_admin=True)
    access.end_account(session, account)
    approvals.drop(session, account.id, at=at)
    _told(session, account, "account_closed", by=by, details={}, at=at, key=key)
    return account


def new_password(
    session: Session, *, by: Principal, account_id: int, password_hash: str, at: datetime, key: bytes
) -> Outcome:
    """A one-time password, for a closed account too, which it opens again; every session ends.

    Of a city administrator it waits for a second one. Raises Forbidden ``not_your_own``.
    """
    _begin(session, by)
    account = find(session, by, account_id)
    _refuse_own(by, account)
    if account.role == Role.CITY_ADMIN and by.kind != "command":
        act = Act.PASSWORD if account.active else Act.OPEN
        return Outcome(account=account, waiting=approvals.request(session, account, act, by=by, at=at, key=key))
    action = "password_reset" if account.active else "account_opened"
    account.password_hash, account.must_change, account.active = password_hash, True, True
    approvals.end_sessions(session, account.id)
    _told(session, account, action, by=by, details={}, at=at, key=key)
    return Outcome(account=account)


def slowed(session: Session, by: Principal, *, at: datetime) -> dict[int, int]:
    """How many wrong tries each account has in the last five minutes, by account id; those without are left out."""
    access.require(session, by, Function.MANAGE_PEOPLE)
    recent = session.scalars(select(SignInAttempt.subject).where(SignInAttempt.at > at - TRIES_WITHIN))
    tries = Counts(subject.rpartition("|")[2] for subject in recent)
    mine = session.execute(select(Account.id, Account.login).where(Account.municipality_id == by.municipality_id))
    found = {row.id: tries[_mark(row.login)] for row in mine}
    return {account_id: count for account_id, count in found.items() if count}


@dataclass(frozen=True, slots=True, kw_only=True)
class Anomalies:
    """Names to ask about. ``held``: five tries or more within a day that did not end in a sign-in, of a password or
    of a second factor; ``paper``: a sign-in by a recovery code within a week."""

    held: list[str]
    paper: list[str]


def anomalies(session: Session, by: Principal, *, at: datetime) -> Anomalies:
    """What an administrator should look into (S8); tries are forgotten after a day."""
    access.require(session, by, Function.MANAGE_PEOPLE)
    subjects = session.scalars(select(SignInAttempt.subject).where(SignInAttempt.at > at - timedelta(days=1)))
    tries = Counts(subject.rpartition("|")[2] for subject in subjects)
    used = select(AuditEntry.subject).where(
        AuditEntry.municipality_id == by.municipality_id, AuditEntry.action == "recovery_code_used",
        AuditEntry.at > at - timedelta(days=7),
    )  # fmt: skip
    paper = set(session.scalars(used))
    mine = select(Account.id, Account.login, Account.name).where(Account.municipality_id == by.municipality_id)
    rows = session.execute(mine.order_by(Account.name, Account.id)).all()
    return Anomalies(
        held=[row.name for row in rows if tries[_mark(row.login)] + tries[str(row.id)] >= MANY_TRIES],
        paper=[row.name for row in rows if f"account:{row.id}" in paper],
    )


def lift(session: Session, *, by: Principal, account_id: int, at: datetime, key: bytes) -> None:
    """Forget the wrong tries, so that the person may sign in at once."""
    _begin(session, by)
    account = find(session, by, account_id)
    session.execute(delete(SignInAttempt).where(SignInAttempt.subject.endswith(_mark(account.login))))
    _told(session, account, "tries_lifted", by=by, details={}, at=at, key=key)


def _mark(login: str) -> str:
    return accounts.subject_of(login, "").rpartition("|")[2]


def _begin(session: Session, by: Principal) -> None:
    """One act on a municipality's people at a time, so that two cannot both remove the last but one."""
    access.require(session, by, Function.MANAGE_PEOPLE)
    audit.lock(session, by.municipality_id)


def _wanted(
    session: Session, by: Principal, *, name: str, section: str, role: str, office_id: str | None
) -> dict[str, Any]:
    if role not in STAFF_ROLES:
        raise InvalidInput("unknown_role", field="role")
    if role == Role.CITY_ADMIN:
        office_id = None
    elif office_id is None and role in ROLES_OF_AN_OFFICE:
        raise InvalidInput("office_required", field="office")
    if office_id is not None:
        office = session.get(Office, office_id)
        if office is None or office.municipality_id != by.municipality_id:
            raise NotFound(what="office")
    return {
        "name": label(name, field="name", limit=NAME_LIMIT),
        "section": label(section, field="section", limit=SECTION_LIMIT, required=False),
        "role": Role(role),
        "office_id": office_id,
    }


def _refuse_own(by: Principal, account: Account) -> None:
    if by.kind == "staff" and by.id == account.id:
        raise Forbidden("not_your_own")


def _allow_ending(session: Session, by: Principal, account: Account, *, ends_admin: bool) -> None:
    """Refuse the own account, and the last city administrator who can still sign in."""
    _refuse_own(by, account)
    if not ends_admin or account.role != Role.CITY_ADMIN or not account.active:
        return
    others = session.scalar(
        select(func.count()).where(
            Account.municipality_id == account.municipality_id, Account.role == Role.CITY_ADMIN,
            Account.active, Account.id != account.id,
        )
    )  # fmt: skip
    if not others:
        raise Conflict("last_city_admin")


def _facts(account: Account) -> dict[str, Any]:
    return {
        "name": account.name, "section": account.section, "role": str(account.role), "office_id": account.office_id
    }  # fmt: skip


def _told(
    session: Session, account: Account, action: str, *, by: Principal, details: dict[str, Any], at: datetime, key: bytes
) -> None:
    audit.record(
        session, municipality_id=account.municipality_id, actor=by.actor, action=action,
        subject=f"account:{account.id}", details={"office": account.office_id} | details, at=at, key=key,
    )  # fmt: skip
