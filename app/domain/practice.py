"""Made-up visits of past days to practise planning with: nobody came, and whatever is shown of them says so.

The same line and day always give the same visits. They have what real halls have: weekdays, month ends, the days after
a closure, the spring rush, a peak at noon, and waits that follow from counters who serve one party after the other.
"""

import heapq
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_WEEKDAY = (1.18, 1.0, 0.93, 0.95, 1.06, 1.1, 1.0)
_MONTH_END, _AFTER_CLOSED, _SPRING = 1.2, 1.2, 1.3
_SPRING_DAYS = ((3, 15), (4, 10))
# Of the time its counters have, a line needs so much on an ordinary day; single days differ by a tenth.
_LOAD, _BUSY = 0.64, 0.1
_SPREAD, _NO_SHOW, _NO_SHOW_MIN = 0.5, 0.03, 1.5
# How much more comes at noon than at the edges, and for how many minutes around it.
_NOON, _NOON_MIN, _NOON_WIDE_MIN = 0.9, 12 * 60, 110.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line, its services with their planned minutes, and the numbers of the counters that serve it as a rule."""

    id: str
    services: Sequence[tuple[str, float]]
    counters: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One made-up visit. Minutes from midnight; ``finished`` None: called, and nobody came."""

    service: str
    issued: float
    called: float
    finished: float | None
    counter: str


def of_day(line: Line, day: date, opens: Sequence[tuple[int, int]], *, after_closed: bool) -> Iterator[Visit]:
    """The visits of a line on a day. ``opens``: when numbers are given, minutes from midnight; ``after_closed``: the
    working day before was none."""
    if not line.counters or not line.services or not opens:
        return
    chance = random.Random(f"{line.id} {day.isoformat()}")  # noqa: S311 - made up, and always the same
    free = [(0.0, counter) for counter in line.counters]
    heapq.heapify(free)
    for issued in _arrivals(line, day, opens, chance, after_closed=after_closed):
        service, mean = chance.choice(line.services)
        at, counter = heapq.heappop(free)
        called = max(at, issued + 0.2)
        if chance.random() < _NO_SHOW:
            finished, end = None, called + _NO_SHOW_MIN
        else:
            finished = end = called + mean * chance.lognormvariate(-(_SPREAD**2) / 2, _SPREAD)
        heapq.heappush(free, (end + 0.5, counter))
        yield Visit(service=service, issued=issued, called=called, finished=finished, counter=counter)


def _arrivals(
    line: Line, day: date, opens: Sequence[tuple[int, int]], chance: random.Random, *, after_closed: bool
) -> list[float]:
    mean = sum(minutes for _, minutes in line.services) / len(line.services)
    each = _LOAD * len(line.counters) / mean * _factor(day, after_closed=after_closed) * chance.gauss(1, _BUSY)
    # More than the evenest day would have is drawn, and thinned to the shape of the day.
    found, most = [], 1 + _NOON
    level = each / (1 + _NOON / 2)
    for begin, end in opens:
        at = float(begin)
        while (at := at + chance.expovariate(max(level, 1e-6) * most)) < end:
            if chance.random() * most < 1 + _NOON * math.exp(-(((at - _NOON_MIN) / _NOON_WIDE_MIN) ** 2)):
                found.append(at)
    return found


def _factor(day: date, *, after_closed: bool) -> float:
    found = _WEEKDAY[day.weekday()]
    found *= _MONTH_END if (day + timedelta(days=2)).month != day.month else 1.0
    found *= _AFTER_CLOSED if after_closed else 1.0
    return found * (_SPRING if _SPRING_DAYS[0] <= (day.month, day.day) <= _SPRING_DAYS[1] else 1.0)
