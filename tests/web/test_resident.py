"""What a resident sees: pages in every language, a number without JavaScript, and nothing personal."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.web.locale import LANGUAGES
from tests.web.conftest import Caller


def token_of(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]  # type: ignore[index]


def take(client: FlaskClient, *services: str) -> str:
    """Take a number by the form; returns the address of its page."""
    page = client.get("/o/ward/take").text
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)[1]  # type: ignore[index]
    form = {"csrf_token": token_of(page), "idempotency_key": key, "service": list(services)}
    first, again = client.post("/o/ward/take", data=form), client.post("/o/ward/take", data=form)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    return str(first.location)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_page_speaks_every_language(client: FlaskClient, code: str) -> None:
    where = take(client, "juminhyo", "tennyu")
    for path in ("/", "/o/ward", "/o/ward/take", where, f"{where}/cancel"):
        answer = client.get(path, query_string={"lang": code})
        assert answer.status_code == 200
        assert "style=" not in answer.text
        assert "《" not in answer.text


def test_a_number_page_is_private(client: FlaskClient) -> None:
    answer = client.get(take(client, "juminhyo"))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/t/wrong").status_code == 404


def test_a_form_of_a_stranger_is_refused(web: Flask, client: FlaskClient) -> None:
    form = {"service": "juminhyo", "idempotency_key": "a-key-of-ours"}
    assert client.post("/o/ward/take", data=form).status_code == 403
    page = client.get("/o/ward/take").text
    evil = client.post(
        "/o/ward/take", data=form | {"csrf_token": token_of(page)}, headers={"Origin": "https://evil.example"}
    )
    assert evil.status_code == 403


def test_a_page_without_referrer_posts_with_its_token_only(client: FlaskClient) -> None:
    """A browser sends ``Origin: null`` from a page whose Referrer-Policy is no-referrer."""
    where = take(client, "juminhyo")
    form = {"csrf_token": token_of(client.get(f"{where}/cancel").text)}
    assert client.post(f"{where}/cancel", data={}, headers={"Origin": "null"}).status_code == 403
    assert client.post(f"{where}/cancel", data=form, headers={"Origin": "null"}).status_code == 303


def test_cancel_asks_first_and_is_the_same_twice(client: FlaskClient) -> None:
    where = take(client, "juminhyo")
    page = client.get(f"{where}/cancel").text
    for _ in range(2):
        assert client.post(f"{where}/cancel", data={"csrf_token": token_of(page)}).status_code == 303
    assert "この番号は取り消しました" in client.get(where).text


def test_called_fills_the_page(client: FlaskClient, lead: Caller) -> None:
    where = take(client, "juminhyo")
    counter = lead.get("/offices/ward").get_json()["counters"][1]["id"]
    lead.post(f"/counters/{counter}/open", {"categories": ["ward-certificates"]})
    called = lead.post(f"/counters/{counter}/call-next").get_json()
    page = client.get(where).text
    assert "お呼びしています" in page
    assert called["ticket"]["number"] in page
    lead.post(f"/steps/{called['step']['id']}/miss")
    missed = client.get(where).text
    assert "列にもどる" in missed
    client.post(f"{where}/rejoin", data={"csrf_token": token_of(missed)})
    assert "あなたの前" in client.get(where).text


def test_nothing_chosen_is_told(client: FlaskClient) -> None:
    page = client.get("/o/ward/take").text
    answer = client.post("/o/ward/take", data={"csrf_token": token_of(page), "idempotency_key": "nothing-chosen"})
    assert answer.status_code == 422
    assert "手続きを1つから12個まで" in answer.text
