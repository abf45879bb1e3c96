"""What all managers' screens stand on: the blueprint, and the office that is looked at."""

from datetime import date, datetime, timedelta

from flask import Blueprint, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.domain.roles import Function
from app.models.place import Office
from app.services import access, forecasts, hours, practice
from app.web import security

blueprint = Blueprint("manage", __name__, url_prefix="/manage")


blueprint.app_template_global("practice_days")(practice.span)


def offices(session: Session) -> list[Office]:
    """The offices within the caller's reach, in their order."""
    who = security.caller()
    query = select(Office).where(Office.municipality_id == who.municipality_id).order_by(Office.position)
    return [office for office in session.scalars(query) if who.office_id in (None, office.id)]


def chosen(session: Session, function: Function) -> Office:
    """The office of the address, the first within reach without one; raises NotFound."""
    reach = offices(session)
    wanted = request.args.get("office") or (reach[0].id if reach else "")
    office = next((office for office in reach if office.id == wanted), None)
    if office is None:
        raise NotFound(what="office")
    access.require(session, security.caller(), function, office_id=office.id)
    return office


def day_asked(session: Session, office: Office, at: datetime) -> date:
    """The day of the address; without one the next on which the office opens. Raises NotFound for none."""
    text = request.args.get("date")
    if text is None:
        opens = hours.next_opening(session, office.id, at)
        return business_date(opens) if opens else business_date(at) + timedelta(days=1)
    return day_named(text, at)


def day_named(text: str, at: datetime) -> date:
    """A day as an address writes it, not further from today than a forecast reaches; raises NotFound."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise NotFound(what="day") from None
    if abs((found - business_date(at)).days) > forecasts.MOST_DAYS:
        raise NotFound(what="day")
    return found
