"""The link of a number: 160 bits, stored hashed, told to nobody, the same answer for everything that is not one."""

import secrets
from typing import Any

import pytest
from sqlalchemy import select, text

from app.db.base import Base
from app.domain.roles import Role
from app.models.ticket import Ticket
from tests.abuse.bodies import WORDS
from tests.abuse.conftest import Hall, form_of

GOOD = {"services": ["juminhyo"]}


@pytest.fixture
def token(hall: Hall) -> str:
    found: str = hall.caller(Role.KIOSK).ticket("juminhyo")["token"]
    return found


def _wrong(token: str) -> list[str]:
    swapped = ("b" if token[0] == "a" else "a") + token[1:]
    return ["1", "2", "0", "-1", token[:-1], token + "a", swapped, token.upper(), token[::-1], "a" * 32, "x" * 4000]


@pytest.mark.parametrize("page", ["/api/v1/tickets/{}", "/t/{}", "/t/{}/cancel", "/kiosk/ward/ticket/{}"])
def test_everything_that_is_no_link_looks_the_same(hall: Hall, token: str, page: str) -> None:
    browser = hall.browser()
    answers = [browser.get(page.format(wrong)) for wrong in _wrong(token)]
    assert {answer.status_code for answer in answers} <= {404, 403 if page.startswith("/kiosk") else 404}
    assert len({answer.data for answer in answers}) == 1


@pytest.mark.parametrize("how", [how for how in WORDS if how not in ("empty", "path")])
def test_words_where_a_link_stands(hall: Hall, how: str) -> None:
    browser = hall.browser()
    for page in ("/api/v1/tickets/{}", "/t/{}", "/t/{}/cancel"):
        answer = browser.get(page.format(WORDS[how].replace("?", "").replace("%", "%25").replace("#", "")))
        assert answer.status_code == 404
        assert "alert(1)" not in answer.text
        assert "49" not in answer.text or "{{" not in WORDS[how]


def test_a_link_is_not_taken_from_the_query(hall: Hall, token: str) -> None:
    browser = hall.browser()
    for path in ("/api/v1/tickets?token={}", "/t?token={}", "/api/v1/tickets/x?token={}", "/t/x?token={}"):
        assert browser.get(path.format(token)).status_code in (404, 405)


def test_other_methods_tell_nothing(hall: Hall, token: str) -> None:
    browser = hall.browser()
    for page in ("/api/v1/tickets/{}", "/t/{}"):
        assert browser.head(page.format("nobody")).status_code == 404
        known, unknown = (browser.options(page.format(name)) for name in (token, "nobody"))
        assert (known.status_code, known.data, known.headers["Allow"]) == (
            unknown.status_code, unknown.data, unknown.headers["Allow"],
        )  # fmt: skip
        for method in ("PUT", "PATCH", "TRACE"):
            assert browser.open(page.format(token), method=method).status_code == 405


def test_a_thousand_guesses_a_minute_are_slowed(hall: Hall) -> None:
    browser = hall.browser()
    seen = [browser.get(f"/api/v1/tickets/{secrets.token_hex(16)}").status_code for _ in range(1_000)]
    assert set(seen) == {404, 429}
    assert seen.count(404) == 240
    assert seen[-1] == 429


def test_the_page_is_kept_and_told_nowhere(hall: Hall, token: str) -> None:
    browser = hall.browser()
    for path in (f"/t/{token}", f"/api/v1/tickets/{token}", f"/t/{token}/cancel"):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert (answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]) == ("no-referrer", "no-store")
        assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    refused = browser.get("/t/nobody")
    assert refused.headers["Cache-Control"] == "no-store"


def test_the_database_holds_no_link(hall: Hall, token: str) -> None:
    """A stolen copy opens no page: no column of any table holds the token, only its hash."""
    assert len(token) * 5 >= 128
    with hall.database.snapshot() as session:
        for table in Base.metadata.tables.values():
            for row in session.execute(select(table)):
                assert token not in str(row), table.name
        # The seed alone is not the token; with the secret outside the database it makes it.
        assert session.scalar(select(Ticket.seed).order_by(Ticket.id.desc()).limit(1)) != token
        assert session.execute(text("SELECT count(*) FROM ticket")).scalar()


def test_a_link_opened_by_a_scanner_changes_nothing(hall: Hall, token: str) -> None:
    browser = hall.browser()
    for path in (f"/t/{token}/cancel", f"/t/{token}", f"/t/{token}/rejoin"):
        browser.get(path)
        browser.head(path)
    assert browser.get(f"/api/v1/tickets/{token}").get_json()["status"] == "waiting"


@pytest.mark.parametrize("path", ["cancel", "rejoin"])
def test_a_strangers_form_changes_nothing(hall: Hall, token: str, path: str) -> None:
    browser = hall.browser()
    fields = form_of(browser, f"/t/{token}/cancel")
    for form, headers in (
        ({}, {}),
        (fields, {"Origin": "https://evil.example"}),
        ({"csrf_token": "guess"}, {}),
        ({"csrf_token": fields["csrf_token"][:-1]}, {"Origin": "null"}),
    ):
        answer = browser.post(f"/t/{token}/{path}", data=form, headers=headers)
        assert answer.status_code == 403
    assert browser.get(f"/api/v1/tickets/{token}").get_json()["status"] == "waiting"


def test_cancelled_twice_and_after_the_call(hall: Hall) -> None:
    kiosk, lead = hall.caller(Role.KIOSK), hall.caller(Role.FLOOR_LEAD)
    ticket = kiosk.ticket("juminhyo")
    for _ in range(3):
        answer = kiosk.client.delete(f"/api/v1/tickets/{ticket['token']}")
        assert (answer.status_code, answer.get_json()["status"]) == (200, "cancelled")
    at_counter: dict[str, Any] = lead.get("/offices/ward/queue").get_json()
    assert at_counter
    held = lead.post(f"/steps/{hall.things.step}/recall")
    assert held.status_code == 200
    answer = kiosk.client.delete(f"/api/v1/tickets/{hall.things.ticket}")
    assert answer.status_code == 409
    assert kiosk.client.get(f"/api/v1/tickets/{hall.things.ticket}").get_json()["status"] == "called"
