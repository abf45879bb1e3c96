"""What a resident sees: how busy it is, a number, and the number's own page. Works without JavaScript."""

import io
from typing import Any

import segno
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import select

from app.domain.calendar import business_date, instant
from app.domain.errors import NotFound
from app.domain.roles import Function
from app.domain.ticket import FINAL, Action, State
from app.models.place import Category, Hall, Office
from app.services import board, catalogue, hours, kiosk_visit, lines, queue, tickets
from app.web import ahead, feedback, notify, security
from app.web.api.tickets import channel, take
from app.web.errors import sentence
from app.web.limits import limit_public
from app.web.locale import LANGUAGES, language
from app.web.pay.frame import of_ticket, on_cancelling

blueprint = Blueprint("resident", __name__)


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
    day = business_date(at)
    with security.database().snapshot() as session:
        found = _office(session, office)
        shapes = {c.id: c for c in session.scalars(select(Category).where(Category.office_id == office))}
        takes, opens = _takes(session, found, at), hours.next_opening(session, office, at)
        told = ahead.of_day(session, found, day if takes or opens is None else business_date(opens), at=at)
        return render_template(
            "resident/home.html", office=found, at=at, shapes=shapes, takes=takes, opens=opens, told=told, today=day,
            board=board.read(session, office_id=office, at=at), quiet=ahead.quietest(told, at=at),
            spans=[(instant(day, each.opens), instant(day, each.reception_closes))
                   for each in hours.opening(session, office, day)],
        )  # fmt: skip


def _takes(session: Any, office: Office, at: Any) -> bool:
    return office.training or hours.takes_numbers(session, office.id, at)


@blueprint.get("/o/<office>/take")
@security.policy(Function.PUBLIC)
@limit_public("look")
def choose(office: str) -> Any:
    """Choose one or several procedures; one number serves them all."""
    return _choice(office)


def _choice(office: str, *, fault: str | None = None) -> str:
    at = security.now()
    with security.database().snapshot() as session:
        found = _office(session, office)
        offered = catalogue.services(session, office, at=at)
        groups: dict[str, list[Any]] = {}
        for each in offered:
            if each.category.web_ticket and not each.category.booking_only:
                groups.setdefault(each.category.id, []).append(each)
        at_the_kiosk = [each for each in offered if not (each.category.web_ticket or each.category.booking_only)]
        seen = board.read(session, office_id=office, at=at)
        return render_template(
            "resident/take.html", office=found, groups=list(groups.values()), at_the_kiosk=at_the_kiosk,
            shapes={each.category.id: each.category for each in offered},
            lines={line["id"]: line for line in seen["categories"]}, asked=request.args.get("line"), at=at,
            key=security.fresh_secret(), takes=_takes(session, found, at),
            opens=hours.next_opening(session, office, at), fault=fault,
        )  # fmt: skip


@blueprint.post("/o/<office>/take")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def taken(office: str) -> Any:
    """Issue once for the form's key, and go to the number's page."""
    if not request.form.getlist("service"):
        return _choice(office, fault=sentence("bad_services", {})), 422
    wish = tickets.Wish(services=request.form.getlist("service"), channel=channel(), language=language())
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


def _in_time(step: dict[str, Any]) -> tuple[int, float]:
    """Steps as they really went: what has ended, by its end; what goes on; then the rest in its order."""
    if step["ended_at"] is not None:
        return (0, step["ended_at"].timestamp())
    return (2 if step["state"] == State.PENDING else 1, 0)


@blueprint.get("/t/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ticket(token: str) -> Response:
    """The number's page: one address, no personal data, every state."""
    at = security.now()
    with security.database().snapshot() as session:
        found = tickets.by_token(session, token)
        seen = tickets.describe(session, found, at=at)
        seen["steps"].sort(key=_in_time)
        category = session.get_one(Category, seen["category"])
        hall = session.get(Hall, seen["hall"] or category.hall_id)
        lines_of = {step["category"]: session.get_one(Category, step["category"]) for step in seen["steps"]}
        return _page(
            render_template(
                "resident/ticket.html", ticket=seen, token=token, category=category, hall=hall, at=at,
                office=_office(session, seen["office"]), notice=notify.shown(session, seen["id"]),
                qr=qr(f"{current_app.config['ADDRESS']}/t/{token}"),
                pay=of_ticket(session, token), help=kiosk_visit.information(session, seen["office"]),
                areas={name: kiosk_visit.area(session, line) for name, line in lines_of.items()},
                coming=kiosk_visit.coming(session, found, at=at), too_late=sentence("confirm_too_late", {}),
                feedback=feedback.shown(session, found, token, at=at),
                spent=tickets.spent(session, seen["id"]) if seen["status"] == State.DONE else None,
            )
        )  # fmt: skip


@blueprint.get("/t/<token>/cannot-come")
@security.policy(Function.PUBLIC)
@limit_public("look")
def cannot_come(token: str) -> Any:
    """What to do when one cannot come: in every state that has not ended."""
    with security.database().snapshot() as session:
        seen = tickets.view(session, token=token, at=security.now())
        if seen["status"] in FINAL:
            return redirect(url_for("resident.ticket", token=token), 303)
        office = _office(session, seen["office"])
        return _page(render_template("resident/cannot.html", ticket=seen, token=token, office=office))


@blueprint.get("/t/<token>/cancel")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ask_cancel(token: str) -> Response:
    """Ask first; a link opened by a scanner changes nothing."""
    with security.database().snapshot() as session:
        seen = tickets.view(session, token=token, at=security.now())
        return _page(
            render_template(
                "resident/cancel.html",
                ticket=seen,
                token=token,
                office=_office(session, seen["office"]),
                refund=on_cancelling(session, "ticket", token),
            )
        )


@blueprint.post("/t/<token>/cancel")
@security.policy(Function.PUBLIC)
@limit_public("look")
def cancel(token: str) -> Any:
    """Give the number back; who sends it for ever takes nobody's lock."""
    with security.database().snapshot() as session:
        still = queue.to_cancel(session, tickets.by_token(session, token))
    if still:
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
    with security.database().snapshot() as session:
        steps = lines.steps_of(session, tickets.by_token(session, token).id)
        if not any(step.state in (State.MISSED, State.PARKED) for step in steps):
            return redirect(url_for("resident.ticket", token=token), 303)
    with security.database().transaction() as session:
        found = tickets.by_token(session, token)
        for step in lines.steps_of(session, found.id):
            if step.state in (State.MISSED, State.PARKED):
                queue.act(session, step_id=step.id, action=Action.REJOIN, actor="resident", at=at)
    return redirect(url_for("resident.ticket", token=token), 303)
