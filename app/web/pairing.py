"""``/pair``: a board or kiosk without a token shows six digits until staff claim them, then becomes what they say.

The device's secret is in a cookie of ten minutes, the token that follows in one of its own; neither is seen by a
script. Works without JavaScript by one button; with it nobody has to touch the device.
"""

import secrets
from datetime import timedelta
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from app.domain.errors import Conflict, NotFound, TooMany, Unavailable
from app.domain.roles import Function, Role
from app.models.people import AccessToken, Pairing
from app.services import access, devices
from app.web import last_heard, security
from app.web.errors import status_of
from app.web.limits import limit_public

blueprint = Blueprint("pairing", __name__)
COOKIE = "madoguchi_pairing"
_TOKEN_LASTS = timedelta(days=400)  # the most a browser keeps; renewed whenever the device starts here


@blueprint.after_app_request
def note_program(response: Response) -> Response:
    """A program or kiosk that calls the API was heard too."""
    who = g.get("principal")
    if who is not None and who.kind == "token":
        last_heard.note(who.id)
    return response


def _paired() -> access.Principal | None:
    """The device of this browser by its own cookie, whoever else is signed in here."""
    token = request.cookies.get(security.DEVICE_COOKIE)
    if not token:
        return None
    with security.database().snapshot() as session:
        return access.by_bearer(session, token)


def screen_of(row: AccessToken | access.Principal) -> str:
    """Where a paired device goes."""
    if row.role == Role.KIOSK:
        return f"/kiosk/{row.office_id}"
    if row.counter_id is not None:
        return url_for("counter_display.show", counter=row.counter_id)
    return url_for("displays.show", office=row.office_id, hall=row.hall_id)


def _keep(response: Response, name: str, value: str, lasts: timedelta) -> None:
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(name, value, max_age=lasts, httponly=True, samesite="Lax", secure=secure)


def _become(token: str, row: AccessToken | access.Principal) -> Response:
    response = make_response(redirect(screen_of(row), 303))
    _keep(response, security.DEVICE_COOKIE, token, _TOKEN_LASTS)
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax")
    return response


@blueprint.get("/pair")
@security.policy(Function.PUBLIC)
@limit_public("pair")
def page() -> Any:
    """The device's screen if it is paired, its code if it has one, else the way to one."""
    device = _paired()
    if device is not None:
        return _become(request.cookies[security.DEVICE_COOKIE], device)
    at, found, claimed = security.now(), None, None
    secret = request.cookies.get(COOKIE)
    if secret:
        with security.database().snapshot() as session:
            claimed = devices.claimed(session, secret, at=at)
            found = None if claimed is None else devices.pairing_of(session, secret)
    return _page(found, claimed=bool(claimed))


def _page(found: Pairing | None, *, claimed: bool = False, crowded: bool = False) -> str:
    seconds = int((found.expires_at - security.now()).total_seconds()) if found else 0
    return render_template("pair/pair.html", pairing=found, claimed=claimed, crowded=crowded, seconds=seconds)


@blueprint.post("/pair")
@security.policy(Function.PUBLIC)
@limit_public("pair")
def step() -> Any:
    """Fetch the token when staff have claimed the code, else show a code: what comes next, whatever it is."""
    at, secret = security.now(), request.cookies.get(COOKIE)
    if secret:
        try:
            return _fetched(secret)
        except NotFound:
            pass  # not claimed yet, or too late
    secret = secret or security.fresh_secret()
    try:
        with security.database().transaction() as session:
            devices.show_code(session, device=secret, draw=_six_digits, address=request.remote_addr or "", at=at)
    except (TooMany, Unavailable, Conflict) as error:
        # Never the error page: nobody stands at a board to go back from it.
        response = make_response(_page(None, crowded=True), status_of(error))
        response.headers["Retry-After"] = str(error.values.get("retry_after", 1))
        return response
    response = make_response(redirect(url_for("pairing.page"), 303))
    _keep(response, COOKIE, secret, devices.CODE_LASTS)
    return response


def _fetched(secret: str) -> Response:
    token = security.fresh_secret()
    with security.database().transaction() as session:
        row = devices.deliver(session, device=secret, token=token, at=security.now())
    return _become(token, row)


def _six_digits() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"


@blueprint.get("/pair/state")
@security.policy(Function.PUBLIC)
@limit_public("pair")
def state() -> Any:
    """What a waiting device asks every few seconds: ``waiting``, ``claimed`` or ``none``. Changes nothing."""
    secret = request.cookies.get(COOKIE)
    claimed = None
    if secret:
        with security.database().snapshot() as session:
            claimed = devices.claimed(session, secret, at=security.now())
    return jsonify(state="none" if claimed is None else "claimed" if claimed else "waiting")


@blueprint.get("/pair/beat")
@security.policy(Function.PUBLIC)
@limit_public("pair")
def beat() -> Any:
    """A paired device says that it is there, and hears whether it still is one."""
    device = _paired()
    if device is not None:
        g.principal = device  # it speaks as the device, whoever else is signed in here
    return jsonify(paired=device is not None)
