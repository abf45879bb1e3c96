"""The scheduler process: APScheduler and a steady loop wake it, the lease and the database decide.

A second scheduler started by mistake runs nothing: it has no lease, and each (job, period) is unique. The
loop makes up, within seconds, whatever APScheduler did not wake for: a clock that was set, a machine that
slept, a start after the hour.
"""

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import Database
from app.domain.errors import Conflict, DomainError, NotFound
from app.models.place import Office
from app.services import leases
from config.failpoints import fail_at
from scheduler.clock import TOKYO, Watch
from scheduler.jobs import EVERYWHERE, JOBS, Job

log = logging.getLogger(__name__)
LEASE = "scheduler"
LOOP_SECONDS = 10.0
# A job that failed is tried again after this long, not in every turn of the loop.
AGAIN_AFTER_SECONDS = 60.0
MOST_SKEW = timedelta(seconds=2)


def _now() -> datetime:
    return datetime.now(UTC)


class Scheduler:
    """One scheduler: who it is, the database that it sweeps, and the clock it reads."""

    def __init__(
        self,
        database: Database,
        holder: str | None = None,
        *,
        clock: Callable[[], datetime] = _now,
        jobs: Mapping[str, Job] = JOBS,
        lasts: timedelta = leases.LASTS,
        again_after: float = AGAIN_AFTER_SECONDS,
    ) -> None:
        self.database, self.clock, self.jobs, self.lasts = database, clock, jobs, lasts
        self.again_after = again_after
        self.holder = holder or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._failed: dict[tuple[str, str], float] = {}

    def lead(self) -> int | None:
        """Take or renew the lease; the fence, or None when another leads."""
        try:
            with self.database.transaction() as session:
                return leases.take(session, name=LEASE, holder=self.holder, at=self.clock(), lasts=self.lasts)
        except Conflict:
            return None

    def release(self) -> None:
        """Give the lease back at a stop, so that the next one leads at once."""
        with self.database.transaction() as session:
            leases.release(session, name=LEASE, holder=self.holder, at=self.clock())

    def due(self, names: Iterable[str]) -> list[tuple[str, str]]:
        """``(job, office)`` whose current period has no run yet, in the order of the table."""
        at = self.clock()
        with self.database.snapshot() as session:
            offices = session.scalars(select(Office.id).order_by(Office.id)).all()
            return [
                (name, office)
                for name in names
                for office in (offices if self.jobs[name].by_office else (EVERYWHERE,))
                if not leases.done(session, job=name, period=self._period(name, office, at))
            ]

    def _period(self, name: str, office: str, at: datetime) -> str:
        return f"{self.jobs[name].schedule.period(at)} {office}"

    def sweep(self, name: str, office: str, fence: int) -> int | None:
        """One job of one office under a fence; None when its period was done, LeaseLost when we lead no more."""
        at = self.clock()
        with self.database.snapshot() as session:
            planned = self.jobs[name].planned(session, office, at)
        period = self._period(name, office, at)
        with self.database.transaction() as session:
            leases.hold(session, name=LEASE, fence=fence)
            if leases.done(session, job=name, period=period):
                return None
            effect = planned(session, office, at)
            leases.record(session, job=name, period=period, fence=fence, at=at, effect=effect)
            session.flush()
            fail_at(f"{name}.before_commit")
        fail_at(f"{name}.committed")
        return effect

    def round(self, names: Iterable[str] | None = None) -> int:
        """Do what is due of these jobs (of all) if we lead; returns the runs. One failure does not stop the next."""
        if self.lead() is None:
            return 0
        return sum(self._attempt(name, office) for name, office in self.due(names or self.jobs))

    def _attempt(self, name: str, office: str) -> bool:
        last = self._failed.get((name, office))
        if last is not None and time.monotonic() - last < self.again_after:
            return False
        fence = self.lead()
        if fence is None:
            return False
        try:
            effect = self.sweep(name, office, fence)
        except leases.LeaseLost:
            log.warning("job %s of %s gave way: another leads", name, office)
            return False
        except Exception:
            log.exception("job %s of %s failed", name, office)
            self._failed[name, office] = time.monotonic()
            return False
        self._failed.pop((name, office), None)
        log.info("job %s of %s: %s", name, office, "done before" if effect is None else effect)
        return effect is not None

    def look(self, names: Iterable[str] | None = None) -> None:
        """A round that never raises: a database away for a while must not end the scheduler."""
        try:
            self.round(names)
        except (DomainError, SQLAlchemyError):
            log.exception("the scheduler could not look at its jobs")


def run_by_hand(database: Database, name: str, at: datetime) -> int:
    """Do a sweep now in every office, whatever its period (``madoguchi jobs run``); sweeps are idempotent.

    Returns the effects added up. Raises NotFound for an unknown job.
    """
    if name not in JOBS:
        raise NotFound(what="job")
    job, effect = JOBS[name], 0
    with database.snapshot() as session:
        offices = list(session.scalars(select(Office.id).order_by(Office.id))) if job.by_office else [EVERYWHERE]
    for office in offices:
        with database.snapshot() as session:
            planned = job.planned(session, office, at)
        with database.transaction() as session:
            effect += planned(session, office, at)
    return effect


def _trouble(event: JobEvent) -> None:
    log.error("scheduler event %s for %s", event.code, event.job_id)


def background(me: Scheduler) -> BackgroundScheduler:
    """APScheduler with a memory store, a tick for each job. A late tick still counts, several count as one."""
    found = BackgroundScheduler(
        timezone=TOKYO, job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    )
    found.add_listener(_trouble, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
    for name, job in me.jobs.items():
        found.add_job(me.look, job.schedule.trigger, args=[(name,)], id=name)
    return found


def _check_clock(me: Scheduler, watch: Watch) -> bool:
    """Whether the wall clock was set since the last look; says so, and whether it differs from the database's."""
    step = watch.stepped(time.time(), time.monotonic())
    if step is not None:
        log.error("the wall clock was set by %.1f s", step)
    with me.database.snapshot() as session:
        skew = leases.skew(session, me.clock())
    if abs(skew) > MOST_SKEW:
        log.error("our clock is %.1f s ahead of the database's", skew.total_seconds())
    return step is not None


def forever(database: Database, stop: threading.Event | None = None) -> None:
    """Run until stopped: a look at every job each ten seconds of the monotonic clock, and APScheduler's ticks."""
    me, stop = Scheduler(database), stop or threading.Event()
    scheduler, watch = background(me), Watch(time.time(), time.monotonic())
    scheduler.start()
    try:
        while True:
            me.look()
            if stop.wait(LOOP_SECONDS):
                return
            try:
                if _check_clock(me, watch):
                    scheduler.wakeup()
            except DomainError:
                log.exception("the clock could not be compared with the database's")
    finally:
        scheduler.shutdown(wait=True)
        with suppress(DomainError):
            me.release()
