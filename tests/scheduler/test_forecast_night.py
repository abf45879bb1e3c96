"""A night's forecast in real processes: done, out of time, out of memory, killed. The last good one stands with its
age, and no page waits for it."""

import time as clocks
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import httpx
import pytest
from sqlalchemy import select

from app.commands import forecast_run
from app.db.session import Database
from app.domain.calendar import business_date, instant
from app.models.arrivals import ForecastInterval, ForecastNight
from app.models.visits import PastVisit
from app.services import forecast_store, forecasts
from app.services.forecast_store import Made
from forecasting.process import Failed, Worker
from forecasting.task import Task
from scheduler.tasks import forecasts as jobs
from tests.hall_server import SECRET, serving

LINE = "ward-certificates"
# As it is before the tests' fixture keeps sweeps from starting processes.
START = jobs.start
PATIENCE = 90.0
LOOKED_AHEAD = timedelta(hours=2)


@pytest.fixture(autouse=True)
def real(monkeypatch: pytest.MonkeyPatch, nights: object) -> None:
    """Nights begin at once, and in processes."""
    monkeypatch.setattr(jobs, "start", START)
    monkeypatch.setattr(jobs, "BEGINS", time())
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", SECRET)


@pytest.fixture
def weeks(database: Database) -> datetime:
    """Five weeks of visits, and a forecast that is two days old; returns now."""
    now = datetime.now(UTC)
    if business_date(now + LOOKED_AHEAD) != business_date(now):
        # Late in the evening: what a test does "an hour later" would be of tomorrow's night.
        now -= LOOKED_AHEAD
    today = business_date(now)
    days = [day for back in range(1, 36) if (day := today - timedelta(days=back)).weekday() < 5]
    rows: list[list[float | None]] = [[7.0 if 18 <= slot < 24 else None for slot in range(48)] for _ in range(9)]
    flat = [[0.0] * 48] * 9
    old = Made(category_id=LINE, model="sn4", expected=rows, low=flat, high=[[9.0] * 48] * 9)
    with database.transaction() as session:
        forecast_store.put(session, "ward", old, today=today - timedelta(days=2), at=now - timedelta(hours=48))
        for day in days:
            for number in range(24):
                at = instant(day, time(9 + number // 6, number % 6 * 10))
                session.add(
                    PastVisit(
                        office_id="ward", business_date=day, category_id=LINE, service_id="juminhyo", issued_at=at,
                        called_at=at + timedelta(minutes=5), started_at=None, finished_at=at + timedelta(minutes=9),
                        counter="1", booked=False, no_show=False, step_id=None, fingerprint=f"{day}-{number}",
                    )
                )  # fmt: skip
    return now


def sweep(database: Database, at: datetime) -> int:
    with database.transaction() as session:
        return jobs.night(session, "ward", at)


def night(database: Database) -> tuple[str, str]:
    with database.snapshot() as session:
        found = session.scalars(select(ForecastNight)).one()
        return found.state, found.error


def told(database: Database, at: datetime) -> tuple[forecasts.Age, list[forecasts.Interval]]:
    """What a page shows of the line: age and today's half-hours."""
    with database.snapshot() as session:
        begin = instant(business_date(at) + timedelta(days=1), time())
        found = forecasts.intervals(
            session, office_id="ward", category_id=LINE, since=begin, until=begin + timedelta(days=6)
        )
        return forecasts.age(session, office_id="ward", category_id=LINE, at=at), found


def test_a_killed_night_leaves_the_last_forecast_and_is_made_again_while_pages_go_on(
    database: Database, weeks: datetime
) -> None:
    assert sweep(database, weeks) == 1
    process = jobs._started[-1]
    process.kill()
    process.wait()
    assert night(database)[0] == "running"
    age, found = told(database, weeks)
    assert age.stale
    assert found[0].expected == 7.0
    later = weeks + forecast_store.RUN_LASTS
    with serving(database.url) as address:
        # The first page of a process is also what compiles it.
        assert httpx.get(f"{address}/o/ward/congestion", timeout=60).status_code == 200
        assert [sweep(database, later), sweep(database, later + timedelta(seconds=1))] == [0, 1]
        process, slowest, asked = jobs._started[-1], 0.0, 0
        while process.poll() is None:
            begun = clocks.monotonic()
            assert httpx.get(f"{address}/o/ward/congestion", timeout=60).status_code == 200
            slowest, asked = max(slowest, clocks.monotonic() - begun), asked + 1
    assert asked > 3
    assert slowest < 5
    assert night(database) == ("done", "")
    age, found = told(database, weeks)
    assert (age.stale, age.error) == (False, "")
    assert age.made_at is not None
    assert age.made_at >= weeks
    assert found[0].expected != 7.0
    assert sweep(database, later + timedelta(hours=1)) == 0


@pytest.mark.parametrize("limit", ["timeout", "memory"])
def test_a_line_beyond_its_limits_is_ended_and_says_why(
    database: Database, weeks: datetime, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    if limit == "timeout":
        monkeypatch.setattr(forecast_run, "LINE_SECONDS", 0.05)
    else:
        monkeypatch.setattr(forecast_run, "Worker", partial(Worker, memory_mb=32))
    found = forecast_run.of_office(database, "ward", at=weeks, heard=lambda _: None)
    assert set(found.failed.values()) == {limit}
    age, still = told(database, weeks)
    assert (age.error, age.stale, age.attempted_at) == (limit, True, weeks)
    assert still[0].expected == 7.0
    with database.snapshot() as session:
        assert session.scalars(select(ForecastInterval).limit(1)).one()


def test_a_worker_that_was_ended_is_gone_and_the_next_request_has_a_new_one() -> None:
    task = Task(
        first=date(2026, 1, 5), interval_min=60, counts=[[1.0] * 24] * 30, open=[[True] * 24], methods=["sn4"]
    ).to_json()
    with Worker() as worker:
        with pytest.raises(Failed, match="timeout"):
            worker.ask({"kind": "forecast", "task": task}, timeout=0.01)
        assert worker._process is None
        found = worker.ask({"kind": "forecast", "task": task}, timeout=PATIENCE)
        process = worker._process
        assert found["expected"] == [[1.0] * 24]
    assert process is not None
    assert process.poll() is not None
