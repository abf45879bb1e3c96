"""Who is calling: accounts, sessions and bearer tokens resolved to one ``Principal``."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session

from app.domain.errors import Forbidden, InvalidInput, NotFound, TooMany, Unauthenticated
from app.domain.networks import within
from app.domain.refs import token_hash
from app.domain.roles import Function, Role, may
from app.models.people import AccessToken, Account, SecondFactor, SignInAttempt, StaffSession
from app.models.place import Municipality, Office
from app.services import staff_members

SESSION_LASTS, SECOND_WITHIN = timedelta(hours=12), timedelta(minutes=10)
SHORTEST_PASSWORD = 10
_SLOW_AFTER, _SLOW_WITHIN = 5, timedelta(minutes=5)
_ALL_WITHIN_MINUTE = 200
_hasher = PasswordHasher()
# Verified against when the login is unknown, so that both answers take the same time.
_NOBODY = _hasher.hash("nobody has this password")


# Built once: every request of a program or device asks it.
_BEARER = select(
    AccessToken.id, AccessToken.role, AccessToken.municipality_id, AccessToken.office_id, AccessToken.hall_id,
    AccessToken.counter_id, AccessToken.label,
).where(AccessToken.token_hash == bindparam("hash"), AccessToken.revoked_at.is_(None))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller with a role. ``office_id`` None: every office of the municipality.

    ``must_change``: signed in with a password somebody else knows; nothing may be done before it is changed.
    ``must_enrol``: the municipality asks this role for a second factor and the account has none yet; the same.
    """

    kind: str
    id: int
    role: Role
    municipality_id: str
    office_id: str | None
    hall_id: str | None = None
    counter_id: str | None = None
    name: str = ""
    section: str = ""
    must_change: bool = False
    must_enrol: bool = False

    @property
    def held(self) -> bool:
        """Signed in, but something comes before everything else."""
        return self.must_change or self.must_enrol

    @property
    def actor(self) -> str:
        """How events and audit name this caller."""
        return f"{self.kind}:{self.id}"


def hash_password(password: str) -> str:
    """Argon2id; slow by intent: call it outside a transaction and off the event loop."""
    if len(password) < SHORTEST_PASSWORD:
        raise InvalidInput("password_too_short", least=SHORTEST_PASSWORD)
    return _hasher.hash(password)


def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password matches; takes the same time when there is no account (stored None)."""
    try:
        return _hasher.verify(stored or _NOBODY, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def refuse_guessing(session: Session, subjects: list[str], *, at: datetime) -> None:
    """Raise TooMany after five wrong tries of a login from one place in five minutes, or a flood overall.

    Keyed by login and place together: a stranger elsewhere cannot lock somebody out.
    """
    for subject in subjects:
        recent = session.scalar(
            select(func.count()).where(SignInAttempt.subject == subject, SignInAttempt.at > at - _SLOW_WITHIN)
        )
        if (recent or 0) >= _SLOW_AFTER:
            raise TooMany("sign_in_slowed", retry_after=int(_SLOW_WITHIN.total_seconds()))
    flood = session.scalar(select(func.count()).where(SignInAttempt.at > at - timedelta(minutes=1)))
    if (flood or 0) >= _ALL_WITHIN_MINUTE:
        raise TooMany("sign_in_slowed", retry_after=60)


def account_of(session: Session, login: str, municipality_id: str | None = None) -> Account | None:
    """The active account of a login; None when there is none or the login is ambiguous."""
    query = select(Account).where(Account.login == login, Account.active)
    if municipality_id:
        query = query.where(Account.municipality_id == municipality_id)
    found = session.scalars(query.limit(2)).all()
    return found[0] if len(found) == 1 else None


def record_failure(session: Session, subjects: list[str], *, at: datetime) -> None:
    for subject in subjects:
        session.add(SignInAttempt(subject=subject, at=at))


def start_session(
    session: Session, account: Account, *, token: str, at: datetime, counter_id: str | None = None
) -> None:
    """A new session for a fresh token (never one that existed before the sign-in)."""
    account.last_sign_in_at = at
    staff_members.bind(session, account)
    session.add(
        StaffSession(token_hash=token_hash(token), account_id=account.id, created_at=at,
                     expires_at=at + SESSION_LASTS, counter_id=counter_id)
    )  # fmt: skip


def start_half(session: Session, account: Account, *, token: str, at: datetime) -> None:
    """A session whose second factor is still due: nobody's, for ten minutes."""
    session.add(
        StaffSession(token_hash=token_hash(token), account_id=account.id, created_at=at,
                     expires_at=at + SECOND_WITHIN, second_due=True)
    )  # fmt: skip


def end_session(session: Session, token: str) -> None:
    session.execute(delete(StaffSession).where(StaffSession.token_hash == token_hash(token)))


def end_account(session: Session, account: Account) -> None:
    """Close an account and every session of it."""
    account.active = False
    session.execute(delete(StaffSession).where(StaffSession.account_id == account.id))


def staff_access(settings: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Of a municipality's settings: the roles that need a second factor, and the networks staff may come from."""
    found = settings.get("staff_access") or {}
    return list(found.get("second_factor", ())), list(found.get("addresses", ()))


def by_session(session: Session, token: str, *, at: datetime, address: str | None = None) -> Principal | None:
    """The signed-in member of staff, or None when the session or the account has ended.

    None too for a session whose second factor is still due, and for a caller from an ``address`` the municipality
    does not let staff in from (None: not looked at).
    """
    row = session.execute(
        select(Account, StaffSession.counter_id, Municipality.settings, SecondFactor.confirmed_at)
        .join(StaffSession, StaffSession.account_id == Account.id)
        .join(Municipality, Municipality.id == Account.municipality_id)
        .outerjoin(SecondFactor, SecondFactor.account_id == Account.id)
        .where(
            StaffSession.token_hash == token_hash(token), StaffSession.expires_at > at, Account.active,
            StaffSession.second_due.is_(False),
        )
    ).one_or_none()  # fmt: skip
    if row is None:
        return None
    account, counter_id, settings, confirmed_at = row
    needing, networks = staff_access(settings)
    if address is not None and not within(address, networks):
        return None
    return Principal(
        kind="staff", id=account.id, role=Role(account.role), municipality_id=account.municipality_id,
        office_id=account.office_id, counter_id=counter_id, name=account.name, section=account.section,
        must_change=account.must_change, must_enrol=account.role in needing and confirmed_at is None,
    )  # fmt: skip


def by_bearer(session: Session, token: str) -> Principal | None:
    """The program or device of a bearer token, or None when unknown or revoked."""
    row = session.connection().execute(_BEARER, {"hash": token_hash(token)}).first()
    if row is None:
        return None
    return Principal(
        kind="token", id=row.id, role=Role(row.role), municipality_id=row.municipality_id, office_id=row.office_id,
        hall_id=row.hall_id, counter_id=row.counter_id, name=row.label,
    )  # fmt: skip


def issue_token(
    session: Session, *, token: str, role: Role, municipality_id: str, at: datetime, office_id: str | None = None,
    hall_id: str | None = None, counter_id: str | None = None, label: str = "",
) -> AccessToken:  # fmt: skip
    """Store the hash of a fresh token; the secret itself is shown once by the caller."""
    row = AccessToken(
        token_hash=token_hash(token), municipality_id=municipality_id, office_id=office_id, hall_id=hall_id,
        counter_id=counter_id, role=role, label=label, created_at=at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def require(
    session: Session, principal: Principal | None, function: Function, *, office_id: str | None = None,
    counter_id: str | None = None,
) -> None:  # fmt: skip
    """Refuse what the table does not allow.

    Another municipality's or office's object is NotFound, the same as absent; a known caller without the
    function is Forbidden; nobody is Unauthenticated. ``counter_id``: the counter is given where only the own
    one may be acted at; a member of staff who sits at none has no own one to call from.
    """
    if function is Function.PUBLIC:
        return
    if principal is None:
        raise Unauthenticated()
    if not may(principal.role, function):
        raise Forbidden()
    if office_id is not None:
        office = session.get(Office, office_id)
        own = office is not None and office.municipality_id == principal.municipality_id
        if not own or principal.office_id not in (None, office_id):
            raise NotFound(what="office")
    seated = principal.kind == "staff" and function is Function.CALL
    anywhere = () if seated else (None,)
    if counter_id is not None and principal.counter_id not in (*anywhere, counter_id):
        raise Forbidden("not_your_counter")
