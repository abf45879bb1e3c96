"""The second factor of staff: begin, confirm, prove at the sign-in, new codes on paper, end. All of it is audited.

The secret is sealed to its account; codes on paper are kept as keyed hashes and each counts once. A try is written
down before the code is looked at, counted by account alone: who tries codes has the password already, so nobody
else can lock a person out with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db.sealed import CannotOpen, Sealer
from app.domain import second_factor as rules
from app.domain.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from app.domain.refs import token_hash
from app.domain.roles import Function, Role
from app.models.people import Account, SecondFactor, StaffSession
from app.models.place import Municipality
from app.services import access, accounts, audit
from app.services.access import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an account stands. ``secret``: only while it is being set up. ``left``: codes on paper not used yet."""

    since: datetime | None = None
    secret: bytes | None = None
    left: int = 0
    required: bool = False


def standing(session: Session, who: Principal, *, sealer: Sealer) -> Standing:
    """The own standing."""
    city = session.get_one(Municipality, who.municipality_id)
    required = who.role in access.staff_access(city.settings)[0]
    factor = session.get(SecondFactor, who.id)
    if factor is None:
        return Standing(required=required)
    if factor.confirmed_at is None:
        return Standing(secret=_secret(sealer, factor), required=required)
    return Standing(since=factor.confirmed_at, left=len(factor.recovery), required=required)


def since(session: Session, account_id: int) -> datetime | None:
    """Since when the account proves one; None: it does not."""
    factor = session.get(SecondFactor, account_id)
    return factor.confirmed_at if factor else None


def begin(session: Session, who: Principal, *, sealer: Sealer, secret: bytes, at: datetime) -> None:
    """A fresh secret to be confirmed; an earlier one that never was is forgotten. Raises Conflict when there is one."""
    factor = _locked(session, _person(session, who).id)
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("second_factor_on")
    if factor is None:
        factor = SecondFactor(account_id=who.id, begun_at=at, sealed="")
        session.add(factor)
    factor.begun_at, factor.last_step, factor.recovery = at, 0, []
    factor.sealed = sealer.seal(rules.secret_text(secret), _place(who.id))


def count_try(session: Session, account_id: int, *, at: datetime) -> None:
    """Write a try down, in a transaction of its own. Raises TooMany after five in five minutes."""
    subjects = [_subject(account_id)]
    access.refuse_guessing(session, subjects, at=at)
    access.record_failure(session, subjects, at=at)


def confirm(
    session: Session, who: Principal, *, typed: str, paper: Sequence[str], sealer: Sealer, at: datetime, key: bytes
) -> None:
    """The app makes the right codes: from now on they are asked for. ``paper``: fresh codes to be shown once.

    Every half of the account ends. Raises InvalidInput("second_factor_wrong"), Conflict.
    """
    factor = _locked(session, _person(session, who).id)
    if factor is None or factor.confirmed_at is not None:
        raise Conflict("second_factor_on" if factor else "second_factor_gone")
    if not _fits(session, factor, typed, sealer=sealer, at=at):
        raise InvalidInput("second_factor_wrong")
    factor.confirmed_at = at
    session.execute(delete(StaffSession).where(StaffSession.account_id == who.id, StaffSession.second_due))
    _told(session, who, who.id, "second_factor_on", at=at, key=key)
    _keep(factor, paper, sealer)


def half(session: Session, token: str, *, at: datetime) -> Account | None:
    """Whose password was right a moment ago; None when that is over."""
    return session.scalar(
        select(Account)
        .join(StaffSession, StaffSession.account_id == Account.id)
        .where(
            StaffSession.token_hash == token_hash(token), StaffSession.expires_at > at, StaffSession.second_due,
            Account.active,
        )
    )  # fmt: skip


def prove(
    session: Session, token: str, *, typed: str, fresh: str, sealer: Sealer, at: datetime, key: bytes
) -> tuple[Principal, datetime | None]:
    """The second factor of the half session ``token``: it ends, and one of the ``fresh`` token begins.

    A code of the app or one from paper. Returns as accounts.complete. Raises Unauthenticated: ``sign_in_over``
    when the half session has ended, ``second_factor_wrong`` otherwise.
    """
    account = half(session, token, at=at)
    factor = _locked(session, account.id) if account is not None else None
    if account is None or factor is None or factor.confirmed_at is None:
        raise Unauthenticated("sign_in_over")
    if not _fits(session, factor, typed, sealer=sealer, at=at):
        if not _from_paper(factor, typed, sealer):
            raise Unauthenticated("second_factor_wrong")
        accounts.forget_tries(session, _subject(account.id))
        who = Principal(kind="staff", id=account.id, role=Role(account.role),
                        municipality_id=account.municipality_id, office_id=account.office_id)  # fmt: skip
        _told(session, who, account.id, "recovery_code_used", at=at, key=key, left=len(factor.recovery))
    access.end_session(session, token)
    return accounts.entered(session, account, token=fresh, at=at)


def new_paper(
    session: Session, who: Principal, *, paper: Sequence[str], sealer: Sealer, at: datetime, key: bytes
) -> None:
    """New codes for paper; the former ones end. The caller has verified the password."""
    factor = _locked(session, _person(session, who).id)
    if factor is None or factor.confirmed_at is None:
        raise Conflict("second_factor_gone")
    _told(session, who, who.id, "second_factor_codes", at=at, key=key)
    _keep(factor, paper, sealer)


def end(session: Session, who: Principal, *, typed: str, sealer: Sealer, at: datetime, key: bytes) -> None:
    """Give the own one up, by a code of it; the caller has verified the password.

    Where the role needs one, the next thing to be done is to set up another. Raises InvalidInput, Conflict.
    """
    factor = _locked(session, _person(session, who).id)
    if factor is None or factor.confirmed_at is None:
        raise Conflict("second_factor_gone")
    if not _fits(session, factor, typed, sealer=sealer, at=at) and not _from_paper(factor, typed, sealer):
        raise InvalidInput("second_factor_wrong")
    session.delete(factor)
    _told(session, who, who.id, "second_factor_off", at=at, key=key)


def reset(session: Session, *, by: Principal, account_id: int, at: datetime, key: bytes) -> None:
    """Take away what somebody lost; every session of theirs ends.

    Not the own one, and a city administrator's only from the machine itself: else one could become the other with
    a password alone. Raises Forbidden, NotFound.
    """
    access.require(session, by, Function.MANAGE_PEOPLE)
    account = session.get(Account, account_id)
    if account is None or account.municipality_id != by.municipality_id:
        raise NotFound(what="account")
    if by.kind != "command" and (account.role == Role.CITY_ADMIN or by.id == account.id):
        raise Forbidden("second_factor_by_operator")
    factor = _locked(session, account.id)
    if factor is None:
        return
    session.delete(factor)
    session.execute(delete(StaffSession).where(StaffSession.account_id == account.id))
    _told(session, by, account.id, "second_factor_reset", at=at, key=key)


def _person(session: Session, who: Principal) -> Account:
    if who.kind != "staff":
        raise Unauthenticated()
    return accounts.account(session, who.id)


def _locked(session: Session, account_id: int) -> SecondFactor | None:
    """Two sign-ins with one code come one after the other."""
    return session.scalar(
        select(SecondFactor)
        .where(SecondFactor.account_id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _place(account_id: int) -> str:
    return f"second factor:{account_id}"


def _secret(sealer: Sealer, factor: SecondFactor) -> bytes | None:
    """None when it was altered or the installation's secret was changed: then only the operator helps."""
    try:
        return rules.secret_of(sealer.open(factor.sealed, _place(factor.account_id)))
    except CannotOpen:
        return None


def _fits(session: Session, factor: SecondFactor, typed: str, *, sealer: Sealer, at: datetime) -> bool:
    secret = _secret(sealer, factor)
    if secret is None:
        return False
    step = rules.matching_step(secret, rules.normal_code(typed), at=at, after=factor.last_step)
    if step is None:
        return False
    factor.last_step = step
    accounts.forget_tries(session, _subject(factor.account_id))
    return True


def _subject(account_id: int) -> str:
    return f"second factor|{account_id}"


def _hash(sealer: Sealer, account_id: int, code: str) -> str:
    return sealer.index(f"recovery code {account_id}", code)


def _keep(factor: SecondFactor, paper: Sequence[str], sealer: Sealer) -> None:
    factor.recovery = [_hash(sealer, factor.account_id, code) for code in paper]


def _from_paper(factor: SecondFactor, typed: str, sealer: Sealer) -> bool:
    code = rules.normal_code(typed)
    if not rules.is_recovery(code):
        return False
    used = _hash(sealer, factor.account_id, code)
    left = [each for each in factor.recovery if each != used]
    found = len(left) < len(factor.recovery)
    factor.recovery = left
    return found


def _told(
    session: Session, by: Principal, account_id: int, action: str, *, at: datetime, key: bytes, **details: int
) -> None:
    account = session.get_one(Account, account_id)
    audit.record(
        session, municipality_id=account.municipality_id, actor=by.actor, action=action,
        subject=f"account:{account_id}", details={"office": account.office_id, **details}, at=at, key=key,
    )  # fmt: skip
