"""How full a hall will be: five levels of the same family as the lamps, from the waits of past weeks.

A level is a promise about waiting, so it is measured in minutes; what happened lately counts more than what was
two months ago, and a day like none before says nothing rather than something invented.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

# Half of the weight is gone after so many days: a season moves, a single odd day should not.
HALF_LIFE_DAYS = 21
LEAST_PEOPLE = 5


class Level(IntEnum):
    """◎ ○ △ ▲ ▲▲ in mean minutes of waiting: the borders of the lamps at 20 and 40, and one beyond on each side."""

    EMPTY = 1
    QUIET = 2
    FAIR = 3
    CROWDED = 4
    PACKED = 5


_BORDERS = ((10, Level.EMPTY), (20, Level.QUIET), (40, Level.FAIR), (60, Level.CROWDED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen in one hour (0 to 23, Japanese time) of one day: people heard, minutes they waited in sum."""

    day: date
    hour: int
    people: int
    minutes: float


def level(minutes: float) -> Level:
    """The level of a mean wait in minutes."""
    return next((found for border, found in _BORDERS if minutes < border), Level.PACKED)


def weight(seen: date, day: date) -> float:
    """How much a past day counts for a later one."""
    return math.pow(0.5, (day - seen).days / HALF_LIFE_DAYS)


def of_day(seen: Iterable[Seen], day: date, *, swell: float = 1.0) -> Level | None:
    """The level to expect on a day: the same weekday before it, the later the more; None where too few were seen.

    ``swell``: how many times as long as usual people are expected to wait.
    """
    return _mean([each for each in seen if each.day < day and each.day.weekday() == day.weekday()], day, swell)


def of_hours(seen: Sequence[Seen], day: date, *, swell: float = 1.0) -> Mapping[int, Level]:
    """The level to expect in each hour of a day that has been seen before."""
    hours = sorted({each.hour for each in seen})
    alike = {hour: [e for e in seen if e.hour == hour and e.day < day and e.day.weekday() == day.weekday()]
             for hour in hours}  # fmt: skip
    return {hour: found for hour in hours if (found := _mean(alike[hour], day, swell)) is not None}


def quietest(levels: Mapping[date, Level | None], most: int = 3) -> list[date]:
    """The days to be suggested: the emptiest first, of those the next; none where all are alike."""
    known = {day: found for day, found in levels.items() if found is not None}
    if len(set(known.values())) < 2:
        return []
    least = min(known.values())
    return sorted(day for day, found in known.items() if found == least)[:most]


def _mean(seen: Sequence[Seen], day: date, swell: float) -> Level | None:
    if sum(each.people for each in seen) < LEAST_PEOPLE:
        return None
    weights = [weight(each.day, day) for each in seen]
    people = sum(share * each.people for share, each in zip(weights, seen, strict=True))
    return level(swell * sum(share * each.minutes for share, each in zip(weights, seen, strict=True)) / people)
