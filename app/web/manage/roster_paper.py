"""The roster for elsewhere: a table for a spreadsheet, and a calendar for each person."""

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

from flask import Response, request
from icalendar import Calendar, Event
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import JST, business_date
from app.domain.errors import Conflict, NotFound
from app.domain.roles import Function
from app.domain.roster import BACK, LUNCH, OFF, REST
from app.models.place import Category, Office
from app.models.staffing import RosterDay, StaffMember
from app.services import own_roster, staff_members
from app.web import security
from app.web.locale import pick, plain, t
from app.web.manage.frame import blueprint, chosen, day_asked
from app.web.manage.roster_seen import seen

# A calendar holds what is published from this day for so many days.
CALENDAR_DAYS = 28
_WORKS = {BACK: "後方", LUNCH: "昼", REST: "休憩", OFF: ""}
# Cells of a spreadsheet that begin so would be reckoned.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _word(work: str, lines: dict[str, Category]) -> str:
    if work in _WORKS:
        return plain(t(_WORKS[work])) if _WORKS[work] else ""
    return plain(pick(lines[work].short_name)) if work in lines else work


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


@blueprint.get("/roster.csv", endpoint="roster_csv")
@security.policy(Function.PLAN_STAFF)
def table() -> Response:
    """A row a person, a column a half-hour; UTF-8 with the mark that Excel asks for, without it for ``plain=1``."""
    at = security.now()
    with security.database().snapshot() as session:
        office = chosen(session, Function.PLAN_STAFF)
        look = seen(session, office, day_asked(session, office, at), at)
        text = io.StringIO()
        out = csv.writer(text)
        starts = look.sheet.plan.starts
        head = [plain(t("職員")), plain(t("係")), *(f"{start // 60:02d}:{start % 60:02d}" for start in starts)]
        out.writerow(head)
        for who, member in look.sheet.members.items():
            cells = [_word(work, dict(look.lines)) for work in look.sheet.shifts[who]]
            out.writerow([_safe(each) for each in (member.name, member.section, *cells)])
    mark = "" if request.args.get("plain") == "1" else "\ufeff"
    return Response(
        (mark + text.getvalue()).encode(), mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="roster-{office.id}-{look.day.isoformat()}.csv"'},
    )  # fmt: skip


@blueprint.get("/roster.ics", endpoint="roster_ics")
@security.policy(Function.PLAN_STAFF)
def calendar() -> Response:
    """One person's published days as a calendar. 409 ``roster_published_only`` when none of them is published."""
    at = security.now()
    with security.database().snapshot() as session:
        office = chosen(session, Function.PLAN_STAFF)
        number = request.args.get("member", "")
        if not number.isascii() or not number.isdigit() or len(number) > 18:
            raise NotFound(what="member")
        member = staff_members.member(session, office.id, int(number))
        return as_calendar(session, office, member, day_asked(session, office, at), at)


def as_calendar(session: Session, office: Office, member: StaffMember, day: date, at: datetime) -> Response:
    """A person's published days, until some weeks after ``day``. Raises Conflict ``roster_published_only``."""
    return Response(
        _calendar(session, office, member, day, at), mimetype="text/calendar",
        headers={"Content-Disposition": f'attachment; filename="roster-{member.id}.ics"'},
    )  # fmt: skip


def _calendar(session: Session, office: Office, member: StaffMember, day: date, at: datetime) -> bytes:
    rows = session.scalars(
        select(RosterDay).where(
            RosterDay.office_id == office.id, RosterDay.published_at.is_not(None), RosterDay.day >= business_date(at),
            RosterDay.day < max(day, business_date(at)) + timedelta(days=CALENDAR_DAYS),
        ).order_by(RosterDay.day)
    ).all()  # fmt: skip
    lines = {line.id: line for line in session.scalars(select(Category).where(Category.office_id == office.id))}
    if not rows:
        raise Conflict("roster_published_only")
    found = Calendar()
    found.add("prodid", "-//Madoguchi//roster//JA")
    found.add("version", "2.0")
    found.add("x-wr-calname", f"{plain(pick(office.name))} {member.name}")
    for row in rows:
        for each in own_roster.stretches(session, row).get(str(member.id), []):
            what = _word(each.work, lines)
            if each.counter is not None:
                what = f"{what} {plain(t('%(n)s番窓口', n=each.counter))}"
            found.add_component(_event(row, member, (each.begins, each.ends), what, office))
    body: bytes = found.to_ical()
    return body


def _event(row: RosterDay, member: StaffMember, times: tuple[int, int], what: str, office: Office) -> Any:
    midnight = datetime.combine(row.day, datetime.min.time(), JST)
    event = Event()
    event.add("uid", f"{row.office_id}-{row.day.isoformat()}-{member.id}-{times[0]}@madoguchi")
    event.add("dtstamp", row.published_at)
    event.add("sequence", row.version)
    event.add("dtstart", midnight + timedelta(minutes=times[0]))
    event.add("dtend", midnight + timedelta(minutes=times[1]))
    event.add("summary", what)
    event.add("location", plain(pick(office.name)))
    return event
