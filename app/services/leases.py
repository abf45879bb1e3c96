"""One leader by lease with a fencing token; a leader that slept too long writes nothing."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict
from app.models.scheduling import JobRun, SchedulerLease

LASTS = timedelta(seconds=45)


def take(session: Session, *, name: str, holder: str, at: datetime) -> int | None:
    """Take or renew the lease; the fence, or None while somebody else holds it."""
    lease = session.scalar(select(SchedulerLease).where(SchedulerLease.name == name).with_for_update())
    if lease is None:
        session.add(SchedulerLease(name=name, holder=holder, fence=1, expires_at=at + LASTS))
        return 1
    if lease.holder == holder and lease.expires_at > at:
        lease.expires_at = at + LASTS
        return lease.fence
    if lease.expires_at > at:
        return None
    lease.holder, lease.fence, lease.expires_at = holder, lease.fence + 1, at + LASTS
    return lease.fence


def hold(session: Session, *, name: str, fence: int) -> None:
    """Within a job's transaction: the lease is still ours; raises Conflict("lease_lost")."""
    now = session.scalar(select(SchedulerLease.fence).where(SchedulerLease.name == name).with_for_update())
    if now != fence:
        raise Conflict("lease_lost")


def done(session: Session, *, job: str, period: str) -> bool:
    """Whether this period's run has committed."""
    return session.get(JobRun, (job, period)) is not None


def record(session: Session, *, job: str, period: str, fence: int, at: datetime, effect: int) -> None:
    """Note the run in the transaction of its effect; the primary key refuses a second."""
    session.execute(insert(JobRun).values(job=job, period=period, fence=fence, at=at, effect=effect))
