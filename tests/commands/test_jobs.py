"""``madoguchi jobs``: every job of the table can be run by hand, twice."""

import json

import pytest
from click.testing import CliRunner

from app.cli import main
from app.db.session import Database
from scheduler.jobs import JOBS


@pytest.mark.parametrize("name", sorted(JOBS))
def test_every_job_runs_by_hand(database: Database, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
    assert CliRunner().invoke(main, ["jobs", "run", name]).output == f"{name}: 0\n"
    answer = CliRunner().invoke(main, ["jobs", "run", name, "--json"])
    assert json.loads(answer.output) == {"job": name, "effect": 0}


def test_an_unknown_job_is_answered_with_the_known_ones() -> None:
    answer = CliRunner().invoke(main, ["jobs", "run", "nothing"])
    assert answer.exit_code == 1
    assert "day-close" in answer.output


def test_the_list_tells_the_next_time_of_each() -> None:
    assert CliRunner().invoke(main, ["jobs", "list"]).output.count("\n") == len(JOBS)
