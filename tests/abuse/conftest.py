"""One hall for all rows of a table: an application, a second city, callers of each kind."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.db.session import Database
from app.domain.roles import Role
from app.web.limits import Windows
from tests.policy import city
from tests.policy.callers import Doors, Kind
from tests.web.conftest import Caller


class Hall:
    """The application with its things; ``caller`` of any kind by bearer token."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.web: Flask = city.application(self.database)
        self.things = city.furnish(self.database)
        self.doors = Doors(self.web, self.database)

    def caller(self, role: Role | None = None, place: tuple[str, str | None] = city.HERE) -> Caller:
        self.web.extensions["windows"] = Windows()
        token = self.doors.bearer(Kind("bearer", role, place)) if role else None
        return Caller(self.web.test_client(), token)

    def browser(self) -> FlaskClient:
        self.web.extensions["windows"] = Windows()
        return self.web.test_client()


@pytest.fixture(scope="module")
def hall(shared_url: str) -> Iterator[Hall]:
    found = Hall(shared_url)
    yield found
    found.database.dispose()


def form_of(browser: FlaskClient, path: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    page = browser.get(path).text
    names = ("csrf_token", "idempotency_key")
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in names}
    return {name: match[1] for name, match in found.items() if match}


def code_of(answer: Any) -> str:
    """The code of a refusal of the API."""
    body = answer.get_json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "details"}
    return str(body["error"]["code"])
