"""What lies ahead of some lines: the waits of past weeks, bent by how many people a day is forecast to bring.

A forecast tells who comes, a level how long they wait. A tenth more people wait more than a tenth longer where the
counters are full already, and hardly longer where they are not, so the one is learned from the other on the lines'
own past days. Where there is no forecast, or too few days to learn from, the past weekdays stand as they are.
"""

import calendar
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

from app.domain import crowd as rules
from app.domain.crowd import Level, Seen

LEAST_DAYS = 15
# So many times the usual number of people, or the usual through it, has been seen; beyond it nothing was learned.
WIDEST = 1.6
# "In proportion" counts as much as ten days that were each a tenth off the usual.
_LEAN, _PROPORTION, _MOST_BEND = 0.1, 1.0, 4.0
_SHORTEST_MIN = 1.0
# A day is busier than usual from a twentieth more on.
MORE = 1.05
_SPRING = ((3, 15), (4, 10))
_MONTH_END_DAYS, _LOOK_DAYS = 2, 10
_MONDAY, _SATURDAY = 0, 5


class Why(StrEnum):
    """Why many people come on a day, the strongest reason first."""

    SPRING = "spring"
    AFTER_CLOSURE = "after_closure"
    MONTH_END = "month_end"
    MONDAY = "monday"


class Outlook:
    """The levels to expect. ``seen``: the hours of past weeks; ``came``: parties that came on each past day;
    ``expected``: parties forecast for a day, without a day that has no forecast or a stale one."""

    def __init__(
        self, seen: Sequence[Seen], *, came: Mapping[date, int] | None = None,
        expected: Mapping[date, float] | None = None,
    ) -> None:  # fmt: skip
        self.seen, self._came, self._expected = seen, came or {}, expected or {}
        people: dict[date, int] = defaultdict(int)
        minutes: dict[date, float] = defaultdict(float)
        for each in seen:
            people[each.day] += each.people
            minutes[each.day] += each.minutes
        self._people = people
        self._waits = {day: minutes[day] / people[day] for day in people if people[day] >= rules.LEAST_PEOPLE}
        self._bends: dict[int, float | None] = {}

    def of_day(self, day: date) -> Level | None:
        """The level of a day; None where too few were seen on its weekday."""
        return rules.of_day(self.seen, day, swell=self._swell(day))

    def of_hours(self, day: date) -> Mapping[int, Level]:
        """The level of each hour that has been seen before."""
        return rules.of_hours(self.seen, day, swell=self._swell(day))

    def forecast(self, day: date) -> bool:
        """Whether a day stands on the forecast too, not on past weekdays alone."""
        return self._ratio(day) is not None and self._bend(day) is not None

    def why(self, day: date, is_open: Callable[[date], bool]) -> Why | None:
        """Why a day is crowded: only where it is told to be, and where these lines bear the reason out."""
        level = self.of_day(day)
        if level is None or level < Level.FAIR:
            return None
        swollen = self.forecast(day) and (self._ratio(day) or 0.0) >= MORE
        if swollen and (found := occasion(day, is_open)) is not None:
            return found
        return Why.MONDAY if day.weekday() == _MONDAY and self._mondays_are_full(day) else None

    def _swell(self, day: date) -> float:
        ratio, bend = self._ratio(day), self._bend(day)
        return 1.0 if ratio is None or bend is None else min(max(ratio, 1 / WIDEST), WIDEST) ** bend

    def _ratio(self, day: date) -> float | None:
        """People forecast over those who came on the same weekdays before, weighted as their waits are."""
        alike = [each for each in self._came if each < day and each.weekday() == day.weekday()]
        if day not in self._expected or not alike:
            return None
        usual = sum(rules.weight(each, day) * self._came[each] for each in alike)
        return self._expected[day] * sum(rules.weight(each, day) for each in alike) / usual if usual else None

    def _bend(self, day: date) -> float | None:
        """The power of the number of people that waits follow, as seen before a day; None on too few days."""
        known = sorted(each for each in self._waits if each < day and self._came.get(each))
        if len(known) not in self._bends:
            self._bends[len(known)] = self._learned(known)
        return self._bends[len(known)]

    def _learned(self, known: Sequence[date]) -> float | None:
        days = [found for each in known if (found := self._beside_usual(each, known)) is not None]
        if len(days) < LEAST_DAYS:
            return None
        both = sum(people * wait for people, wait in days)
        spread = sum(people * people for people, _ in days)
        return min(max((both + _LEAN * _PROPORTION) / (spread + _LEAN), 0.0), _MOST_BEND)

    def _beside_usual(self, day: date, known: Sequence[date]) -> tuple[float, float] | None:
        """Logs of a day's people and wait over those of the other same weekdays; None for a day unlike any other."""
        others = [each for each in known if each != day and each.weekday() == day.weekday()]
        if not others:
            return None
        people = math.log(self._came[day] * len(others) / sum(self._came[each] for each in others))
        wait = sum(self._waits[each] for each in others) / len(others)
        longer = math.log(max(self._waits[day], _SHORTEST_MIN) / max(wait, _SHORTEST_MIN))
        return (people, longer) if abs(people) <= math.log(WIDEST) else None

    def _mondays_are_full(self, day: date) -> bool:
        mondays = [n for each, n in self._people.items() if each < day and each.weekday() == _MONDAY]
        others = [n for each, n in self._people.items() if each < day and _MONDAY < each.weekday() < _SATURDAY]
        return bool(others) and bool(mondays) and sum(mondays) / len(mondays) >= MORE * sum(others) / len(others)


def occasion(day: date, is_open: Callable[[date], bool]) -> Why | None:
    """What the calendar has about a day on which many come as a rule; None on an ordinary one."""
    if _SPRING[0] <= (day.month, day.day) <= _SPRING[1]:
        return Why.SPRING
    if _follows_closure(day, is_open):
        return Why.AFTER_CLOSURE
    last = date(day.year, day.month, calendar.monthrange(day.year, day.month)[1])
    rest = range(1, (last - day).days + 1)
    if len(rest) <= _LOOK_DAYS and sum(is_open(day + timedelta(days=n)) for n in rest) < _MONTH_END_DAYS:
        return Why.MONTH_END
    return None


def _follows_closure(day: date, is_open: Callable[[date], bool]) -> bool:
    """Whether it was shut right before, on a working day that is open as a rule."""
    week = timedelta(weeks=1)
    for back in range(1, _LOOK_DAYS + 1):
        before = day - timedelta(days=back)
        if is_open(before):
            return False
        if before.weekday() < _SATURDAY and (is_open(before - week) or is_open(before + week)):
            return True
    return False
