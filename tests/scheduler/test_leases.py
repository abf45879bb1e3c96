"""One leader, each period once, and a sleeper that wakes too late writes nothing (P11, P12)."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.errors import Conflict
from app.models.scheduling import JobRun
from scheduler.run import Scheduler

AT = datetime(2026, 4, 2, 3, 0, tzinfo=UTC)


def test_two_schedulers_do_a_period_once(database: Database) -> None:
    schedulers = [Scheduler(database, f"s{n}") for n in range(3)]
    effects: list[int | None] = []

    def work(one: Scheduler, minute: int) -> None:
        try:
            effects.append(one.run_once("unconfirmed-tickets", AT + timedelta(minutes=minute)))
        except Conflict:
            effects.append(None)

    for minute in range(10):
        threads = [threading.Thread(target=work, args=(one, minute)) for one in schedulers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(JobRun)) == 10
    assert sum(effect is not None for effect in effects) == 10


def test_a_leader_that_slept_is_refused(database: Database) -> None:
    sleeper, other = Scheduler(database, "sleeper"), Scheduler(database, "other")
    fence = sleeper.lead(AT)
    assert fence is not None
    assert other.lead(AT + timedelta(seconds=10)) is None
    later = AT + timedelta(minutes=5)
    assert other.run_once("day-close", later) is not None
    with pytest.raises(Conflict, match="lease_lost"):
        sleeper.sweep("unconfirmed-tickets", later, fence)
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(JobRun)) == 1
