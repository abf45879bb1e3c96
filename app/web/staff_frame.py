"""What every staff screen carries: who is signed in, where, and the links this person may follow."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, Response, current_app, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.roles import Role, may
from app.models.place import Municipality, Office
from app.services import access
from app.web import security
from app.web.locale import COOKIE, LANGUAGES

# Screens in the order of the menu; one that is not mounted, or that this role may not open, is not shown.
_SCREENS = (
    ("desk.show", "窓口"),
    ("lead.show", "フロア"),
    ("staff_bookings.show", "予約"),
    ("manage.plan", "計画"),
    ("manage.reports", "報告"),
    ("money.show", "入金"),
    ("admin.start", "設定"),
)
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
    """The bar of a staff screen. ``who`` None: nobody is signed in. ``section``, ``city``, ``office``: by language.

    ``training``: the own office, or for who has none any of the city's, gives numbers for practice.
    """

    who: access.Principal | None
    role: str
    links: list[Link]
    city: dict[str, Any] | None
    office: dict[str, Any] | None
    section: dict[str, Any] | None
    at: datetime
    training: bool = False


def links(who: access.Principal) -> list[Link]:
    """The mounted screens this person may open."""
    views = current_app.view_functions
    named = [name for name, _ in _SCREENS]
    # A page that is not in the menu belongs to the first screen of its blueprint.
    mine = (name for name in named if name.split(".")[0] == request.blueprint)
    here = request.endpoint if request.endpoint in named else next(mine, None)
    return [
        Link(endpoint=name, label=label, here=name == here)
        for name, label in _SCREENS
        if name in views and may(who.role, security.policy_of(views[name]))
    ]


def may_open(endpoint: str) -> bool:
    """Whether this caller may open a screen that is mounted."""
    who, view = security.principal(), current_app.view_functions.get(endpoint)
    return who is not None and view is not None and may(who.role, security.policy_of(view))


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
        return Frame(who=None, role="", links=[], city=None, office=None, section=None, at=security.now())
    with security.database().snapshot() as session:
        city = session.get(Municipality, who.municipality_id)
        office = session.get(Office, who.office_id) if who.office_id else None
        return Frame(
            who=who, role=ROLE_NAMES.get(who.role, ""), links=links(who), city=city.name if city else None,
            office=(office.settings.get("short_name") or office.name) if office else None,
            section=_section(city, who.section), at=security.now(),
            training=office.training if office else _any_training(session, who.municipality_id),
        )  # fmt: skip


def _any_training(session: Session, city: str) -> bool:
    return any(each.training for each in session.scalars(select(Office).where(Office.municipality_id == city)))


def _section(city: Municipality | None, written: str) -> dict[str, Any]:
    """A section as it stands with the account, in the words the municipality gave it in other languages."""
    known: dict[str, Any] = (city.settings.get("sections") if city else None) or {}
    return known.get(written) or {"ja": written}


def _keep_language(response: Response) -> Response:
    chosen = request.args.get("lang")
    if chosen in LANGUAGES and request.blueprint != "resident":
        response.set_cookie(COOKIE, chosen, max_age=31_536_000, samesite="Lax", httponly=True)
    return response


def install(app: Flask) -> None:
    """Offer the frame to templates as ``staff_frame()``."""
    app.jinja_env.globals.update(staff_frame=frame, staff_languages=STAFF_LANGUAGES, may_open=may_open)
    app.after_request(_keep_language)
