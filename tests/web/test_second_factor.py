"""The second factor: set up, asked for, gone round by nobody, lost and given up; and where staff may come from."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from sqlalchemy.orm.attributes import flag_modified
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain import second_factor as rules
from app.domain.roles import Role
from app.models.people import AuditEntry, SecondFactor, SignInAttempt, StaffSession
from app.models.place import Municipality
from app.web.known_callers import KnownCallers
from tests.web.conftest import PASSWORD, SignIn
from tests.web.test_sign_in import csrf, enter

HALL = "192.0.2.1"


def post(client: FlaskClient, path: str, page: str = "/second-factor", **form: str) -> TestResponse:
    return client.post(path, data={"csrf_token": csrf(client, page), **form})


def secret_on(client: FlaskClient) -> bytes:
    found = re.search(r'class="key">([A-Z2-7 ]+)<', client.get("/second-factor").text)
    assert found is not None
    return rules.secret_of(found[1].replace(" ", ""))


def code(secret: bytes) -> str:
    return rules.code_of(secret, rules.step_of(datetime.now(UTC)))


def set_up(client: FlaskClient, database: Database) -> tuple[bytes, list[str]]:
    """From the password to the codes on paper; what the app and the paper then hold."""
    assert post(client, "/second-factor/begin", current=PASSWORD).status_code == 303
    secret = secret_on(client)
    done = post(client, "/second-factor/confirm", code=code(secret))
    assert done.status_code == 200
    with database.transaction() as session:
        # As if it had been some time ago: the app's code of this half-minute may still be used.
        session.execute(update(SecondFactor).values(last_step=0))
    return secret, re.findall(r"<li>([2-9a-z]{5}-[2-9a-z]{5})</li>", done.text)


def prove(client: FlaskClient, typed: str, **form: str) -> TestResponse:
    return post(client, "/sign-in/code", "/sign-in/code", code=typed, **form)


def access_rules(database: Database, web: Flask, **changed: Any) -> None:
    with database.transaction() as session:
        city = session.get_one(Municipality, "aonami")
        city.settings["staff_access"] = changed
        flag_modified(city, "settings")
    known = web.extensions["known_callers"]
    assert isinstance(known, KnownCallers)
    known.forget()


def acts(database: Database) -> list[str]:
    with database.snapshot() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_set_up_asked_for_and_proven(web: Flask, signed_in: SignIn, database: Database) -> None:
    secret, paper = set_up(signed_in("aoki", role=Role.CITY_ADMIN, office_id=None), database)
    assert len(set(paper)) == 10
    with database.snapshot() as session:
        kept = session.scalars(select(SecondFactor)).one()
        assert rules.secret_text(secret) not in kept.sealed
        assert not {each.replace("-", "") for each in paper} & set(kept.recovery)
    browser = web.test_client()
    answer = enter(browser, "aoki", PASSWORD, next="/admin/staff")
    assert (answer.status_code, answer.location) == (303, "/sign-in/code?next=/admin/staff")
    answer = prove(browser, code(secret), next="/admin/staff")
    assert (answer.status_code, answer.location) == (303, "/admin/staff")
    assert browser.get("/admin/staff").status_code == 200
    assert acts(database) == ["second_factor_on"]


def test_the_password_alone_is_nobody(web: Flask, signed_in: SignIn, database: Database) -> None:
    """By direct address, by the API and by the cookie of the half session put in the place of a whole one."""
    set_up(signed_in("aoki", role=Role.CITY_ADMIN, office_id=None), database)
    browser = web.test_client()
    enter(browser, "aoki", PASSWORD)
    with browser.session_transaction() as cookie:
        assert "staff" not in cookie
        cookie["staff"] = cookie["half"]
    assert browser.get("/api/v1/offices/ward/queue").status_code == 401
    for path in ("/admin/staff", "/second-factor", "/password", "/staff"):
        assert browser.get(path).location == f"/sign-in?next={path}"
    assert post(web.test_client(), "/sign-in/code", "/sign-in", code="123456").location == "/sign-in"


def test_a_code_counts_once_and_guessing_is_slowed(web: Flask, signed_in: SignIn, database: Database) -> None:
    secret, paper = set_up(signed_in("aoki"), database)
    used = code(secret)
    first, second = web.test_client(), web.test_client()
    enter(first, "aoki", PASSWORD)
    enter(second, "aoki", PASSWORD)
    assert prove(first, used).status_code == 303
    again = prove(second, used)
    assert (again.status_code, "もう使われています" in again.text) == (401, True)
    assert [prove(second, "000000").status_code for _ in range(4)] == [401] * 4
    slowed = prove(second, paper[0])
    assert (slowed.status_code, "Retry-After" in slowed.headers) == (429, True)


def test_a_code_on_paper_counts_once(web: Flask, signed_in: SignIn, database: Database) -> None:
    paper = set_up(signed_in("aoki"), database)[1]
    for typed, status in ((paper[3].upper(), 303), (paper[3], 401), (paper[4], 303)):
        browser = web.test_client()
        enter(browser, "aoki", PASSWORD)
        assert prove(browser, typed).status_code == status
    assert "残り8" in browser.get("/second-factor").text
    assert acts(database) == ["second_factor_on", "recovery_code_used", "recovery_code_used"]
    made = post(browser, "/second-factor/codes", current=PASSWORD).text
    assert "予備のコード" in made
    assert paper[5] not in made
    enter(other := web.test_client(), "aoki", PASSWORD)
    assert prove(other, paper[5]).status_code == 401


def test_what_is_unusual_is_told_to_administrators(web: Flask, signed_in: SignIn, database: Database) -> None:
    """Codes tried after the right password, and a sign-in from paper."""
    paper = set_up(signed_in("tanaka", name="田中 美咲"), database)[1]
    admin = signed_in("aoki", role=Role.CITY_ADMIN, office_id=None)
    assert "心あたり" not in admin.get("/admin").text
    enter(browser := web.test_client(), "tanaka", PASSWORD)
    for typed in ("000000",) * 4:
        prove(browser, typed)
    enter(again := web.test_client(), "tanaka", PASSWORD)
    prove(browser, "000000")
    assert "まちがいが続きました: 田中 美咲" in admin.get("/admin").text
    assert "madoguchi_sign_in_tries 5.0" in web.test_client().get("/metrics").text
    with database.transaction() as session:
        session.execute(delete(SignInAttempt))
    assert prove(again, paper[0]).status_code == 303
    told = admin.get("/admin").text
    assert "予備のコードで入りました: 田中 美咲" in told
    assert "まちがいが続きました" not in told


def test_the_half_session_ends(web: Flask, signed_in: SignIn, database: Database) -> None:
    secret = set_up(signed_in("aoki"), database)[0]
    enter(browser := web.test_client(), "aoki", PASSWORD)
    token = csrf(browser, "/sign-in/code")
    with database.transaction() as session:
        half = session.scalars(select(StaffSession).where(StaffSession.second_due)).one()
        half.expires_at = datetime.now(UTC)
    answer = browser.post("/sign-in/code", data={"csrf_token": token, "code": code(secret)})
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_only_with_the_password_and_a_code_is_it_given_up(web: Flask, signed_in: SignIn, database: Database) -> None:
    browser = signed_in("aoki")
    assert post(browser, "/second-factor/begin", current="wrong").status_code == 422
    secret = set_up(browser, database)[0]
    assert post(browser, "/second-factor/begin", current=PASSWORD).status_code == 409
    assert post(browser, "/second-factor/confirm", code=code(secret)).status_code == 409
    assert post(browser, "/second-factor/end", current="wrong", code=code(secret)).status_code == 422
    assert post(browser, "/second-factor/end", current=PASSWORD, code="000000").status_code == 422
    assert post(browser, "/second-factor/end", current=PASSWORD, code=code(secret)).status_code == 303
    assert enter(web.test_client(), "aoki", PASSWORD).location != "/sign-in/code"
    assert acts(database)[-1] == "second_factor_off"


def test_one_never_confirmed_is_not_asked_for(web: Flask, signed_in: SignIn) -> None:
    browser = signed_in("aoki")
    post(browser, "/second-factor/begin", current=PASSWORD)
    wrong = post(browser, "/second-factor/confirm", code="000000")
    assert (wrong.status_code, "コードが違う" in wrong.text) == (422, True)
    assert enter(web.test_client(), "aoki", PASSWORD).location == "/desk"


def test_a_role_that_must_have_one_does_nothing_before(web: Flask, signed_in: SignIn, database: Database) -> None:
    browser, clerk = signed_in("aoki", role=Role.CITY_ADMIN, office_id=None), signed_in("tanaka")
    access_rules(database, web, second_factor=["city-admin"])
    assert browser.get("/admin/staff").location == "/second-factor"
    refused = browser.get("/api/v1/offices/ward/reports/day")
    assert refused.status_code in (403, 404)
    assert "役割には、2段階の確認が必要" in browser.get("/second-factor").text
    assert clerk.get("/desk").status_code == 200
    set_up(browser, database)
    assert browser.get("/admin/staff").status_code == 200


def test_an_administrator_helps_others_and_the_operator_administrators(
    web: Flask, signed_in: SignIn, staff: Callable[..., int], database: Database
) -> None:
    clerk, okada = signed_in("tanaka"), signed_in("okada", role=Role.CITY_ADMIN, office_id=None)
    set_up(clerk, database)
    set_up(okada, database)
    admin = signed_in("aoki", role=Role.CITY_ADMIN, office_id=None)
    with database.snapshot() as session:
        ids = list(session.scalars(select(SecondFactor.account_id).order_by(SecondFactor.account_id)))
    answers = [post(admin, f"/admin/staff/{each}/factor", f"/admin/staff/{each}") for each in ids]
    assert [answer.status_code for answer in answers] == [303, 403]
    assert clerk.get("/desk").location == "/sign-in?next=/desk"
    assert enter(web.test_client(), "tanaka", PASSWORD).location == "/desk"
    assert enter(web.test_client(), "okada", PASSWORD).location == "/sign-in/code"
    assert "2段階の確認を外しました" in admin.get("/admin/log").text


@pytest.mark.parametrize("networks", [["192.0.2.0/24"], ["2001:db8::/32", "192.0.2.1"]], ids=str)
def test_staff_come_from_the_named_networks_alone(
    web: Flask, signed_in: SignIn, staff: Callable[..., int], database: Database, networks: list[str]
) -> None:
    staff("tanaka")
    access_rules(database, web, addresses=networks)
    inside, outside = web.test_client(), web.test_client()
    assert enter(inside, "tanaka", PASSWORD, address=HALL).status_code == 303
    for login in ("tanaka", "nobody"):
        refused = enter(outside, login, PASSWORD, address="198.51.100.7")
        assert (refused.status_code, "この場所からはサインインできません" in refused.text) == (403, True)
    here, there = {"REMOTE_ADDR": HALL}, {"REMOTE_ADDR": "198.51.100.7"}
    assert inside.get("/desk", environ_base=here).status_code == 200
    # A session that was carried away opens nothing, and residents are let in as before.
    assert inside.get("/desk", environ_base=there).location == "/sign-in?next=/desk"
    assert outside.get("/", environ_base=there).status_code == 200


def test_a_network_of_another_municipality_opens_nothing(
    web: Flask, staff: Callable[..., int], database: Database
) -> None:
    staff("tanaka")
    with database.transaction() as session:
        session.add(Municipality(id="other", name={"ja": "他"}, settings={}))
    access_rules(database, web, addresses=["192.0.2.0/24"])
    refused = enter(web.test_client(), "tanaka", PASSWORD, address="198.51.100.7")
    assert (refused.status_code, "職員番号またはパスワードが違います" in refused.text) == (401, True)
