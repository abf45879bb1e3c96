"""Who may see and move which office's money; the day and the office that a screen speaks of."""

from collections.abc import Sequence
from datetime import date, datetime

from flask import Blueprint, current_app, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import InvalidInput, NotFound, Unauthenticated
from app.domain.roles import Function
from app.models.payment import PaymentAttempt, Refund
from app.models.place import Office
from app.services import access, audit
from app.web import security

blueprint = Blueprint("money", __name__, url_prefix="/manage/payments")


def person() -> access.Principal:
    """The member of staff; a program or machine is asked to send a person, since two are needed."""
    who = security.caller()
    if who.kind != "staff":
        raise Unauthenticated()
    return who


def offices_of(session: Session, who: access.Principal) -> Sequence[Office]:
    """The offices whose money this person sees."""
    query = select(Office).where(Office.municipality_id == who.municipality_id)
    if who.office_id is not None:
        query = query.where(Office.id == who.office_id)
    return session.scalars(query.order_by(Office.position, Office.id)).all()


def chosen_office(session: Session, who: access.Principal) -> Office:
    """The office asked for, else the first; NotFound for another's."""
    offices = offices_of(session, who)
    wanted = request.args.get("office")
    found = next((each for each in offices if wanted in (None, "", each.id)), None)
    if found is None:
        raise NotFound(what="office")
    return found


def a_day(name: str, default: date) -> date:
    """A date of the query. Raises InvalidInput."""
    typed = request.args.get(name)
    if not typed:
        return default
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise InvalidInput(fields=[name]) from None


def today() -> date:
    return business_date(security.now())


def number_of(name: str) -> int:
    """An id of the form or query. Raises NotFound: what is no id names nothing."""
    text = request.values.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound(what=name)
    return int(text)


def attempt_of(session: Session, who: access.Principal, function: Function, attempt_id: int) -> PaymentAttempt:
    """An attempt of an office where this person may do this; the same NotFound for absent and foreign ones."""
    found = session.get(PaymentAttempt, attempt_id)
    if found is None:
        raise NotFound(what="payment")
    access.require(session, who, function, office_id=found.office_id)
    return found


def refund_of(session: Session, who: access.Principal, function: Function, refund_id: int) -> Refund:
    """A refund, as ``attempt_of``."""
    found = session.get(Refund, refund_id)
    if found is None:
        raise NotFound(what="payment")
    access.require(session, who, function, office_id=found.office_id)
    return found


def told(session: Session, who: access.Principal, action: str, refund: Refund, at: datetime) -> None:
    """Write an act about a refund into the audit log."""
    audit.record(
        session, municipality_id=who.municipality_id, actor=who.actor, action=action, subject=f"refund:{refund.id}",
        details={"office": refund.office_id, "yen": refund.amount_yen, "reason": refund.reason}, at=at,
        key=audit.chain_key(str(current_app.config["SECRET_KEY"])),
    )  # fmt: skip
