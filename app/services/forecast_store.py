"""Putting forecasts and rates in their rows. A night that failed says so and leaves the last good one standing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.domain.calendar import instant
from app.domain.service_rates import Rate
from app.models.arrivals import ForecastInterval, ForecastNight, ForecastSeries, ServiceRate
from app.services.visit_history import INTERVAL_MIN

KEPT_DAYS = 800
MOST_ATTEMPTS = 3
# A run that has not ended by then was killed.
RUN_LASTS = timedelta(minutes=45)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One line's forecast: rows are days from ``today`` on, columns half-hours; ``expected`` None where it is closed.

    The rest as in models/arrivals.py, ForecastSeries.
    """

    category_id: str
    model: str
    expected: Sequence[Sequence[float | None]]
    low: Sequence[Sequence[float]]
    high: Sequence[Sequence[float]]
    bookings: Mapping[date, Mapping[int, int]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    history_days: int = 0
    day_wape: float | None = None
    cover: float | None = None
    held_share: float | None = None
    low_z: float = 1.28
    high_z: float = 1.28
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0


def put(session: Session, office_id: str, made: Made, *, today: date, at: datetime) -> int:
    """Put a line's forecast in the place of the last one from ``today`` on; past days stay. Returns the intervals."""
    session.execute(
        delete(ForecastInterval).where(
            ForecastInterval.category_id == made.category_id, ForecastInterval.business_date >= today
        )
    )
    rows = _rows(office_id, made, today)
    if rows:
        session.execute(insert(ForecastInterval), rows)
    series = _series(session, office_id, made.category_id, at)
    series.error, series.made_at, series.model, series.scores = "", at, made.model, dict(made.scores)
    series.history_days, series.day_wape, series.cover = made.history_days, made.day_wape, made.cover
    series.low_z, series.high_z, series.reforecast_at = made.low_z, made.high_z, None
    series.held_share = made.held_share
    series.cpu_seconds, series.peak_mb = made.cpu_seconds, made.peak_mb
    session.flush()
    return len(rows)


def put_past(session: Session, office_id: str, made: Made, *, since: date, until: date) -> int:
    """Put what a line would have been told of days before ``until``, as of ``since``; how it is forecast stays as it
    is. Returns the intervals."""
    days = (until - since).days
    session.execute(
        delete(ForecastInterval).where(
            ForecastInterval.category_id == made.category_id, ForecastInterval.business_date >= since,
            ForecastInterval.business_date < until,
        )
    )  # fmt: skip
    rows = _rows(office_id, replace(made, expected=made.expected[:days]), since)
    if rows:
        session.execute(insert(ForecastInterval), rows)
    return len(rows)


def _rows(office_id: str, made: Made, today: date) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for ahead, slots in enumerate(made.expected):
        day = today + timedelta(days=ahead)
        midnight, bookings = instant(day, time()), made.bookings.get(day, {})
        for slot, expected in enumerate(slots):
            if expected is None:
                continue
            low, high = made.low[ahead][slot], made.high[ahead][slot]
            found.append(
                {"category_id": made.category_id, "start_at": midnight + timedelta(minutes=slot * INTERVAL_MIN),
                 "office_id": office_id, "business_date": day, "expected": expected,
                 "low": max(min(low, expected), 0.0), "high": max(high, expected), "bookings": bookings.get(slot, 0),
                 "now_expected": None, "now_low": None, "now_high": None}
            )  # fmt: skip
    return found


def _series(session: Session, office_id: str, category_id: str, at: datetime) -> ForecastSeries:
    found = session.get(ForecastSeries, category_id)
    if found is None:
        found = ForecastSeries(
            category_id=category_id, office_id=office_id, error="", made_at=None, model="", scores={}, history_days=0,
            day_wape=None, cover=None, low_z=0.0, high_z=0.0, cpu_seconds=0.0, peak_mb=0.0, reforecast_at=None,
            held_share=None,
        )  # fmt: skip
        session.add(found)
    found.attempted_at = at
    return found


def fail(session: Session, office_id: str, category_id: str, *, error: str, at: datetime) -> None:
    """Say that a line could not be forecast (a code: ``timeout``, ``memory``, ``no_history``, ``defect``)."""
    _series(session, office_id, category_id, at).error = error
    session.flush()


def put_rates(session: Session, office_id: str, rates: Sequence[Rate]) -> int:
    """Put the rates of an office in the place of the last ones; returns how many."""
    session.execute(delete(ServiceRate).where(ServiceRate.office_id == office_id))
    rows = [
        {"office_id": office_id, "service_id": rate.service, "hour": rate.hour, "category_id": rate.line,
         "share": rate.share, "minutes": rate.minutes, "spread": rate.spread, "no_show": rate.no_show,
         "samples": rate.samples}
        for rate in rates
    ]  # fmt: skip
    if rows:
        session.execute(insert(ServiceRate), rows)
    return len(rows)


def forget(session: Session, office_id: str, *, today: date) -> int:
    """Erase intervals and nights older than ``KEPT_DAYS``; returns the intervals."""
    oldest = today - timedelta(days=KEPT_DAYS)
    session.execute(
        delete(ForecastNight).where(ForecastNight.office_id == office_id, ForecastNight.business_date < oldest)
    )
    result = session.execute(
        delete(ForecastInterval).where(ForecastInterval.office_id == office_id, ForecastInterval.business_date < oldest)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


def ever(session: Session, office_id: str) -> bool:
    """Whether anything was ever told of an office."""
    query = select(ForecastInterval.category_id).where(ForecastInterval.office_id == office_id).limit(1)
    return session.scalar(query) is not None


def claim(session: Session, office_id: str, *, today: date, token: str, at: datetime) -> bool:
    """Take an office's forecast of the night, or take over one that failed or was killed, up to ``MOST_ATTEMPTS``.

    False when it is done, still running, or was tried often enough.
    """
    night = session.scalar(
        select(ForecastNight)
        .where(ForecastNight.office_id == office_id, ForecastNight.business_date == today)
        .with_for_update()
    )
    if night is None:
        session.execute(
            insert(ForecastNight).values(office_id=office_id, business_date=today, state="running", token=token,
                                         attempts=1, started_at=at, finished_at=None, error="")
        )  # fmt: skip
        return True
    killed = night.state == "running" and at - night.started_at > RUN_LASTS
    if not (killed or night.state == "failed") or night.attempts >= MOST_ATTEMPTS:
        return False
    night.state, night.token, night.started_at, night.attempts = "running", token, at, night.attempts + 1
    session.flush()
    return True


def running(session: Session, office_id: str, *, today: date, at: datetime) -> bool:
    """Whether the forecast of the night is being made."""
    query = select(ForecastNight.started_at).where(
        ForecastNight.office_id == office_id, ForecastNight.business_date == today, ForecastNight.state == "running"
    )
    begun = session.scalar(query)
    return begun is not None and at - begun <= RUN_LASTS


def holds(session: Session, office_id: str, *, token: str) -> bool:
    """Whether a run still has its claim."""
    query = select(ForecastNight.token).where(
        ForecastNight.office_id == office_id, ForecastNight.token == token, ForecastNight.state == "running"
    )
    return session.scalar(query) is not None


def finish(session: Session, office_id: str, *, today: date, token: str, error: str, at: datetime) -> bool:
    """End a claimed night; False when another runner has taken it over meanwhile."""
    result = session.execute(
        update(ForecastNight)
        .where(ForecastNight.office_id == office_id, ForecastNight.business_date == today, ForecastNight.token == token)
        .values(state="failed" if error else "done", finished_at=at, error=error)
        .execution_options(synchronize_session=False)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1
