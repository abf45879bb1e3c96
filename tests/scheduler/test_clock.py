"""Japanese time whatever the machine's zone; periods that begin when the job is due; clocks that are set."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scheduler.clock import Schedule, Watch
from scheduler.jobs import JOBS
from tests.scheduler.conftest import ROOT, Spawn

# 00:00:10 on 2 April in Japan is still 1 April in UTC and in New York. One job of each kind of schedule, and then some.
EXPECTED = """day-close 2026-04-02 2026-04-02T15:00:05+00:00
unconfirmed-tickets 2026-04-02T00:00 2026-04-01T15:01:00+00:00
waits-learn 2026-04-01 2026-04-01T17:10:00+00:00
waits-refit 2026-04-01 2026-04-01T17:30:00+00:00
forecast-night 2026-04-01T23:55 2026-04-01T15:00:20+00:00
forecast-today 2026-04-01T23:45 2026-04-01T15:00:40+00:00
erase-old-rows 2026-04-01 2026-04-01T18:30:00+00:00
"""


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_jobs_run_at_japanese_times_in_any_zone(spawn: Spawn, zone: str) -> None:
    said = spawn("zone", zone=zone).communicate(timeout=120)[0].splitlines()
    assert [line.split()[0] for line in said] == list(JOBS)
    assert set(EXPECTED.splitlines()) <= set(said)


def test_a_period_begins_when_its_job_is_due() -> None:
    nightly = Schedule(2, 30)
    due = datetime(2026, 4, 1, 17, 30, tzinfo=UTC)
    assert nightly.period(due - timedelta(seconds=1)) == "2026-04-01"
    assert nightly.period(due) == nightly.period(due + timedelta(hours=23)) == "2026-04-02"
    assert Schedule().period(due) == "2026-04-02T02:30"
    quarters = Schedule(every=15, second=40)
    assert quarters.period(due + timedelta(seconds=39)) == "2026-04-02T02:15"
    assert (
        quarters.period(due + timedelta(seconds=40))
        == quarters.period(due + timedelta(minutes=15))
        == "2026-04-02T02:30"
    )


def test_triggers_are_made_in_one_place() -> None:
    trigger = re.compile(r"(Cron|Interval|Date)Trigger\(|from_crontab")
    files = [file for room in ("app", "displays", "scheduler", "forecasting") for file in (ROOT / room).rglob("*.py")]
    assert [file for file in files if trigger.search(file.read_text())] == [Path(ROOT / "scheduler" / "clock.py")]


@pytest.mark.parametrize("step", [-60.0, 3600.0])
def test_a_clock_that_was_set_is_noticed_once(step: float) -> None:
    watch = Watch(1_000_000.0, 50.0)
    assert watch.stepped(1_000_010.3, 60.0) is None
    assert watch.stepped(1_000_020.3 + step, 70.0) == pytest.approx(step)
    assert watch.stepped(1_000_030.3 + step, 80.0) is None
