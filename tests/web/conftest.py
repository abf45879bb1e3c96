"""A web application on a fresh database, and callers of each kind."""

import itertools
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.calendar import business_date, instant
from app.domain.roles import Role
from app.factory import create_app
from app.models.people import Account
from app.services import access
from app.web.security import STAFF_COOKIE
from config.settings import Settings
from tests.web.lead_screen import Lead, Past

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"
_keys = itertools.count()


@pytest.fixture(autouse=True)
def _well_into_the_day() -> Iterator[None]:
    """Three o'clock in Japan at least: a test that moves the hall an hour back must not fall on the day before."""
    now = datetime.now(UTC)
    early = instant(business_date(now), time(3))
    if now >= early:
        yield
        return
    with time_machine.travel(early, tick=True):
        yield


@pytest.fixture
def web(database: Database) -> Flask:
    """The application on each kind of database, always open (training)."""
    settings = Settings(secret_key=SECRET, database_url=database.url)
    return create_app(settings, database)


@pytest.fixture
def client(web: Flask) -> FlaskClient:
    return web.test_client()


@pytest.fixture
def token(database: Database) -> Callable[..., str]:
    """Issue a bearer token: token(Role.CLERK, counter_id=…)."""

    def issue(
        role: Role, *, city: str = "aonami", office_id: str | None = "ward", counter_id: str | None = None
    ) -> str:
        secret = secrets.token_urlsafe(32)
        with database.transaction() as session:
            access.issue_token(
                session, token=secret, role=role, municipality_id=city, office_id=office_id, counter_id=counter_id,
                at=datetime.now(UTC),
            )  # fmt: skip
        return secret

    return issue


class Caller:
    """Calls the API as one bearer, with a fresh Idempotency-Key for each POST."""

    def __init__(self, client: FlaskClient, bearer: str | None = None) -> None:
        self.client, self.bearer = client, bearer

    def headers(self, key: str | None = None) -> dict[str, str]:
        found = {"Idempotency-Key": key or f"test-key-{next(_keys):06d}"}
        return found | ({"Authorization": f"Bearer {self.bearer}"} if self.bearer else {})

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=body or {}, headers=self.headers(key))

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self.headers())

    def ticket(self, *services: str, **more: Any) -> dict[str, Any]:
        """Take a number and return it."""
        answer = self.post("/offices/ward/tickets", {"services": list(services), **more})
        assert answer.status_code == 201, answer.data
        found: dict[str, Any] = answer.get_json()
        return found


@pytest.fixture
def public(client: FlaskClient) -> Caller:
    return Caller(client)


@pytest.fixture
def lead(client: FlaskClient, token: Callable[..., str]) -> Caller:
    return Caller(client, token(Role.FLOOR_LEAD))


@pytest.fixture
def kiosk(client: FlaskClient, token: Callable[..., str]) -> Caller:
    return Caller(client, token(Role.KIOSK))


PASSWORD = "correct horse battery"
_HASHED = access.hash_password(PASSWORD)
SignIn = Callable[..., FlaskClient]


@pytest.fixture
def staff(database: Database) -> Callable[..., int]:
    """Add a member of staff with PASSWORD: staff("tanaka", role=Role.FLOOR_LEAD, name=…); returns the account's id."""

    def add(login: str, *, role: Role = Role.CLERK, office_id: str | None = "ward", **more: Any) -> int:
        with database.transaction() as session:
            account = Account(
                municipality_id="aonami", office_id=office_id, login=login, role=role, password_hash=_HASHED,
                created_at=datetime.now(UTC), **{"name": login, "section": "市民課"} | more,
            )  # fmt: skip
            session.add(account)
            session.flush()
            return account.id

    return add


@pytest.fixture
def signed_in(web: Flask, database: Database, staff: Callable[..., int]) -> SignIn:
    """A browser of a member of staff: signed_in("tanaka", counter="ward-5"); the account is made at first."""
    known: dict[str, int] = {}

    def enter(login: str, *, counter: str | None = None, **more: Any) -> FlaskClient:
        if login not in known:
            known[login] = staff(login, **more)
        secret = secrets.token_hex(20)
        with database.transaction() as session:
            account = session.get_one(Account, known[login])
            access.start_session(session, account, token=secret, at=datetime.now(UTC), counter_id=counter)
        browser = web.test_client()
        with browser.session_transaction() as cookie:
            cookie[STAFF_COOKIE] = secret
        page = browser.get("/sign-in")
        assert page.status_code == 302
        return browser

    return enter


@pytest.fixture
def past(database: Database) -> Past:
    """Moves the ward office some minutes ago."""
    return Past(database)


@pytest.fixture
def floor(signed_in: SignIn) -> Lead:
    """The floor lead's screen of the ward office."""
    return Lead(signed_in("yamaguchi", role=Role.FLOOR_LEAD, name="山口"))
