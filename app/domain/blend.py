"""A day of one line played again under another setting of its dials: who would have been called when.

People, their arrivals, booked slots and times at the counter are those of the day; counters are as many as were at
work at each time. The place in line and the choice of the next are the real rule (calling.py), nothing is stored.
"""

import heapq
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.domain.calling import Arrival, Entry, Head, Line, Policy, choose, due_at

WITHIN = timedelta(minutes=10)
_LINE = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """One party of the day. ``served``: time at the counter; ``slot``: of the booking it kept, None for a walk-in."""

    arrived: datetime
    served: timedelta
    slot: datetime | None = None
    priority: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A counter at work, from the first to the last it served."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Waits of one group in minutes; ``within_10``: share called at most ten minutes after the slot, or the number."""

    people: int
    mean: float
    p90: float
    longest: float
    within_10: float


@dataclass(slots=True)
class Played:
    """What became of the day: waits in minutes by group, in the order of calls; ``unserved``: left at the end."""

    walk_in: list[float] = field(default_factory=list)
    booked: list[float] = field(default_factory=list)
    unserved: int = 0

    @property
    def walk_ins(self) -> Group | None:
        return _group(self.walk_in)

    @property
    def bookings(self) -> Group | None:
        return _group(self.booked)


def _group(waits: Sequence[float]) -> Group | None:
    if not waits:
        return None
    ordered = sorted(waits)
    within = sum(wait <= WITHIN.total_seconds() / 60 for wait in ordered)
    return Group(
        people=len(ordered), mean=round(math.fsum(ordered) / len(ordered), 1),
        p90=round(ordered[min(len(ordered) - 1, math.ceil(len(ordered) * 0.9) - 1)], 1),
        longest=round(ordered[-1], 1), within_10=round(within / len(ordered), 3),
    )  # fmt: skip


def play(visitors: Iterable[Visitor], shifts: Iterable[Shift], policy: Policy) -> Played:
    """The whole day under a policy. Counters call as soon as they are free, until their shift is over."""
    order = itertools.count()
    events: list[tuple[datetime, int, Visitor | Shift]] = []
    for visitor in visitors:
        heapq.heappush(events, (visitor.arrived, next(order), visitor))
    for shift in shifts:
        heapq.heappush(events, (shift.begins, next(order), shift))
    day = _Line(policy)
    while events:
        now, _, value = heapq.heappop(events)
        if isinstance(value, Visitor):
            day.join(value, now)
        elif now < value.ends:
            day.idle.append(value)
        for shift, ends in day.call(now):
            heapq.heappush(events, (ends, next(order), shift))
    day.played.unserved = len(day.heads)
    return day.played


class _Line:
    """Who waits and which counters are free at an instant of the day."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.played = policy, Played()
        self.idle: list[Shift] = []
        self.heads: dict[int, tuple[Head, Visitor]] = {}
        self._serial = itertools.count(1)
        self._last_walk_in: datetime | None = None

    def join(self, visitor: Visitor, now: datetime) -> None:
        """Fix the place of a party that has come, as services/lines.py does."""
        entry = Entry.BOOKED if visitor.slot else Entry.WALK_IN
        place = due_at(
            Arrival(entry=entry, arrived_at=now, now=now, slot=visitor.slot, priority=visitor.priority,
                    last_walk_in_due=self._last_walk_in),
            self.policy,
        )  # fmt: skip
        if entry is Entry.WALK_IN:
            self._last_walk_in = place.base
        serial = next(self._serial)
        head = Head(
            step_id=serial, category_id=_LINE, due_at=place.due_at, eligible_at=place.eligible_at, arrived_at=now,
            serial=serial, waiting_since=now, entry=entry, priority=visitor.priority,
        )  # fmt: skip
        self.heads[serial] = head, visitor

    def call(self, now: datetime) -> list[tuple[Shift, datetime]]:
        """Each free counter calls whose turn it is; returns the counters with the instants they are free again."""
        begun: list[tuple[Shift, datetime]] = []
        self.idle = [shift for shift in self.idle if now < shift.ends]
        while self.idle and self.heads:
            chosen = choose([head for head, _ in self.heads.values()], [Line(category_id=_LINE)], now)
            if chosen is None:
                break
            _, visitor = self.heads.pop(chosen.head.step_id)
            since = max(visitor.slot, visitor.arrived) if visitor.slot else visitor.arrived
            waited = max(0.0, (now - since).total_seconds() / 60)
            (self.played.booked if visitor.slot else self.played.walk_in).append(waited)
            begun.append((self.idle.pop(0), now + visitor.served))
        return begun


__all__ = ["Group", "Played", "Shift", "Visitor", "play"]
