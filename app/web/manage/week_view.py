"""A week of plans as managers see it: the longest wait of each half-hour, each line's worst, what is left short."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from app.domain import roster
from app.domain.wait import BUSY_FROM, CROWDED_FROM
from app.models.place import Category
from app.services.roster_days import DayRoster, Made
from app.web import day_plan, played
from app.web.day_plan import LinePlan, minute_of_day
from forecasting.hall import Outcome

Key = TypeVar("Key")
# So many expected in a half-hour: in the days that are played somebody does come then.
_SURE_TO_COME = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Mean minutes of those who come in the half-hour from ``start`` (minutes from midnight) to a line.

    None: they are not called before the close.
    """

    minutes: int | None
    start: int
    line: Category

    @property
    def level(self) -> str:
        """The lamp's word for it, by the borders residents know."""
        if self.weight < BUSY_FROM:
            return "free"
        return "busy" if self.weight <= CROWDED_FROM else "crowd"

    @property
    def weight(self) -> float:
        """Minutes to compare by."""
        return math.inf if self.minutes is None else self.minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A day that has a forecast. ``peak``: ``(start, parties)`` of the half-hour in which most come.

    ``waits``: the longest of all lines by half-hour; ``worst``: each line's longest. ``staffed`` of ``need`` counters
    are there in the half-hour that needs most; ``missing``: counters of half-hours that lack. ``made`` None: no people
    are on record, the usual counters count as there.
    """

    day: date
    people: float
    bookings: int
    peak: tuple[int, float]
    waits: Mapping[int, Wait]
    worst: Mapping[str, Wait]
    need: int
    staffed: int
    missing: int
    made: Made | None

    @property
    def longest(self) -> Wait | None:
        return max(self.waits.values(), key=lambda each: each.weight, default=None)


def planned(
    day: date, plans: Sequence[LinePlan], kept: DayRoster | None, lines: Mapping[str, Category]
) -> Planned:  # fmt: skip
    """The figures of a day; plays it, so it is for ``off_loop``."""
    needs, has = day_plan.needs(plans), staffed(plans, kept)
    outcomes = played.office(plans, has, policies={name: line.policy for name, line in lines.items()})
    waits = [wait for plan in plans for wait in _waits(plan, outcomes[plan.category_id], lines[plan.category_id])]
    starts = kept.plan.starts if kept else sorted({start for line in needs.values() for start in line})
    whole = {start: sum(line.get(start, 0) for line in needs.values()) for start in starts}
    most = max(whole, key=lambda start: whole[start], default=0)
    return Planned(
        day=day, people=sum(plan.people for plan in plans), peak=_peak(plans),
        bookings=sum(each.bookings for plan in plans for each in plan.expected),
        waits=_longest([(each.start, each) for each in waits]),
        worst=_longest([(each.line.id, each) for each in waits]),
        need=whole.get(most, 0), staffed=sum(line.get(most, 0) for line in has.values()),
        missing=sum(
            max(line.get(start, 0) - has[name].get(start, 0), 0) for name, line in needs.items() for start in starts
        ),
        made=kept.made if kept else None,
    )  # fmt: skip


def _waits(plan: LinePlan, outcome: Outcome, line: Category) -> Iterator[Wait]:
    """Of each half-hour in which somebody comes. Who is never called has no minutes, and is not left out for it."""
    for each, wait in zip(plan.expected, outcome.waits, strict=True):
        if wait is not None or (outcome.left and each.expected >= _SURE_TO_COME):
            yield Wait(minutes=None if wait is None else round(wait), start=minute_of_day(each.start), line=line)


def staffed(plans: Sequence[LinePlan], kept: DayRoster | None) -> played.Staffed:
    """Counters by line and minute: of the roster, else the usual ones."""
    if kept is None:
        return {plan.category_id: {minute_of_day(start): plan.facts.usual for start in plan.starts} for plan in plans}
    has = roster.staffed(kept.plan, kept.shifts)
    return {plan.category_id: dict(zip(kept.plan.starts, has[plan.category_id], strict=True)) for plan in plans}


def _peak(plans: Sequence[LinePlan]) -> tuple[int, float]:
    people: dict[int, float] = defaultdict(float)
    for plan in plans:
        for each in plan.expected:
            people[minute_of_day(each.start)] += each.expected
    return max(people.items(), key=lambda found: found[1])


def _longest(waits: Sequence[tuple[Key, Wait]]) -> dict[Key, Wait]:
    found: dict[Key, Wait] = {}
    for key, wait in waits:
        if key not in found or wait.weight > found[key].weight:
            found[key] = wait
    return found


def calmest(days: Sequence[Planned]) -> Planned | None:
    """The day with most to spare, the earliest of those alike; None where there is nothing to choose or none has."""
    spare = [each for each in days if not each.missing and each.longest and each.longest.level == "free"]
    return min(spare, key=lambda each: each.longest.weight if each.longest else 0, default=None) if days[1:] else None
