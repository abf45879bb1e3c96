"""What a resident sees: how busy it is, a number, and the number's own page. Works without JavaScript."""

import io
from datetime import timedelta
from typing import Any

import segno
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import select

from app.domain.errors import NotFound
from app.domain.roles import Function
from app.domain.ticket import Action, State
from app.models.place import Category, Hall, Office
from app.services import board, catalogue, hours, lines, queue, tickets
from app.web import security
from app.web.api.tickets import channel, take
from app.web.limits import limit_public
from app.web.locale import LANGUAGES, language

blueprint = Blueprint("resident", __name__)
CONFIRM_WITHIN = timedelta(hours=1)


@blueprint.after_request
def keep_language(response: Response) -> Response:
    """Remember a language that was chosen by the menu."""
    chosen = request.args.get("lang")
    if chosen in LANGUAGES:
        response.set_cookie("lang", chosen, max_age=31_536_000, samesite="Lax", httponly=True)
    return response


def _office(session: Any, office_id: str) -> Office:
    office: Office | None = session.get(Office, office_id)
    if office is None:
        raise NotFound(what="office")
    return office


@blueprint.get("/")
@security.policy(Function.PUBLIC)
def start() -> Any:
    """The offices of the city; the only one at once."""
    with security.database().snapshot() as session:
        offices = list(session.scalars(select(Office).order_by(Office.position, Office.id)))
    if len(offices) == 1:
        return redirect(url_for("resident.home", office=offices[0].id))
    return render_template("resident/offices.html", offices=offices, office=None)


@blueprint.get("/o/<office>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def home(office: str) -> Any:
    """Open or not, and how busy each line is now."""
    at = security.now()
    with security.database().snapshot() as session:
        found = _office(session, office)
        shapes = {c.id: c for c in session.scalars(select(Category).where(Category.office_id == office))}
        return render_template(
            "resident/home.html", office=found, at=at, shapes=shapes,
            board=board.read(session, office_id=office, at=at),
            takes=_takes(session, found, at), opens=hours.next_opening(session, office, at),
        )  # fmt: skip


def _takes(session: Any, office: Office, at: Any) -> bool:
    return bool(office.settings.get("training")) or hours.takes_numbers(session, office.id, at)


@blueprint.get("/o/<office>/take")
@security.policy(Function.PUBLIC)
@limit_public("look")
def choose(office: str) -> Any:
    """Choose one or several procedures; one number serves them all."""
    at = security.now()
    with security.database().snapshot() as session:
        found = _office(session, office)
        offered = catalogue.services(session, office, at=at)
        groups: dict[str, list[Any]] = {}
        for each in offered:
            if not each.category.booking_only:
                groups.setdefault(each.category.id, []).append(each)
        return render_template(
            "resident/take.html", office=found, groups=list(groups.values()), key=security.fresh_secret(),
            takes=_takes(session, found, at),
        )  # fmt: skip


@blueprint.post("/o/<office>/take")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def taken(office: str) -> Any:
    """Issue once for the form's key, and go to the number's page."""
    with security.database().snapshot() as session:
        must_confirm = bool(_office(session, office).settings.get("web_ticket_confirm"))
    wish = tickets.Wish(
        services=request.form.getlist("service"), channel=channel(), language=language(),
        confirm_by=security.now() + CONFIRM_WITHIN if must_confirm else None,
    )  # fmt: skip
    token = take(office, wish)["token"]
    return redirect(url_for("resident.ticket", token=token), 303)


def _page(response: str) -> Response:
    found = Response(response)
    found.headers["Referrer-Policy"] = "no-referrer"
    found.headers["Cache-Control"] = "no-store"
    return found


def qr(text: str) -> Markup:
    """A QR code as inline SVG with its quiet zone."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", xmldecl=False, svgclass="qr", lineclass=None, omitsize=True)
    return Markup(out.getvalue().decode())  # noqa: S704 - our own drawing


@blueprint.get("/t/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ticket(token: str) -> Response:
    """The number's page: one address, no personal data, every state."""
    at = security.now()
    with security.database().snapshot() as session:
        seen = tickets.view(session, token=token, at=at)
        category = session.get_one(Category, seen["category"])
        hall = session.get(Hall, seen["hall"] or category.hall_id)
        return _page(
            render_template(
                "resident/ticket.html", ticket=seen, token=token, category=category, hall=hall, at=at,
                office=_office(session, seen["office"]), qr=qr(f"{current_app.config['ADDRESS']}/t/{token}"),
            )
        )  # fmt: skip


@blueprint.get("/t/<token>/cancel")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ask_cancel(token: str) -> Response:
    """Ask first; a link opened by a scanner changes nothing."""
    with security.database().snapshot() as session:
        seen = tickets.view(session, token=token, at=security.now())
        return _page(
            render_template("resident/cancel.html", ticket=seen, token=token, office=_office(session, seen["office"]))
        )


@blueprint.post("/t/<token>/cancel")
@security.policy(Function.PUBLIC)
@limit_public("look")
def cancel(token: str) -> Any:
    """Give the number back."""
    with security.database().transaction() as session:
        found = tickets.by_token(session, token)
        queue.cancel_ticket(session, ticket=found, actor="resident", at=security.now(), reason="resident")
    return redirect(url_for("resident.ticket", token=token), 303)


@blueprint.post("/t/<token>/rejoin")
@security.policy(Function.PUBLIC)
@limit_public("look")
def rejoin(token: str) -> Any:
    """A missed or parked number goes back to a fair place."""
    at = security.now()
    with security.database().transaction() as session:
        found = tickets.by_token(session, token)
        for step in lines.steps_of(session, found.id):
            if step.state in (State.MISSED, State.PARKED):
                queue.act(session, step_id=step.id, action=Action.REJOIN, actor="resident", at=at)
    return redirect(url_for("resident.ticket", token=token), 303)
