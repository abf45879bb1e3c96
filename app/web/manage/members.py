"""The people for the rosters: who there is, what somebody can do, hours, pauses, and days away."""

from datetime import date, timedelta
from typing import Any

from flask import Response, current_app, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import DomainError, InvalidInput, NotFound
from app.domain.roles import Function
from app.models.place import Category, Office
from app.models.staffing import StaffMember
from app.services import audit, staff_members
from app.services.staff_members import DAY_MIN, Member
from app.web import security
from app.web.errors import sentence, status_of
from app.web.manage.frame import blueprint, chosen, day_asked, offices
from app.web.manage.roster import office_named

LEAVE_DAYS = 35
_NEW = "new"


@blueprint.get("/members", endpoint="members")
@security.policy(Function.PLAN_STAFF)
def show() -> Response:
    """The list; with ``member=ID`` (or ``new``) the form of one."""
    with security.database().snapshot() as session:
        return _draw(session, chosen(session, Function.PLAN_STAFF), request.args.get("member"))


def _draw(session: Session, office: Office, wanted: str | None, error: DomainError | None = None) -> Response:
    at = security.now()
    today = business_date(at)
    people = staff_members.members(session, office.id, everybody=True)
    member = next((each for each in people if str(each.id) == wanted), None)
    if wanted not in (None, "", _NEW) and member is None:
        raise NotFound(what="member")
    lines = session.scalars(select(Category).where(Category.office_id == office.id).order_by(Category.position)).all()
    page = render_template(
        "manage/members.html", office=office, day=day_asked(session, office, at), people=people, member=member,
        fresh=wanted == _NEW, lines={line.id: line for line in lines}, reach=offices(session),
        accounts=staff_members.accounts(session, office.id),
        away=staff_members.leave(session, office.id, since=today, until=today + timedelta(days=LEAVE_DAYS)),
        today=today, said=sentence(error.reason, dict(error.values)) if error else None,
    )  # fmt: skip
    return Response(page, status=status_of(error) if error else 200)


@blueprint.post("/members/<office>", endpoint="members_change")
@security.policy(Function.PLAN_STAFF)
def change(office: str) -> Any:
    """Keep a person, or a time away; 303 to the form of the person."""
    wanted = request.form.get("member", "")
    try:
        with security.database().transaction() as session:
            kept = _keep(session, office_named(session, office), wanted)
    except NotFound:
        raise
    except DomainError as error:
        with security.database().snapshot() as session:
            return _draw(session, office_named(session, office), wanted, error)
    return redirect(url_for("manage.members", office=office, member=kept), 303)


def _keep(session: Session, office: Office, wanted: str) -> int:
    action, at, who = request.form.get("action", ""), security.now(), security.caller()
    if action == "save" and wanted == _NEW:
        row = staff_members.add(session, office.id, _given())
    elif action == "save":
        row = staff_members.change(session, office.id, _id(wanted), _given())
    elif action in ("leave", "here"):
        row = staff_members.member(session, office.id, _id(wanted))
        _leave(session, office, row, action)
    else:
        raise InvalidInput(fields=["action"])
    audit.record(
        session, municipality_id=who.municipality_id, actor=who.actor, action="roster_people_changed",
        subject=f"member:{row.id}", details={"office": office.id, "what": action}, at=at,
        key=audit.chain_key(str(current_app.config["SECRET_KEY"])),
    )  # fmt: skip
    return row.id


def _id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise NotFound(what="member")
    return int(text)


def _leave(session: Session, office: Office, row: StaffMember, action: str) -> None:
    try:
        day = date.fromisoformat(request.form.get("day", ""))
    except ValueError:
        raise InvalidInput("bad_date") from None
    if action == "here":
        staff_members.end_leave(session, office.id, row.id, day=day)
        return
    begin, end = request.form.get("from", ""), request.form.get("until", "")
    staff_members.give_leave(
        session, office.id, row.id, day=day, from_min=_minutes(begin) if begin else 0,
        until_min=_minutes(end) if end else DAY_MIN,
    )  # fmt: skip


def _given() -> Member:
    """The person as the form has it. Raises InvalidInput."""
    form = request.form
    hours = {}
    for weekday in range(7):
        begin, end = form.get(f"from{weekday}", ""), form.get(f"until{weekday}", "")
        if begin and end:
            hours[weekday] = (_minutes(begin), _minutes(end))
    first = form.get("first", "")
    lines = [first] * bool(first) + [line for line in form.getlist("lines") if line != first]
    if any("\x00" in text for text in (form.get("name", ""), form.get("section", ""))):
        raise InvalidInput("bad_text")
    return Member(
        name=form.get("name", ""), section=form.get("section", ""), lines=lines, hours=hours,
        lunch_min=_pause("lunch"), rest_min=_pause("rest"), active=form.get("active") == "1",
        account_id=_account(),
    )  # fmt: skip


def _account() -> int | None:
    """Raises InvalidInput for what is no account."""
    text = request.form.get("account", "")
    if text and (not text.isascii() or not text.isdigit() or len(text) > 18):
        raise InvalidInput("bad_member", fields=["account"])
    return int(text) if text else None


def _pause(name: str) -> int:
    text = request.form.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1


def _minutes(text: str) -> int:
    """Minutes from midnight of a clock as forms send it. Raises InvalidInput ``bad_clock``."""
    hour, _, minute = text.partition(":")
    if not (hour.isdigit() and minute.isdigit() and len(text) <= 5 and text.isascii() and int(minute) < 60):
        raise InvalidInput("bad_clock")
    return int(hour) * 60 + int(minute)
