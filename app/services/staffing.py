"""What the counters of a day depend on: the forecast by half-hours, the usual minutes, who stands at the door.

A line without a forecast is left out. What follows from it is reckoned in ``app/web/day_plan.py``.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, instant
from app.domain.errors import NotFound
from app.domain.service_rates import USUAL_SPREAD, WHOLE_DAY
from app.domain.ticket import Phase
from app.models.place import Category, Counter, Offering, Office, Service, WorkProfile
from app.models.ticket import Step
from app.services import forecasts, hours
from app.services.forecasts import Interval

_UNKNOWN_SERVICE_MIN = 10.0
_DOOR_WEEKS, _DOOR_MINUTES = 8, 2
LEAST_SERVICE_MIN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFacts:
    """One line's day by half-hours: who is expected, and what serving them takes.

    ``door``: people who stand there as it opens, part of the first half-hour's; ``service_min`` the mean minutes at
    the counter, ``spread`` its coefficient of variation; ``usual``: the counters that serve the line as a rule.
    ``helping``: of each counter whose first line this is, in their order, what else its usual profile calls: ``(line,
    minutes its head must have waited)``, None for at once.
    """

    category_id: str
    expected: tuple[Interval, ...]
    service_min: float
    spread: float
    door: float
    usual: int
    helping: tuple[tuple[tuple[str, float | None], ...], ...] = ()


def of_day(session: Session, *, office_id: str, day: date, at: datetime) -> list[LineFacts]:
    """The lines of an office that have a forecast for a day; raises NotFound for an office that is none."""
    return of_days(session, office_id=office_id, since=day, days=1, at=at)[day]


def of_days(session: Session, *, office_id: str, since: date, days: int, at: datetime) -> dict[date, list[LineFacts]]:
    """The same of so many days from ``since`` on; what does not change with the day is looked up once."""
    if session.get(Office, office_id) is None:
        raise NotFound(what="office")
    lines = session.scalars(select(Category).where(Category.office_id == office_id).order_by(Category.position)).all()
    usual, minutes = usual_counters(session, office_id), service_times(session, office_id)
    door, helping = _at_the_door(session, office_id, at=at), helping_counters(session, office_id)
    told = forecasts.by_line(
        session, office_id=office_id, since=instant(since, time()), until=instant(since + timedelta(days=days), time())
    )
    found: dict[date, list[LineFacts]] = {since + timedelta(days=ahead): [] for ahead in range(days)}
    for line in lines:
        service, spread = minutes.get(line.id, (_UNKNOWN_SERVICE_MIN, _variation(USUAL_SPREAD)))
        of_line: dict[date, list[Interval]] = defaultdict(list)
        for each in told.get(line.id, ()):
            of_line[business_date(each.start)].append(each)
        for day, expected in of_line.items():
            found[day].append(
                LineFacts(
                    category_id=line.id, expected=tuple(expected), service_min=service, spread=spread,
                    door=min(door.get(line.id, 0.0), expected[0].expected), usual=usual.get(line.id, 0),
                    helping=tuple(helping.get(line.id, ())),
                )
            )  # fmt: skip
    return found


def service_times(session: Session, office_id: str) -> dict[str, tuple[float, float]]:
    """``(mean minutes, coefficient of variation)`` of each line: as learned, else as the catalogue plans."""
    known: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for rate in forecasts.rates(session, office_id=office_id):
        if rate.hour == WHOLE_DAY:
            known[rate.line].append((rate.share, rate.minutes, rate.spread))
    found = {line: _mixed(rates) for line, rates in known.items() if sum(share for share, *_ in rates) > 0}
    query = (
        select(Offering.category_id, Service.minutes)
        .join(Service, Service.id == Offering.service_id)
        .where(Offering.office_id == office_id, Offering.active)
    )
    planned: dict[str, list[float]] = defaultdict(list)
    for category, minutes in session.execute(query):
        planned[category].append(float(minutes.get("accept") or 0))
    for category, each in planned.items():
        mean = max(sum(each) / len(each), LEAST_SERVICE_MIN)
        found.setdefault(category, (mean, _variation(USUAL_SPREAD)))
    return found


def _mixed(rates: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Mean and coefficient of variation of services that come in these shares."""
    whole = sum(share for share, *_ in rates)
    mean = sum(share * minutes for share, minutes, _ in rates) / whole
    square = sum(share * minutes**2 * (1 + _variation(spread) ** 2) for share, minutes, spread in rates) / whole
    return max(mean, LEAST_SERVICE_MIN), math.sqrt(max(square - mean**2, 0)) / mean


def _variation(spread: float) -> float:
    """The coefficient of variation of a log-normal whose logarithm has this standard deviation."""
    return math.sqrt(math.exp(spread**2) - 1)


def usual_counters(session: Session, office_id: str) -> dict[str, int]:
    """How many counters serve each line first by their usual profile."""
    rows = session.execute(
        select(WorkProfile.lines)
        .join(Counter, Counter.default_profile_id == WorkProfile.id)
        .where(Counter.office_id == office_id)
    )
    found: dict[str, int] = defaultdict(int)
    for (lines,) in rows:
        for line in lines:
            if line.get("after_minutes") is None:
                found[line["category"]] += 1
    return found


def helping_counters(session: Session, office_id: str) -> dict[str, list[tuple[tuple[str, float | None], ...]]]:
    """By the first line of their usual profile, what else each counter calls (``LineFacts.helping``)."""
    rows = session.execute(
        select(WorkProfile.lines)
        .join(Counter, Counter.default_profile_id == WorkProfile.id)
        .where(Counter.office_id == office_id)
        .order_by(Counter.position, Counter.number)
    )
    found: dict[str, list[tuple[tuple[str, float | None], ...]]] = defaultdict(list)
    for (lines,) in rows:
        first = next((line["category"] for line in lines if line.get("after_minutes") is None), None)
        if first is not None:
            others = ((line["category"], line.get("after_minutes")) for line in lines if line["category"] != first)
            found[first].append(tuple(others))
    return found


def _at_the_door(session: Session, office_id: str, *, at: datetime) -> Mapping[str, float]:
    """People who took a number in the first minutes of a day, a mean of the last weeks by line."""
    today = business_date(at)
    since = today - timedelta(weeks=_DOOR_WEEKS)
    days = session.scalars(
        select(Step.business_date)
        .where(Step.office_id == office_id, Step.business_date >= since, Step.business_date < today)
        .distinct()
    ).all()
    counts: dict[str, int] = defaultdict(int)
    for day in days:
        for opens in hours.opening(session, office_id, day)[:1]:
            begin = instant(day, opens.opens)
            rows = session.execute(
                select(Step.category_id, func.count())
                .where(Step.office_id == office_id, Step.business_date == day, Step.phase == Phase.ACCEPT)
                .where(Step.arrived_at < begin + timedelta(minutes=_DOOR_MINUTES))
                .group_by(Step.category_id)
            )
            for category, number in rows:
                counts[category] += number
    return {category: number / len(days) for category, number in counts.items()}
