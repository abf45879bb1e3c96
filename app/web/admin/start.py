"""The overview: what stands in each area and what waits for somebody."""

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from app.domain.roles import Function, may
from app.services import approvals, audit, devices, opening_hours, people, publications
from app.services.hours import today
from app.services.publications import Kind
from app.web import security
from app.web.admin.frame import blueprint, offices_within, page


@blueprint.get("")
@security.policy(Function.READ_AUDIT)
def start() -> Response:
    """Each area with its state."""
    who, at = security.caller(), security.now()
    with security.database().snapshot() as session:
        shown: dict[str, Any] = {"places": [], "log": audit.head(session, who.municipality_id).number}
        if may(who.role, Function.EDIT_PLACE):
            shown["places"] = [_place(session, office, at) for office in offices_within(session, who)]
        if may(who.role, Function.MANAGE_PEOPLE):
            shown["waiting"] = len(approvals.waiting(session, who, at=at))
            shown["anomalies"] = people.anomalies(session, who, at=at)
        if may(who.role, Function.MANAGE_DEVICES):
            shown["devices"] = [device.health for device in devices.listed(session, who, at=at)]
        return page(session, "start", area="", **shown)


def _place(session: Session, office: Any, at: Any) -> dict[str, Any]:
    return {
        "office": office,
        "kiosk": publications.current(session, office.id, Kind.KIOSK),
        "kiosk_changes": len(publications.draft(session, office.id, Kind.KIOSK).changes),
        "hours": today(session, office.id, at=at),
        "hours_changes": len(opening_hours.draft(session, office.id).changes),
    }
