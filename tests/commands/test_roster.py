"""``madoguchi roster solve``: a plan told, put in the draft, or kept in the row of the search that was asked for."""

import json
import subprocess
from datetime import UTC, date, datetime, time, timedelta

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.db.session import Database
from app.domain.calendar import instant
from app.models.arrivals import ForecastInterval, ServiceRate
from app.models.staffing import RosterDay
from app.services import roster_searches
from scheduler.rosters import Looker, process

pytest.importorskip("ortools", reason="SKIPPED: OR-tools is not installed (extra roster)")
DAY = date(2026, 4, 1)


@pytest.fixture
def ready(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
    with database.transaction() as session:
        session.add(ServiceRate(office_id="ward", category_id="ward-certificates", service_id="juminhyo", hour=-1,
                                share=1.0, minutes=8.0, spread=0.5, no_show=0.0, samples=100))  # fmt: skip
        for number in range(16):
            session.add(
                ForecastInterval(
                    category_id="ward-certificates", office_id="ward", business_date=DAY, expected=8, low=5, high=12,
                    bookings=0, start_at=instant(DAY, time(8, 30)) + timedelta(minutes=30 * number),
                )
            )  # fmt: skip
    return database


def solve(*more: str, day: str = "2026-04-01") -> Result:
    return CliRunner().invoke(main, ["roster", "solve", "--office", "ward", "--date", day, "--seconds", "1", *more])


def test_a_roster_is_found_told_and_used(ready: Database) -> None:
    told = solve("--json", "--use")
    assert told.exit_code == 0, told.output
    figures = json.loads(told.stdout)
    assert 0 <= figures["shortfall"] < 0.2
    assert figures["seconds"] < 30
    with ready.snapshot() as session:
        row = session.get(RosterDay, ("ward", DAY))
        assert row is not None
        assert len(row.draft) == 28


def test_without_a_forecast_there_is_nothing_to_solve(ready: Database) -> None:
    told = solve(day="2026-04-02")
    assert told.exit_code == 1
    assert "no forecast" in told.output


def test_the_scheduler_starts_what_was_asked_for_and_the_row_tells_how_it_ended(ready: Database) -> None:
    at = datetime.now(UTC)
    with ready.transaction() as session:
        roster_searches.ask(session, office_id="ward", day=DAY, seconds=1, token="t1", actor="staff:1", at=at)
    looker = Looker(ready, process)
    assert looker.look(at)
    assert not looker.look(at)
    assert looker.running[0].process.wait(timeout=200) == 0
    with ready.snapshot() as session:
        search = roster_searches.find(session, "ward", DAY)
        assert search is not None
        assert (search.state, search.error) == ("done", "")
        assert search.plans > 0
        assert len(search.found) == 28
        assert session.get(RosterDay, ("ward", DAY)) is None


def test_a_process_that_could_not_begin_is_told(ready: Database) -> None:
    at = datetime.now(UTC)
    with ready.transaction() as session:
        roster_searches.ask(session, office_id="ward", day=DAY, seconds=1, token="t1", actor="staff:1", at=at)
    looker = Looker(ready, lambda *_: subprocess.Popen(["false"]))
    assert looker.look(at)
    looker.running[0].process.wait(timeout=60)
    assert not looker.look(at)
    with ready.snapshot() as session:
        search = roster_searches.find(session, "ward", DAY)
        assert search is not None
        assert (search.state, search.error) == ("failed", "defect")
