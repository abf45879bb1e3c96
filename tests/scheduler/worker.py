"""A scheduler in a process of its own, for tests: ``python -m tests.scheduler.worker MODE URL [unguarded]``.

``race``: forty virtual minutes of one job whose effect is an event in each office's log.
``sleep``: lead, print the fence, wait for a line on standard input, then sweep under the old fence.
``zone``: print the period and the next waking of each job.
``unguarded`` takes lease, fence and period away: the negative control, which must be seen to fail.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app.db.session import Database
from app.services import events, leases
from scheduler.clock import Schedule
from scheduler.jobs import JOBS, Job
from scheduler.run import Scheduler

START = datetime(2026, 4, 2, 3, 0, tzinfo=UTC)
MINUTES = 40
SHORT = timedelta(seconds=0.6)


def leave_a_mark(session: Session, office: str, at: datetime) -> int:
    """An effect that can be counted without the table of runs."""
    events.append(session, events.lock_office(session, office), action="mark", actor="test", at=at, reason=str(at))
    return 1


MARKS = {"mark": Job(schedule=Schedule(), sweep=leave_a_mark)}


def race(database: Database) -> None:
    """Virtual minutes, longer than the lease: at each the lease is free and all reach for it."""
    now = START
    me = Scheduler(database, clock=lambda: now, jobs=MARKS, again_after=0)
    for minute in range(MINUTES):
        now = START + timedelta(minutes=minute)
        while me.due(MARKS):
            me.look()
            time.sleep(0.002)


def sleep(database: Database) -> None:
    me = Scheduler(database, jobs=MARKS, lasts=SHORT)
    fence = me.lead()
    assert fence is not None
    print(fence, flush=True)
    sys.stdin.readline()
    try:
        print("written", me.sweep("mark", "ward", fence), flush=True)
    except leases.LeaseLost:
        print("refused", flush=True)


def zone() -> None:
    midnight = datetime(2026, 4, 1, 15, 0, 10, tzinfo=UTC)
    for name, job in JOBS.items():
        following = job.schedule.trigger.get_next_fire_time(None, midnight)
        print(name, job.schedule.period(midnight), following.astimezone(UTC).isoformat())


def unguard() -> None:
    answers = {"take": 1, "hold": None, "done": False, "record": None}
    for name, answer in answers.items():
        setattr(leases, name, lambda *_, answer=answer, **__: answer)


def main(mode: str, url: str = "", *options: str) -> None:
    if mode == "zone":
        zone()
        return
    if options:
        unguard()
    database = Database(url)
    {"race": race, "sleep": sleep}[mode](database)
    database.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
