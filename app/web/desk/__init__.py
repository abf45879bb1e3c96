"""The clerk's desk. Plain forms that work without a script; app/static/js/desk.js sends the same acts by the API."""

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from app.domain.errors import Conflict, DomainError
from app.domain.roles import Function
from app.models.place import Counter, Office
from app.services import access, desk_acts, events, requests
from app.web import security
from app.web.desk import acts, asks, drawing, money, own_roster, seat, view, words
from app.web.errors import sentence, status_of
from app.web.locale import t

blueprint = Blueprint("desk", __name__, url_prefix="/desk")


def _draw(error: DomainError | None = None) -> Response:
    """The desk as it is now; with what was refused, if anything was."""
    who, at = seat.clerk(), security.now()
    said = sentence(error.reason, dict(error.values)) if error else None
    status = status_of(error) if error else 200
    with security.database().snapshot() as session:
        counter = seat.own(session, who)
        if counter is None:
            return seat.chooser(session, who, error=error, said=said, status=status)
        chosen = request.values.get("step", type=int)
        screen = view.read(session, counter, at=at, chosen=chosen)
        page = render_template(
            "desk/desk.html", screen=screen, draw=drawing.Drawing(screen), who=who, said=said,
            office=session.get_one(Office, counter.office_id), key=security.fresh_secret(), words=words,
            script=words.script(), money=money.facts(session, screen), chip=money.chip,
            news=own_roster.news(session, who, at=at),
        )  # fmt: skip
    return Response(page, status=status)


@blueprint.get("")
@security.policy(Function.CALL)
def show() -> Response:
    """The own counter; the choice of one for whoever sits at none."""
    return _draw()


@blueprint.post("/act")
@security.policy(Function.CALL)
def act() -> Any:
    """One act of the pad by a plain form; 303 to the desk, or the fresh desk with what was refused."""
    try:
        done = acts.perform(request.form, {"money": money.take, "fees": money.change})
    except DomainError as error:
        return _draw(error)
    flash(str(done))
    return redirect(url_for("desk.show"), 303)


@blueprint.get("/seat")
@security.policy(Function.CALL)
def choose() -> Response:
    """Choose another counter, or another profile for the own one."""
    with security.database().snapshot() as session:
        return seat.chooser(session, seat.clerk())


@blueprint.post("/seat")
@security.policy(Function.CALL)
def sit() -> Any:
    """Open the chosen counter; 409 with who sits there when it is taken."""
    who, at, counter_id = seat.clerk(), security.now(), request.form.get("counter", "")
    try:
        asked = security.idempotency()
        with security.database().transaction() as session:
            _require_counter(session, who, counter_id)
            requests.once(
                session, asked, at=at,
                work=lambda: {
                    "counter": desk_acts.sit(
                        session, who, token=seat.token(), counter_id=counter_id,
                        profile_id=request.form.get("profile") or None, at=at, request_key=asked.key,
                    ).id
                },
            )  # fmt: skip
    except DomainError as error:
        return _refused_seat(who, error, counter_id)
    return seat.remember_machine(redirect(url_for("desk.show"), 303), counter_id)


def _require_counter(session: Any, who: access.Principal, counter_id: str) -> None:
    counter = session.get(Counter, counter_id)
    office_id = counter.office_id if counter else ""
    access.require(session, who, Function.ASSIGN_COUNTERS, office_id=office_id)
    events.lock_office(session, office_id)


def _refused_seat(who: access.Principal, error: DomainError, counter_id: str) -> Response:
    said = sentence(error.reason, dict(error.values))
    if isinstance(error, Conflict) and error.reason == "counter_taken" and error.values.get("name"):
        said = t("この窓口は %(name)sさんが使っています。別の窓口を選んでください。", name=error.values["name"])
    with security.database().snapshot() as session:
        return seat.chooser(session, who, error=error, said=said, status=status_of(error), chosen=counter_id)


@blueprint.get("/ask/<what>")
@security.policy(Function.CALL)
def ask(what: str) -> Any:
    """A question before an act: a page without a script, the inside of a dialog with one."""
    return asks.page(what)


@blueprint.get("/number")
@security.policy(Function.CALL)
def number() -> Response:
    """Where a number is and what may be done with it."""
    return asks.number(request.args.get("n", ""))


@blueprint.get("/roster")
@security.policy(Function.CALL)
def own_days() -> Response:
    """The own days of the published roster."""
    return own_roster.page(seat.clerk())


@blueprint.get("/roster.ics")
@security.policy(Function.CALL)
def own_calendar() -> Response:
    """The same as a calendar file."""
    return own_roster.calendar(seat.clerk())
