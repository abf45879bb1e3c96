"""Sign-in, sign-out and the own password. Hashing is slow: the caller does it between the transactions here.

A try is written down before the password is looked at, so that a hundred tries at once are a hundred tries.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.domain.errors import Forbidden, InvalidInput, TooMany, Unauthenticated
from app.domain.networks import within
from app.domain.refs import token_hash
from app.models.people import Account, SecondFactor, SignInAttempt, StaffSession
from app.models.place import Municipality
from app.services import access

_OF_ADDRESS_PER_MINUTE = 30
LONGEST_PASSWORD = 200
_FEWEST_LETTERS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A sign-in under way. ``stored``: the hash to verify against; None when there is no such active account."""

    subject: str
    account_id: int | None
    stored: str | None


def subject_of(login: str, address: str) -> str:
    """What tries are counted by: the login and the place together; what was typed is not kept."""
    return f"{address}|{hashlib.sha256(login.encode()).hexdigest()[:32]}"


def normal_login(typed: str) -> str:
    """A staff number as typed in the one stored form; empty when it cannot be one."""
    login = unicodedata.normalize("NFKC", typed).strip()
    return login if login.isprintable() and len(login) <= 100 else ""


def begin(session: Session, *, login: str, address: str, at: datetime) -> Try:
    """Write the try down and find what to verify against. Raises TooMany.

    Five tries of a login from one address in five minutes, thirty of an address and two hundred of all in one:
    a stranger elsewhere can neither guess nor lock somebody out.
    """
    subject = subject_of(login, address)
    access.refuse_guessing(session, [subject], at=at)
    of_address = session.scalar(
        select(func.count()).where(
            SignInAttempt.at > at - timedelta(minutes=1),
            SignInAttempt.subject.startswith(f"{address}|", autoescape=True),
        )
    )
    if (of_address or 0) >= _OF_ADDRESS_PER_MINUTE:
        raise TooMany("sign_in_slowed", retry_after=60)
    access.record_failure(session, [subject], at=at)
    account = access.account_of(session, login) if login else None
    return Try(
        subject=subject, account_id=account.id if account else None, stored=account.password_hash if account else None
    )


def refuse_address(session: Session, address: str) -> None:
    """Raise Forbidden("address_not_allowed") where no municipality lets staff in from.

    Asked before a login is looked at, so that the answer tells nothing of any account.
    """
    cities = session.scalars(select(Municipality.settings)).all()
    if cities and not any(within(address, access.staff_access(settings)[1]) for settings in cities):
        raise Forbidden("address_not_allowed")


def complete(
    session: Session, tried: Try, *, verified: bool, token: str, at: datetime, address: str, before: str | None = None
) -> tuple[access.Principal | None, datetime | None]:
    """Start a session for the fresh ``token``; returns the caller and the sign-in before this one.

    The caller is None while a second factor is due: the session is nobody's until second_factor.prove.
    ``before``: the token of a session that ends with this one. Raises Unauthenticated("sign_in_failed"), the
    same for a wrong password, an unknown login, an account that was closed or changed meanwhile, and an
    ``address`` its municipality does not let in.
    """
    account = session.get(Account, tried.account_id) if tried.account_id is not None else None
    if not verified or account is None or not account.active or account.password_hash != tried.stored:
        raise Unauthenticated("sign_in_failed")
    city = session.get_one(Municipality, account.municipality_id)
    if not within(address, access.staff_access(city.settings)[1]):
        raise Unauthenticated("sign_in_failed")
    forget_tries(session, tried.subject)
    if before:
        access.end_session(session, before)
    factor = session.get(SecondFactor, account.id)
    if factor is not None and factor.confirmed_at is not None:
        access.start_half(session, account, token=token, at=at)
        return None, None
    return entered(session, account, token=token, at=at)


def forget_tries(session: Session, subject: str) -> None:
    """After the right answer: what came before it no longer counts."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.subject == subject))


def entered(
    session: Session, account: Account, *, token: str, at: datetime
) -> tuple[access.Principal, datetime | None]:
    """Everything was proven: the session of the fresh ``token``, its caller, and the sign-in before this one."""
    last = account.last_sign_in_at
    access.start_session(session, account, token=token, at=at)
    session.flush()
    who = access.by_session(session, token, at=at)
    assert who is not None  # noqa: S101 - begun a line above
    return who, last


def account(session: Session, account_id: int) -> Account:
    """The own account; raises Unauthenticated when it was closed meanwhile."""
    found = session.get(Account, account_id)
    if found is None or not found.active:
        raise Unauthenticated()
    return found


def refuse_weak(new: str, again: str, *, current: str, login: str) -> None:
    """Raise InvalidInput with the reason why this may not be the new password (length: access.hash_password)."""
    if new != again:
        raise InvalidInput("password_differs")
    if len(new) > LONGEST_PASSWORD:
        raise InvalidInput("password_weak")
    if new == current:
        raise InvalidInput("password_same")
    if len(new) >= access.SHORTEST_PASSWORD and (len(set(new)) < _FEWEST_LETTERS or login.lower() in new.lower()):
        raise InvalidInput("password_weak")


def change_password(
    session: Session, account_id: int, *, stored: str, fresh: str, token: str, current_token: str, at: datetime
) -> None:
    """Store the ``fresh`` hash and end every session of the account; this one goes on under a new ``token``.

    ``stored`` is the hash the current password was verified against. Raises Unauthenticated when the account
    or its password changed meanwhile.
    """
    found = account(session, account_id)
    if found.password_hash != stored:
        raise Unauthenticated("sign_in_failed")
    kept = session.get(StaffSession, token_hash(current_token))
    counter_id = kept.counter_id if kept else None
    session.execute(delete(StaffSession).where(StaffSession.account_id == account_id))
    session.expire_all()
    found.password_hash, found.must_change = fresh, False
    last = found.last_sign_in_at
    access.start_session(session, found, token=token, at=at, counter_id=counter_id)
    found.last_sign_in_at = last
