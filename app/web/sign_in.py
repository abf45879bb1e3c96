"""Signing in and out, and the own password. Plain forms; nothing here needs a script."""

import re
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask import session as cookie

from app.domain.errors import DomainError, Forbidden, InvalidInput, TooMany, Unauthenticated
from app.domain.roles import Function
from app.services import access, accounts, desk_acts
from app.web import off_loop, security, staff_frame
from app.web.errors import sentence, status_of
from app.web.limits import limit_public

blueprint = Blueprint("sign_in", __name__)
_LAST = "last_sign_in"
HALF = "half"  # the session whose second factor is due
# A path of ours: no host ("//", "\"), no scheme, nothing a browser would strip before it reads the rest.
_LOCAL = re.compile(r"/(?:[A-Za-z0-9._~%?=&-][A-Za-z0-9._~%?=&/-]*)?")


def local_path(asked: str | None) -> str | None:
    """``asked`` when it is a path of this site, else None."""
    return asked if asked and len(asked) <= 300 and _LOCAL.fullmatch(asked) else None


def last_sign_in() -> datetime | None:
    """The sign-in before this one, so that a stranger's is noticed."""
    kept = cookie.get(_LAST)
    return datetime.fromisoformat(kept) if kept else None


def _form(status: int = 200, *, error: DomainError | None = None, login: str = "") -> Response:
    said = sentence(error.reason, dict(error.values)) if error else None
    page = render_template(
        "staff/sign_in.html", error=said, slowed=isinstance(error, TooMany), login=login,
        next=local_path(request.values.get("next")),
    )  # fmt: skip
    response = Response(page, status=status)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.values.get("retry_after", 60))
    return response


@blueprint.get("/sign-in")
@security.policy(Function.PUBLIC)
@limit_public("look")
def page() -> Any:
    """The form; somebody signed in goes on at once."""
    who = security.principal()
    if who is not None and who.kind == "staff":
        return redirect(local_path(request.args.get("next")) or staff_frame.home(who))
    return _form()


@blueprint.post("/sign-in", endpoint="enter")
@security.policy(Function.PUBLIC)
def enter() -> Any:
    """Verify and begin a session of a new identity; 401 with the same page for whatever was wrong."""
    login = accounts.normal_login(request.form.get("login", ""))
    password = request.form.get("password", "")[: accounts.LONGEST_PASSWORD + 1]
    try:
        who = _signed_in(login, password)
    except (Unauthenticated, TooMany, Forbidden) as error:
        return _form(status_of(error), error=error, login=login)
    if who is None:
        return redirect(url_for("second_factor.ask", next=local_path(request.form.get("next"))), 303)
    return onward(who)


def onward(who: access.Principal) -> Any:
    """To where somebody who has just come in wanted to go, or to where their day begins."""
    if who.must_change:
        return redirect(url_for("sign_in.password"), 303)
    return redirect(local_path(request.form.get("next")) or staff_frame.home(who), 303)


def _signed_in(login: str, password: str) -> access.Principal | None:
    database, at, address = security.database(), security.now(), request.remote_addr or ""
    with database.transaction() as session:
        accounts.refuse_address(session, address)
        tried = accounts.begin(session, login=login, address=address, at=at)
    verified = off_loop.run(access.verify_password, tried.stored, password)
    token = security.fresh_secret()
    with database.transaction() as session:
        who, last = accounts.complete(
            session, tried, verified=verified, token=token, at=security.now(), address=address,
            before=cookie.get(security.STAFF_COOKIE),
        )  # fmt: skip
    # Nothing of the visitor before the sign-in is carried over it.
    cookie.clear()
    if who is None:
        cookie[HALF] = token
        return None
    come_in(who, last, token)
    return who


def come_in(who: access.Principal, last: datetime | None, token: str) -> None:
    """The browser's side of a new session; what it carried before is gone."""
    cookie.clear()
    cookie[security.STAFF_COOKIE] = token
    if last is not None:
        cookie[_LAST] = last.isoformat()
    g.principal = who


@blueprint.post("/sign-out")
@security.policy(Function.SIGNED_IN)
def leave() -> Any:
    """End the session on the server and in the browser; the own counter closes unless a party is at it."""
    who, token = security.caller(), cookie.get(security.STAFF_COOKIE)
    if token and who.kind == "staff":
        with security.database().transaction() as session:
            desk_acts.go_home(session, who, token=token, at=security.now())
    cookie.clear()
    g.principal = None
    return redirect(url_for("sign_in.page"), 303)


@blueprint.get("/staff")
@security.policy(Function.SIGNED_IN)
def start() -> str:
    """Who is signed in, and where to go."""
    return render_template("staff/start.html", last=last_sign_in())


def _password_page(status: int = 200, *, error: DomainError | None = None) -> Response:
    said = sentence(error.reason, dict(error.values)) if error else None
    least = access.SHORTEST_PASSWORD
    return Response(render_template("staff/password.html", error=said, who=security.caller(), least=least), status)


@blueprint.get("/password")
@security.policy(Function.SIGNED_IN)
def password() -> Response:
    """The form for a new password; the first screen of everyone whose password somebody else knows."""
    return _password_page()


@blueprint.post("/password", endpoint="change")
@security.policy(Function.SIGNED_IN)
def change() -> Any:
    """Change it: every other session of this account ends, this one gets a new identity."""
    who = security.caller()
    if who.kind != "staff":
        raise Unauthenticated()
    try:
        _change(who, request.form.get("current", ""), request.form.get("new", ""), request.form.get("again", ""))
    except (InvalidInput, Unauthenticated, TooMany) as error:
        return _password_page(status_of(error), error=error)
    return redirect(url_for("sign_in.start", changed=1), 303)


def verify_own(who: access.Principal, current: str) -> tuple[str, str]:
    """The own password once more, before an act that gives or takes the account; returns login and stored hash.

    Raises InvalidInput ``password_wrong``, TooMany after five tries.
    """
    database = security.database()
    with database.transaction() as session:
        login, stored = (found := accounts.account(session, who.id)).login, found.password_hash
        at, subject = security.now(), accounts.subject_of(f"password {who.id}", request.remote_addr or "")
        access.refuse_guessing(session, [subject], at=at)
        access.record_failure(session, [subject], at=at)
    if not off_loop.run(access.verify_password, stored, current[: accounts.LONGEST_PASSWORD + 1]):
        raise InvalidInput("password_wrong")
    with database.transaction() as session:
        accounts.forget_tries(session, subject)
    return login, stored


def _change(who: access.Principal, current: str, new: str, again: str) -> None:
    database = security.database()
    login, stored = verify_own(who, current)
    accounts.refuse_weak(new, again, current=current, login=login)
    fresh, token = off_loop.run(access.hash_password, new), security.fresh_secret()
    with database.transaction() as session:
        accounts.change_password(
            session, who.id, stored=stored, fresh=fresh, token=token,
            current_token=str(cookie.get(security.STAFF_COOKIE)), at=security.now(),
        )  # fmt: skip
    cookie.clear()
    cookie[security.STAFF_COOKIE] = token
