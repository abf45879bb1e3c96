"""One leader by lease with a fencing token; a leader that slept too long writes nothing.

Both statements that change the lease are guarded in their WHERE, so that of two takers one finds no row.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.domain.errors import Conflict
from app.models.scheduling import JobRun, SchedulerLease

LASTS = timedelta(seconds=45)
RUNS_KEPT = timedelta(days=14)
_UNSEEN = {"synchronize_session": False}


class LeaseLost(Conflict):
    """Another leads now; whatever was begun under the old fence must not be written."""

    code = "lease_lost"


def take(session: Session, *, name: str, holder: str, at: datetime, lasts: timedelta = LASTS) -> int | None:
    """Take or renew the lease; the fence, or None while somebody else holds it.

    Raises Conflict when two write the very first lease at once. A lease that ends later than any honest one
    was written by a clock since set back, and is free.
    """
    ours = SchedulerLease.name == name
    renewed = session.scalar(
        update(SchedulerLease)
        .where(ours, SchedulerLease.holder == holder, SchedulerLease.expires_at > at)
        .values(expires_at=at + lasts)
        .returning(SchedulerLease.fence)
        .execution_options(**_UNSEEN)
    )
    if renewed is not None:
        return renewed
    free = or_(SchedulerLease.expires_at <= at, SchedulerLease.expires_at > at + 2 * lasts)
    taken = session.scalar(
        update(SchedulerLease)
        .where(ours, free)
        .values(holder=holder, fence=SchedulerLease.fence + 1, expires_at=at + lasts)
        .returning(SchedulerLease.fence)
        .execution_options(**_UNSEEN)
    )
    if taken is not None or session.scalar(select(SchedulerLease.name).where(ours)) is not None:
        return taken
    session.execute(insert(SchedulerLease).values(name=name, holder=holder, fence=1, expires_at=at + lasts))
    return 1


def hold(session: Session, *, name: str, fence: int) -> None:
    """Within a job's transaction: the lease is still ours, and stays so; raises LeaseLost."""
    kept = session.execute(
        update(SchedulerLease)
        .where(SchedulerLease.name == name, SchedulerLease.fence == fence)
        .values(fence=fence)
        .execution_options(**_UNSEEN)
    )
    if not isinstance(kept, CursorResult) or kept.rowcount != 1:
        raise LeaseLost()


def release(session: Session, *, name: str, holder: str, at: datetime) -> None:
    """Let the next one lead at once; nothing happens when another leads already."""
    session.execute(
        update(SchedulerLease)
        .where(SchedulerLease.name == name, SchedulerLease.holder == holder, SchedulerLease.expires_at > at)
        .values(expires_at=at)
        .execution_options(**_UNSEEN)
    )


def done(session: Session, *, job: str, period: str) -> bool:
    """Whether this period's run has committed."""
    return session.scalar(select(JobRun.job).where(JobRun.job == job, JobRun.period == period)) is not None


def record(session: Session, *, job: str, period: str, fence: int, at: datetime, effect: int) -> None:
    """Note the run in the transaction of its effect; the primary key refuses a second."""
    session.execute(insert(JobRun).values(job=job, period=period, fence=fence, at=at, effect=effect))


def forget_runs(session: Session, *, at: datetime) -> None:
    """Erase the notes of runs long past; only the period that runs now is ever asked about."""
    session.execute(delete(JobRun).where(JobRun.at < at - RUNS_KEPT).execution_options(**_UNSEEN))


def skew(session: Session, at: datetime) -> timedelta:
    """How far our clock is ahead of the database's; nothing on SQLite, whose clock is ours."""
    if session.get_bind().dialect.name == "sqlite":
        return timedelta()
    now = session.scalar(select(func.clock_timestamp()))
    return at - now.astimezone(UTC) if now is not None else timedelta()
