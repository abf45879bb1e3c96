"""A board nobody touches: code, claim, token in a cookie of its own, and back to a code when it is taken away."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import AccessToken, Pairing
from app.services import audit, devices, people
from app.web import last_heard, pairing, security

KEY = audit.chain_key("kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")


def step(client: FlaskClient) -> TestResponse:
    """Press the page's one button."""
    page = client.get("/pair")
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    return client.post("/pair", data={"csrf_token": token[1]})


def code_on(client: FlaskClient) -> str:
    return "".join(re.findall(r'aria-hidden="true">(\d{3})<', client.get("/pair").text))


def claim(
    database: Database, code: str, role: str = "display", hall: str | None = "ward-citizen", counter: str | None = None
) -> int:
    with database.transaction() as session:
        return devices.claim(
            session, by=people.command_line("aonami"), code=code, role=role, office_id="ward", hall_id=hall,
            counter_id=counter, label="表示板1", at=datetime.now(UTC), key=KEY,
        ).id  # fmt: skip


def cookies(answer: TestResponse) -> SimpleCookie:
    found = SimpleCookie()
    for header in answer.headers.getlist("Set-Cookie"):
        found.load(header)
    return found


def state(client: FlaskClient) -> str:
    return str(client.get("/pair/state").get_json()["state"])


def beat(client: FlaskClient) -> bool:
    return bool(client.get("/pair/beat").get_json()["paired"])


def test_a_board_is_paired_without_a_hand(client: FlaskClient, database: Database) -> None:
    assert state(client) == "none"
    assert "番号を出す" in client.get("/pair").text
    assert step(client).location == "/pair"
    code = code_on(client)
    assert re.fullmatch(r"\d{6}", code)
    assert code_on(client) == code
    assert state(client) == "waiting"

    claim(database, code)
    assert state(client) == "claimed"
    answer = step(client)
    assert (answer.status_code, answer.location) == (303, "/board/ward/ward-citizen")
    kept = cookies(answer)[security.DEVICE_COOKIE]
    assert kept["httponly"]
    assert kept["samesite"] == "Lax"
    assert kept.value not in answer.text
    # It starts at /pair every morning, and keeps its cookie for another year.
    again = client.get("/pair")
    assert again.location == "/board/ward/ward-citizen"
    assert cookies(again)[security.DEVICE_COOKIE].value == kept.value


def test_a_kiosk_goes_to_its_own_screen(client: FlaskClient, database: Database) -> None:
    step(client)
    claim(database, code_on(client), role="kiosk", hall=None)
    assert step(client).location == "/kiosk/ward"
    assert beat(client)


def test_the_token_is_given_to_the_device_that_showed_the_code(web: Flask, database: Database) -> None:
    board, stranger = web.test_client(), web.test_client()
    step(board)
    step(stranger)
    claim(database, code_on(board))
    assert state(stranger) == "waiting"
    assert step(stranger).location == "/pair"
    stolen = board.get_cookie(pairing.COOKIE)
    assert stolen is not None
    assert step(board).location == "/board/ward/ward-citizen"
    # Once: whoever got hold of the device's secret afterwards gets a new code, not the token.
    stranger.set_cookie(pairing.COOKIE, stolen.value)
    assert state(stranger) == "none"
    assert security.DEVICE_COOKIE not in cookies(step(stranger))


def test_a_forged_form_pairs_nothing(client: FlaskClient) -> None:
    assert client.post("/pair").status_code == 403


def test_a_code_past_its_time_gives_way_to_another(client: FlaskClient, database: Database) -> None:
    step(client)
    with database.transaction() as session:
        session.scalars(select(Pairing)).one().expires_at = datetime.now(UTC) - timedelta(seconds=1)
    assert state(client) == "none"
    step(client)
    assert state(client) == "waiting"


def test_a_crowd_is_told_to_wait_without_the_error_page(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_MOST_CODES", 0)
    answer = step(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
    assert 'data-state="crowded"' in answer.text


def test_a_revoked_device_is_told_and_pairs_again(client: FlaskClient, database: Database) -> None:
    assert not beat(client)
    step(client)
    token_id = claim(database, code_on(client))
    step(client)
    assert beat(client)
    with database.transaction() as session:
        by = people.command_line("aonami")
        devices.revoke(session, by=by, token_id=token_id, at=datetime.now(UTC), key=KEY)
    assert not beat(client)
    assert step(client).location == "/pair"
    assert state(client) == "waiting"


def seen(database: Database, token_id: int) -> datetime | None:
    with database.snapshot() as session:
        return session.scalar(select(AccessToken.seen_at).where(AccessToken.id == token_id))


def test_beats_are_written_together(web: Flask, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    boards, ids = [web.test_client() for _ in range(3)], []
    for board in boards:
        step(board)
        ids.append(claim(database, code_on(board)))
        step(board)
    early = datetime.now(UTC) - timedelta(hours=1)
    with database.transaction() as session:
        for row in session.scalars(select(AccessToken).where(AccessToken.id.in_(ids))):
            row.seen_at = early
    web.extensions["last_heard"] = last_heard.LastHeard()
    written: list[int] = []
    heard = devices.heard
    monkeypatch.setattr(devices, "heard", lambda session, due: (written.append(len(due)), heard(session, due)))
    for board in boards:
        assert beat(board)
    assert written == [1]
    monkeypatch.setattr(last_heard, "_EVERY_SECONDS", 0.0)
    boards[0].get("/pair/beat")
    assert written == [1, 3]
    assert all((seen(database, each) or early) > early for each in ids)


def test_a_program_is_heard_by_its_calls(client: FlaskClient, database: Database, token: Callable[..., str]) -> None:
    secret = token(Role.KIOSK)
    headers = {"Authorization": f"Bearer {secret}"}
    key = {"Idempotency-Key": "heard-by-its-call"}
    client.post("/api/v1/offices/ward/tickets", json={"services": ["juminhyo"]}, headers=headers | key)
    with database.snapshot() as session:
        assert session.scalars(select(AccessToken.seen_at)).one() is not None


def test_a_busy_database_costs_a_word_and_no_request(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    step(client)
    claim(database, code_on(client))
    step(client)

    def busy(*_: object) -> None:
        raise devices.TooMany()

    monkeypatch.setattr(devices, "heard", busy)
    assert beat(client)


@pytest.mark.parametrize("code", ["ja", "en"])
def test_the_page_carries_no_inline_code(client: FlaskClient, code: str) -> None:
    step(client)
    page = client.get("/pair", query_string={"lang": code}).text
    assert "style=" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)


def test_a_display_above_a_counter_goes_to_its_own_screen(client: FlaskClient, database: Database) -> None:
    step(client)
    claim(database, code_on(client), hall=None, counter="ward-3")
    answer = step(client)
    assert (answer.status_code, answer.location) == (303, "/counter/ward-3")
    assert "3番窓口の表示" in client.get("/counter/ward-3").text
    assert client.get("/pair").location == "/counter/ward-3"
