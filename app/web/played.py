"""What a staffing means for waits: an office's day played with the real call policy, and kept for the next look.

Lines whose counters help each other are played together; tens of milliseconds a line. The same day with the same
counters is played once in a process, so that a change plays only the lines it can reach again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from app.domain.calling import Policy
from app.services.forecasts import INTERVAL_MIN
from app.web.day_plan import LinePlan, minute_of_day
from forecasting import hall
from forecasting.hall import Day, Help, Outcome

DAYS = 30
TARGET_MIN = 10.0
Staffed = Mapping[str, Mapping[int, int]]
"""Counters by line and minute from midnight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One line's day. ``counters``: open in each half-hour of the forecast; ``begins``: minutes from midnight.

    ``helping``: as LineFacts, of lines that are asked together.
    """

    line: str
    begins: int
    arrivals: tuple[float, ...]
    counters: tuple[int, ...]
    service_min: float
    spread: float
    before: float
    booked: float
    policy: Policy
    helping: tuple[tuple[tuple[str, float | None], ...], ...]


def question(
    plan: LinePlan, counters: Sequence[int], *, policy: Mapping[str, Any], volume: float = 1.0,
    changed: Mapping[str, float] | None = None,
) -> Question:  # fmt: skip
    """What is asked of a line: its forecast times ``volume``, its own dials unless ``changed``."""
    facts = plan.facts
    expected = [each.expected for each in plan.expected]
    known = {each.name for each in fields(Policy)}
    dials = {name: value for name, value in policy.items() if name in known} | dict(changed or {})
    people = sum(expected)
    return Question(
        line=plan.category_id, begins=minute_of_day(plan.starts[0]), helping=facts.helping,
        arrivals=tuple(round(each * volume, 3) for each in (max(expected[0] - facts.door, 0.0), *expected[1:])),
        counters=tuple(counters), service_min=round(facts.service_min, 3), spread=round(facts.spread, 3),
        before=round(facts.door * volume, 3), policy=Policy(**dials),
        booked=round(min(sum(each.bookings for each in plan.expected) / people, 1.0), 3) if people else 0.0,
    )  # fmt: skip


def counters_of(plan: LinePlan, staffed: Mapping[int, int]) -> tuple[int, ...]:
    """Counters in each half-hour of the forecast, from those by minute of the day."""
    return tuple(staffed.get(minute_of_day(start), 0) for start in plan.starts)


def office(
    plans: Sequence[LinePlan], staffed: Staffed, *, policies: Mapping[str, Mapping[str, Any]], volume: float = 1.0,
    changed: Mapping[str, Mapping[str, float]] | None = None, wanted: Iterable[str] | None = None, days: int = DAYS,
) -> dict[str, Outcome]:  # fmt: skip
    """What becomes of each line (``wanted``: of these) under a staffing; ``changed``: dials by line."""
    asked = {
        plan.category_id: question(
            plan, counters_of(plan, staffed[plan.category_id]), policy=policies.get(plan.category_id, {}),
            volume=volume, changed=(changed or {}).get(plan.category_id),
        )
        for plan in plans
    }  # fmt: skip
    of, found = set(asked) if wanted is None else set(wanted), dict[str, Outcome]()
    for group in _groups(asked):
        if of.intersection(group):
            found |= zip(group, _outcomes(tuple(asked[line] for line in group), days), strict=True)
    return {line: found[line] for line in asked if line in of}


def _groups(asked: Mapping[str, Question]) -> list[list[str]]:
    """Lines that reach each other through counters that are there and help, each in the order of the plans."""
    group = {line: {line} for line in asked}
    for line, one in asked.items():
        for counter in one.helping[: max(one.counters, default=0)]:
            for other, _ in counter:
                if other in asked and other not in group[line]:
                    joined = group[line] | group[other]
                    group |= dict.fromkeys(joined, joined)
    return list({min(each): [line for line in asked if line in each] for each in group.values()}.values())


@lru_cache(maxsize=1024)
def _outcomes(asked: tuple[Question, ...], days: int) -> tuple[Outcome, ...]:
    """What becomes of lines that are played together; always the same for the same question."""
    begins = min(one.begins for one in asked)
    places = {one.line: place for place, one in enumerate(asked)}
    lines = [
        Day(
            arrivals=one.arrivals, counters=one.counters, service_min=one.service_min, interval_min=INTERVAL_MIN,
            spread=one.spread, before=one.before, booked=one.booked, policy=one.policy, begins=one.begins - begins,
        )
        for one in asked
    ]  # fmt: skip
    helping = [
        [[Help(line=places[line], after=after) for line, after in counter if line in places] for counter in one.helping]
        for one in asked
    ]
    return hall.together(lines, helping, target_min=TARGET_MIN, days=days, seed=1)
