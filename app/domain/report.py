"""A day's or a month's figures from what happened to each step: counts, waits, services, promises kept.

Pure: facts in, rows out. Minutes everywhere; a booked party does not wait before its slot.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from app.domain.calendar import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What became of one step. ``first``: it is the first of its ticket, so that a visit counts once.

    ``wait`` and ``service`` are minutes, None where it was never called or never served. ``target``: minutes.
    ``booked``: it came by a booking; ``kept``: and was called within 10 minutes of its slot (None: not known).
    """

    day: date
    arrived_at: datetime
    service: str
    category: str
    counter: str
    section: str
    channel: str
    first: bool
    wait: float | None
    service_min: float | None
    target: float
    missed: bool
    done: bool
    booked: bool
    kept: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a report. Shares are 0 to 1 and None where nothing is counted.

    ``good``, ``fair``, ``bad``: what was said after the visits (domain/feedback.py); None where that is not known.
    """

    key: str
    visits: int
    steps: int
    served: int
    missed: int
    wait_mean: float | None
    wait_median: float | None
    wait_nine: float | None
    wait_longest: float | None
    service_mean: float | None
    within: float | None
    booked: int
    kept: float | None
    good: int | None = None
    fair: int | None = None
    bad: int | None = None


def _hour(fact: Fact) -> str:
    return f"{clock(fact.arrived_at).hour:02d}"


# What a report goes by, in the order of the menu.
REPORTS: Mapping[str, Callable[[Fact], str]] = MappingProxyType(
    {
        "days": lambda fact: fact.day.isoformat(),
        "months": lambda fact: f"{fact.day:%Y-%m}",
        "hours": _hour,
        "weekdays": lambda fact: str(fact.day.isoweekday()),
        "categories": lambda fact: fact.category,
        "services": lambda fact: fact.service,
        "counters": lambda fact: fact.counter,
        "sections": lambda fact: fact.section,
        "channels": lambda fact: fact.channel,
        "hours-services": lambda fact: f"{_hour(fact)}|{fact.service}",
        "hours-services-counters-sections": lambda fact: (
            f"{_hour(fact)}|{fact.service}|{fact.counter}|{fact.section}" if fact.counter else ""
        ),
        "days-categories": lambda fact: f"{fact.day.isoformat()}|{fact.category}",
    }
)


def rows(facts: Iterable[Fact], by: Callable[[Fact], str]) -> list[Row]:
    """One row for each key, in the order of the keys; what has no key (never called, no counter) is left out."""
    groups: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        key = by(fact)
        if key:
            groups[key].append(fact)
    return [row(key, groups[key]) for key in sorted(groups)]


def row(key: str, facts: Sequence[Fact]) -> Row:
    """The figures of some facts together."""
    waits = sorted(fact.wait for fact in facts if fact.wait is not None)
    services = [fact.service_min for fact in facts if fact.service_min is not None]
    booked = [fact for fact in facts if fact.booked and fact.first]
    return Row(
        key=key, visits=sum(fact.first for fact in facts), steps=len(facts), served=sum(fact.done for fact in facts),
        missed=sum(fact.missed for fact in facts), wait_mean=_mean(waits), wait_median=quantile(waits, 0.5),
        wait_nine=quantile(waits, 0.9), wait_longest=waits[-1] if waits else None, service_mean=_mean(services),
        within=_share(fact.wait <= fact.target for fact in facts if fact.wait is not None),
        booked=len(booked), kept=_share(fact.kept for fact in booked if fact.kept is not None),
    )  # fmt: skip


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _share(answers: Iterable[bool]) -> float | None:
    known = list(answers)
    return sum(known) / len(known) if known else None


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """The least value that ``share`` of all do not exceed (nearest rank); None of nothing."""
    return ordered[max(math.ceil(share * len(ordered)), 1) - 1] if ordered else None
