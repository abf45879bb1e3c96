"""Japanese dates and when an office is open: business dates, eras, weekly and n-th weekday rules.

An office's hours come from rules that repeat, closures of every year (12/29-1/3), national holidays and
single special days. A special day wins over everything, a closure over a holiday, a holiday over the rules.
Japan has had one offset without summer time since 1952, so +09:00 needs no time zone data here.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from app.domain.errors import InvalidInput

JST = timezone(timedelta(hours=9), "JST")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEKDAY_SIGNS = "月火水木金土日"

# First day of each era, newest first, with its sign in forms.
ERAS = (
    (date(2019, 5, 1), "令和", "R"),
    (date(1989, 1, 8), "平成", "H"),
    (date(1926, 12, 25), "昭和", "S"),
    (date(1912, 7, 30), "大正", "T"),
    (date(1868, 10, 23), "明治", "M"),
)


@lru_cache(maxsize=4096)
def business_date(at: datetime) -> date:
    """The Japanese date of an instant; a naive time is refused."""
    if at.tzinfo is None:
        raise ValueError("an instant without offset has no business date")
    return at.astimezone(JST).date()


def instant(day: date, clock: time) -> datetime:
    """The instant (UTC) of a Japanese date and time of day."""
    return datetime.combine(day, clock, JST).astimezone(UTC)


def clock(at: datetime) -> time:
    """The Japanese time of day of an instant."""
    return at.astimezone(JST).time()


def era_year(day: date) -> tuple[str, int]:
    """The era and its year: (令和, 8). Before 明治, the western year with an empty era."""
    for first, name, _ in ERAS:
        if day >= first:
            return name, day.year - first.year + 1
    return "", day.year


def japanese_date(day: date, *, weekday: bool = True) -> str:
    """``令和8年4月1日(水)``; the first year of an era is 元年."""
    era, year = era_year(day)
    text = f"{era}{'元' if era and year == 1 else year}年{day.month}月{day.day}日"
    return f"{text}({_WEEKDAY_SIGNS[day.weekday()]})" if weekday else text


_ERA_READINGS = {"令和": "れいわ", "平成": "へいせい", "昭和": "しょうわ", "大正": "たいしょう", "明治": "めいじ"}
_EASY_DAYS = {
    1: "ついたち", 2: "ふつか", 3: "みっか", 4: "よっか", 5: "いつか", 6: "むいか", 7: "なのか", 8: "ようか",
    9: "ここのか", 10: "とおか", 14: "じゅうよっか", 20: "はつか", 24: "にじゅうよっか",
}  # fmt: skip
_EASY_WEEK = ("げつ", "か", "すい", "もく", "きん", "ど", "にち")


def easy_date(day: date) -> str:
    """``4月《がつ》|10日《とおか》(金《きん》)``: a date with the readings a learner needs, as in a catalogue's text.

    A day that is read as one word (十日 is とおか) stands whole under its reading.
    """
    whole = _EASY_DAYS.get(day.day)
    said = f"|{day.day}日《{whole}》" if whole else f"{day.day}日《にち》"
    weekday = day.weekday()
    return f"{day.month}月《がつ》{said}({_WEEKDAY_SIGNS[weekday]}《{_EASY_WEEK[weekday]}》)"


def easy_date_of_era(day: date) -> str:
    """``令和《れいわ》8年《ねん》4月《がつ》…``: ``easy_date`` with its era and year; before 明治 the western year."""
    era, year = era_year(day)
    said = f"{era}《{_ERA_READINGS[era]}》" if era else ""
    counted = "|元年《がんねん》" if era and year == 1 else f"{year}年《ねん》"
    return f"{said}{counted}{easy_date(day)}"


_DATE = re.compile(
    r"(?P<era>令和|平成|昭和|大正|明治|[RHSTM])?\.?(?P<y>元|\d{1,4})[年./-](?P<m>\d{1,2})[月./-](?P<d>\d{1,2})日?"
)


# Far enough for every calendar, and no day before or after them can be reckoned out of range.
FIRST_YEAR, LAST_YEAR = 1868, 2200


def parse_instant(text: str, field: str) -> datetime:
    """An instant with offset, as our own forms carry it; InvalidInput for anything else and beyond all calendars."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(fields=[field]) from None
    if found.tzinfo is None or not FIRST_YEAR < found.year < LAST_YEAR:
        raise InvalidInput(fields=[field])
    return found


def parse_date(text: str) -> date:
    """A date as people write it in forms: ``2026/4/1``, ``令和8年4月1日``, ``R8.4.1``, full width too.

    Raises InvalidInput ``bad_date`` for anything else, for days outside the era named and beyond all calendars.
    """
    plain = re.sub(r"\s+|\([月火水木金土日]\)$", "", unicodedata.normalize("NFKC", text)).upper()
    match = _DATE.fullmatch(plain)
    if match is None:
        raise InvalidInput("bad_date", text=text)
    year = 1 if match["y"] == "元" else int(match["y"])
    era = match["era"]
    for first, name, sign in ERAS:
        if era in (name, sign):
            year += first.year - 1
    try:
        day = date(year, int(match["m"]), int(match["d"]))
    except ValueError:
        raise InvalidInput("bad_date", text=text) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidInput("bad_date", text=text)
    if era and not any(era_year(day)[0] == name for _, name, sign in ERAS if era in (name, sign)):
        raise InvalidInput("bad_date", text=text)
    return day


def nth_weekday(day: date) -> int:
    """Which such weekday of its month a day is: 2 for the second Saturday."""
    return (day.day - 1) // 7 + 1


class MonthDay(NamedTuple):
    month: int
    day: int

    @classmethod
    def parse(cls, text: str) -> "MonthDay":
        """``12-29``; ValueError when it is no day of a leap year."""
        month, day = (int(part) for part in text.split("-"))
        date(2024, month, day)
        return cls(month, day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """Days of every year from ``first`` to ``last``, both included; may run over the end of the year."""

    first: MonthDay
    last: MonthDay

    def __contains__(self, day: date) -> bool:
        here = MonthDay(day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Interval:
    """Open from ``opens`` to ``closes``; numbers are given until ``reception_closes``.

    ``categories`` empty: every category.
    """

    opens: time
    closes: time
    reception_closes: time
    categories: frozenset[str] = field(default=frozenset(), compare=False)

    def serves(self, category: str | None) -> bool:
        return category is None or not self.categories or category in self.categories


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An interval that repeats on weekdays (0 is Monday), perhaps only the n-th of a month or in a season."""

    weekdays: frozenset[int]
    interval: Interval
    nth: frozenset[int] = frozenset()
    season: Season | None = None

    def on(self, day: date) -> bool:
        if day.weekday() not in self.weekdays or (self.nth and nth_weekday(day) not in self.nth):
            return False
        return self.season is None or day in self.season


def _no_holiday(_: date) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpeningCalendar:
    """All rules of one office. ``special``: date → its intervals (none: closed). ``holiday``: date → its name.

    Equal only to itself, so that what has been worked out from it can be kept by it.
    """

    rules: tuple[Rule, ...]
    closures: tuple[Season, ...] = ()
    special: Mapping[date, tuple[Interval, ...]] = field(default_factory=lambda: MappingProxyType({}))
    holiday: Callable[[date], str | None] = _no_holiday

    def intervals(self, day: date, category: str | None = None) -> tuple[Interval, ...]:
        """When the office is open on a day, or one of its categories; in order, adjoining ones joined.

        Without a category: the hours of the house, whichever categories they are for.
        """
        found = [interval for interval in self._all(day) if interval.serves(category)]
        return _joined(found)

    def _all(self, day: date) -> Iterable[Interval]:
        if day in self.special:
            return self.special[day]
        if any(day in closure for closure in self.closures) or self.holiday(day) is not None:
            return ()
        return [rule.interval for rule in self.rules if rule.on(day)]

    def is_open(self, at: datetime, category: str | None = None) -> bool:
        """People are served at this instant."""
        now = clock(at)
        return any(hours.opens <= now < hours.closes for hours in self.intervals(business_date(at), category))

    def takes_numbers(self, at: datetime, category: str | None = None) -> bool:
        """Numbers are given at this instant."""
        now = clock(at)
        return any(hours.opens <= now < hours.reception_closes for hours in self.intervals(business_date(at), category))

    def next_opening(self, at: datetime, category: str | None = None, *, days: int = 60) -> datetime | None:
        """The first instant after ``at`` at which it opens; None within so many days."""
        today = business_date(at)
        for day in (today + timedelta(days=ahead) for ahead in range(days + 1)):
            for hours in self.intervals(day, category):
                opening = instant(day, hours.opens)
                if opening > at:
                    return opening
        return None


def _joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """In order, without overlap: an evening that begins when the day ends is one long day."""
    result: list[Interval] = []
    for interval in sorted(intervals):
        if not result or interval.opens > result[-1].closes:
            result.append(interval)
            continue
        last = result.pop()
        categories = last.categories | interval.categories if last.categories and interval.categories else frozenset()
        result.append(
            Interval(
                opens=last.opens,
                closes=max(last.closes, interval.closes),
                reception_closes=max(last.reception_closes, interval.reception_closes),
                categories=categories,
            )
        )
    return tuple(result)
