"""What stands behind the links at the foot of every page: how it goes, what is kept of whom, who can use it."""

from flask import Blueprint, render_template

from app.domain.errors import NotFound
from app.domain.roles import Function
from app.models.place import Office
from app.services import booking_sweeps, kiosk_visit
from app.web import notify, security
from app.web.limits import limit_public

blueprint = Blueprint("about", __name__)


@blueprint.get("/o/<office>/about/<any(accessibility, how, privacy):what>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def show(office: str, what: str) -> str:
    """One of the pages; what it says of an office is what that office does."""
    with security.database().snapshot() as session:
        found = session.get(Office, office)
        if found is None:
            raise NotFound(what="office")
        return render_template(
            "resident/about.html", office=found, what=what, help=kiosk_visit.information(session, office),
            kept=booking_sweeps.kept(session, office).days, ways=notify.ways().channels,
        )  # fmt: skip
