"""At which counter somebody sits, and choosing one: a counter and what is served there, in one act."""

from collections.abc import Sequence
from typing import Any

from flask import Response, render_template, request
from flask import session as cookie
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import DomainError, NotFound, Unauthenticated
from app.models.place import Counter, Hall, Office, WorkProfile
from app.services import access
from app.web import security
from app.web.desk import own_roster
from app.web.sign_in import last_sign_in

# This machine's counter: a desk computer stands at one, whoever signs in at it.
MACHINE_COOKIE = "madoguchi_counter"


def clerk() -> access.Principal:
    """The member of staff at this screen; programs and devices have no desk."""
    who = security.caller()
    if who.kind != "staff":
        raise Unauthenticated()
    return who


def token() -> str:
    """The secret of this session."""
    return str(cookie.get(security.STAFF_COOKIE, ""))


def own(session: Session, who: access.Principal) -> Counter | None:
    """The counter this session sits at; None when it was closed or somebody else has sat down."""
    counter = session.get(Counter, who.counter_id) if who.counter_id else None
    if counter is None or counter.state == "closed" or counter.staff_id not in (None, who.id):
        return None
    return counter


def offices_of(session: Session, who: access.Principal) -> list[Office]:
    """The offices this person may work in."""
    query = select(Office).where(Office.municipality_id == who.municipality_id).order_by(Office.position, Office.id)
    return list(session.scalars(query if who.office_id is None else query.where(Office.id == who.office_id)))


def _chosen_office(offices: list[Office], who: access.Principal, session: Session) -> Office:
    asked = request.args.get("office") or who.office_id
    machine = session.get(Counter, request.cookies.get(MACHINE_COOKIE, ""))
    wanted = asked or (machine.office_id if machine else None) or (offices[0].id if offices else None)
    found = next((office for office in offices if office.id == wanted), None)
    if found is None:
        raise NotFound(what="office")
    return found


def chooser(session: Session, who: access.Principal, *, error: DomainError | None = None, said: str | None = None,
            status: int = 200, chosen: str | None = None) -> Response:  # fmt: skip
    """The page to choose a counter; those where somebody sits say who."""
    offices = offices_of(session, who)
    office = _chosen_office(offices, who, session)
    counters = session.scalars(select(Counter).where(Counter.office_id == office.id).order_by(Counter.position)).all()
    halls = session.scalars(select(Hall).where(Hall.office_id == office.id).order_by(Hall.position)).all()
    profiles = session.scalars(
        select(WorkProfile).where(WorkProfile.office_id == office.id).order_by(WorkProfile.position)
    ).all()
    usual = {profile.id: profile.name for profile in profiles}
    own = own_roster.read(session, who, at=security.now())
    page = render_template(
        "desk/choose.html", office=office, offices=offices, halls=halls, counters=counters, profiles=profiles,
        usual=usual, who=who, error=error, own=own,
        preferred=chosen or who.counter_id or request.cookies.get(MACHINE_COOKIE) or _planned(counters, own),
        said=said, last=last_sign_in(), key=security.fresh_secret(),
    )  # fmt: skip
    return Response(page, status=status)


def _planned(counters: Sequence[Counter], own: Any) -> str | None:
    """The counter that the roster gives this person now, or next today."""
    number = own.planned.counter if own and own.planned else None
    return next((each.id for each in counters if each.number == number), None)


def remember_machine(response: Any, counter_id: str) -> Any:
    """Next time this counter is proposed on this machine."""
    response.set_cookie(
        MACHINE_COOKIE, counter_id, max_age=31_536_000, samesite="Lax", httponly=True,
        secure=request.is_secure,
    )  # fmt: skip
    return response
