"""``madoguchi kiosk-pin`` and the PINs of the sample: drawn fresh, stored as hashes, shown once."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.cli import main
from app.commands.kiosk import PINS, fresh_pin
from app.db.session import Database
from app.domain.errors import InvalidInput
from app.models.place import Office
from app.services import access, kiosk_staff

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"


@pytest.fixture
def here(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", SECRET)
    return database


def opens(database: Database, office_id: str, pin: str) -> bool:
    with database.snapshot() as session:
        stored = session.scalar(select(Office.settings).where(Office.id == office_id))
    material = kiosk_staff.pin_material(SECRET.encode(), office_id, pin)
    return access.verify_password((stored or {}).get("kiosk_pin"), material)


def test_a_new_pin_opens_its_office_alone_and_the_old_one_no_more(here: Database) -> None:
    first, second = (CliRunner().invoke(main, ["kiosk-pin", "--office", "ward"]) for _ in range(2))
    old, new = (told.stdout.splitlines()[-1] for told in (first, second))
    assert (opens(here, "ward", new), opens(here, "ward", old), opens(here, "branch", new)) == (True, False, False)
    unknown = CliRunner().invoke(main, ["kiosk-pin", "--office", "nowhere"])
    assert unknown.exit_code != 0


def test_the_sample_has_a_pin_for_each_office_kept_for_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", f"sqlite:///{tmp_path / 'fresh.db'}")
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", SECRET)
    monkeypatch.setenv("MADOGUCHI_VAR_DIR", str(tmp_path))
    for _ in range(2):
        assert CliRunner().invoke(main, ["init", "--sample"]).exit_code == 0
    file = tmp_path / PINS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = dict(line.split("\tkiosk PIN\t") for line in file.read_text().splitlines())
    database = Database(f"sqlite:///{tmp_path / 'fresh.db'}")
    assert {office: opens(database, office, pin) for office, pin in kept.items()} == {"ward": True, "branch": True}
    database.dispose()


def test_the_sample_begins_in_training_and_leaves_it_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", f"sqlite:///{tmp_path / 'fresh.db'}")
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", SECRET)
    monkeypatch.setenv("MADOGUCHI_VAR_DIR", str(tmp_path))
    run = CliRunner().invoke
    assert run(main, ["init", "--sample"]).exit_code == 0
    assert "training: ward, branch" in run(main, ["doctor"]).output
    assert "ward is serving" in run(main, ["training", "ward", "off"]).output
    assert "so already" in run(main, ["training", "ward", "off"]).output
    assert run(main, ["init", "--sample"]).exit_code == 0
    assert "training: branch" in run(main, ["doctor"]).output
    wrong = run(main, ["training", "nowhere", "on"])
    assert wrong.exit_code != 0
    assert "Traceback" not in wrong.output


@pytest.mark.parametrize("pin", ["12345", "1234567890123", "111111", "121212", "12a456", "１２３４５６", ""])
def test_what_may_not_be_a_pin(pin: str) -> None:
    with pytest.raises(InvalidInput):
        kiosk_staff.check_pin(pin)


def test_drawn_pins_may_be_pins() -> None:
    assert {kiosk_staff.check_pin(fresh_pin()) for _ in range(50)}
