"""Expected arrivals over HTTP (contract.md): what the night made, as last looked at today. Nothing is trained here."""

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, request
from pydantic import AwareDatetime

from app.domain.calendar import JST, business_date, instant
from app.domain.errors import InvalidInput
from app.domain.roles import Function
from app.services import access, forecasts
from app.web import security
from app.web.api.body import answer
from app.web.api.shapes import Shape

blueprint = Blueprint("api_forecasts", __name__, url_prefix="/api/v1/offices/<office>/forecast")
USUAL_DAYS = 7
_YEARS = range(1990, 2200)
QUERY = {
    "service": {"type": "string", "description": "one service; without it and category, the whole office"},
    "category": {"type": "string", "description": "one line"},
    "from": {"type": "string", "description": "a date or an instant; today without it"},
    "to": {"type": "string", "description": "a date, included, or an instant, not included"},
}


class Expected(Shape):
    """Parties expected in the half-hour from ``start``, with an 80 % band; ``bookings``: parties that have booked."""

    start: AwareDatetime
    expected: float
    low: float
    high: float
    bookings: int


class Made(Shape):
    """How old the forecast is: ``made_at`` null before the first one; ``error`` why the last night failed, or empty."""

    made_at: AwareDatetime | None
    attempted_at: AwareDatetime | None
    reforecast_at: AwareDatetime | None
    stale: bool
    error: str
    models: list[str]


class Forecast(Shape):
    """Closed time has no interval."""

    office: str
    interval_minutes: int
    forecast: Made
    intervals: list[Expected]


@blueprint.get("")
@security.policy(Function.READ_REPORTS)
def show(office: str) -> Response:
    """Parties expected in each half-hour of a service, a line or the office, with an 80 % band."""
    at = security.now()
    since, until = _span(at)
    service, category = request.args.get("service"), request.args.get("category")
    with security.database().snapshot() as session:
        access.require(session, security.caller(), Function.READ_REPORTS, office_id=office)
        found = forecasts.intervals(
            session, office_id=office, since=since, until=until, service_id=service,
            category_id=None if service is not None else category,
        )  # fmt: skip
        age = forecasts.age(session, office_id=office, at=at)
    return answer(
        {
            "office": office, "interval_minutes": forecasts.INTERVAL_MIN,
            "forecast": {
                "made_at": age.made_at, "attempted_at": age.attempted_at, "reforecast_at": age.reforecast_at,
                "stale": age.stale, "error": age.error, "models": list(age.models),
            },
            "intervals": [_shown(each) for each in found],
        }
    )  # fmt: skip


def _shown(found: forecasts.Interval) -> dict[str, Any]:
    return {
        "start": found.start.astimezone(JST), "expected": round(found.expected, 2), "low": round(found.low, 2),
        "high": round(found.high, 2), "bookings": found.bookings,
    }  # fmt: skip


def _span(at: datetime) -> tuple[datetime, datetime]:
    """``?from=&to=``; from today for a week without them. Raises InvalidInput for what is no time."""
    since = _instant("from", days=0) or instant(business_date(at), time())
    until = _instant("to", days=1)
    return since, until if until is not None else since + timedelta(days=USUAL_DAYS)


def _instant(name: str, *, days: int) -> datetime | None:
    """An instant, or midnight in Japan of a date and so many ``days``; a time without an offset is Japanese."""
    text = request.args.get(name)
    if text is None:
        return None
    try:
        found = _parsed(text, days)
    except (ValueError, OverflowError):
        raise InvalidInput(fields=[name]) from None
    if found.year not in _YEARS:
        raise InvalidInput(fields=[name])
    return found


def _parsed(text: str, days: int) -> datetime:
    if len(text) <= len("2026-05-01"):
        return instant(date.fromisoformat(text) + timedelta(days=days), time())
    # A plus sign in an address is a blank.
    found = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return (found if found.tzinfo is not None else found.replace(tzinfo=JST)).astimezone(JST)
