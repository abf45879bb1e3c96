"""``madoguchi device``: a code from a screen becomes a token of one place."""

import json
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.db.session import Database
from app.models.people import AccessToken
from app.services import access, devices


@pytest.fixture
def ready(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
    with database.transaction() as session:
        devices.show_code(session, device="board", draw=lambda: "418206", address="10.0.0.1", at=datetime.now(UTC))
    return database


def device(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["device", *arguments])


def deliver(database: Database) -> AccessToken:
    with database.transaction() as session:
        return devices.deliver(session, device="board", token="secret of the board", at=datetime.now(UTC))


def test_a_code_alone_makes_a_board_of_the_first_office(ready: Database) -> None:
    told = device("pair", "418 206")
    assert told.exit_code == 0, told.output
    row = deliver(ready)
    assert (row.role, row.office_id, row.hall_id, row.label) == ("display", "ward", None, "表示板")
    assert device("pair", "418206").exit_code == 1


def test_a_kiosk_of_a_hall_is_listed_and_revoked(ready: Database) -> None:
    told = device("pair", "418206", "--role", "kiosk", "--hall", "branch-main", "--label", "受付機1")
    assert told.exit_code == 0, told.output
    row = deliver(ready)
    assert (row.role, row.office_id, row.hall_id) == ("kiosk", "branch", "branch-main")
    found = json.loads(device("list", "--json").stdout)["devices"]
    assert found[0] | {"age_seconds": 0} == {
        "id": row.id, "role": "kiosk", "office": "branch", "hall": "branch-main", "label": "受付機1",
        "counter": None, "health": "fine", "age_seconds": 0,
    }  # fmt: skip
    assert "受付機1" in device("list").stdout
    assert device("revoke", str(row.id)).exit_code == 0
    with ready.snapshot() as session:
        assert access.by_bearer(session, "secret of the board") is None
    assert "device_revoked" in device("revoke", str(row.id)).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pair", "000000"), "code_unknown"),
        (("pair", "41820"), "bad_code"),
        (("pair", "418206", "--office", "nowhere"), "not_found"),
        (("pair", "418206", "--hall", "nowhere"), "not_found"),
        (("pair", "418206", "--office", "ward", "--hall", "branch-main"), "not_found"),
        (("revoke", "999"), "not_found"),
    ],
)
def test_bad_input_ends_with_one_sentence(ready: Database, arguments: tuple[str, ...], said: str) -> None:
    told = device(*arguments)
    assert told.exit_code == 1
    assert said in told.stderr
    assert "Traceback" not in told.output
