"""``madoguchi backup`` and ``restore``: what is overwritten only on purpose, what is printed, what is written down."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.cli import main
from app.db.session import Database
from app.models.people import AuditEntry
from app.models.place import Office
from app.services import audit

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"


@pytest.fixture
def city(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", SECRET)
    return database


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_there_and_back(city: Database, tmp_path: Path) -> None:
    file = tmp_path / "city"
    made = run("backup", file, "--json")
    assert made.exit_code == 0, made.output
    figures = json.loads(made.stdout)
    assert (figures["file"], figures["bytes"]) == (str(file), file.stat().st_size)
    refused = run("backup", file)
    assert refused.exit_code != 0
    assert "--yes" in refused.stderr
    assert run("backup", file, "--yes").exit_code == 0
    with city.snapshot() as session:
        before = session.get_one(Office, "ward").epoch
    refused = run("restore", file)
    assert refused.exit_code != 0
    assert "--yes" in refused.stderr
    back = run("restore", file, "--yes", "--leap", 50, "--json")
    assert back.exit_code == 0, back.output
    told = json.loads(back.stdout)
    assert (told["leap"], told["same_secret"]) == (50, True)
    with city.snapshot() as session:
        assert session.get_one(Office, "ward").epoch > before
        # The first backup was noted after it was made, so the second one knows of it, and then the restore.
        assert list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.number))) == [
            "backup_made",
            "restored",
        ]
        assert audit.verify(session, "aonami", audit.chain_key(SECRET)) is None


def test_another_secret_is_told(city: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("backup", tmp_path / "b")
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", SECRET[::-1])
    back = run("restore", tmp_path / "b", "--yes")
    assert back.exit_code == 0
    assert "another MADOGUCHI_SECRET_KEY" in back.stderr


@pytest.mark.parametrize("name", ["no/such/directory/b", "."])
def test_places_that_are_none(city: Database, tmp_path: Path, name: str) -> None:
    made = run("backup", tmp_path / name)
    assert made.exit_code != 0
    assert len(made.stderr.strip().splitlines()) <= 4


def test_a_file_that_is_none(city: Database, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("hello")
    back = run("restore", tmp_path / "b", "--yes")
    assert back.exit_code != 0
    assert "backup_broken" in back.stderr
    assert "Traceback" not in back.stderr
    assert run("restore", tmp_path / "nothing").exit_code != 0
