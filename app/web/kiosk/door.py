"""Who stands at the kiosk's pages: the machine itself, never whoever is signed in on its browser.

A paired machine shows its token. An unpaired one is served where the office allows it (``open_kiosk``); elsewhere
it is led to pairing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, g, render_template, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from app.domain.errors import DomainError, Forbidden
from app.domain.roles import Role
from app.models.people import AccessToken
from app.models.place import Hall, Office
from app.services import access, catalogue
from app.web import errors, security
from app.web.kiosk import words
from app.web.locale import LANGUAGES

blueprint = Blueprint("kiosk", __name__, url_prefix="/kiosk")
PAIRING = "pairing.page"
_HTTP = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kiosk:
    """The machine and its place. ``device`` None: an unpaired machine in an office that allows it."""

    office: Office
    hall: Hall | None
    device: AccessToken | None

    @property
    def settings(self) -> dict[str, Any]:
        return self.device.settings if self.device else {}

    @property
    def closed(self) -> bool:
        """Staff have closed this machine (休止)."""
        return bool(self.settings.get("closed"))

    @property
    def prints(self) -> bool:
        """A number comes out on paper: the printer is on and has paper. An unpaired machine prints when asked."""
        return not (self.settings.get("printer") == "off" or self.settings.get("paper") == "out")


@blueprint.url_value_preprocessor
def machine(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Before every other check: the caller is the machine, and its language is what was touched, else Japanese."""
    asked = request.values.get("lang")
    g.language = asked if asked in LANGUAGES else "ja"
    if security.by_bearer_header():
        return
    token = request.cookies.get(security.DEVICE_COOKIE)
    g.principal = None
    if token:
        with security.database().snapshot() as session:
            g.principal = access.by_bearer(session, token)


def at_kiosk(session: Session, office_id: str) -> Kiosk:
    """The kiosk of this request. Raises NotFound for the office, Forbidden("kiosk_unpaired")."""
    office = catalogue.office(session, office_id)
    who = security.principal()
    mine = who is not None and who.role is Role.KIOSK and who.office_id in (None, office_id)
    device = session.get(AccessToken, who.id) if who is not None and mine else None
    if device is None and not office.settings.get("open_kiosk"):
        raise Forbidden("kiosk_unpaired")
    hall = session.get(Hall, device.hall_id) if device and device.hall_id else None
    return Kiosk(office=office, hall=hall, device=device)


@blueprint.context_processor
def shared() -> dict[str, Any]:
    """What every screen of the kiosk needs beside its own values."""
    return {
        "modes": words.modes(), "kept": words.kept, "link": words.link, "toggle": words.toggle,
        "reason": words.reason,
        "seconds": words.SECONDS,
        "pairing": PAIRING if PAIRING in current_app.view_functions else None,
    }  # fmt: skip


def _screen(code: str, status: int, values: Mapping[str, object]) -> Response:
    page = render_template(
        "kiosk/problem.html", office_id=(request.view_args or {}).get("office", ""), code=code,
        message=errors.sentence(code, dict(values)), opens_at=values.get("opens_at"), title=values.get("title"),
        now=security.now(),
    )  # fmt: skip
    response = Response(page, status=status)
    if "retry_after" in values:
        response.headers["Retry-After"] = str(values["retry_after"])
    return response


@blueprint.errorhandler(DomainError)
def refused(error: DomainError) -> Response:
    """A refusal as a screen of the kiosk, with a way out; it goes back to the start by itself."""
    return _screen(error.reason, errors.status_of(error), error.values)


@blueprint.errorhandler(HTTPException)
def unreadable(error: HTTPException) -> Any:
    """What HTTP itself refuses: a form too large, a method that is not there."""
    status = error.code or 500
    return error if status < 400 else _screen(_HTTP.get(status, "error"), status, {})


@blueprint.errorhandler(Exception)
def defect(error: Exception) -> Response:
    """A defect of ours is logged, and the resident led to staff."""
    current_app.logger.exception("defect", exc_info=error)
    return _screen("defect", 500, {})
