"""/metrics: for the operator's side alone, and nothing of a person in it."""

import re
from collections.abc import Callable

import pytest
from flask import Flask

from app.db.session import Database
from app.domain.roles import Role
from app.factory import create_app
from app.models.scheduling import SchedulerLease
from app.web import security
from config.settings import Settings
from tests.web.conftest import SECRET, Caller

OUTSIDE = {"REMOTE_ADDR": "203.0.113.9"}


def value(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, name
    return float(found[1])


def test_what_it_tells(web: Flask, kiosk: Caller, lead: Caller, database: Database) -> None:
    ticket = kiosk.ticket("juminhyo")
    kiosk.post("/offices/ward/tickets", {"services": ["nothing"]})
    lead.post("/counters/ward-2/open", {"categories": ["ward-certificates"]})
    with database.transaction() as session:
        session.add(SchedulerLease(name="scheduler", holder="x", fence=1, expires_at=security.now()))
    text = web.test_client().get("/metrics").text
    assert value(text, 'madoguchi_requests_total{route="api_tickets.issue",status="201"}') == 1
    assert value(text, 'madoguchi_requests_total{route="api_tickets.issue",status="404"}') == 1
    assert value(text, 'madoguchi_request_seconds_count{route="api_tickets.issue"}') == 2
    assert value(text, 'madoguchi_waiting{office="ward"}') == 1
    assert value(text, 'madoguchi_waiting{office="branch"}') == 0
    assert 0 <= value(text, 'madoguchi_oldest_wait_seconds{office="ward"}') < 60
    assert value(text, 'madoguchi_open_counters{office="ward"}') == 1
    assert value(text, 'madoguchi_seq{office="ward"}') >= 2
    assert value(text, f'madoguchi_database_up{{kind="{"sqlite" if database.is_sqlite else "postgresql"}"}}') == 1
    assert 44 < value(text, "madoguchi_scheduler_lease_age_seconds") < 60
    assert ticket["token"] not in text
    assert ticket["number"] not in text


def test_labels_do_not_grow_with_what_is_asked(web: Flask) -> None:
    client = web.test_client()
    for number in range(30):
        client.get(f"/nowhere/{number}")
        client.get(f"/t/{number}" * 3)
        client.get(f"/api/v1/offices/{number}")
    text = client.get("/metrics").text
    assert value(text, 'madoguchi_requests_total{route="none",status="404"}') == 60
    assert value(text, 'madoguchi_requests_total{route="api_offices.one",status="404"}') == 30
    assert len(re.findall("^madoguchi_requests_total", text, re.MULTILINE)) <= 4


def test_from_outside_it_is_not_there(web: Flask) -> None:
    client = web.test_client()
    hidden, absent = (client.get(path, environ_base=OUTSIDE) for path in ("/metrics", "/metricss"))
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.get_json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_passed_on_by_a_proxy_it_is_not_there(web: Flask, name: str) -> None:
    assert web.test_client().get("/metrics", headers={name: "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize("role", list(Role))
def test_a_token_of_a_city_administrator_opens_it(web: Flask, token: Callable[..., str], role: Role) -> None:
    headers = {"Authorization": f"Bearer {token(role, office_id=None)}"}
    seen = web.test_client().get("/metrics", headers=headers, environ_base=OUTSIDE)
    assert seen.status_code == (200 if role is Role.CITY_ADMIN else 404)


def test_a_wrong_token_learns_nothing(web: Flask) -> None:
    headers = {"Authorization": "Bearer nobody-has-this-token"}
    assert web.test_client().get("/metrics", headers=headers, environ_base=OUTSIDE).status_code == 404


@pytest.mark.parametrize(
    ("public_url", "proxies", "status"),
    [("", 0, 200), ("https://machi.example", 0, 404), ("https://machi.example", 1, 200)],
)
def test_behind_a_proxy_loopback_counts_only_when_it_is_declared(
    database: Database, public_url: str, proxies: int, status: int
) -> None:
    settings = Settings(
        secret_key=SECRET, database_url=database.url, public_url=public_url, trusted_proxies=proxies,
        allowed_hosts="localhost",
    )  # fmt: skip
    assert create_app(settings, database).test_client().get("/metrics").status_code == status


def test_a_database_that_is_away_is_told(web: Flask, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.domain.errors import Unavailable

    def away() -> None:
        raise Unavailable(retry_after=1)

    monkeypatch.setattr(database, "snapshot", away)
    seen = web.test_client().get("/metrics")
    assert seen.status_code == 200
    assert "madoguchi_database_up" in seen.text
    assert "madoguchi_waiting{" not in seen.text
