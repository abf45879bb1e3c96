"""How full an office will be, by day and hour, two months ahead; and how well last month's forecast did.

A level is told from the waits of past weeks and the forecast of who comes (domain/outlook.py), on the same borders
with and without a forecast. Days that are over tell what was seen.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import crowd as rules
from app.domain.calendar import Interval, business_date
from app.domain.crowd import Level, Seen
from app.domain.errors import InvalidInput, NotFound
from app.domain.outlook import Outlook, Why, occasion
from app.models.place import Category, Office
from app.services import crowd, hours

AHEAD_DAYS, MOST_DAYS, JUDGED_DAYS = 62, 124, 28
# The waits that a level stands for, in minutes; the last has no end.
WAITS: Mapping[Level, tuple[int, int | None]] = {
    Level.EMPTY: (0, 10),
    Level.QUIET: (10, 20),
    Level.FAIR: (20, 40),
    Level.CROWDED: (40, 60),
    Level.PACKED: (60, None),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of one line (or of the office): None: too little is known. ``seen``: it is over, and was so.

    ``forecast``: it stands on the forecast too, not on past weekdays alone. ``why`` it is crowded; ``untold``: many
    come on such a day as a rule, and past weekdays do not know of it.
    """

    day: date
    open: bool
    level: Level | None
    hours: Mapping[int, Level]
    seen: bool
    forecast: bool = False
    why: Why | None = None
    untold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Of the last weeks' days: how many were as told the day before, one level off, more."""

    same: int
    one_off: int
    more: int

    @property
    def days(self) -> int:
        return self.same + self.one_off + self.more


def lines(session: Session, office_id: str) -> Sequence[Category]:
    """The lines people walk into; raises NotFound for an office that is none."""
    if session.get(Office, office_id) is None:
        raise NotFound(what="office")
    query = select(Category).where(Category.office_id == office_id, Category.booking_only.is_(False))
    return session.scalars(query.order_by(Category.position)).all()


def outlook(session: Session, *, office_id: str, category_id: str | None, at: datetime) -> Outlook:
    """What both ``of_days`` and ``judged`` stand on, for whoever shows the two: it is the dear part of each."""
    asked = [line.id for line in lines(session, office_id)] if category_id is None else [category_id]
    return crowd.outlook(session, categories=asked, at=at, since=business_date(at) - timedelta(days=JUDGED_DAYS))


def of_days(
    session: Session, *, office_id: str, category_id: str | None, since: date, until: date, at: datetime,
    look: Outlook | None = None,
) -> list[Day]:  # fmt: skip
    """The days of a span, both included. Raises InvalidInput("bad_range"), NotFound for a line that is none."""
    if not 0 <= (until - since).days < MOST_DAYS:
        raise InvalidInput("bad_range", most=MOST_DAYS)
    known = {line.id for line in lines(session, office_id)}
    if category_id is not None and category_id not in known:
        raise NotFound(what="category")
    asked = sorted(known) if category_id is None else [category_id]
    look, today = look or crowd.outlook(session, categories=asked, at=at), business_date(at)
    calendar = hours.calendar_of(session, office_id)

    @cache
    def intervals(day: date) -> Sequence[Interval]:
        return calendar.intervals(day, category_id)

    days = [since + timedelta(days=offset) for offset in range((until - since).days + 1)]
    return [_past(look, day, intervals) if day < today else _ahead(look, day, intervals) for day in days]


def _past(look: Outlook, day: date, intervals: Callable[[date], Sequence[Interval]]) -> Day:
    if not intervals(day):
        return Day(day=day, open=False, level=None, hours={}, seen=True)
    level, by_hour = _as_seen([each for each in look.seen if each.day == day])
    return Day(day=day, open=True, level=level, hours=by_hour, seen=True)


def _ahead(look: Outlook, day: date, intervals: Callable[[date], Sequence[Interval]]) -> Day:
    def is_open(other: date) -> bool:
        return bool(intervals(other))

    if not is_open(day):
        return Day(day=day, open=False, level=None, hours={}, seen=False)
    within = {
        hour for interval in intervals(day)
        for hour in range(interval.opens.hour, interval.reception_closes.hour + 1)
    }  # fmt: skip
    level = look.of_day(day)
    forecast = level is not None and look.forecast(day)
    return Day(
        day=day, open=True, level=level, seen=False, forecast=forecast, why=look.why(day, is_open),
        hours={hour: found for hour, found in look.of_hours(day).items() if hour in within},
        untold=level is not None and not forecast and occasion(day, is_open) is not None,
    )  # fmt: skip


def _as_seen(seen: Sequence[Seen]) -> tuple[Level | None, dict[int, Level]]:
    people = sum(each.people for each in seen)
    by_hour: dict[int, list[Seen]] = defaultdict(list)
    for each in seen:
        by_hour[each.hour].append(each)
    levels = {
        hour: rules.level(sum(e.minutes for e in of_hour) / sum(e.people for e in of_hour))
        for hour, of_hour in sorted(by_hour.items())
    }
    return (rules.level(sum(each.minutes for each in seen) / people) if people else None), levels


def judged(
    session: Session, *, office_id: str, category_id: str | None, at: datetime, look: Outlook | None = None
) -> Judged:
    """How the last four weeks' days turned out against what was told before each of them."""
    look = look or outlook(session, office_id=office_id, category_id=category_id, at=at)
    today = business_date(at)
    counts = [0, 0, 0]
    for back in range(1, JUDGED_DAYS + 1):
        day = today - timedelta(days=back)
        was, _ = _as_seen([each for each in look.seen if each.day == day])
        told = look.of_day(day)
        if was is not None and told is not None:
            counts[min(abs(was - told), 2)] += 1
    return Judged(same=counts[0], one_off=counts[1], more=counts[2])


def quietest(days: Sequence[Day], most: int = 5) -> list[date]:
    """The days to be suggested."""
    return rules.quietest({day.day: day.level for day in days if day.open and not day.seen}, most)
