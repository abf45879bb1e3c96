"""The scheduler process: APScheduler wakes, the lease and the database decide.

A second scheduler started by mistake runs nothing: it has no lease, and each (job, period) is unique.
"""

import logging
import os
import socket
import threading
import uuid
from datetime import UTC, datetime

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.errors import Conflict, DomainError, NotFound
from app.services import leases
from scheduler.clock import TOKYO
from scheduler.jobs import JOBS

log = logging.getLogger(__name__)
LEASE = "scheduler"


class Scheduler:
    """One scheduler: who it is, and the database that it sweeps."""

    def __init__(self, database: Database, holder: str | None = None) -> None:
        self.database = database
        self.holder = holder or f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def lead(self, at: datetime) -> int | None:
        """Take or renew the lease; the fence, or None when another leads."""
        with self.database.transaction() as session:
            return leases.take(session, name=LEASE, holder=self.holder, at=at)

    def run_once(self, name: str, at: datetime) -> int | None:
        """Do a job's period if we lead and it has not been done; the effect, or None when nothing was ours."""
        fence = self.lead(at)
        return None if fence is None else self.sweep(name, at, fence)

    def sweep(self, name: str, at: datetime, fence: int) -> int | None:
        """The job under a fence; Conflict("lease_lost") when another has taken over since."""
        job = JOBS[name]
        period = job.period(at)
        with self.database.transaction() as session:
            return self._swept(session, name, period, at, fence)

    def _swept(self, session: Session, name: str, period: str, at: datetime, fence: int) -> int | None:
        leases.hold(session, name=LEASE, fence=fence)
        if leases.done(session, job=name, period=period):
            return None
        effect = JOBS[name].sweep(session, at)
        leases.record(session, job=name, period=period, fence=fence, at=at, effect=effect)
        return effect

    def tick(self, name: str) -> None:
        """What APScheduler calls: never raises, so that one failure does not end the trigger."""
        try:
            effect = self.run_once(name, datetime.now(UTC))
        except Conflict as error:
            log.warning("job %s gave way: %s", name, error.reason)
        except DomainError as error:
            log.error("job %s failed: %s", name, error.reason)
        else:
            log.info("job %s: %s", name, "not ours" if effect is None else effect)


def run_by_hand(database: Database, name: str, at: datetime) -> int:
    """Do a sweep now, whatever its period (``madoguchi jobs run``); sweeps are idempotent. Raises NotFound."""
    if name not in JOBS:
        raise NotFound(what="job")
    with database.transaction() as session:
        return JOBS[name].sweep(session, at)


def _trouble(event: JobEvent) -> None:
    log.error("scheduler event %s for %s", event.code, event.job_id)


def forever(database: Database, stop: threading.Event | None = None) -> None:
    """Run until stopped; renews the lease every ten seconds, whatever the wall clock does."""
    me, stop = Scheduler(database), stop or threading.Event()
    scheduler = BackgroundScheduler(
        timezone=TOKYO, job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    )
    scheduler.add_listener(_trouble, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)
    for name, job in JOBS.items():
        scheduler.add_job(me.tick, job.trigger, args=[name], id=name)
        # A period missed while nobody ran is made up at the start.
        me.tick(name)
    scheduler.start()
    try:
        while not stop.wait(10):
            me.lead(datetime.now(UTC))
            scheduler.wakeup()
    finally:
        scheduler.shutdown(wait=False)
