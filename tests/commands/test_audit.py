"""``madoguchi audit verify``: the head to keep, the first broken number, and the kept head compared."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, update

from app.cli import main
from app.db.session import Database
from app.models.people import AuditEntry
from app.services import audit

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"


@pytest.fixture
def filled(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", SECRET)
    with database.transaction() as session:
        for number in range(5):
            audit.record(
                session, municipality_id="aonami", actor="staff:1", action="looked", subject=f"account:{number}",
                details={}, at=datetime.now(UTC), key=audit.chain_key(SECRET),
            )  # fmt: skip
    return database


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["audit", "verify", *arguments])


def test_a_chain_that_holds_prints_its_head(filled: Database) -> None:
    told = verify()
    assert told.exit_code == 0, told.output
    assert "5 entries, the chain holds" in told.stdout
    assert "--head" in told.stderr
    kept = told.stdout.splitlines()[-1].removeprefix("head ")
    again = verify("--head", kept)
    assert (again.exit_code, again.stderr) == (0, "")
    found = json.loads(verify("--json").stdout)
    assert found == {
        "chains": [{"municipality": "aonami", "entries": 5, "head": kept, "broken_at": None}],
        "end_checked": False,
    }


def test_a_changed_entry_ends_with_its_number(filled: Database) -> None:
    with filled.transaction() as session:
        session.execute(update(AuditEntry).where(AuditEntry.number == 3).values(actor="staff:2"))
    told = verify()
    assert told.exit_code == 1
    assert "broken at entry 3" in told.stdout


def test_a_cut_off_end_is_found_by_the_kept_head(filled: Database) -> None:
    kept = verify().stdout.splitlines()[-1].removeprefix("head ")
    with filled.transaction() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.number > 3))
    assert verify().exit_code == 0
    told = verify("--head", kept, "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["chains"][0]["broken_at"] == 4


@pytest.mark.parametrize("head", ["5", "x:y", "5:", "0:" + "a" * 64, "-1:" + "a" * 64])
def test_a_bad_head_is_one_sentence(filled: Database, head: str) -> None:
    told = verify(f"--head={head}")
    assert told.exit_code == 2
    assert "NUMBER:HASH" in told.stderr


def test_an_unknown_municipality_is_one_sentence(filled: Database) -> None:
    told = verify("--municipality", "nowhere")
    assert told.exit_code == 1
    assert "Traceback" not in told.output
