"""How full an office was and will be, as open data: JSON and CSV (contract.md)."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Literal

from flask import Blueprint, Response, request
from pydantic import AwareDatetime

from app.domain.calendar import business_date
from app.domain.crowd import Level
from app.domain.roles import Function
from app.models.place import Office
from app.services import congestion, practice
from app.services.congestion import Day
from app.services.practice import Span
from app.web import security
from app.web.api.body import answer, day_asked
from app.web.api.shapes import Shape
from app.web.limits import limit_public

blueprint = Blueprint("api_congestion", __name__, url_prefix="/api/v1/offices/<office>")
LICENCE = "CC BY 4.0"
Source = Literal["seen", "forecast", "past_weeks", "practice"]
_COLUMNS = ("office", "category", "date", "hour", "level", "wait_low_min", "wait_high_min", "source", "licence")
_DAY = {"type": "string", "description": "a day (2026-04-01); both ends included"}
QUERY = {
    "from": _DAY,
    "to": _DAY,
    "category": {"type": "string", "description": "one line; without it every line"},
    "format": {"type": "string", "description": "csv: the same as congestion.csv"},
    "excel": {"type": "string", "description": "1: a CSV that begins with a byte order mark"},
}


class Crowd(Shape):
    """``hour`` null: the whole day; ``level`` null: not known; ``wait_high_min`` null: without end.

    ``source``: ``seen``, ``forecast`` (told from the waits of past weeks and the arrivals forecast for the day),
    ``past_weeks`` (told from them alone), or ``practice``: made up, nobody came.
    """

    office: str
    category: str
    date: date
    hour: int | None
    level: int | None
    wait_low_min: int | None
    wait_high_min: int | None
    source: Source
    licence: str


class Congestion(Shape):
    office: str
    licence: str
    generated_at: AwareDatetime
    intervals: list[Crowd]


def _span() -> tuple[date, date]:
    """``?from=&to=``; without them the past week and two months ahead. Raises InvalidInput."""
    today = business_date(security.now())
    return (
        day_asked("from", today - timedelta(days=7)),
        day_asked("to", today + timedelta(days=congestion.AHEAD_DAYS)),
    )


def _rows(office: str) -> list[dict[str, Any]]:
    since, until = _span()
    at = security.now()
    wanted = request.args.get("category")
    with security.database().snapshot() as session:
        lines = [line.id for line in congestion.lines(session, office)]
        chosen = [wanted] if wanted is not None else lines
        made_up = practice.span(session.get_one(Office, office))
        return [
            row
            for line in chosen
            for day in congestion.of_days(session, office_id=office, category_id=line, since=since, until=until, at=at)
            for row in _of_day(office, line, day, made_up=made_up)
        ]


def _of_day(office: str, line: str, day: Day, *, made_up: Span | None) -> Iterator[dict[str, Any]]:
    """The day as a whole (hour None), then its hours; a closed day has none."""
    if not day.open:
        return
    source: Source = "seen" if day.seen else "forecast" if day.forecast else "past_weeks"
    if made_up and (not day.seen or made_up.since <= day.day <= made_up.until):
        source = "practice"
    for hour, level in ((None, day.level), *sorted(day.hours.items())):
        low, high = congestion.WAITS[Level(level)] if level is not None else (None, None)
        yield {
            "office": office, "category": line, "date": day.day, "hour": hour, "level": level, "wait_low_min": low,
            "wait_high_min": high, "source": source, "licence": LICENCE,
        }  # fmt: skip


@blueprint.get("/congestion")
@security.policy(Function.PUBLIC)
@limit_public("look")
def show(office: str) -> Response:
    """Levels 1 (empty) to 5 (packed) with the waits they stand for; ``hour`` null: the whole day. ``format=csv``."""
    if request.args.get("format") == "csv":
        return _as_csv(office)
    intervals = _rows(office)
    return answer({"office": office, "licence": LICENCE, "generated_at": security.now(), "intervals": intervals})


@blueprint.get("/congestion.csv")
@security.policy(Function.PUBLIC)
@limit_public("look")
def as_csv(office: str) -> Response:
    """The same as CSV; ``excel=1`` with a byte order mark."""
    return _as_csv(office)


def _as_csv(office: str) -> Response:
    out = io.StringIO()
    if request.args.get("excel") == "1":
        out.write("﻿")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for row in _rows(office):
        writer.writerow(["" if row[name] is None else int(row[name]) if name == "level" else row[name]
                         for name in _COLUMNS])  # fmt: skip
    response = Response(out.getvalue(), mimetype="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{office}-congestion.csv"'
    return response
