"""What an operator watches: how far each office's log is, who waits how long, and whether a scheduler leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import Session

from app.db import later
from app.db.ready import Ready
from app.domain.calendar import business_date
from app.domain.ticket import State
from app.models.people import SignInAttempt
from app.models.place import Counter, Office
from app.models.scheduling import SchedulerLease
from app.models.ticket import Step
from app.services import leases


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeFigures:
    """One office now. ``oldest_wait``: seconds of whoever waits longest, 0 when nobody does."""

    office: str
    seq: int
    waiting: int
    oldest_wait: float
    open_counters: int


def _offices() -> Ready:
    waits = and_(
        Step.office_id == Office.id, Step.business_date == bindparam("day"), Step.state == State.WAITING,
    )  # fmt: skip
    counters = select(func.count()).where(Counter.office_id == Office.id, Counter.state == "open").scalar_subquery()
    return Ready(
        select(Office.id, Office.seq, func.count(Step.id), func.min(Step.waiting_since), counters)
        .outerjoin(Step, waits)
        .group_by(Office.id, Office.seq)
        .order_by(Office.id)
    )


# Built once, its states in its text: a plan kept for whatever values come has the index of those who wait.
_OFFICES = _offices()


def offices(session: Session, *, at: datetime) -> Sequence[OfficeFigures]:
    """Every office of the database by its id."""
    return [
        OfficeFigures(
            office=office, seq=seq, waiting=waiting, open_counters=open_counters,
            oldest_wait=max(0.0, (at - since).total_seconds()) if since is not None else 0.0,
        )
        for office, seq, waiting, since, open_counters in _OFFICES.rows(
            later.all_seen(session), {"day": business_date(at)}
        )
    ]  # fmt: skip


def sign_in_tries(session: Session, *, at: datetime) -> int:
    """Tries of the last five minutes that have not ended in a sign-in, of all logins: a flood is somebody guessing."""
    recent = select(func.count()).where(SignInAttempt.at > at - timedelta(minutes=5))
    return session.scalar(recent) or 0


def lease_age(session: Session, *, at: datetime) -> float | None:
    """Seconds since a scheduler last renewed its lease (past ``leases.LASTS`` nobody leads); None: never one."""
    until = session.scalar(select(func.max(SchedulerLease.expires_at)))
    return (at - (until - leases.LASTS)).total_seconds() if until is not None else None
