"""Counters needed on a day, over HTTP (contract.md)."""

from datetime import date
from typing import Any

from flask import Blueprint, Response
from pydantic import AwareDatetime

from app.domain.roles import Function
from app.services import access, forecasts
from app.web import day_plan, security
from app.web.api.body import answer, day_asked
from app.web.api.shapes import Shape
from app.web.day_plan import LinePlan
from forecasting.staffing import Target

blueprint = Blueprint("api_staffing", __name__, url_prefix="/api/v1/offices/<office>/staffing")
QUERY = {"date": {"type": "string", "description": "a day (2026-04-01)"}}


class Wanted(Shape):
    """``share`` of parties called within so many ``minutes``."""

    minutes: float
    share: float


class Age(Shape):
    made_at: AwareDatetime | None
    stale: bool
    error: str


class Need(Shape):
    """``load`` in counters kept busy; ``counters_p80``: at the volume that four days of five stay below."""

    start: AwareDatetime
    category: str
    expected: float
    load: float
    counters: int
    counters_p80: int
    service_level: float


class Staffing(Shape):
    office: str
    date: date
    target: Wanted
    forecast: Age
    intervals: list[Need]


@blueprint.get("")
@security.policy(Function.READ_REPORTS)
def show(office: str) -> Response:
    """Per half-hour and line: load, counters needed, share expected within the target."""
    day, at, target = day_asked("date"), security.now(), Target()
    with security.database().snapshot() as session:
        access.require(session, security.caller(), Function.READ_REPORTS, office_id=office)
        lines = day_plan.of_day(session, office_id=office, day=day, at=at, target=target)
        age = forecasts.age(session, office_id=office, at=at)
    return answer(
        {
            "office": office, "date": day, "target": {"minutes": target.minutes, "share": target.share},
            "forecast": {"made_at": age.made_at, "stale": age.stale, "error": age.error},
            "intervals": [row for line in lines for row in _rows(line)],
        }
    )  # fmt: skip


def _rows(line: LinePlan) -> list[dict[str, Any]]:
    return [
        {
            "start": start, "category": line.category_id, "expected": round(each.expected, 2),
            "load": round(need.load, 3),
            "counters": need.counters, "counters_p80": high.counters, "service_level": round(need.share, 4),
        }
        for start, each, need, high in zip(line.starts, line.expected, line.needs, line.high, strict=True)
    ]  # fmt: skip
