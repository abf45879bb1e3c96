"""What all administration screens stand on: the menu, the place within reach, one transaction, refusals in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import Blueprint, Response, current_app, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, DomainError, Forbidden, InvalidInput, TooMany
from app.domain.roles import Function, may
from app.models.place import Office
from app.services import access, audit
from app.web import security
from app.web.errors import sentence, status_of

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
Result = TypeVar("Result")
MOST = 2**31 - 1
NUMBER = f"int(max={MOST})"  # a larger number in an address is not found, instead of no number for the database
Work = Callable[[Session, access.Principal, datetime], Result]
# Shown on the form they came from; everything else is a page of its own.
REFUSALS = (InvalidInput, Conflict, Forbidden, TooMany)

_MENU = (
    ("kiosk", Function.EDIT_PLACE, "手続きと受付機"),
    ("hours", Function.EDIT_PLACE, "開庁時間と特別な日"),
    ("staff", Function.MANAGE_PEOPLE, "職員と役割"),
    ("devices", Function.MANAGE_DEVICES, "端末"),
    ("messages", Function.EDIT_PLACE, "お知らせの文面"),
    ("log", Function.READ_AUDIT, "記録"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One entry of the menu. ``name`` is Japanese source text."""

    word: str
    name: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a form was not taken, and beside which field it is said (empty: above the form)."""

    code: str
    field: str
    said: str


def refusal(error: DomainError) -> Refusal:
    """A refusal in words for the form it belongs to."""
    values = dict(error.values)
    return Refusal(code=error.reason, field=str(values.get("field", "")), said=sentence(error.reason, values))


def key() -> bytes:
    """The key of the audit chain."""
    return audit.chain_key(str(current_app.config["SECRET_KEY"]))


def act(work: Work[Result]) -> Result:
    """Do it in one transaction, as the caller, now."""
    with security.database().transaction() as session:
        return work(session, security.caller(), security.now())


def told(
    session: Session, who: access.Principal, action: str, subject: str, details: dict[str, Any], at: datetime
) -> None:
    """Write an act of these screens into the audit log."""
    audit.record(
        session, municipality_id=who.municipality_id, actor=who.actor, action=action, subject=subject,
        details=details, at=at, key=key(),
    )  # fmt: skip


def office_within(session: Session, function: Function, office_id: str) -> Office:
    """An office the caller may do this at. Raises NotFound, the same for absent and for another's."""
    access.require(session, security.caller(), function, office_id=office_id)
    return session.get_one(Office, office_id)


def offices_within(session: Session, who: access.Principal) -> Sequence[Office]:
    """The offices the caller may edit."""
    query = select(Office).where(Office.municipality_id == who.municipality_id)
    if who.office_id is not None:
        query = query.where(Office.id == who.office_id)
    return session.scalars(query.order_by(Office.position, Office.id)).all()


def menu(first_office: str) -> list[Area]:
    """The areas this person may open."""
    role = security.caller().role
    found = []
    for word, function, name in _MENU:
        if may(role, function):
            place: dict[str, Any] = {"office": first_office} if word in ("kiosk", "hours") else {}
            found.append(Area(word=word, name=name, href=url_for(f"admin.{word}", **place)))
    return found


def page(session: Session, template: str, *, area: str, error: DomainError | None = None, **values: Any) -> Response:
    """A screen of an area, with the refusal of its form if there is one, and that refusal's status."""
    offices = offices_within(session, security.caller())
    here = (request.view_args or {}).get("office", offices[0].id if offices else "")
    html = render_template(
        f"admin/{template}.html", areas=menu(here), area=area, offices=offices,
        error=refusal(error) if error else None, key=security.fresh_secret(), at=security.now(),
        done=request.args.get("done", ""), **values,
    )  # fmt: skip
    response = Response(html, status=status_of(error) if error else 200)
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.values.get("retry_after", 60))
    return response


def refused(error: DomainError) -> bool:
    """Whether a refusal belongs on the form; a caller without the function gets a page of its own."""
    return isinstance(error, REFUSALS) and error.reason != Forbidden.code
