"""The coming week: each day's longest waits, arrivals, bookings, counters needed and staffed, what is left short."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import render_template
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import hours as hours_rules
from app.domain.calendar import business_date
from app.domain.roles import Function
from app.domain.wait import BUSY_FROM, CROWDED_FROM
from app.models.place import Category, Office
from app.services import forecast_record, forecasts, hours, publications, roster_days, rosters
from app.services.publications import Kind
from app.services.roster_days import DayRoster, Made
from app.web import day_plan, off_loop, security
from app.web.day_plan import LinePlan
from app.web.manage import week_view
from app.web.manage.forecast import off
from app.web.manage.frame import blueprint, chosen, day_asked, offices
from app.web.manage.week_view import Planned

DAYS, JUDGED_DAYS = 7, 7
MADE: Mapping[Made, str] = {
    Made.RULE: "自動の案", Made.DRAFT: "下書き", Made.CHANGED: "公開後に変更あり", Made.PUBLISHED: "公開中",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the calendar. ``starts``: half-hours it is open, none when closed; ``notes``: words by language.

    ``holiday``: the Japanese name of the one that closes it.
    """

    day: date
    starts: tuple[int, ...]
    holiday: str | None
    notes: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the database knows of a week."""

    days: Sequence[Day]
    plans: Mapping[date, Sequence[LinePlan]]
    kept: Mapping[date, DayRoster]
    lines: Mapping[str, Category]

    def planned(self) -> dict[date, Planned]:
        """The figures of each day with a forecast; for ``off_loop``."""
        return {day: week_view.planned(day, plans, self.kept.get(day), self.lines) for day, plans in self.plans.items()}


def _known(session: Session, office: Office, first: date, at: datetime) -> Known:
    calendar = hours.calendar_of(session, office.id)
    content = publications.current(session, office.id, Kind.HOURS).content
    days = [
        Day(
            day=day, starts=(opens := rosters.slots(calendar.intervals(day))),
            holiday=None if opens else calendar.holiday(day), notes=hours_rules.notes(content, day, calendar),
        )
        for day in (first + timedelta(days=ahead) for ahead in range(DAYS))
    ]  # fmt: skip
    told = day_plan.of_days(session, office_id=office.id, since=first, days=DAYS, at=at)
    starts = {each.day: each.starts for each in days}
    plans = {day: plans for day, plans in told.items() if plans and starts[day]}
    lines = session.scalars(select(Category).where(Category.office_id == office.id).order_by(Category.position))
    return Known(
        days=days, plans=plans, lines={line.id: line for line in lines},
        kept=roster_days.of_days(
            session, office.id, starts=starts, needs={day: day_plan.needs(each) for day, each in plans.items()}
        ),
    )  # fmt: skip


@blueprint.get("/week", endpoint="week")
@security.policy(Function.READ_REPORTS)
def show() -> str:
    """Seven days; ``?date=2026-04-02`` the first of them, without one the next on which the office opens."""
    at = security.now()
    today = business_date(at)
    with security.database().snapshot() as session:
        office = chosen(session, Function.READ_REPORTS)
        first = day_asked(session, office, at)
        known = _known(session, office, first, at)
        judged = forecasts.errors(session, office_id=office.id, since=today - timedelta(days=JUDGED_DAYS), until=today)
        record = forecast_record.of_lines(session, office.id, at=at)
        values: dict[str, Any] = {
            "office": office, "day": first, "last": first + timedelta(days=DAYS - 1), "reach": offices(session),
            "age": forecasts.age(session, office_id=office.id, at=at), "off": off(judged), "made": MADE,
            "cover": _mean([line.cover for line in record if line.cover is not None]),
            "before": _within(first - timedelta(days=DAYS), today),
            "after": _within(first + timedelta(days=DAYS), today),
        }  # fmt: skip
    found = off_loop.run(known.planned)
    days = list(found.values())
    return render_template(
        "manage/week.html", **values, days=known.days, found=found,
        lines=[line for line in known.lines.values() if any(line.id in each.worst for each in days)],
        columns=_columns(known.days, found),
        short=max((each for each in days if each.missing), key=lambda each: each.missing, default=None),
        longest=max((each for each in days if each.longest), key=_minutes, default=None),
        calm=week_view.calmest(days), border=(BUSY_FROM, CROWDED_FROM),
    )  # fmt: skip


def _columns(days: Sequence[Day], found: Mapping[date, Planned]) -> list[int]:
    """The half-hours in which somebody is told to come; where nothing is told yet, those that are open."""
    told = {start for each in days if each.day in found for start in each.starts if start in found[each.day].waits}
    return sorted(told or {start for each in days for start in each.starts})


def _minutes(day: Planned) -> float:
    return day.longest.weight if day.longest else 0


def _mean(shares: Sequence[float]) -> float | None:
    return sum(shares) / len(shares) if shares else None


def _within(day: date, today: date) -> date | None:
    """The day, where a page may be asked for it."""
    return day if abs((day - today).days) <= forecasts.MOST_DAYS else None
