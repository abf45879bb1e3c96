"""Every kind of caller: nobody, programs by bearer token, staff by session, devices by cookie."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.errors import DomainError
from app.domain.roles import Role
from app.services import access
from app.web import security
from app.web.limits import Windows
from tests.policy import city

STAFF = tuple(role for role in Role if role not in (Role.KIOSK, Role.DISPLAY))
# Roles that a city gives without an office reach all of its offices.
OF_THE_CITY = (Role.CITY_ADMIN, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Kind:
    """``how``: nobody, bearer, session or device; ``place``: city and office."""

    how: str
    role: Role | None = None
    place: tuple[str, str | None] = city.HERE

    def __str__(self) -> str:
        return f"{self.role or 'nobody'} by {self.how} of {self.place[1] or self.place[0]}"


def everyone(place: tuple[str, str | None] = city.HERE) -> list[Kind]:
    """Nobody, and each role in each way it can come."""
    found = [Kind("nobody")]
    found += [Kind("bearer", role, _reach(role, place)) for role in Role]
    found += [Kind("session", role, _reach(role, place)) for role in STAFF]
    return found + [Kind("device", role, place) for role in (Role.KIOSK, Role.DISPLAY)]


def _reach(role: Role, place: tuple[str, str | None]) -> tuple[str, str | None]:
    return (place[0], None) if role in OF_THE_CITY else place


class Doors:
    """Makes browsers and programs of any kind for one application; ``refusal``: why the last call ended, if refused."""

    def __init__(self, web: Flask, database: Database) -> None:
        self.web, self.database = web, database
        self._tokens: dict[Kind, str] = {}
        self._accounts: dict[Kind, int] = {}
        self._sessions: dict[Kind, str] = {}
        self.refusal: DomainError | None = None
        handle = web.handle_user_exception

        def keep(error: Exception) -> Any:
            self.refusal = error if isinstance(error, DomainError) else None
            return handle(error)

        web.handle_user_exception = keep  # type: ignore[method-assign]

    def bearer(self, kind: Kind) -> str:
        """A token that stands for the kind; one for all its calls."""
        if kind not in self._tokens:
            assert kind.role is not None
            secret = secrets.token_urlsafe(24)
            with self.database.transaction() as session:
                access.issue_token(
                    session, token=secret, role=kind.role, municipality_id=kind.place[0], office_id=kind.place[1],
                    at=datetime.now(UTC),
                )  # fmt: skip
            self._tokens[kind] = secret
        return self._tokens[kind]

    def session(self, kind: Kind) -> str:
        """A session of the kind's account, until ``forget`` (a call may have been the sign-out)."""
        if kind in self._sessions:
            return self._sessions[kind]
        assert kind.role is not None
        secret, at = secrets.token_urlsafe(24), datetime.now(UTC)
        with self.database.transaction() as session:
            if kind not in self._accounts:
                login = f"{kind.role}.{len(self._accounts)}"
                self._accounts[kind] = city.account(session, login, role=kind.role, place=kind.place, at=at).id
            found = session.get_one(access.Account, self._accounts[kind])
            access.start_session(session, found, token=secret, at=at)
        self._sessions[kind] = secret
        return secret

    def account_of(self, kind: Kind) -> int:
        """The account behind the kind's sessions."""
        return self._accounts[kind]

    def forget(self) -> None:
        """The sessions there are may have ended."""
        self._sessions.clear()

    def call(self, kind: Kind, method: str, path: str, **more: Any) -> TestResponse:
        """One request, with everything a well-meaning browser or program sends beside it."""
        client, headers = self.web.test_client(), {"Idempotency-Key": secrets.token_hex(8)}
        if kind.how == "bearer":
            headers["Authorization"] = f"Bearer {self.bearer(kind)}"
        if kind.how == "device":
            client.set_cookie(security.DEVICE_COOKIE, self.bearer(kind))
        if method not in ("GET", "HEAD", "OPTIONS"):
            headers["X-CSRFToken"] = _csrf(client, self.session(kind) if kind.how == "session" else None)
        elif kind.how == "session":
            _csrf(client, self.session(kind))
        self.refusal = None
        self.web.extensions["windows"] = Windows()  # rates are another test's matter
        return client.open(path, method=method, headers=headers, **more)


def _csrf(client: FlaskClient, staff: str | None) -> str:
    """A cookie with a CSRF token, as any page of ours sets it, and the token of the form."""
    raw = secrets.token_hex(20)
    with client.session_transaction() as cookie:
        cookie["csrf_token"] = raw
        if staff:
            cookie[security.STAFF_COOKIE] = staff
    secret = client.application.config["SECRET_KEY"]
    signed = URLSafeTimedSerializer(secret, salt="wtf-csrf-token").dumps(raw)
    return signed.decode() if isinstance(signed, bytes) else str(signed)
