"""The second factor: asked for after the password, and set up, renewed or ended on a page of its own."""

import secrets
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask import session as cookie

from app.domain import second_factor as rules
from app.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, TooMany, Unauthenticated
from app.domain.roles import Function
from app.models.people import Account
from app.models.place import Municipality
from app.services import access, second_factor
from app.services.audit import chain_key
from app.web import security, sign_in
from app.web.errors import sentence, status_of
from app.web.limits import limit_public
from app.web.locale import pick, plain
from app.web.resident import qr
from app.web.sealing import sealer

blueprint = Blueprint("second_factor", __name__)
_REFUSALS = (InvalidInput, Conflict, TooMany, Forbidden)


def _key() -> bytes:
    return chain_key(str(current_app.config["SECRET_KEY"]))


def _paper() -> list[str]:
    signs = len(rules.RECOVERY_SIGNS)
    return rules.recovery_codes([secrets.randbelow(signs) for _ in range(rules.RECOVERY_CODES * rules.RECOVERY_LENGTH)])


def _me() -> access.Principal:
    who = security.caller()
    if who.kind != "staff":
        raise Unauthenticated()
    return who


def _half() -> str:
    """The half session of this browser; raises Unauthenticated when there is none."""
    token = str(cookie.get(sign_in.HALF, ""))
    with security.database().snapshot() as session:
        if not token or second_factor.half(session, token, at=security.now()) is None:
            raise Unauthenticated("sign_in_over")
    return token


def _asking(status: int = 200, *, error: DomainError | None = None) -> Response:
    said = sentence(error.reason, dict(error.values)) if error else None
    onward = sign_in.local_path(request.values.get("next"))
    response = Response(render_template("staff/sign_in_code.html", error=said, next=onward), status)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.values.get("retry_after", 60))
    return response


@blueprint.get("/sign-in/code")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ask() -> Any:
    """The form for the code; without a password before it, the sign-in."""
    try:
        _half()
    except Unauthenticated:
        return redirect(url_for("sign_in.page"), 303)
    return _asking()


@blueprint.post("/sign-in/code")
@security.policy(Function.PUBLIC)
@limit_public("sign_in")
def prove() -> Any:
    """The code: a full session of a new identity, or the form again."""
    database, fresh = security.database(), security.fresh_secret()
    try:
        token = _half()
        with database.transaction() as session:
            found = second_factor.half(session, token, at=security.now())
            if found is None:
                raise Unauthenticated("sign_in_over")
            second_factor.count_try(session, found.id, at=security.now())
        with database.transaction() as session:
            who, last = second_factor.prove(
                session, token, typed=request.form.get("code", ""), fresh=fresh, sealer=sealer(), at=security.now(),
                key=_key(),
            )  # fmt: skip
    except (Unauthenticated, TooMany) as error:
        if error.reason == "sign_in_over":
            cookie.pop(sign_in.HALF, None)
            return redirect(url_for("sign_in.page"), 303)
        return _asking(status_of(error), error=error)
    sign_in.come_in(who, last, fresh)
    return sign_in.onward(who)


def _page(*, error: DomainError | None = None, paper: list[str] | None = None) -> Response:
    who = _me()
    said = sentence(error.reason, dict(error.values)) if error else None
    with security.database().snapshot() as session:
        standing = second_factor.standing(session, who, sealer=sealer())
        login = session.get_one(Account, who.id).login
        issuer = plain(pick(session.get_one(Municipality, who.municipality_id).name))
    drawing = typed = None
    if standing.secret is not None:
        drawing = qr(rules.address_for_app(standing.secret, login=login, issuer=f"Madoguchi {issuer}"))
        text = rules.secret_text(standing.secret)
        typed = " ".join(text[n : n + 4] for n in range(0, len(text), 4))
    page = render_template(
        "staff/second_factor.html", error=said, standing=standing, drawing=drawing, typed=typed, login=login,
        paper=[rules.recovery_text(code) for code in paper or ()],
    )  # fmt: skip
    return Response(page, status_of(error) if error else 200)


@blueprint.get("/second-factor")
@security.policy(Function.SIGNED_IN)
def show() -> Response:
    """How the own account stands."""
    return _page()


@blueprint.post("/second-factor/begin")
@security.policy(Function.SIGNED_IN)
def begin() -> Any:
    """A secret for the app, after the password: who finds a desk unlocked cannot lock its owner out."""
    who = _me()
    try:
        sign_in.verify_own(who, request.form.get("current", ""))
        with security.database().transaction() as session:
            second_factor.begin(
                session, who, sealer=sealer(), secret=secrets.token_bytes(rules.SECRET_BYTES), at=security.now()
            )
    except _REFUSALS as error:
        return _page(error=error)
    return redirect(url_for("second_factor.show"), 303)


@blueprint.post("/second-factor/confirm")
@security.policy(Function.SIGNED_IN)
def confirm() -> Response:
    """The first code of the app; answers with the codes for paper, once."""
    who, paper, database = _me(), _paper(), security.database()
    try:
        with database.transaction() as session:
            second_factor.count_try(session, who.id, at=security.now())
        with database.transaction() as session:
            second_factor.confirm(
                session, who, typed=request.form.get("code", ""), paper=paper, sealer=sealer(), at=security.now(),
                key=_key(),
            )  # fmt: skip
    except _REFUSALS as error:
        return _page(error=error)
    return _page(paper=paper)


@blueprint.post("/second-factor/codes")
@security.policy(Function.SIGNED_IN)
def codes() -> Response:
    """New codes for paper, after the password."""
    who, paper = _me(), _paper()
    try:
        sign_in.verify_own(who, request.form.get("current", ""))
        with security.database().transaction() as session:
            second_factor.new_paper(session, who, paper=paper, sealer=sealer(), at=security.now(), key=_key())
    except _REFUSALS as error:
        return _page(error=error)
    return _page(paper=paper)


@blueprint.post("/second-factor/end")
@security.policy(Function.SIGNED_IN)
def end() -> Any:
    """Give it up, after the password and a code."""
    who, database = _me(), security.database()
    try:
        sign_in.verify_own(who, request.form.get("current", ""))
        with database.transaction() as session:
            second_factor.count_try(session, who.id, at=security.now())
        with database.transaction() as session:
            second_factor.end(
                session, who, typed=request.form.get("code", ""), sealer=sealer(), at=security.now(), key=_key()
            )
    except _REFUSALS as error:
        return _page(error=error)
    return redirect(url_for("second_factor.show"), 303)
