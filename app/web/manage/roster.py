"""The roster of a day: the table, every change by a plain form, the search, publishing."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.domain import roster as rules
from app.domain.errors import DomainError, NotFound
from app.domain.roles import Function
from app.domain.roster import Broken
from app.models.place import Office
from app.services import access, forecasts, hours, rosters
from app.services.rosters import Sheet
from app.web import off_loop, security
from app.web.errors import sentence, status_of
from app.web.locale import plain, t
from app.web.manage import roster_acts, roster_view
from app.web.manage.frame import blueprint, chosen, day_asked, day_named, offices
from app.web.manage.roster_seen import Seen, seen

SEARCH_SECONDS = 30
RULES: Mapping[Broken, str] = MappingProxyType(
    {
        Broken.SKILL: "できない列が入っています。", Broken.ABSENT: "勤務時間の外に入っています。",
        Broken.LUNCH: "昼休みが足りません。", Broken.REST: "休憩がありません。",
    }
)  # fmt: skip


def section_of(sheet: Sheet) -> str:
    """The section of the address; without one the caller's own, where it has people; empty for everybody."""
    known = roster_view.sections(sheet)
    asked = request.args.get("section", request.form.get("section"))
    if asked is not None:
        return asked if asked in known else ""
    who = security.caller()
    return who.section if who.section in known else ""


@blueprint.get("/roster", endpoint="roster")
@security.policy(Function.PLAN_STAFF)
def show() -> Response:
    """The day's table; ``?date=2026-04-02&section=市民課``."""
    at = security.now()
    with security.database().snapshot() as session:
        office = chosen(session, Function.PLAN_STAFF)
        return _draw(session, seen(session, office, day_asked(session, office, at), at))


def _draw(session: Session, look: Seen, error: DomainError | None = None) -> Response:
    section = section_of(look.sheet)
    rows = roster_view.rows(session, look.sheet, look.lines, section)
    cover = off_loop.run(roster_view.cover, look.sheet, look.plans, look.lines, section, rows)
    short = rules.gaps(look.sheet.plan, look.sheet.shifts)
    earlier = rules.gaps(look.sheet.plan, look.sheet.earlier)
    page = render_template(
        "manage/roster.html", look=look, office=look.office, day=look.day, sheet=look.sheet, rows=rows, cover=cover,
        section=section, sections=roster_view.sections(look.sheet), reach=offices(session),
        missing=sum(gap.missing for gap in short), earlier=sum(gap.missing for gap in earlier),
        rate=rules.shortfall(look.sheet.plan, look.sheet.shifts), seconds=SEARCH_SECONDS, words=rules,
        age=forecasts.age(session, office_id=look.office.id, at=look.at),
        opens=hours.opening(session, look.office.id, look.day), said=_said(error),
        found_missing=_found_missing(look), mine=roster_view.lines_of(look.lines, section, rows), rules=RULES, script={
            "chosen": plain(t("選択中: {name} {times}")), "cut": plain(t("つながりません。変更は保存されていません。")),
        }, before=look.day - timedelta(days=1), after=look.day + timedelta(days=1),
    )  # fmt: skip
    return Response(page, status=status_of(error) if error else 200)


def _said(error: DomainError | None) -> Any:
    return sentence(error.reason, dict(error.values)) if error else None


def _found_missing(look: Seen) -> int | None:
    """How many counters of half-hours the plan that was found leaves open; None where there is none to take."""
    if look.search is None or not look.search.found:
        return None
    shifts = rosters.shifts_of(look.sheet.plan, look.search.found)
    if shifts == look.sheet.shifts:
        return None
    return sum(gap.missing for gap in rules.gaps(look.sheet.plan, shifts))


@blueprint.post("/roster/<office>/<day>", endpoint="roster_change")
@security.policy(Function.PLAN_STAFF)
def change(office: str, day: str) -> Any:
    """One change by a plain form; 303 to the table, or the fresh table with what was refused."""
    at, who = security.now(), security.caller()
    on = day_named(day, at)
    with security.database().snapshot() as session:
        look = seen(session, office_named(session, office), on, at)
    try:
        # What was seen is enough: the version in the form tells whether it still stands.
        with security.database().transaction() as session:
            roster_acts.perform(session, look, request.form, who=who)
    except NotFound:
        raise
    except DomainError as error:
        with security.database().snapshot() as session:
            return _draw(session, seen(session, office_named(session, office), on, at), error)
    return redirect(url_for("manage.roster", office=office, date=on, section=section_of(look.sheet)), 303)


def office_named(session: Session, office_id: str) -> Office:
    """An office within the caller's reach; raises NotFound."""
    office = next((each for each in offices(session) if each.id == office_id), None)
    if office is None:
        raise NotFound(what="office")
    access.require(session, security.caller(), Function.PLAN_STAFF, office_id=office.id)
    return office


@blueprint.get("/roster/publish", endpoint="roster_publish")
@security.policy(Function.PLAN_STAFF)
def publish() -> str:
    """Whose day publishing changes, and how; nothing is done yet."""
    at = security.now()
    with security.database().snapshot() as session:
        office = chosen(session, Function.PLAN_STAFF)
        look = seen(session, office, day_asked(session, office, at), at)
        now = roster_view.rows(session, look.sheet, look.lines, "")
        before = {
            row.member.id: row
            for row in roster_view.rows(session, roster_acts.as_published(look.sheet), look.lines, "")
        }
        return render_template(
            "manage/roster_publish.html", look=look, office=office, day=look.day, section=section_of(look.sheet),
            changed=[(row, before.get(row.member.id)) for row in now if str(row.member.id) in look.sheet.changed],
            rate=rules.shortfall(look.sheet.plan, look.sheet.shifts),
            missing=sum(gap.missing for gap in rules.gaps(look.sheet.plan, look.sheet.shifts)),
        )  # fmt: skip
