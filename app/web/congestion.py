"""The congestion calendar for residents: days of two months, the hours of one day, and a page to embed elsewhere."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from flask import Blueprint, Response, make_response, render_template, request

from app.domain.calendar import business_date, clock
from app.domain.errors import NotFound
from app.domain.roles import Function
from app.models.place import Category, Office
from app.services import congestion, hours
from app.services.congestion import Day
from app.web import security, wait_errors
from app.web.formats import weekdays
from app.web.limits import limit_public

blueprint = Blueprint("congestion", __name__)
# Of fewer waits a share says nothing.
LEAST_WAITS = 50
# No script, no form; another site's page may show it in a frame.
_EMBED_CSP = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-ancestors *; base-uri 'none'"


def _weeks(days: list[Day], first: date) -> list[list[Day | None]]:
    """The weeks of a month, Sunday first; None before its first and after its last day."""
    own: list[Day | None] = [day for day in days if (day.day.year, day.day.month) == (first.year, first.month)]
    if not own or own[0] is None:
        return []
    padded: list[Day | None] = [*[None] * ((own[0].day.weekday() + 1) % 7), *own]
    padded += [None] * (-len(padded) % 7)
    return [padded[at : at + 7] for at in range(0, len(padded), 7)]


def _read(office: str, chosen: date | None = None) -> dict[str, Any]:
    """What the calendar shows, and how it was a week before a ``chosen`` day; raises NotFound."""
    at = security.now()
    today = business_date(at)
    wanted = request.args.get("category") or None
    with security.database().snapshot() as session:
        lines = congestion.lines(session, office)
        look = congestion.outlook(session, office_id=office, category_id=wanted, at=at)
        days = congestion.of_days(
            session, office_id=office, category_id=wanted, since=today.replace(day=1),
            until=today + timedelta(days=congestion.AHEAD_DAYS), at=at, look=look,
        )  # fmt: skip
        before = None if chosen is None else chosen - timedelta(weeks=1)
        last_week = (
            congestion.of_days(
                session, office_id=office, category_id=wanted, since=before, until=before, at=at, look=look
            )[0]
            if before is not None and today - timedelta(days=congestion.JUDGED_DAYS) <= before < today
            else None
        )
        found = session.get(Office, office)
        error = wait_errors.error(session, office, at=at)
        told = congestion.judged(session, office_id=office, category_id=wanted, at=at, look=look)
    months = sorted({day.day.replace(day=1) for day in days})
    return {
        "office": found, "lines": lines, "wanted": wanted, "at": at, "today": today, "judged": told,
        "last_week": last_week, "hour_now": clock(at).hour,
        "error": error if error["n"] >= LEAST_WAITS and error["cover"] is not None else None,
        "months": [(first, _weeks(days, first)) for first in months], "quiet": congestion.quietest(days),
        "known": any(day.level is not None for day in days), "weekdays": weekdays(),
        "days": {day.day: day for day in days}, "waits": congestion.WAITS,
        "forecast_until": max((day.day for day in days if day.forecast), default=None),
    }  # fmt: skip


def _now(office: Office, lines: Sequence[Category], wanted: str | None, at: datetime) -> dict[str, Any]:
    """Today as it is: the board's lines, or the wanted one; the next opening where no number is given now."""
    board = orjson.loads(security.kept_snapshots().read("board", office.id, at=at).body)
    known = {line["id"]: line for line in board["categories"]}
    with security.database().snapshot() as session:
        takes = office.training or hours.takes_numbers(session, office.id, at)
        opens = None if takes else hours.next_opening(session, office.id, at)
    asked = [line for line in lines if wanted in (None, line.id) and line.id in known]
    # The board says names in the two languages of the glass.
    shown = [(line, known[line.id] | {"name": line.public_name or line.name}) for line in asked]
    return {"takes": takes, "opens": opens, "lines": shown if takes or any(of["waiting"] for _, of in shown) else []}


@blueprint.get("/o/<office>/congestion")
@security.policy(Function.PUBLIC)
@limit_public("look")
def show(office: str) -> str:
    """The calendar; ``?category=ward-moving``, ``?day=2026-04-01`` for the hours of a day."""
    asked = chosen = earlier = later = None
    if "day" in request.args:
        try:
            asked = date.fromisoformat(request.args["day"])
        except ValueError:
            raise NotFound(what="day") from None
        if not abs(asked - business_date(security.now())) < timedelta(days=congestion.MOST_DAYS):
            raise NotFound(what="day")
    read = _read(office, asked)
    if asked is not None:
        chosen = read["days"].get(asked)
        if chosen is None:
            raise NotFound(what="day")
        told = [day.day for day in read["days"].values() if day.open and day.level is not None]
        earlier = max((day for day in told if day < chosen.day), default=None)
        later = min((day for day in told if day > chosen.day), default=None)
    now = _now(read["office"], read["lines"], read["wanted"], read["at"]) if asked in (None, read["today"]) else None
    return render_template("congestion/page.html", **read, chosen=chosen, earlier=earlier, later=later, now=now)


@blueprint.get("/o/<office>/congestion/embed")
@security.policy(Function.PUBLIC)
@limit_public("look")
def embed(office: str) -> Response:
    """The calendar alone, without a script, for a frame in another page."""
    response = make_response(render_template("congestion/embed.html", **_read(office)))
    response.headers["Content-Security-Policy"] = _EMBED_CSP
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
