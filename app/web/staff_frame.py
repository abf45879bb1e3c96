"""What every staff screen carries: who is signed in, where, and the links this person may follow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, Response, current_app, request, url_for

from app.domain.roles import Role, may
from app.models.place import Municipality, Office
from app.services import access
from app.web import security
from app.web.locale import COOKIE, LANGUAGES

# Screens in the order of the menu; one that is not mounted, or that this role may not open, is not shown.
_SCREENS = (("desk.show", "窓口"), ("lead.show", "フロア"), ("admin.start", "設定"))
ROLE_NAMES = {
    Role.CLERK: "職員",
    Role.FLOOR_LEAD: "フロア責任者",
    Role.DEPARTMENT_ADMIN: "課の管理者",
    Role.CITY_ADMIN: "全体管理者",
    Role.AUDITOR: "監査",
}
STAFF_LANGUAGES = ("ja", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One screen in the menu; ``label`` is Japanese source text."""

    endpoint: str
    label: str
    here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """The bar of a staff screen. ``who`` None: nobody is signed in. ``place``: office and municipality, by language."""

    who: access.Principal | None
    role: str
    links: list[Link]
    city: dict[str, Any] | None
    office: dict[str, Any] | None
    at: datetime


def links(who: access.Principal) -> list[Link]:
    """The mounted screens this person may open."""
    views = current_app.view_functions
    here = request.blueprint
    return [
        Link(endpoint=name, label=label, here=name.split(".")[0] == here)
        for name, label in _SCREENS
        if name in views and may(who.role, security.policy_of(views[name]))
    ]


def home(who: access.Principal) -> str:
    """Where this person's day begins: the first screen of the menu, else the page of the own account."""
    found = links(who)
    if who.role is not Role.CLERK and len(found) > 1 and found[0].endpoint == "desk.show":
        found = found[1:]
    return url_for(found[0].endpoint if found else "sign_in.start")


def frame() -> Frame:
    """The frame of this request."""
    who = security.principal()
    if who is None or who.kind != "staff":
        return Frame(who=None, role="", links=[], city=None, office=None, at=security.now())
    with security.database().snapshot() as session:
        city = session.get(Municipality, who.municipality_id)
        office = session.get(Office, who.office_id) if who.office_id else None
        return Frame(
            who=who, role=ROLE_NAMES.get(who.role, ""), links=links(who), city=city.name if city else None,
            office=(office.settings.get("short_name") or office.name) if office else None, at=security.now(),
        )  # fmt: skip


def _keep_language(response: Response) -> Response:
    chosen = request.args.get("lang")
    if chosen in LANGUAGES and request.blueprint != "resident":
        response.set_cookie(COOKIE, chosen, max_age=31_536_000, samesite="Lax", httponly=True)
    return response


def install(app: Flask) -> None:
    """Offer the frame to templates as ``staff_frame()``."""
    app.jinja_env.globals.update(staff_frame=frame, staff_languages=STAFF_LANGUAGES)
    app.after_request(_keep_language)
