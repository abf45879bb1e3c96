"""Who is at the door: the policy every route declares, the caller, CSRF, and the headers of every answer."""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask import session as cookie
from flask_wtf.csrf import CSRFError, CSRFProtect

from app.db.session import Database
from app.domain.errors import Forbidden, InvalidInput, Unauthenticated
from app.domain.roles import Function, may
from app.services import access
from app.services.requests import Request, fingerprint
from app.services.snapshots import Snapshots
from app.web import border
from app.web.known_callers import KnownCallers

View = TypeVar("View", bound=Callable[..., Any])
STAFF_COOKIE, DEVICE_COOKIE = "staff", "madoguchi_device"
csrf = CSRFProtect()
# All that may be done with a password that somebody else gave: change it, or leave.
_WITH_A_KNOWN_PASSWORD = frozenset({"sign_in.password", "sign_in.change", "sign_in.leave"})
# And what may be done before a second factor that is required: set it up.
_BEFORE_THE_SECOND = _WITH_A_KNOWN_PASSWORD | {"second_factor.show", "second_factor.begin", "second_factor.confirm"}

_CSP = (
    "default-src 'self'; script-src {scripts}; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "font-src 'self'; connect-src 'self' {ws}; frame-ancestors 'none'; form-action 'self'; base-uri 'none'; "
    "object-src 'none'"
)


def now() -> datetime:
    """The instant of this request; the one clock of the web."""
    return datetime.now(UTC)


def database() -> Database:
    """The database of this application."""
    found: Database = current_app.extensions["database"]
    return found


def kept_snapshots() -> Snapshots:
    """The boards and staff views this process keeps encoded."""
    found: Snapshots = current_app.extensions["snapshots"]
    return found


def known_callers() -> KnownCallers:
    """The callers this process remembers."""
    found: KnownCallers = current_app.extensions["known_callers"]
    return found


def policy(function: Function) -> Callable[[View], View]:
    """Declare which function of domain/roles.py a route is; a route without one stops the start."""

    def mark(view: View) -> View:
        view.policy = function  # type: ignore[attr-defined]
        return view

    return mark


def policy_of(view: object) -> Function:
    """The function a view declared; raises AttributeError for one without (refused at the start)."""
    found: Function = view.policy  # type: ignore[attr-defined]
    return found


def principal() -> access.Principal | None:
    """The caller: bearer token, then staff session, then paired device; looked up once a request."""
    if "principal" not in g:
        g.principal = _find_principal()
    found: access.Principal | None = g.principal
    return found


def _find_principal() -> access.Principal | None:
    header = request.headers.get("Authorization", "")
    if header:
        match = re.fullmatch(r"Bearer ([\x21-\x7e]{8,200})", header)
        found = _by_bearer(match[1]) if match else None
        if found is None:
            raise Unauthenticated()
        return found
    device = request.cookies.get(DEVICE_COOKIE)
    staff = cookie.get(STAFF_COOKIE)
    if staff:
        signed_in = _by_session(str(staff))
        if signed_in is not None:
            return signed_in
    return _by_bearer(device) if device else None


def _by_bearer(token: str) -> access.Principal | None:
    def ask() -> access.Principal | None:
        with database().glance() as session:
            return access.by_bearer(session, token)

    return known_callers().find(f"bearer {token}", ask)


def _by_session(token: str) -> access.Principal | None:
    def ask() -> access.Principal | None:
        with database().glance() as session:
            return access.by_session(session, token, at=now(), address=address)

    address = request.remote_addr or ""
    return known_callers().find(f"session {address} {token}", ask)


def caller() -> access.Principal:
    """The caller of a route that is not public."""
    found = principal()
    if found is None:
        raise Unauthenticated()
    return found


def by_bearer_header() -> bool:
    return request.headers.get("Authorization", "").startswith("Bearer ")


def idempotency(default_scope: str = "public") -> Request:
    """The request's key and fingerprint: header for programs, hidden field for forms. 400 without one."""
    key = request.headers.get("Idempotency-Key") or request.form.get("idempotency_key")
    if not key:
        raise InvalidInput("idempotency_key_required")
    who = principal()
    body = request.get_data(cache=True)
    if request.form:
        sent = list(request.form.items(multi=True))
        if any("\x00" in name or "\x00" in value for name, value in sent):
            raise InvalidInput(fields=["body"])
        fields = sorted((n, v) for n, v in sent if n not in ("csrf_token", "idempotency_key"))
        body = repr(fields).encode()
    return Request(
        scope=who.actor if who else default_scope, key=key,
        fingerprint=fingerprint(request.method, request.path, body),
    )  # fmt: skip


def _enforce() -> None:
    if request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    function = policy_of(view)
    if function is Function.PUBLIC:
        return
    who = principal()
    if who is None:
        raise Unauthenticated()
    if who.must_change and request.endpoint not in _WITH_A_KNOWN_PASSWORD:
        raise Forbidden("password_must_change")
    if who.must_enrol and request.endpoint not in _BEFORE_THE_SECOND:
        raise Forbidden("second_factor_required")
    if not may(who.role, function):
        raise Forbidden()


def _protect_from_forgery() -> None:
    """Cookies need a CSRF token; a bearer token cannot be sent by a stranger's page; public calls carry no right."""
    if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or request.endpoint is None:
        return
    # "null" comes from our own pages that send no referrer (a number's page): for them the CSRF token decides.
    origin = request.headers.get("Origin", "null")
    if origin != "null" and origin not in current_app.config["ORIGINS"]:
        raise Forbidden("bad_origin")
    if by_bearer_header():
        return
    if request.path.startswith("/api/") and principal() is None:
        return
    try:
        csrf.protect()
    except CSRFError:
        raise Forbidden("bad_origin") from None


def content_policy(*, scripts: str = "'self'") -> str:
    """What a page of ours may load and run: everything from ourselves, sockets to ourselves, nothing else."""
    return _policy(current_app.config["ADDRESS"], request.host if border.host_is_ours() else None, scripts)


@lru_cache(maxsize=64)
def _policy(address: str, host: str | None, scripts: str) -> str:
    own = urlsplit(address)
    ws = f"{'wss' if own.scheme == 'https' else 'ws'}://{host or own.netloc}"
    return _CSP.format(ws=ws, scripts=scripts)


def _headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", content_policy())
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if not request.path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")
    if current_app.config["ADDRESS"].startswith("https:"):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def fresh_secret() -> str:
    """160 bits of chance for a token, session or seed."""
    return secrets.token_hex(20)


def install(app: Flask) -> None:
    """Hooks of every request; refuses to start when a route declares no policy."""
    border.install(app)
    app.before_request(_enforce)
    app.before_request(_protect_from_forgery)
    app.after_request(_headers)


def refuse_undeclared(app: Flask) -> None:
    """Raise when a route has no policy: a missing decision is not an open door."""
    bare = [name for name, view in app.view_functions.items() if not hasattr(view, "policy")]
    if bare:
        raise RuntimeError(f"routes without a policy: {', '.join(sorted(bare))}")
