"""Staff mode at the kiosk: the PIN, the figures, a number cancelled or printed again, the machine's switches.

Only a paired machine has one. It ends two minutes after the last touch, and is bound to the machine and to this
browser's session.
"""

from datetime import time
from typing import Any

from flask import Response, current_app, redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, instant
from app.domain.errors import Forbidden, TooMany
from app.domain.refs import ticket_token
from app.domain.roles import Function
from app.models.people import AccessToken
from app.services import access, events, kiosk_staff, tickets
from app.web import off_loop, security
from app.web.errors import sentence, status_of
from app.web.kiosk import paper
from app.web.kiosk.door import Kiosk, at_kiosk, blueprint
from app.web.kiosk.pages import lines_now
from app.web.limits import limit_public

_KEY = "kiosk_staff"
_LONGEST_NUMBER = 8


def _secret() -> bytes:
    return str(current_app.config["SECRET_KEY"]).encode()


def _door(session: Session, office_id: str) -> tuple[Kiosk, AccessToken]:
    """The paired machine; raises Forbidden("kiosk_unpaired") for another."""
    here = at_kiosk(session, office_id)
    if here.device is None:
        raise Forbidden("kiosk_unpaired")
    return here, here.device


def _inside(session: Session, office_id: str) -> tuple[Kiosk, AccessToken]:
    """Staff mode is open, and stays so two minutes more. Raises Forbidden("staff_mode_over")."""
    events.lock_office(session, office_id)
    here, device = _door(session, office_id)
    return here, kiosk_staff.keep_open(session, token_id=device.id, key=cookie.get(_KEY), at=security.now())


def _touch(office: str) -> None:
    """A screen of staff mode is opened: two minutes more, in a short transaction of its own."""
    with security.database().transaction() as session:
        _inside(session, office)


def _menu(office: str) -> Any:
    return redirect(url_for("kiosk.staff_menu", office=office), 303)


@blueprint.get("/<office>/staff")
@security.policy(Function.PUBLIC)
@limit_public("look")
def staff_enter(office: str) -> Any:
    """The PIN, asked each time the key is touched; an unpaired machine is told that it has no staff mode."""
    at = security.now()
    with security.database().snapshot() as session:
        here, device = _door(session, office)
        until = kiosk_staff.locked_until(session, office_id=office, token_id=device.id, at=at)
        return render_template("kiosk/staff_pin.html", kiosk=here, office=here.office, at=at, until=until)


@blueprint.post("/<office>/staff")
@security.policy(Function.KIOSK_STAFF)
def staff_pin(office: str) -> Any:
    """Look at one PIN; 403 and 429 with the same page, which never says how close it was."""
    try:
        _try_pin(office, request.form.get("pin", "")[: kiosk_staff.LONGEST_PIN + 1])
    except (Forbidden, TooMany) as error:
        if error.reason not in ("pin_wrong", "pin_locked"):
            raise
        return _refused_pin(office, error)
    return _menu(office)


def _try_pin(office: str, pin: str) -> None:
    database, at = security.database(), security.now()
    with database.transaction() as session:
        _, device = _door(session, office)
        token_id = device.id
        stored = kiosk_staff.begin(session, office_id=office, token_id=token_id, at=at)
    material = kiosk_staff.pin_material(_secret(), office, pin)
    verified = off_loop.run(access.verify_password, stored, material)
    key = security.fresh_secret()
    with database.transaction() as session:
        if verified:
            kiosk_staff.complete(session, office_id=office, token_id=token_id, key=key, at=at)
        else:
            kiosk_staff.failed(session, office_id=office, token_id=token_id, at=at)
    if not verified:
        raise Forbidden("pin_wrong")
    cookie[_KEY] = key


def _refused_pin(office: str, error: Forbidden | TooMany) -> Response:
    at = security.now()
    with security.database().snapshot() as session:
        here, device = _door(session, office)
        until = kiosk_staff.locked_until(session, office_id=office, token_id=device.id, at=at)
        page = render_template(
            "kiosk/staff_pin.html", kiosk=here, office=here.office, at=at, until=until,
            error=sentence(error.reason, dict(error.values)),
        )  # fmt: skip
    response = Response(page, status=status_of(error))
    if "retry_after" in error.values:
        response.headers["Retry-After"] = str(error.values["retry_after"])
    return response


@blueprint.get("/<office>/staff/menu")
@security.policy(Function.KIOSK_STAFF)
def staff_menu(office: str) -> str:
    """Who waits where, the state of the machine, and what can be done."""
    at = security.now()
    board = lines_now(office, at)
    _touch(office)
    with security.database().snapshot() as session:
        here, device = _door(session, office)
        return render_template(
            "kiosk/staff_menu.html", kiosk=here, office=here.office, at=at, board=board,
            status=kiosk_staff.status(session, device, day_start=instant(business_date(at), time())),
            marks=kiosk_staff.categories(session, office),
            cancelled=request.args.get("cancelled", "")[:_LONGEST_NUMBER],
        )  # fmt: skip


@blueprint.get("/<office>/staff/number/<act>")
@security.policy(Function.KIOSK_STAFF)
def staff_number(office: str, act: str) -> Any:
    """Type a number to cancel or to print again; with one, show it at full size first."""
    if act not in ("cancel", "reprint"):
        return _menu(office)
    at, number = security.now(), request.args.get("number", "")[:_LONGEST_NUMBER]
    _touch(office)
    with security.database().snapshot() as session:
        here, _ = _door(session, office)
        shown: dict[str, Any] = {"kiosk": here, "office": here.office, "at": at, "act": act}
        ticket = kiosk_staff.ticket_of(session, office, number, at=at) if number else None
        if ticket is None:
            prefixes = [category.prefix for category in kiosk_staff.categories(session, office).values()]
            return render_template("kiosk/staff_number.html", prefixes=prefixes, missing=number, **shown)
        return render_template(
            "kiosk/staff_ticket.html", seen=tickets.describe(session, ticket, at=at), reasons=kiosk_staff.REASONS,
            sheet=_sheet(session, here, ticket), **shown,
        )  # fmt: skip


def _sheet(session: Session, here: Kiosk, ticket: Any) -> paper.Sheet:
    return paper.sheet(session, here, ticket, address=paper.address_of(ticket_token(_secret(), ticket.seed)))


@blueprint.post("/<office>/staff/cancel")
@security.policy(Function.KIOSK_STAFF)
def staff_cancel(office: str) -> Any:
    """Cancel a number that waits; 409 for one at a counter."""
    with security.database().transaction() as session:
        _, device = _inside(session, office)
        ticket = kiosk_staff.cancel(
            session, office_id=office, number=request.form.get("number", "")[:_LONGEST_NUMBER],
            reason=request.form.get("reason", ""), actor=kiosk_staff.actor_of(device), at=security.now(),
        )  # fmt: skip
        number = ticket.number
    return redirect(url_for("kiosk.staff_menu", office=office, cancelled=number), 303)


@blueprint.post("/<office>/staff/reprint")
@security.policy(Function.KIOSK_STAFF)
def staff_reprint(office: str) -> Any:
    """Write a reprint down, and go to the paper."""
    number = request.form.get("number", "")[:_LONGEST_NUMBER]
    with security.database().transaction() as session:
        here, device = _inside(session, office)
        found = kiosk_staff.reprint(session, here.office, device, number, at=security.now()).number
    return redirect(url_for("kiosk.staff_paper", office=office, number=found, print="1"), 303)


@blueprint.get("/<office>/staff/paper/<number>")
@security.policy(Function.KIOSK_STAFF)
def staff_paper(office: str, number: str) -> Any:
    """The paper of a number once more, the same link on it."""
    _touch(office)
    at = security.now()
    with security.database().snapshot() as session:
        here, _ = _door(session, office)
        ticket = kiosk_staff.ticket_of(session, office, number, at=at)
        if ticket is None:
            return _menu(office)
        sheet = _sheet(session, here, ticket)
        return render_template(
            "kiosk/staff_paper.html", kiosk=here, office=here.office, at=at, sheet=sheet, paper=paper.render(sheet),
            printing=request.args.get("print") == "1" and here.prints,
        )  # fmt: skip


@blueprint.post("/<office>/staff/switch")
@security.policy(Function.KIOSK_STAFF)
def staff_switch(office: str) -> Any:
    """Paper, printer, closed or open: one switch of this machine."""
    name, value = request.form.get("name", ""), request.form.get("value", "")
    with security.database().transaction() as session:
        here, device = _inside(session, office)
        kiosk_staff.change(session, here.office, device, name=name, value=value, at=security.now())
    return _menu(office)


@blueprint.post("/<office>/staff/leave")
@security.policy(Function.KIOSK_STAFF)
def staff_leave(office: str) -> Any:
    """End staff mode and show the first screen."""
    with security.database().transaction() as session:
        _, device = _door(session, office)
        kiosk_staff.leave(session, token_id=device.id)
    cookie.pop(_KEY, None)
    return redirect(url_for("kiosk.start", office=office), 303)
