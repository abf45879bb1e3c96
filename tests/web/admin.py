"""Somebody signed in at the administration: reads pages, sends their forms with everything that is in them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import Account, AuditEntry
from app.services import access, audit
from app.web import security
from tests.web.conftest import SECRET

KEY = audit.chain_key(SECRET)


@dataclass
class Staff:
    """A member of staff with a browser of their own."""

    client: FlaskClient
    account_id: int

    def get(self, path: str, **query: str) -> TestResponse:
        return self.client.get(f"/admin{path}", query_string=query or None)

    def form(self, path: str) -> dict[str, str]:
        """CSRF token and idempotency key of a page."""
        page = self.client.get(f"/admin{path}").text
        names = ("csrf_token", "idempotency_key", "based_on")
        found = {name: re.search(rf'name="{name}" value="([^"]*)"', page) for name in names}
        return {name: match[1] for name, match in found.items() if match}

    def post(self, path: str, page: str = "/log", **fields: Any) -> TestResponse:
        """Send a form of ``page`` to ``path``."""
        sent = {name: value for name, value in (self.form(page) | fields).items() if value is not None}
        return self.client.post(f"/admin{path}", data=sent)


def sign_in(
    web: Flask, database: Database, role: Role, *, login: str, office: str | None = None, city: str = "aonami"
) -> Staff:
    """An account of the role and a client that carries its session."""
    token, at = security.fresh_secret(), datetime.now(UTC)
    with database.transaction() as session:
        account = Account(
            municipality_id=city, office_id=office, login=login, name=f"{login} さん", section="市民課", role=role,
            password_hash="!", created_at=at,
        )  # fmt: skip
        session.add(account)
        session.flush()
        access.start_session(session, account, token=token, at=at)
        number = account.id
    client = web.test_client()
    with client.session_transaction() as cookie:
        cookie[security.STAFF_COOKIE] = token
    return Staff(client=client, account_id=number)


def log(database: Database) -> list[tuple[str, str]]:
    """(action, actor) of the audit log, oldest first; the chain holds."""
    with database.snapshot() as session:
        assert audit.verify(session, "aonami", KEY) is None
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
        return [(row.action, row.actor) for row in rows]


def text_of(answer: TestResponse) -> str:
    """What a person reads, without markup."""
    return unescape(re.sub(r"<[^>]+>", " ", answer.text))
