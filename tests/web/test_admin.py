"""Administration as a whole: who may open what, other places are absent, refusals have words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.db.session import Database
from app.domain import errors
from app.domain.roles import Function, Role, may
from app.models.place import Municipality, Office
from app.web.admin.message_words import FAULTS
from app.web.sentences import SENTENCES
from tests.web.admin import Staff, sign_in

APP = Path(__file__).parents[2] / "app"
SCREENS = {
    "": Function.READ_AUDIT, "/log": Function.READ_AUDIT, "/log?check=1": Function.READ_AUDIT,
    "/staff": Function.MANAGE_PEOPLE, "/staff?new=1": Function.MANAGE_PEOPLE, "/staff?q=nobody": Function.MANAGE_PEOPLE,
    "/devices": Function.MANAGE_DEVICES, "/kiosk/ward": Function.EDIT_PLACE,
    "/kiosk/ward?purpose=move_in&words=pt&clock=16:50": Function.EDIT_PLACE,
    "/kiosk/ward/publish": Function.EDIT_PLACE, "/kiosk/ward/discard": Function.EDIT_PLACE,
    "/kiosk/ward/history": Function.EDIT_PLACE, "/hours/ward": Function.EDIT_PLACE,
    "/hours/ward?day=2026-04-20": Function.EDIT_PLACE, "/hours/ward?rule=01": Function.EDIT_PLACE,
    "/hours/ward?rule=new": Function.EDIT_PLACE, "/hours/ward?closure=01": Function.EDIT_PLACE,
    "/hours/ward?month=2026-12": Function.EDIT_PLACE, "/hours/ward/publish": Function.EDIT_PLACE,
    "/hours/ward/history": Function.EDIT_PLACE, "/hours/ward/discard": Function.EDIT_PLACE,
}  # fmt: skip
PLACES = {
    Role.CLERK: "ward", Role.FLOOR_LEAD: "ward", Role.DEPARTMENT_ADMIN: "ward", Role.CITY_ADMIN: None,
    Role.AUDITOR: None,
}  # fmt: skip


@pytest.mark.parametrize("role", PLACES)
def test_each_role_opens_its_screens_and_no_other(web: Flask, database: Database, role: Role) -> None:
    who = sign_in(web, database, role, login="somebody", office=PLACES[role])
    for path, function in SCREENS.items():
        answer = who.get(path)
        assert answer.status_code == (200 if may(role, function) else 403), path
        assert "style=" not in answer.text
        assert not re.search(r"<script(?![^>]*src=)(?![^>]*application/json)", answer.text)
        assert "Undefined" not in answer.text


def test_nobody_is_sent_to_the_door(web: Flask) -> None:
    client = web.test_client()
    for path in SCREENS:
        answer = client.get(f"/admin{path}")
        assert (answer.status_code, answer.location.split("?")[0]) == (302, "/sign-in")


@pytest.fixture
def elsewhere(database: Database) -> None:
    """Another municipality with an office."""
    with database.transaction() as session:
        session.add(Municipality(id="other", name={"ja": "よそ市"}, settings={"languages": ["ja"]}))
        session.flush()
        session.add(Office(id="yoso", municipality_id="other", name={"ja": "よそ"}, epoch="1"))


EVERY_POST = [
        "/kiosk/{o}/button/move_in", "/kiosk/{o}/button/move_in/move", "/kiosk/{o}/button/move_in/show",
        "/kiosk/{o}/publish",
        "/kiosk/{o}/take-back", "/kiosk/{o}/discard", "/kiosk/{o}/restore", "/hours/{o}/day/2099-04-01",
        "/hours/{o}/rule/01", "/hours/{o}/rule/new", "/hours/{o}/rule/01/remove", "/hours/{o}/closure/01",
        "/hours/{o}/closure/01/remove", "/hours/{o}/holidays", "/hours/{o}/publish", "/devices/{o}/pin",
]  # fmt: skip


@pytest.mark.parametrize("office", ["branch", "yoso", "nowhere"])
def test_another_office_is_absent(web: Flask, database: Database, elsewhere: None, office: str) -> None:
    who = sign_in(web, database, Role.DEPARTMENT_ADMIN, login="nishimura", office="ward")
    for path in ("kiosk", "hours"):
        for more in ("", "/publish", "/history", "/discard"):
            assert who.get(f"/{path}/{office}{more}").status_code == 404
    fields = {
        "version": "1", "based_on": "1", "key": "order", "kind": "closed", "pin": "482913", "again": "482913",
        "idempotency_key": "a-key-of-ours",
    }  # fmt: skip
    for path in EVERY_POST:
        assert who.post(path.format(o=office), **fields).status_code == 404, path


def test_every_form_refuses_a_stranger(web: Flask, database: Database) -> None:
    who = sign_in(web, database, Role.CITY_ADMIN, login="aoki")
    paths = [path.format(o="ward") for path in EVERY_POST] + [
        "/staff", "/staff/1", "/staff/1/close", "/staff/1/password", "/staff/1/lift", "/staff/approvals/1/approve",
        "/devices/pair", "/devices/1", "/devices/1/revoke",
    ]  # fmt: skip
    for path in paths:
        assert who.client.post(f"/admin{path}", data={}).status_code == 403, path
        assert who.client.get(f"/admin{path}").status_code in (200, 404, 405), path


def test_numbers_no_database_holds_are_not_found(web: Flask, database: Database) -> None:
    who = sign_in(web, database, Role.CITY_ADMIN, login="aoki")
    huge = "9" * 30
    for path in (f"/staff/{huge}", f"/devices/{huge}", "/staff/-1", "/staff/2147483647", "/devices/2147483647"):
        assert who.get(path).status_code == 404
    assert who.get("/log", before=huge).status_code == 200
    for asked in ("day=2026-13-01", "day=9999-12-31", "month=%00", "month=0000-00", "rule=99", "closure=zz"):
        assert who.get(f"/hours/ward?{asked}").status_code == 404, asked
    assert who.get("/kiosk/ward?purpose=none").status_code == 404


def codes_in(file: Path) -> Iterator[str]:
    """The codes a file raises or names as a fault."""
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    for node in ast.walk(ast.parse(file.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        told = node.args[:1] if name in kinds else [word.value for word in node.keywords if word.arg == "code"]
        if name in kinds or name == "Fault":
            yield from (each.value for each in told if isinstance(each, ast.Constant))


def test_every_code_has_a_sentence() -> None:
    told = {code for file in APP.rglob("*.py") for code in codes_in(file)}
    told |= {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DomainError)
    }
    assert len(told) > 60
    assert sorted(told - set(SENTENCES) - set(FAULTS)) == []


def test_the_overview_tells_what_waits(web: Flask, database: Database) -> None:
    who = sign_in(web, database, Role.CITY_ADMIN, login="aoki")
    who.post("/kiosk/ward/button/move_in/show", shown="no")
    assert "下書き・1か所" in who.get("").text
    clerk = sign_in(web, database, Role.CLERK, login="sato", office="ward")
    who.post(f"/staff/{clerk.account_id}", name="佐藤", section="", role="city-admin", office="")
    assert "承認を待つものが 1件" in who.get("").text
    auditor = Staff(sign_in(web, database, Role.AUDITOR, login="audit").client, 0)
    assert "下書き" not in auditor.get("").text
