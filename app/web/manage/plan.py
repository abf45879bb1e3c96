"""Tomorrow: who is expected when, how many counters that needs, where they are missing, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, clock, era_year
from app.domain.errors import NotFound
from app.domain.roles import Function
from app.models.place import Category, Office
from app.services import forecast_store, forecasts, hours, roster_days, rosters, visit_history
from app.services.forecasts import INTERVAL_MIN
from app.web import day_plan, off_loop, played, security
from app.web.day_plan import LinePlan, minute_of_day
from app.web.manage.as_is import as_is
from app.web.manage.frame import blueprint, chosen, day_asked, offices
from forecasting.hall import Outcome
from forecasting.staffing import Target

VERIFIED_DAYS = 40
# Columns of the drawings are those of the table below them: a column of labels, then one for each half-hour.
_LEFT, _STEP, _TOP, _TALL = 112, 54, 20, 180
_JUDGED_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Points of the two drawings, in their units: the expected line with its band, needed counters beside usual.

    ``bookings``: bars ``(x, y, height)``; ``mean``: the line of the last same weekdays; ``peak``: ``(x, y, clock,
    parties)`` of the highest half-hour; ``missing``: ``(x, y, width, height, counters)``.
    """

    line: str
    band: str
    need: str
    usual: float
    missing: Sequence[tuple[float, float, float, float, int]]
    bookings: Sequence[tuple[float, float, float]]
    mean: str
    peak: tuple[float, float, str, float]
    width: int
    label: float
    top_people: int
    top_counters: int
    ticks: Sequence[tuple[float, str]]


def chart(plan: LinePlan, mean: Mapping[int, float]) -> Chart:
    """The drawings of a line's day. ``mean``: parties on the last same weekdays by half-hour of the day."""
    usual = [mean.get(minute_of_day(start) // INTERVAL_MIN, 0.0) for start in plan.starts]
    top = max(5, -(-int(max(*usual, *(each.high for each in plan.expected)) + 1) // 5) * 5)
    most = max(2, *(need.counters for need in plan.needs), plan.facts.usual) + 1
    xs = [_LEFT + _STEP * (number + 0.5) for number in range(len(plan.starts))]

    def y(value: float, whole: float) -> float:
        return round(_TOP + _TALL * (1 - value / whole), 1)

    expected = plan.expected
    upper = [f"{x},{y(each.high, top)}" for x, each in zip(xs, expected, strict=True)]
    lower = [f"{x},{y(each.low, top)}" for x, each in zip(xs, expected, strict=True)]
    steps = [
        point
        for number, need in enumerate(plan.needs)
        for point in (f"{_LEFT + _STEP * number},{y(need.counters, most)}",
                      f"{_LEFT + _STEP * (number + 1)},{y(need.counters, most)}")
    ]  # fmt: skip
    return Chart(
        line=" ".join(f"{x},{y(each.expected, top)}" for x, each in zip(xs, expected, strict=True)),
        band=" ".join([*upper, *reversed(lower)]), need=" ".join(steps), usual=y(plan.facts.usual, most),
        missing=[
            (_LEFT + _STEP * number, y(need.counters, most), _STEP, y(plan.facts.usual, most) - y(need.counters, most),
             need.counters - plan.facts.usual)
            for number, need in enumerate(plan.needs)
            if need.counters > plan.facts.usual
        ],
        bookings=[
            (x - _STEP / 5, y(each.bookings, top), round(_TOP + _TALL - y(each.bookings, top), 1))
            for x, each in zip(xs, expected, strict=True)
            if each.bookings
        ],
        mean=" ".join(f"{x},{y(each, top)}" for x, each in zip(xs, usual, strict=True)) if mean else "",
        peak=max(
            ((x, y(each.expected, top), f"{clock(each.start):%H:%M}".lstrip("0"), each.expected)
             for x, each in zip(xs, expected, strict=True)),
            key=lambda point: point[3],
        ),
        width=_LEFT + _STEP * len(xs), label=round(100 * _LEFT / (_LEFT + _STEP * len(xs)), 2),
        top_people=top, top_counters=most,
        ticks=[(x, f"{clock(start):%H:%M}".lstrip("0")) for x, start in zip(xs, plan.starts, strict=True)],
    )  # fmt: skip


def _accuracy(session: Session, office: Office, line: str, at: datetime) -> float | None:
    """How far off the days of the last weeks were, in all: sum of errors over the people who came."""
    today = business_date(at)
    days = forecasts.errors(
        session, office_id=office.id, category_id=line, since=today - timedelta(days=_JUDGED_DAYS), until=today
    )
    came = sum(day.came for day in days)
    return sum(abs(day.expected - day.came) for day in days) / came if came else None


@blueprint.get("/plan", endpoint="plan")
@security.policy(Function.READ_REPORTS)
def show() -> str:
    """A day's forecast and counters; ``?date=2026-04-02&line=ward-moving&verify=1``."""
    at, target = security.now(), Target()
    with security.database().snapshot() as session:
        office = chosen(session, Function.READ_REPORTS)
        day = day_asked(session, office, at)
        plans = day_plan.of_day(session, office_id=office.id, day=day, at=at, target=target)
        lines = {plan.category_id: session.get_one(Category, plan.category_id) for plan in plans}
        plan = _chosen_line(plans, request.args.get("line"))
        values: dict[str, Any] = {
            "office": office, "day": day, "era": era_year(day), "plans": plans, "lines": lines, "plan": plan,
            "age": forecasts.age(session, office_id=office.id, at=at),
            "making": forecast_store.running(session, office.id, today=business_date(at), at=at),
            "reach": offices(session), "target": target,
            "wape": _accuracy(session, office, plan.category_id, at) if plan else None,
            "mean": visit_history.weekday_mean(session, office.id, plan.category_id, day=day, at=at) if plan else {},
            "before": day - timedelta(days=1), "after": day + timedelta(days=1),
            "open": hours.opening(session, office.id, day), "verified_days": VERIFIED_DAYS,
        }  # fmt: skip
        starts = rosters.half_hours(session, office.id, day)
        kept = roster_days.of_days(
            session, office.id, starts={day: starts}, needs={day: day_plan.needs(plans)} if plans else {}
        )
    policies = {name: line.policy for name, line in lines.items()}
    outcome: Outcome | None = None
    if plan is not None and request.args.get("verify") == "1":
        outcome = off_loop.run(_verified, plans, plan, policies)
    now = off_loop.run(as_is, plans, plan, kept.get(day), policies, target) if plan is not None and starts else None
    drawn = chart(plan, values.pop("mean")) if plan else None
    return render_template("manage/plan.html", **values, outcome=outcome, chart=drawn, now=now)


def _chosen_line(plans: Sequence[LinePlan], wanted: str | None) -> LinePlan | None:
    """The line of the address; without one the line that needs a look first. None: no forecast for the day."""
    if wanted is None or not plans:
        return max(plans, key=_weight, default=None)
    found = next((plan for plan in plans if plan.category_id == wanted), None)
    if found is None:
        raise NotFound(what="category")
    return found


def _weight(plan: LinePlan) -> tuple[int, float]:
    """The line that needs a look first: most counters missing, then most people."""
    return sum(plan.short), plan.people


def _verified(plans: Sequence[LinePlan], plan: LinePlan, policies: Mapping[str, Mapping[str, Any]]) -> Outcome:
    """All lines with the counters they need, those that help each other together."""
    return played.office(
        plans, day_plan.needs(plans), policies=policies, wanted=[plan.category_id], days=VERIFIED_DAYS
    )[plan.category_id]
