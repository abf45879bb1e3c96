"""Offices, services and boards: what anybody may read."""

from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy import select

from app.domain.errors import NotFound
from app.domain.roles import Function
from app.models.place import Category, Counter, Hall, Municipality, Office
from app.services import access, catalogue, hours, snapshots
from app.web import security
from app.web.api.body import answer
from app.web.limits import limit_public

blueprint = Blueprint("api_offices", __name__, url_prefix="/api/v1/offices")


@blueprint.get("")
@security.policy(Function.PUBLIC)
@limit_public("look")
def every() -> Response:
    """All offices of the municipality."""
    with security.database().snapshot() as session:
        rows = session.scalars(select(Office).order_by(Office.position, Office.id)).all()
        return answer({"offices": [{"id": row.id, "name": row.name} for row in rows]})


@blueprint.get("/<office>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def one(office: str) -> Response:
    """Halls, categories, counters and whether numbers are given now."""
    at = security.now()
    with security.database().snapshot() as session:
        row = session.get(Office, office)
        if row is None:
            raise NotFound(what="office")
        found: dict[str, Any] = {"id": row.id, "name": row.name}
        found["municipality"] = session.get_one(Municipality, row.municipality_id).name
        found["halls"] = [
            {"id": h.id, "name": h.name}
            for h in session.scalars(select(Hall).where(Hall.office_id == office).order_by(Hall.position))
        ]
        found["categories"] = [
            {"id": c.id, "prefix": c.prefix, "name": c.public_name or c.name, "hall": c.hall_id}
            for c in session.scalars(select(Category).where(Category.office_id == office).order_by(Category.position))
        ]
        found["counters"] = [
            {"id": c.id, "number": c.number, "name": c.name, "hall": c.hall_id, "state": c.state}
            for c in session.scalars(select(Counter).where(Counter.office_id == office).order_by(Counter.position))
        ]
        found["open_now"] = hours.is_open(session, office, at)
        found["takes_numbers"] = row.training or hours.takes_numbers(session, office, at)
        found["next_opening"] = hours.next_opening(session, office, at)
        return answer(found)


def _service(offered: catalogue.Offered) -> dict[str, Any]:
    service = offered.service
    return {
        "id": service.id, "name": service.name, "fee": service.fee_yen, "minutes": service.minutes,
        "documents": service.documents, "phases": service.phases, "category": offered.category.id,
        "bookable": service.bookable, "booking_only": offered.category.booking_only, "closed": offered.closed,
    }  # fmt: skip


@blueprint.get("/<office>/services")
@security.policy(Function.PUBLIC)
@limit_public("look")
def services(office: str) -> Response:
    """What can be done here: names by language, fee, minutes, documents, phases, category."""
    at = security.now()
    with security.database().snapshot() as session:
        return answer({"services": [_service(offered) for offered in catalogue.services(session, office, at=at)]})


def _answer(kind: str, office: str, hall: str | None) -> Response:
    """A snapshot with its ETag ``epoch.seq``; 304 on a match, found by one look at the office's row.

    A business date begins without an event when the scheduler is late: until the first event of the day the
    snapshot is sent whole, so that nobody is told that yesterday's numbers still stand.
    """
    at = security.now()
    with security.database().snapshot() as session:
        version = snapshots.version(session, office, at=at)
        snapshots.require_hall(session, office, hall)
    if version.begun and version.etag in request.if_none_match:
        response = Response(status=304)
    else:
        found = security.kept_snapshots().read(kind, office, hall, at=at)
        version = found.version
        response = Response(found.body, mimetype="application/json")
    response.set_etag(version.etag)
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/<office>/board")
@security.policy(Function.PUBLIC)
def show_board(office: str) -> Response:
    """The board of an office or of one hall."""
    return _answer("board", office, request.args.get("hall"))


@blueprint.get("/<office>/counters")
@security.policy(Function.PUBLIC)
def show_counters(office: str) -> Response:
    """What stands above the counters of an office or of one hall (services/counter_board.py)."""
    return _answer("counters", office, request.args.get("hall"))


@blueprint.get("/<office>/queue")
@security.policy(Function.SEE_QUEUE)
def show_queue(office: str) -> Response:
    """The staff's view: every open step, who is at which counter (services/staff_queue.py)."""
    with security.database().snapshot() as session:
        access.require(session, security.caller(), Function.SEE_QUEUE, office_id=office)
    return _answer("queue", office, None)
