"""The devices screen: pairing by the digits on the glass, trouble first, taking a token away, the kiosks' PIN."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import AccessToken
from app.models.place import Office
from app.services import access, devices
from app.services.kiosk_staff import pin_material
from tests.web.admin import log, sign_in, text_of
from tests.web.conftest import SECRET

FORM = {"code": "418 206", "role": "display", "place": "ward/ward-citizen", "label": "表示板1"}


@pytest.fixture
def who(web: Flask, database: Database) -> SimpleNamespace:
    return SimpleNamespace(
        city=sign_in(web, database, Role.CITY_ADMIN, login="aoki"),
        ward=sign_in(web, database, Role.DEPARTMENT_ADMIN, login="nishimura", office="ward"),
        branch=sign_in(web, database, Role.DEPARTMENT_ADMIN, login="minato", office="branch"),
    )


def glass(database: Database, code: str = "418206", device: str = "board") -> None:
    """A device that shows a code."""
    with database.transaction() as session:
        devices.show_code(session, device=device, draw=lambda: code, address="10.0.0.1", at=datetime.now(UTC))


def tokens(database: Database) -> list[AccessToken]:
    with database.snapshot() as session:
        return list(session.scalars(select(AccessToken).order_by(AccessToken.id)))


def paired(who: Any, database: Database) -> int:
    glass(database)
    answer = who.post("/devices/pair", page="/devices", **FORM)
    assert answer.status_code == 303, answer.text
    return int(re.findall(r"/devices/(\d+)", answer.location)[0])


def test_a_board_is_paired_by_its_digits(who: SimpleNamespace, database: Database) -> None:
    number = paired(who.ward, database)
    row = tokens(database)[0]
    assert (row.id, row.role, row.office_id, row.hall_id, row.label) == (
        number, "display", "ward", "ward-citizen", "表示板1",
    )  # fmt: skip
    with database.transaction() as session:
        devices.deliver(session, device="board", token="secret of the board", at=datetime.now(UTC))
    assert "○ 正常" in re.sub(r"\s+", " ", text_of(who.ward.get("/devices")))
    assert log(database) == [("device_paired", f"staff:{who.ward.account_id}")]


@pytest.mark.parametrize(
    ("given", "status", "field", "said"),
    [
        ({"code": "12"}, 422, "code", "6けたの数字"),
        ({"code": "000000"}, 422, "code", "この番号の端末はありません"),
        ({"role": "city-admin"}, 422, "role", "えらんでください"),
        ({"label": ""}, 422, "label", "入力してください"),
        ({"label": "x" * 31}, 422, "label", "30文字まで"),
        ({"place": "branch/"}, 404, None, ""),
        ({"place": "ward/branch-main"}, 404, None, ""),
        ({"place": ""}, 404, None, ""),
        ({"place": "branch\x00/"}, 404, None, ""),
        ({"place": "ward/\x00branch-main"}, 404, None, ""),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    who: SimpleNamespace, database: Database, given: dict[str, str], status: int, field: str | None, said: str
) -> None:
    glass(database)
    answer = who.ward.post("/devices/pair", page="/devices", **(FORM | given))
    assert answer.status_code == status
    if field:
        assert re.search(rf'id="err-{field}">.*?{said}', answer.text, re.DOTALL)
        assert re.search(rf'name="{field}"[^>]*aria-describedby="err-{field}"', answer.text)
    assert tokens(database) == []


def test_guessing_codes_is_slowed(who: SimpleNamespace, database: Database) -> None:
    glass(database)
    for _ in range(5):
        assert who.ward.post("/devices/pair", page="/devices", **(FORM | {"code": "000000"})).status_code == 422
    slowed = who.ward.post("/devices/pair", page="/devices", **FORM)
    assert (slowed.status_code, slowed.headers["Retry-After"]) == (429, "300")
    assert tokens(database) == []
    assert paired(who.city, database)


def test_a_device_is_renamed_and_taken_away(who: SimpleNamespace, database: Database) -> None:
    number = paired(who.ward, database)
    one, page = f"/devices/{number}", f"/devices/{number}"
    assert who.ward.post(one, page=page, label="<b>表示板2</b>", place="ward/").status_code == 303
    row = tokens(database)[0]
    assert (row.label, row.hall_id) == ("<b>表示板2</b>", None)
    assert "<b>表示板2" not in who.ward.get("/devices").text
    # Another office cannot be chosen; role, office and token are no fields.
    extra = {"role": "city-admin", "office_id": "branch", "token_hash": "x", "revoked_at": ""}
    assert who.ward.post(one, page=page, label="表示板2", place="branch/branch-main", **extra).status_code == 404
    who.ward.post(one, page=page, label="表示板3", place="ward/", **extra)
    row = tokens(database)[0]
    assert (row.label, row.role, row.office_id) == ("表示板3", "display", "ward")
    for path in (one, f"{one}/revoke"):
        assert who.branch.post(path, page="/devices", label="x", place="branch/").status_code == 404
    assert who.branch.get(one).status_code == 404
    assert who.ward.post(f"{one}/revoke", page=page).status_code == 303
    assert tokens(database)[0].revoked_at is not None
    again = who.ward.post(f"{one}/revoke", page="/devices")
    assert (again.status_code, "もう止まっています" in again.text) == (409, True)


def test_trouble_is_told_first_with_what_to_do(who: SimpleNamespace, database: Database) -> None:
    number = paired(who.ward, database)
    with database.transaction() as session:
        devices.deliver(session, device="board", token="secret of the board", at=datetime.now(UTC))
        session.get_one(AccessToken, number).seen_at = datetime.now(UTC) - timedelta(seconds=41)
    page = text_of(who.ward.get("/devices"))
    assert re.search(r"表示板1から、4\d秒前を最後に合図がありません", page)
    assert "電源とLAN" in page
    assert "表示板1" not in text_of(who.branch.get("/devices"))


def test_programs_are_listed_apart(who: SimpleNamespace, database: Database) -> None:
    with database.transaction() as session:
        access.issue_token(
            session, token="p" * 20, role=Role.FLOOR_LEAD, municipality_id="aonami", office_id="ward",
            label="統計の取りこみ", at=datetime.now(UTC),
        )  # fmt: skip
    assert "プログラムの鍵(1)" in who.ward.get("/devices").text
    assert "統計の取りこみ" not in who.branch.get("/devices").text


def test_an_empty_list_says_how_to_begin(who: SimpleNamespace) -> None:
    assert "/pair を開くと" in text_of(who.ward.get("/devices")).replace("  ", " ")


def test_the_pin_of_the_kiosks(who: SimpleNamespace, database: Database) -> None:
    def send(pin: str, again: str, office: str = "ward") -> Any:
        return who.ward.post(f"/devices/{office}/pin", page="/devices", pin=pin, again=again)

    assert "まだありません" in who.ward.get("/devices").text
    for pin, again, said in (
        ("482913", "482914", "2つの欄で違って"),
        ("111111", "111111", "err-pin"),
        ("12", "12", "err-pin"),
    ):
        answer = send(pin, again)
        assert (answer.status_code, said in answer.text) == (422, True)
    assert "482913" not in send("482913", "482914").text
    assert send("482913", "482913").status_code == 303
    with database.snapshot() as session:
        stored = session.get_one(Office, "ward").settings["kiosk_pin"]
    assert access.verify_password(stored, pin_material(SECRET.encode(), "ward", "482913"))
    assert send("482913", "482913", "branch").status_code == 404
    assert log(database) == [("kiosk_pin_set", f"staff:{who.ward.account_id}")]
