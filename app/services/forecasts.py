"""What is expected to come: the forecast as it was last made, with its age. The web reads here and never reckons.

A line is forecast as a whole; a service has its share of it by the hour, so that the services of a line always add
up to the line. An office without a forecast has no intervals, and ``age`` says so.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.calendar import JST
from app.domain.errors import InvalidInput, NotFound
from app.domain.service_rates import WHOLE_DAY, Rate
from app.models.arrivals import ForecastInterval, ForecastSeries, ServiceRate
from app.models.place import Category, Offering, Office
from app.models.visits import PastVisit
from app.services.visit_history import INTERVAL_MIN

# A night was missed when a forecast is older than this.
STALE_AFTER = timedelta(hours=30)
MOST_DAYS = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Parties expected in the half-hour from ``start``, with an 80 % band; ``bookings``: parties that have booked."""

    start: datetime
    expected: float
    low: float
    high: float
    bookings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How old a forecast is. ``made_at`` empty: there is none yet. ``error``: why the last night failed, or empty.

    ``models``: the methods chosen, one for each line, most frequent first. ``reforecast_at``: the last look at today.
    """

    made_at: datetime | None
    attempted_at: datetime | None
    reforecast_at: datetime | None
    error: str
    stale: bool
    models: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayError:
    """One past day of an office or line: parties expected the night before, parties that came."""

    day: date
    expected: float
    came: int


def intervals(
    session: Session, *, office_id: str, since: datetime, until: datetime, service_id: str | None = None,
    category_id: str | None = None, as_of_night: bool = False,
) -> list[Interval]:  # fmt: skip
    """The half-hours from ``since`` up to, not including, ``until`` of a service, of a line, or of the whole office.

    Closed time has no interval. Today's are as last looked at during the day unless ``as_of_night``. Raises NotFound
    for an office, line or service that is not there, InvalidInput ``bad_period`` for more than ``MOST_DAYS``.
    """
    if not timedelta() < until - since <= timedelta(days=MOST_DAYS):
        raise InvalidInput("bad_period", days=MOST_DAYS)
    line, share = _place(session, office_id, service_id, category_id)
    rows = _rows(session, office_id, line, since, until)
    found = (_shown(row, as_of_night=as_of_night) for row in rows)
    if service_id is not None:
        return [_part(each, share.get(each.start.astimezone(JST).hour, share[WHOLE_DAY])) for each in found]
    return list(found) if line is not None else _summed(found)


def by_line(session: Session, *, office_id: str, since: datetime, until: datetime) -> dict[str, list[Interval]]:
    """The half-hours of each line that has any, as ``intervals`` tells a line's, in one look at the database."""
    found: dict[str, list[Interval]] = defaultdict(list)
    for row in _rows(session, office_id, None, since, until):
        found[row.category_id].append(_shown(row, as_of_night=False))
    return dict(found)


def _place(
    session: Session, office_id: str, service_id: str | None, category_id: str | None
) -> tuple[str | None, dict[int, float]]:
    """The line that is asked for, and the shares of the service by hour."""
    if session.get(Office, office_id) is None:
        raise NotFound(what="office")
    if service_id is not None:
        offering = session.get(Offering, (office_id, service_id))
        if offering is None:
            raise NotFound(what="service")
        shares = {rate.hour: rate.share for rate in _stored(session, office_id, [service_id])}
        if WHOLE_DAY not in shares:
            in_line = select(Offering.service_id).where(Offering.category_id == offering.category_id)
            shares[WHOLE_DAY] = 1 / max(len(session.scalars(in_line).all()), 1)
        return offering.category_id, shares
    category = session.get(Category, category_id) if category_id is not None else None
    if category_id is not None and (category is None or category.office_id != office_id):
        raise NotFound(what="category")
    return category_id, {}


def _rows(
    session: Session, office_id: str, line: str | None, since: datetime, until: datetime
) -> Sequence[ForecastInterval]:
    query = select(ForecastInterval).where(
        ForecastInterval.office_id == office_id, ForecastInterval.start_at >= since, ForecastInterval.start_at < until,
        # The index is by day; a day more on each side covers any offset.
        ForecastInterval.business_date >= since.date() - timedelta(days=1),
        ForecastInterval.business_date <= until.date() + timedelta(days=1),
    ).order_by(ForecastInterval.start_at, ForecastInterval.category_id)  # fmt: skip
    if line is not None:
        query = query.where(ForecastInterval.category_id == line)
    return session.scalars(query).all()


def _shown(row: ForecastInterval, *, as_of_night: bool) -> Interval:
    expected, low, high = row.expected, row.low, row.high
    if not as_of_night and None not in (row.now_expected, row.now_low, row.now_high):
        expected, low, high = row.now_expected or 0.0, row.now_low or 0.0, row.now_high or 0.0
    return Interval(start=row.start_at, expected=expected, low=low, high=high, bookings=row.bookings)


def _part(whole: Interval, share: float) -> Interval:
    """A service's part: the band shrinks with the square root, as that of rarer events does."""
    expected, root = whole.expected * share, math.sqrt(share)
    return Interval(
        start=whole.start, expected=expected, bookings=round(whole.bookings * share),
        low=max(expected - (whole.expected - whole.low) * root, 0.0),
        high=expected + (whole.high - whole.expected) * root,
    )  # fmt: skip


def _summed(found: Iterable[Interval]) -> list[Interval]:
    """Lines added up; what is uncertain in one is partly made up by another, so half-widths add as squares."""
    by_start: dict[datetime, list[Interval]] = defaultdict(list)
    for each in found:
        by_start[each.start].append(each)
    return [
        Interval(
            start=start, expected=(expected := sum(each.expected for each in lines)),
            low=max(expected - math.hypot(*(each.expected - each.low for each in lines)), 0.0),
            high=expected + math.hypot(*(each.high - each.expected for each in lines)),
            bookings=sum(each.bookings for each in lines),
        )
        for start, lines in sorted(by_start.items())
    ]  # fmt: skip


def age(session: Session, *, office_id: str, at: datetime, category_id: str | None = None) -> Age:
    """How old the forecast of an office (its oldest line) or of one line is."""
    query = select(ForecastSeries).where(ForecastSeries.office_id == office_id)
    if category_id is not None:
        query = query.where(ForecastSeries.category_id == category_id)
    series = session.scalars(query).all()
    made = [each.made_at for each in series if each.made_at is not None]
    looked = [each.reforecast_at for each in series if each.reforecast_at is not None]
    models = [each.model for each in series if each.model]
    made_at = min(made, default=None)
    return Age(
        made_at=made_at, attempted_at=max((each.attempted_at for each in series), default=None),
        reforecast_at=max(looked, default=None), error=next((each.error for each in series if each.error), ""),
        stale=made_at is None or at - made_at > STALE_AFTER,
        models=sorted(set(models), key=lambda name: (-models.count(name), name)),
    )  # fmt: skip


def rates(session: Session, *, office_id: str, services: Sequence[str] = ()) -> list[Rate]:
    """Usual minutes, spread, no-shows and shares by service and hour (-1: whole day) as last learned; all services
    of the office where none is named. Empty before the first night."""
    return [
        Rate(service=row.service_id, line=row.category_id, hour=row.hour, share=row.share, minutes=row.minutes,
             spread=row.spread, no_show=row.no_show, samples=row.samples)
        for row in _stored(session, office_id, services)
    ]  # fmt: skip


def _stored(session: Session, office_id: str, services: Sequence[str]) -> Sequence[ServiceRate]:
    query = select(ServiceRate).where(ServiceRate.office_id == office_id)
    if services:
        query = query.where(ServiceRate.service_id.in_(services))
    return session.scalars(query.order_by(ServiceRate.service_id, ServiceRate.hour)).all()


def errors(
    session: Session, *, office_id: str, since: date, until: date, category_id: str | None = None
) -> list[DayError]:
    """Each forecast day from ``since`` up to, not including, ``until``: expected the night before, and who came.

    Days without any visit on record (closed after all, or not laid down yet) are left out.
    """
    told = (
        select(ForecastInterval.business_date, func.sum(ForecastInterval.expected))
        .where(ForecastInterval.office_id == office_id)
        .where(ForecastInterval.business_date >= since, ForecastInterval.business_date < until)
        .group_by(ForecastInterval.business_date)
    )
    seen = (
        select(PastVisit.business_date, func.count())
        .where(PastVisit.office_id == office_id)
        .where(PastVisit.business_date >= since, PastVisit.business_date < until)
        .group_by(PastVisit.business_date)
    )
    if category_id is not None:
        told = told.where(ForecastInterval.category_id == category_id)
        seen = seen.where(PastVisit.category_id == category_id)
    came = dict(session.execute(seen).all())
    return [
        DayError(day=day, expected=float(people), came=came[day])
        for day, people in sorted(session.execute(told))
        if day in came
    ]


__all__ = ["INTERVAL_MIN", "Age", "DayError", "Interval", "age", "by_line", "errors", "intervals", "rates"]
