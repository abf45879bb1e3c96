"""``madoguchi city``: the municipality's own document, checked and loaded, all of it or nothing."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from app.cli import main
from app.db.session import Database
from app.domain.calendar import business_date
from app.models.booking import Booking
from app.models.place import Municipality
from app.services import queue, tickets
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


def without_a_line(directory: Path) -> None:
    """The branch does what residents come for no more."""
    for file in (*directory.glob("offices/2_branch/*.yaml"), directory / "colleagues.yaml"):
        found = yaml.safe_load(file.read_text())
        for name in ("categories", "kiosk"):
            found[name] = [
                each for each in found.get(name, ()) if "residents" not in (each.get("category"), each["id"])
            ]
        for profile in found.get("profiles", ()):
            profile["lines"] = [line for line in profile["lines"] if line["category"] != "residents"]
        for person in found.get("colleagues", ()):
            person["lines"] = [line for line in person["lines"] if line != "residents"] or ["moving"]
        for counter in found.get("counters", ()):
            counter["no"] = counter.pop(False)  # the plain loader's view of ``no``
        kept = {name: value for name, value in found.items() if value != []}
        file.write_text(yaml.safe_dump(kept, allow_unicode=True))


def test_a_line_is_taken_out_only_knowing_who_stands_in_it(
    database: Database, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
    without_a_line(directory)
    at = datetime.now(UTC)
    with database.transaction() as session:
        wish = tickets.Wish(services=["kokuho_join"], channel="kiosk")
        ticket = tickets.issue(session, office_id="branch", wish=wish, seed="s", secret=b"x", actor="test", at=at)
    refused = city("load", str(directory))
    assert (refused.exit_code, "people_in_withdrawn_line lines=branch-residents count=1" in refused.stderr) == (1, True)
    told = city("load", str(directory), "--waiting-too").stdout
    assert "branch-residents (C 市民の手続き) offers nothing any more" in told
    assert "1 numbers of today" in told
    with database.transaction() as session:
        queue.cancel_ticket(session, ticket=session.merge(ticket), actor="test", at=at)
        start = at + timedelta(days=2)
        session.add(
            Booking(
                municipality_id="aonami", office_id="branch", state="booked", reference="R1", seed="R1",
                token_hash="R1", category_id="branch-residents", services=["kokuho_join"], plan=[], party=1,
                business_date=business_date(start), start_at=start, end_at=start + timedelta(minutes=15),
                no_show_at=start, language="ja", channel="web", staff=False, created_at=at, changed_at=at, moves=0,
            )
        )  # fmt: skip
    again = city("load", str(directory))
    assert (again.exit_code, "1 bookings to come" in again.stdout, "numbers" in again.stdout) == (0, True, False)


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
