"""P11 and P12 with real processes: each period once, and a stopped leader writes nothing when it wakes."""

import os
import signal
import time
from collections import Counter

import pytest
from sqlalchemy import select

from app.db.session import Database
from app.models.ticket import Event
from scheduler.run import Scheduler
from tests.scheduler.conftest import Spawn
from tests.scheduler.worker import MARKS, MINUTES, SHORT, START


def marks(database: Database) -> Counter[tuple[str, str | None]]:
    with database.snapshot() as session:
        rows = session.execute(select(Event.office_id, Event.reason).where(Event.action == "mark"))
        return Counter((office, reason) for office, reason in rows)


def test_two_schedulers_do_each_period_of_each_office_once(database: Database, spawn: Spawn) -> None:
    both = [spawn("race", database.url) for _ in range(2)]
    assert [process.wait(timeout=200) for process in both] == [0, 0]
    found = marks(database)
    assert len(found) == 2 * MINUTES
    assert set(found.values()) == {1}


def test_without_the_guards_the_marks_would_be_doubled(database: Database) -> None:
    """Negative control: two schedulers that both believe to lead, without fence and period, leave two marks."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("hold", "record"):
            patch.setattr(f"app.services.leases.{name}", lambda *_, **__: None)
        for _ in range(2):
            assert Scheduler(database, jobs=MARKS, clock=lambda: START).sweep("mark", "ward", 1) == 1
    assert set(marks(database).values()) == {2}


@pytest.mark.parametrize("guarded", [True, False])
def test_a_leader_stopped_longer_than_its_lease_is_refused(database: Database, spawn: Spawn, guarded: bool) -> None:
    sleeper = spawn("sleep", database.url, *([] if guarded else ["unguarded"]))
    assert sleeper.stdin
    assert sleeper.stdout
    assert sleeper.stdout.readline().strip() == "1"
    os.kill(sleeper.pid, signal.SIGSTOP)
    time.sleep(2 * SHORT.total_seconds())
    other = Scheduler(database, "other", jobs=MARKS)
    assert other.round() == 2
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.stdin.write("wake\n")
    sleeper.stdin.flush()
    assert sleeper.stdout.readline().split()[0] == ("refused" if guarded else "written")
    assert other.lead() == (2 if guarded else 1)
    assert marks(database).total() == (2 if guarded else 3)


def test_a_scheduler_that_stopped_in_order_leaves_the_lease_free(database: Database) -> None:
    first, second = Scheduler(database, "first"), Scheduler(database, "second")
    assert first.lead() == 1
    assert second.lead() is None
    first.release()
    assert second.lead() == 2
    first.release()
    assert second.lead() == 2
