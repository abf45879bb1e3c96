"""Two persons for city administrators: what one asks for, a second one approves before it takes effect.

Also a new password needs two, for whoever can set one could sign in as the other and approve alone. Programs
cannot ask or approve: two tokens are not two persons. The database refuses an approval by the asker too.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.roles import Function, Role
from app.models.people import Account, Approval, StaffSession
from app.services import access, audit
from app.services.access import Principal

VALID = timedelta(days=7)


class Act(StrEnum):
    GRANT = "grant"
    OPEN = "open"
    PASSWORD = "password"  # noqa: S105 - the word, not one


def end_sessions(session: Session, account_id: int) -> None:
    """Sign the account out everywhere, at once."""
    session.execute(delete(StaffSession).where(StaffSession.account_id == account_id))


def request(
    session: Session, account: Account, act: Act, *, by: Principal, at: datetime, key: bytes
) -> Approval:  # fmt: skip
    """Ask a second person. Raises Forbidden ``person_required`` for programs, Conflict ``approval_waiting``."""
    if by.kind != "staff":
        raise Forbidden("person_required")
    if any(each.account_id == account.id for each in waiting(session, by, at=at)):
        raise Conflict("approval_waiting")
    found = Approval(
        municipality_id=account.municipality_id, account_id=account.id, act=act, requested_by=by.id, requested_at=at
    )
    session.add(found)
    session.flush()
    _told(session, found, "approval_requested", by=by, at=at, key=key)
    return found


def waiting(session: Session, by: Principal, *, at: datetime) -> Sequence[Approval]:
    """What waits for a second person in the caller's municipality, oldest first; after a week it is void."""
    return session.scalars(
        select(Approval)
        .where(Approval.municipality_id == by.municipality_id, Approval.decided_at.is_(None))
        .where(Approval.requested_at > at - VALID)
        .order_by(Approval.id)
    ).all()


def approve(
    session: Session, *, by: Principal, approval_id: int, password_hash: str, at: datetime, key: bytes
) -> Approval:
    """Let it take effect. ``password_hash``: of a fresh one-time password, used by the acts that set one.

    Raises Forbidden ``second_person_needed`` for the asker and for the account itself, ``person_required`` for a
    program, NotFound, Conflict ``approval_decided``.
    """
    found = _undecided(session, by, approval_id, at=at)
    account = session.get_one(Account, found.account_id)
    if by.kind != "staff":
        raise Forbidden("person_required")
    if by.id in (found.requested_by, found.account_id):
        raise Forbidden("second_person_needed")
    found.decided_by, found.decided_at, found.approved = by.id, at, True
    _take_effect(account, Act(found.act), password_hash)
    end_sessions(session, account.id)
    _told(session, found, "approval_given", by=by, at=at, key=key)
    return found


def _take_effect(account: Account, act: Act, password_hash: str) -> None:
    match act:
        case Act.GRANT:
            account.role, account.office_id = Role.CITY_ADMIN, None
        case Act.OPEN:
            account.active = True
            account.password_hash, account.must_change = password_hash, True
        case Act.PASSWORD:
            account.password_hash, account.must_change = password_hash, True


def sets_password(act: str) -> bool:
    """Whether approving it hands out a one-time password."""
    return Act(act) is not Act.GRANT


def decline(session: Session, *, by: Principal, approval_id: int, at: datetime, key: bytes) -> Approval:
    """Refuse it, or take one's own request back. Raises NotFound, Conflict ``approval_decided``."""
    found = _undecided(session, by, approval_id, at=at)
    found.decided_by, found.decided_at, found.approved = by.id if by.kind == "staff" else None, at, False
    _told(session, found, "approval_declined", by=by, at=at, key=key)
    return found


def _undecided(session: Session, by: Principal, approval_id: int, *, at: datetime) -> Approval:
    access.require(session, by, Function.MANAGE_PEOPLE)
    audit.lock(session, by.municipality_id)
    found = session.get(Approval, approval_id, populate_existing=True)
    if found is None or found.municipality_id != by.municipality_id:
        raise NotFound(what="approval")
    if found.decided_at is not None or found.requested_at <= at - VALID:
        raise Conflict("approval_decided")
    return found


def drop(session: Session, account_id: int, *, at: datetime) -> None:
    """An account that is closed or changed needs no approval any more."""
    for found in session.scalars(
        select(Approval).where(Approval.account_id == account_id, Approval.decided_at.is_(None))
    ):
        found.decided_at, found.approved = at, False


def _told(session: Session, found: Approval, action: str, *, by: Principal, at: datetime, key: bytes) -> None:
    audit.record(
        session, municipality_id=found.municipality_id, actor=by.actor, action=action,
        subject=f"account:{found.account_id}", details={"approval": found.id, "act": found.act}, at=at, key=key,
    )  # fmt: skip
