"""The floor lead's live view. Plain forms that work without a script; app/static/js/lead.js follows and sends them."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session

from app.domain.errors import DomainError, NotFound
from app.domain.roles import Function, may
from app.models.place import Office
from app.services import access, catalogue
from app.web import security, wait_errors
from app.web.desk.acts import BREAKS
from app.web.errors import sentence, status_of
from app.web.lead import acts, asks, says, view
from app.web.lead.rows import NUMBERED
from app.web.lead.words import script

blueprint = Blueprint("lead", __name__, url_prefix="/lead")
# What was done stays on the screen, with its way back, for so long.
DONE_STAYS = timedelta(minutes=3)
_COOKIE = "lead_done"


def _offices(session: Session, who: access.Principal) -> list[Office]:
    """The offices this person may look at."""
    found = catalogue.offices(session, who.municipality_id)
    return [office for office in found if who.office_id in (None, office.id)]


def _chosen(offices: list[Office], wanted: str | None) -> Office:
    found = next((office for office in offices if wanted in (None, office.id)), None)
    if found is None:
        raise NotFound(what="office")
    return found


def _done(office_id: str, at: datetime) -> dict[str, Any] | None:
    """The last act of this browser in this office, while its notice stays."""
    kept: dict[str, Any] | None = cookie.get(_COOKIE)
    if not kept or kept.get("office") != office_id:
        return None
    if at - datetime.fromisoformat(kept["at"]) > DONE_STAYS:
        return None
    return kept


def _draw(wanted: str | None, error: DomainError | None = None) -> Response:
    """The screen of an office; NotFound for one of others, whatever else was wrong."""
    who, at = security.caller(), security.now()
    said = sentence(error.reason, dict(error.values)) if error else None
    with security.database().snapshot() as session:
        offices = _offices(session, who)
        office = _chosen(offices, wanted)
        screen = view.read(session, office, at=at)
        cards = [says.card(screen, alert, who.role) for alert in screen.alerts]
        page = render_template(
            "lead/lead.html", screen=screen, office=office, offices=offices, who=who, said=said,
            first=cards[:NUMBERED], more=cards[NUMBERED:], says=says, done=None if said else _done(office.id, at),
            estimate=wait_errors.error(session, office.id, at=at), key=security.fresh_secret(), script=script(),
            may_call=may(who.role, Function.CALL), may_assign=may(who.role, Function.ASSIGN_COUNTERS),
            room="/staff" if may(who.role, Function.SEE_QUEUE) else "/live",
        )  # fmt: skip
    return Response(page, status=status_of(error) if error else 200)


@blueprint.get("")
@security.policy(Function.LEAD)
def show() -> Response:
    """The own office, or the one chosen; 404 for an office of others."""
    return _draw(request.args.get("office"))


@blueprint.post("/<office>/act")
@security.policy(Function.LEAD)
def act(office: str) -> Any:
    """One act by a plain form; 303 to the screen, or the fresh screen with what was refused."""
    try:
        done = acts.perform(office, request.form)
    except DomainError as error:
        cookie.pop(_COOKIE, None)
        return _draw(office, error)
    cookie[_COOKIE] = {"office": office, "at": security.now().isoformat(), **done}
    return redirect(url_for("lead.show", office=office), 303)


@blueprint.get("/<office>/ask/<what>")
@security.policy(Function.LEAD)
def ask(office: str, what: str) -> Response:
    """What can be done at a counter or with a number: a page without a script, the inside of a dialog with one."""
    return asks.page(office, what, breaks=BREAKS)
