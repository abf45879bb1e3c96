"""The staff screen: add, change, close, a password shown once, and the second person."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import Account, SignInAttempt
from app.models.place import Municipality
from app.services import access, accounts
from tests.web.admin import Staff, log, sign_in, text_of

FACTS = {"login": "tanaka", "name": "田中 美咲", "section": "市民課", "role": "clerk", "office": "ward"}


@pytest.fixture
def who(web: Flask, database: Database) -> SimpleNamespace:
    return SimpleNamespace(
        aoki=sign_in(web, database, Role.CITY_ADMIN, login="aoki"),
        okada=sign_in(web, database, Role.CITY_ADMIN, login="okada"),
        sato=sign_in(web, database, Role.CLERK, login="sato", office="ward"),
    )


def account(database: Database, login: str) -> Account:
    with database.snapshot() as session:
        return session.scalars(select(Account).where(Account.login == login)).one()


def password_on(page: str) -> str:
    found = re.search(r'class="secret"[^>]*>([^<]+)<', page)
    assert found is not None
    return found[1]


def test_a_new_account_gets_a_password_shown_once(who: SimpleNamespace, database: Database) -> None:
    answer = who.aoki.post("/staff", **FACTS)
    password = password_on(answer.text)
    assert re.fullmatch(r"(?:[2-9a-z]{4}-){2}[2-9a-z]{4}", password)
    made = account(database, "tanaka")
    assert access.verify_password(made.password_hash, password)
    assert (made.must_change, made.role, made.office_id) == (True, "clerk", "ward")
    assert password not in who.aoki.get(f"/staff/{made.id}").text
    assert "田中 美咲" in who.aoki.get("/staff").text
    assert log(database) == [("account_added", f"staff:{who.aoki.account_id}")]
    # Sent twice, the second finds the number taken and shows no password.
    again = who.aoki.post("/staff", **FACTS)
    assert (again.status_code, "すでに使われています" in again.text, "secret" in again.text) == (409, True, False)


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"login": "田中"}, "login", "英小文字と数字"),
        ({"name": ""}, "name", "入力してください"),
        ({"name": "あ" * 41}, "name", "40文字まで"),
        ({"role": "display"}, "role", "役割をえらんで"),
        ({"role": ""}, "role", "役割をえらんで"),
        ({"office": ""}, "office", "庁舎をえらんで"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    who: SimpleNamespace, given: dict[str, str], field: str, said: str
) -> None:
    answer = who.aoki.post("/staff", **(FACTS | given))
    assert answer.status_code == 422
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true" aria-describedby="err-{field}"', answer.text)
    found = re.search(rf'id="err-{field}">(.*?)</p>', answer.text, re.DOTALL)
    assert found is not None
    assert said in found[1]
    # What was typed is still there.
    assert (FACTS | given)["section"] in answer.text


def test_fields_nobody_offered_are_not_applied(who: SimpleNamespace, database: Database) -> None:
    extra = {"active": "false", "municipality_id": "other", "must_change": "", "password_hash": "x", "id": "1"}
    assert who.aoki.post("/staff", **FACTS, **extra).status_code == 200
    made = account(database, "tanaka")
    assert (made.active, made.municipality_id, made.must_change) == (True, "aonami", True)
    assert made.password_hash.startswith("$argon2id$")
    changed = {"name": "田中", "section": "", "role": "clerk", "office": "ward"}
    assert who.aoki.post(f"/staff/{made.id}", **changed, login="root", **extra).status_code == 303
    made = account(database, "tanaka")
    assert (made.name, made.active, made.must_change) == ("田中", True, True)


def test_words_of_people_are_text(who: SimpleNamespace) -> None:
    answer = who.aoki.post("/staff", **(FACTS | {"name": "<script>alert(1)</script>", "section": '"><img src=x>'}))
    assert answer.status_code == 200
    for page in (answer.text, who.aoki.get("/staff").text, who.aoki.get("/log").text):
        assert "<script>alert" not in page
        assert "<img" not in page
    assert "&lt;script&gt;alert(1)" in answer.text


def test_a_change_of_role_signs_out_at_once(who: SimpleNamespace, database: Database) -> None:
    assert who.sato.client.get("/staff").status_code == 200
    answer = who.aoki.post(f"/staff/{who.sato.account_id}", name="佐藤", section="", role="auditor", office="")
    assert answer.status_code == 303
    assert who.sato.client.get("/staff").status_code == 302
    assert account(database, "sato").role == "auditor"


def test_closing_signs_out_and_a_new_password_opens_again(who: SimpleNamespace, database: Database) -> None:
    one = f"/staff/{who.sato.account_id}"
    assert who.aoki.post(f"{one}/close").status_code == 303
    assert who.sato.client.get("/staff").status_code == 302
    assert "止めています" in who.aoki.get("/staff").text
    answer = who.aoki.post(f"{one}/password")
    sato = account(database, "sato")
    assert sato.active
    assert access.verify_password(sato.password_hash, password_on(answer.text))
    assert [action for action, _ in log(database)] == ["account_closed", "account_opened"]


def test_a_second_person_approves_on_the_screen(who: SimpleNamespace, database: Database) -> None:
    facts = {"name": "佐藤", "section": "", "role": "city-admin", "office": ""}
    answer = who.aoki.post(f"/staff/{who.sato.account_id}", **facts)
    assert "done=asked" in answer.location
    assert account(database, "sato").role == "clerk"
    page = who.aoki.get("/staff").text
    assert "佐藤さんを全体管理者にする" in page
    assert "2人目として承認する" not in page
    link = re.search(r"/staff/approvals/(\d+)/approve", who.okada.get("/staff").text)
    assert link is not None
    # The one who asked sends the form by hand: refused, in words.
    alone = who.aoki.post(f"/staff/approvals/{link[1]}/approve")
    assert (alone.status_code, "もう1人の全体管理者が承認します" in alone.text) == (403, True)
    assert account(database, "sato").role == "clerk"
    assert who.okada.post(f"/staff/approvals/{link[1]}/approve").status_code == 303
    assert account(database, "sato").role == "city-admin"
    assert who.okada.post(f"/staff/approvals/{link[1]}/approve").status_code == 409


def test_a_new_city_administrator_gets_the_password_from_the_second(who: SimpleNamespace, database: Database) -> None:
    asked = who.aoki.post("/staff", **(FACTS | {"role": "city-admin"}))
    assert (asked.status_code, "secret" in asked.text) == (303, False)
    link = re.search(r"(/staff/approvals/\d+)/approve", who.okada.get("/staff").text)
    assert link is not None
    answer = who.okada.post(f"{link[1]}/approve")
    assert access.verify_password(account(database, "tanaka").password_hash, password_on(answer.text))


def test_a_request_is_declined(who: SimpleNamespace, database: Database) -> None:
    who.aoki.post("/staff", **(FACTS | {"role": "city-admin"}))
    link = re.search(r"(/staff/approvals/\d+)/decline", who.aoki.get("/staff").text)
    assert link is not None
    assert who.aoki.post(f"{link[1]}/decline").status_code == 303
    assert not account(database, "tanaka").active


def test_the_own_rights_stay(who: SimpleNamespace, database: Database) -> None:
    own = f"/staff/{who.aoki.account_id}"
    for path in (f"{own}/close", f"{own}/password"):
        answer = who.aoki.post(path)
        assert (answer.status_code, "自分の役割や使用は変えられません" in answer.text) == (403, True)
    facts = {"name": "青木", "section": "", "role": "auditor", "office": ""}
    assert who.aoki.post(own, **facts).status_code == 403
    assert account(database, "aoki").role == "city-admin"
    assert log(database) == []


def test_wrong_tries_are_seen_and_lifted(who: SimpleNamespace, database: Database) -> None:
    with database.transaction() as session:
        for _ in range(5):
            subject = accounts.subject_of("sato", "10.0.0.7")
            session.add(SignInAttempt(subject=subject, at=datetime.now(UTC)))
        session.add(SignInAttempt(subject=accounts.subject_of("aoki", "10.0.0.7"), at=datetime.now(UTC)))
    assert "5回まちがい" in text_of(who.aoki.get("/staff"))
    overview = text_of(who.aoki.get(""))
    assert "まちがいが続きました: sato さん" in overview
    assert "予備のコードで入りました" not in overview
    assert who.aoki.post(f"/staff/{who.sato.account_id}/lift").status_code == 303
    assert "5回まちがい" not in text_of(who.aoki.get("/staff"))
    with database.snapshot() as session:
        assert len(session.scalars(select(SignInAttempt)).all()) == 1
    assert log(database) == [("tries_lifted", f"staff:{who.aoki.account_id}")]


def test_searching_finds_by_name_section_and_number(who: SimpleNamespace) -> None:
    found = text_of(who.aoki.get("/staff", q="sato"))
    assert "sato さん" in found
    assert "okada さん" not in found
    nothing = who.aoki.get("/staff", q='%"><b>')
    assert "合う職員はいません" in nothing.text
    assert "<b>&#34;" not in nothing.text


def test_another_city_sees_nobody_of_ours(who: SimpleNamespace, web: Flask, database: Database) -> None:
    with database.transaction() as session:
        session.add(Municipality(id="other", name={"ja": "よそ市"}, settings={"languages": ["ja"]}))
    stranger: Staff = sign_in(web, database, Role.CITY_ADMIN, login="yoso", city="other")
    assert "sato" not in stranger.get("/staff").text
    one = f"/staff/{who.sato.account_id}"
    assert stranger.get(one).status_code == 404
    for path in (one, f"{one}/close", f"{one}/password", f"{one}/lift"):
        sent = {"name": "x", "section": "", "role": "auditor", "office": ""}
        assert stranger.post(path, **sent).status_code == 404
    assert account(database, "sato").active
