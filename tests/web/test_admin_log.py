"""The log on the screen: for auditors everything, for a department its own office, and never a way to change it."""

from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import update

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import AuditEntry
from app.web.admin import log as room
from tests.web.admin import Staff, log, sign_in, text_of


@pytest.fixture
def who(web: Flask, database: Database) -> SimpleNamespace:
    found = SimpleNamespace(
        aoki=sign_in(web, database, Role.CITY_ADMIN, login="aoki"),
        ward=sign_in(web, database, Role.DEPARTMENT_ADMIN, login="nishimura", office="ward"),
        audit=sign_in(web, database, Role.AUDITOR, login="kubo"),
    )
    for number, office in enumerate(("ward", "branch"), 1):
        facts = {"login": f"clerk{number}", "name": f"職員{number}", "section": "", "role": "clerk", "office": office}
        assert found.aoki.post("/staff", **facts).status_code == 200
    return found


def test_an_auditor_reads_everything_in_words(who: SimpleNamespace) -> None:
    page = text_of(who.audit.get("/log"))
    for said in ("aoki さん", "職員を足しました", "職員1", "職員2", "職員番号"):
        assert said in page, said
    assert page.index("職員2") < page.index("職員1")


def test_a_department_reads_its_own_office(who: SimpleNamespace) -> None:
    page = text_of(who.ward.get("/log"))
    assert "職員1" in page
    assert "職員2" not in page
    # The whole chain is not a department's to check.
    assert "書かれたときのままです" not in who.ward.get("/log", check="1").text


def test_what_was_changed_stands_before_and_after(who: SimpleNamespace, database: Database) -> None:
    facts = {"name": "職員1", "section": "税務課", "role": "floor-lead", "office": "ward"}
    assert who.aoki.post("/staff/4", **facts).status_code == 303
    page = " ".join(text_of(who.audit.get("/log")).split())
    assert "役割 職員 → フロア責任者" in page
    assert "課・係 – → 税務課" in page


def test_the_chain_is_checked_on_the_screen(who: SimpleNamespace, database: Database) -> None:
    page = text_of(who.audit.get("/log", check="1"))
    assert "2件すべて、書かれたときのままです" in page
    with database.transaction() as session:
        session.execute(update(AuditEntry).where(AuditEntry.number == 1).values(actor="staff:9"))
    page = text_of(who.audit.get("/log", check="1"))
    assert "1番目から先が、書かれたときと違います" in page


def test_pages_go_back(who: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_ROWS", 1)
    first = who.audit.get("/log").text
    assert "before=2" in first
    last = who.audit.get("/log", before="2").text
    assert "職員1" in last
    assert "before=1" not in last
    for odd in ("0", "-1", "x"):
        assert who.audit.get("/log", before=odd).status_code == 200


def test_nobody_writes_to_it(who: SimpleNamespace, database: Database) -> None:
    before = log(database)
    for staff in (who.audit, who.aoki):
        someone: Staff = staff
        for path in ("/log", "/log/1"):
            assert someone.post(path).status_code in (404, 405)
    assert log(database) == before
