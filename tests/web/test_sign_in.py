"""Signing in: one answer for every mistake, nobody locked out by a stranger, no session that outlives its reason."""

import re
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.db.session import Database
from app.models.people import Account, SignInAttempt
from app.services import access
from app.web import sign_in as rules
from tests.web.conftest import SignIn

PASSWORD = "correct horse battery"
_VARIES = re.compile(
    r'(csrf_token" value|csrf-token" content|login" value|datetime)="[^"]*"| autofocus|<b>\d+:\d\d</b>'
)


def csrf(client: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def enter(client: FlaskClient, login: str, password: str, **more: Any) -> TestResponse:
    address = more.pop("address", "192.0.2.1")
    form = {"csrf_token": csrf(client), "login": login, "password": password, **more}
    return client.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": address})


def test_a_clerk_enters_and_leaves(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka")
    assert enter(client, "tanaka", PASSWORD).status_code == 303
    assert client.get("/staff").status_code == 200
    with client.session_transaction() as kept:
        token = kept["staff"]
    out = client.post("/sign-out", data={"csrf_token": csrf(client, "/staff")})
    assert out.location == "/sign-in"
    with client.session_transaction() as kept:
        kept["staff"] = token
    back = client.get("/staff")
    assert (back.status_code, back.location) == (302, "/sign-in?next=/staff")


def test_full_width_staff_numbers_are_understood(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("s1024")
    assert enter(client, " ｓ１０２４ ", PASSWORD).status_code == 303


def test_one_answer_for_every_mistake(web: Flask, staff: Callable[..., int], database: Database) -> None:
    staff("tanaka")
    closed = staff("gone")
    with database.transaction() as session:
        access.end_account(session, session.get_one(Account, closed))
    tries = [("tanaka", "wrong"), ("nobody", PASSWORD), ("gone", PASSWORD), ("", PASSWORD), ("a\x00b", PASSWORD)]
    pages = []
    for login, password in tries:
        answer = enter(web.test_client(), login, password)
        assert answer.status_code == 401
        pages.append(_VARIES.sub("", answer.text))
    assert len(set(pages)) == 1
    assert "職員番号またはパスワードが違います" in pages[0]


def test_an_unknown_number_takes_as_long_as_a_wrong_password(web: Flask, staff: Callable[..., int]) -> None:
    staff("tanaka")

    def seconds(login: str, address: str) -> float:
        client = web.test_client()
        token = csrf(client)
        begun = time.process_time()  # what others do on this machine is no part of it
        client.post(
            "/sign-in", data={"csrf_token": token, "login": login, "password": "wrong password"},
            environ_base={"REMOTE_ADDR": address},
        )  # fmt: skip
        return time.process_time() - begun

    known = statistics.median(seconds("tanaka", f"192.0.2.{n}") for n in range(5))
    unknown = statistics.median(seconds("nobody", f"198.51.100.{n}") for n in range(5))
    assert 0.5 < known / unknown < 2


def test_a_stranger_is_slowed_and_locks_nobody_out(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka")
    for _ in range(5):
        assert enter(client, "tanaka", "guess", address="203.0.113.9").status_code == 401
    slowed = enter(client, "tanaka", PASSWORD, address="203.0.113.9")
    assert slowed.status_code == 429
    assert int(slowed.headers["Retry-After"]) > 0
    assert "しばらくサインインできません" in slowed.text
    assert enter(client, "tanaka", PASSWORD, address="192.0.2.1").status_code == 303


def test_a_success_forgets_the_mistakes(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka")
    for _ in range(3):
        for _ in range(4):
            enter(client, "tanaka", "typo")
        assert enter(client, "tanaka", PASSWORD).status_code == 303
        client.post("/sign-out", data={"csrf_token": csrf(client, "/staff")})


def test_one_address_cannot_try_many_names(client: FlaskClient, database: Database) -> None:
    at = datetime.now(UTC)
    with database.transaction() as session:
        session.add_all(SignInAttempt(subject=f"203.0.113.9|{n}", at=at) for n in range(30))
    assert enter(client, "tanaka", "guess", address="203.0.113.9").status_code == 429
    assert enter(client, "tanaka", "guess", address="203.0.113.90").status_code == 401


def test_what_was_typed_is_not_kept(client: FlaskClient, database: Database) -> None:
    enter(client, "my secret password", "x")
    with database.snapshot() as session:
        kept = session.scalars(select(SignInAttempt.subject)).all()
    assert len(kept) == 1
    assert "secret" not in kept[0]


_ELSEWHERE = ("//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)",
              "evil", "/\n//evil", "/x:@evil")  # fmt: skip


def test_only_a_path_of_ours_is_followed(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka")
    assert [rules.local_path(asked) for asked in _ELSEWHERE] == [None] * len(_ELSEWHERE)
    answer = enter(client, "tanaka", PASSWORD, next=_ELSEWHERE[0])
    assert (answer.status_code, "evil" in answer.location) == (303, False)
    assert "evil" not in client.get("/sign-in", query_string={"next": _ELSEWHERE[0]}).location


def test_the_screen_that_was_asked_for_follows(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka")
    asked = client.get("/staff")
    assert asked.location == "/sign-in?next=/staff"
    assert enter(client, "tanaka", PASSWORD, next="/staff").location == "/staff"
    assert rules.local_path("/desk?step=3&x=%E3%81%82") is not None


def test_a_sign_in_begins_a_new_identity(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka")
    with client.session_transaction() as planted:
        planted["staff"] = "known-to-the-attacker"
        planted["leftover"] = "x"
    before = csrf(client)
    enter(client, "tanaka", PASSWORD)
    with client.session_transaction() as kept:
        assert kept["staff"] != "known-to-the-attacker"
        assert "leftover" not in kept
        first = kept["staff"]
    stale = client.post("/sign-out", data={"csrf_token": before})
    assert stale.status_code == 403
    client.post("/sign-in", data={"csrf_token": csrf(client, "/staff"), "login": "tanaka", "password": PASSWORD})
    with client.session_transaction() as kept:
        assert kept["staff"] != first
        kept["staff"] = first
    assert client.get("/staff").status_code == 302


def test_forms_of_strangers_are_refused(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka")
    form = {"login": "tanaka", "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 403
    evil = client.post("/sign-in", data=form | {"csrf_token": csrf(client)}, headers={"Origin": "https://evil.example"})
    assert evil.status_code == 403
    assert client.get("/staff").status_code == 302


def test_a_given_password_leads_to_a_new_one_first(client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka", must_change=True)
    assert enter(client, "tanaka", PASSWORD, next="/staff").location == "/password"
    assert client.get("/staff").location == "/password"
    refused = client.post("/api/v1/counters/ward-2/open", json={}, headers={"X-CSRFToken": csrf(client, "/password")})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "password_must_change")
    form = {"csrf_token": csrf(client, "/password"), "current": PASSWORD}
    fresh = "一番好きな場所は海岸"
    assert client.post("/password", data=form | {"new": fresh, "again": fresh}).status_code == 303
    assert client.get("/staff").status_code == 200


_REFUSED = [
    ("short", "short", "10文字以上"),
    ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "推測されやすい"),
    ("tanaka-tanaka-1", "tanaka-tanaka-1", "推測されやすい"),
    ("long enough one", "long enough two", "2つの欄で違って"),
    (PASSWORD, PASSWORD, "いまと違う"),
    ("correct horse 2" * 20, "correct horse 2" * 20, "推測されやすい"),
]


def test_bad_new_passwords(signed_in: SignIn) -> None:
    client = signed_in("tanaka")
    for number, (new, again, said) in enumerate(_REFUSED):
        form = {"csrf_token": csrf(client, "/password"), "current": PASSWORD, "new": new, "again": again}
        answer = client.post("/password", data=form, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"})
        assert answer.status_code == 422
        assert said in answer.text


def test_a_new_password_ends_every_other_session(web: Flask, signed_in: SignIn) -> None:
    here, elsewhere = signed_in("tanaka"), signed_in("tanaka")
    with here.session_transaction() as kept:
        old = kept["staff"]
    fresh = "a quite different one"
    form = {"csrf_token": csrf(here, "/password"), "current": PASSWORD, "new": fresh, "again": fresh}
    wrong = here.post("/password", data=form | {"current": "not this"})
    assert (wrong.status_code, elsewhere.get("/staff").status_code) == (422, 200)
    assert here.post("/password", data=form).status_code == 303
    assert here.get("/staff").status_code == 200
    assert elsewhere.get("/staff").status_code == 302
    with elsewhere.session_transaction() as kept:
        kept["staff"] = old
    assert elsewhere.get("/staff").status_code == 302
    assert enter(web.test_client(), "tanaka", PASSWORD).status_code == 401
    assert enter(web.test_client(), "tanaka", fresh).status_code == 303


def test_guessing_the_current_password_is_slowed(signed_in: SignIn) -> None:
    client = signed_in("tanaka")
    form = {"csrf_token": csrf(client, "/password"), "current": "x", "new": "a quite different one"}
    answers = [client.post("/password", data=form | {"again": form["new"]}).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_a_session_ends_with_its_account(signed_in: SignIn, database: Database) -> None:
    client = signed_in("tanaka")
    with database.transaction() as session:
        session.execute(update(Account).where(Account.login == "tanaka").values(active=False))
    assert client.get("/staff").status_code == 302


def test_the_last_sign_in_is_told(web: Flask, client: FlaskClient, staff: Callable[..., int]) -> None:
    staff("tanaka")
    enter(client, "tanaka", PASSWORD)
    assert "前回のサインイン" not in client.get("/staff").text
    again = web.test_client()
    enter(again, "tanaka", PASSWORD)
    assert "前回のサインイン" in again.get("/staff").text


def test_staff_screens_speak_english(signed_in: SignIn) -> None:
    client = signed_in("tanaka")
    assert 'lang="en"' in client.get("/staff?lang=en").text
    page = client.get("/staff").text
    assert '<html lang="en"' in page
    assert "Residents・Staff" in page
