"""``madoguchi city``: the municipality's own document, checked and loaded, all of it or nothing."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.db.session import Database
from app.models.place import Municipality
from config.municipality import SAMPLE


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLE, tmp_path / "city")
    return tmp_path / "city"


def city(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["city", *arguments])


def test_a_change_is_loaded_once(database: Database, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
    assert city("load", str(directory)).stdout == "aonami: 0 rows added, 0 changed\n"
    file = directory / "municipality.yaml"
    file.write_text(file.read_text().replace("addresses: []", "addresses: [10.20.0.0/16]"))
    assert city("load", str(directory)).stdout == "aonami: 0 rows added, 1 changed\n"
    with database.snapshot() as session:
        kept = session.get_one(Municipality, "aonami").settings["staff_access"]
    assert kept == {"second_factor": [], "addresses": ["10.20.0.0/16"]}


def test_what_is_wrong_is_named_and_nothing_is_opened(directory: Path) -> None:
    assert city("check", str(directory)).exit_code == 0
    file = directory / "municipality.yaml"
    file.write_text(file.read_text().replace("addresses: []", "addresses: [the town hall]"))
    for command in ("check", "load"):
        told = city(command, str(directory))
        assert (told.exit_code, "municipality.yaml:" in told.stderr, "addresses" in told.stderr) == (1, True, True)


def test_a_file_of_settings_is_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``init`` as docs/operator.md runs it: no second secret beside the one in the file."""
    file = tmp_path / "madoguchi.env"
    file.write_text(f"MADOGUCHI_SECRET_KEY=kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac\nMADOGUCHI_VAR_DIR={tmp_path}\n")
    monkeypatch.setenv("MADOGUCHI_ENV_FILE", str(file))
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["init"]).exit_code == 0
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["madoguchi.db", "madoguchi.env"]
