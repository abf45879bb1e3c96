"""What the bookings screens of staff share: the office within reach, keys and seals, rows with their lines."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint, current_app, request
from sqlalchemy.orm import Session

from app.domain.booking import State
from app.domain.calendar import business_date, parse_date
from app.domain.errors import InvalidInput, NotFound
from app.domain.roles import Function, may
from app.models.booking import Booking
from app.models.place import Category, Office
from app.services import access, audit, booking_search, catalogue
from app.services.booking_desk import DayRow
from app.services.booking_search import Look, Reason
from app.web import security

blueprint = Blueprint("staff_bookings", __name__, url_prefix="/bookings")
REASONS = (
    (Reason.CALLED_US, "本人から電話があった"), (Reason.AT_COUNTER, "窓口で本人を確かめた"),
    (Reason.WE_CALL, "忘れ物・書類の不足・時刻の変更を知らせる"), (Reason.MISTAKE, "入力の間違いを直す"),
    (Reason.OTHER, "そのほか(20字以上で書く)"),
)  # fmt: skip


def within(session: Session, office_id: str, function: Function) -> Office:
    """The office, if the caller may do this there; NotFound for absent and for another's alike."""
    access.require(session, security.caller(), function, office_id=office_id)
    return session.get_one(Office, office_id)


def offices(session: Session) -> list[Office]:
    """The offices the caller may look at."""
    who = security.caller()
    return [each for each in catalogue.offices(session, who.municipality_id) if who.office_id in (None, each.id)]


def can(function: Function) -> bool:
    return may(security.caller().role, function)


def day_of(name: str = "day") -> date:
    """The day of the address or form; today where none is said."""
    text = request.values.get(name, "")
    today = business_date(security.now())
    if not text:
        return today
    try:
        return parse_date(text)
    except InvalidInput:
        raise NotFound(what="day") from None


def number(name: str) -> int | None:
    """A row's number in the address or form."""
    text = request.values.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def own_booking(session: Session, office: Office) -> Booking:
    """The booking that is meant, of this office."""
    asked = number("booking") or number("moving")
    booking = booking_search.own(session, asked, security.caller()) if asked else None
    if booking is None or booking.office_id != office.id:
        raise NotFound(what="booking")
    return booking


def look() -> Look:
    """Why the caller looks, as the form says it. Raises InvalidInput("reason_needed")."""
    given = request.form.get("reason", "")
    if given not in set(Reason):
        raise InvalidInput("reason_needed", field="reason")
    return Look(
        who=security.caller(), reason=Reason(given), words=request.form.get("words", ""),
        audit_key=audit.chain_key(str(current_app.config["SECRET_KEY"])),
    )  # fmt: skip


def places(session: Session, rows: Sequence[DayRow]) -> dict[str, Category]:
    """The lines of rows, by id."""
    return {row.category: session.get_one(Category, row.category) for row in rows}


def figures(rows: Sequence[DayRow]) -> dict[str, int]:
    """How many of a day in each state."""
    counted: dict[str, Any] = {str(state): sum(row.state == state for row in rows) for state in State}
    return counted | {"all": sum(row.state != State.CANCELLED for row in rows)}
