"""``madoguchi waits``: figures from a small made-up file, and one sentence on a bad one."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.db.session import Database

HEAD = "ts,office,svc_id,waiting,num\n"


def made_up(file: Path, days: int) -> Path:
    """A line whose queue rises to noon and falls, looked at every five minutes."""
    chance, rows = random.Random(2), []
    for day in range(1, days + 1):
        waiting, num = 0, 1
        for minute in range(480, 960, 5):
            waiting += chance.randint(0, 4) if minute < 720 else chance.randint(0, 2)
            called = min(waiting, chance.randint(0, 3))
            waiting, num = waiting - called, num + called
            rows.append(f"2026-04-{day:02} {minute // 60:02}:{minute % 60:02}:00,north,1,{waiting},{num}\n")
    file.write_text(HEAD + "".join(rows))
    return file


def test_a_file_is_judged_on_its_later_days(tmp_path: Path) -> None:
    file = made_up(tmp_path / "queues.csv", 8)
    answer = CliRunner().invoke(main, ["waits", "backtest", str(file), "--json"])
    assert answer.exit_code == 0, answer.output
    found = json.loads(answer.stdout)
    assert found["judged_from"] == "2026-04-05"
    assert found["n"] > 100
    assert 0.6 <= found["cover"] <= 1
    assert found["estimate_ms"] < 5
    assert "mean absolute error" in CliRunner().invoke(main, ["waits", "backtest", str(file)]).stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n", "no column"),
        (HEAD + "2026-04-01 08:00:00,n,1,many,1\n", "line 2"),
        (HEAD + "2026-04-01 08:00:00,n,1,2,1\n", "two days are needed"),
        (HEAD, "two days are needed"),
    ],
)
def test_a_bad_file_ends_with_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content)
    answer = CliRunner().invoke(main, ["waits", "backtest", str(file)])
    assert answer.exit_code == 1
    assert said in answer.stderr
    assert "Traceback" not in answer.output


def test_managers_print_the_report_of_an_office(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
    answer = CliRunner().invoke(main, ["waits", "report", "--office", "branch", "--json"])
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["n"] == 0
    assert "branch" in CliRunner().invoke(main, ["waits", "report", "--office", "branch"]).stdout
    assert CliRunner().invoke(main, ["waits", "report", "--office", "nowhere"]).exit_code == 1
