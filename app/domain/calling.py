"""Who is called next, and why: ``due_at`` and ``choose``.

Every waiting step carries one instant, ``due_at``, fixed when it begins to wait. A counter calls the
smallest. The order is total (due, arrival, number), ages by itself (a fixed instant cannot starve)
and each call names its reason. Managers replay a past day under another ``Policy`` and compare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType


class Entry(StrEnum):
    """How a step came to wait."""

    WALK_IN = "walk_in"
    BOOKED = "booked"
    JOURNEY = "journey"
    REJOINED = "rejoined"
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A category's dials, all in minutes. ``allowance`` is the dial between walk-ins and bookings."""

    allowance: float = 30
    late_penalty: float = 10
    late_grace: float = 5
    priority: float = 15
    rejoin: float = 10
    deliver: float = 5
    early_window: float = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What is known of a step at the instant it begins to wait.

    ``arrived_at``: when the party came into this line (for a later step of a journey, into its first).
    ``now``: the instant of joining. ``slot``: start of the booked slot. ``was_due``: the place before a
    miss or park. ``last_walk_in_due``: the latest due given to a walk-in of the category today.
    """

    entry: Entry
    arrived_at: datetime
    now: datetime
    slot: datetime | None = None
    was_due: datetime | None = None
    last_walk_in_due: datetime | None = None
    priority: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in line. ``eligible_at``: not called before this instant unless nobody else waits.

    ``base``: the due before 優先 is taken off; what later walk-ins may not undercut.
    """

    due_at: datetime
    eligible_at: datetime
    base: datetime


def _minutes(value: float) -> timedelta:
    return timedelta(minutes=value)


def _base_due(arrival: Arrival, policy: Policy) -> datetime:
    if arrival.entry is Entry.BOOKED and arrival.slot is not None:
        late = arrival.arrived_at > arrival.slot + _minutes(policy.late_grace)
        return arrival.arrived_at + _minutes(policy.late_penalty) if late else arrival.slot
    if arrival.entry is Entry.REJOINED and arrival.was_due is not None:
        return max(arrival.was_due, arrival.now - _minutes(policy.rejoin))
    if arrival.entry is Entry.DELIVERY:
        return arrival.now - _minutes(policy.deliver)
    due = arrival.arrived_at + _minutes(policy.allowance)
    if arrival.entry is Entry.WALK_IN and arrival.last_walk_in_due is not None:
        return max(due, arrival.last_walk_in_due)
    return due


def due_at(arrival: Arrival, policy: Policy) -> Place:
    """The place of a step that begins to wait now (rules: domain.md, "Who is called next")."""
    base = _base_due(arrival, policy)
    # A rejoined step already carries its 優先 in the place it had.
    lifted = arrival.priority and arrival.entry is not Entry.REJOINED
    due = base - _minutes(policy.priority) if lifted else base
    early = arrival.entry is Entry.BOOKED and arrival.slot is not None
    eligible = arrival.slot - _minutes(policy.early_window) if early and arrival.slot else arrival.now
    return Place(due_at=due, eligible_at=min(eligible, due) if not early else eligible, base=base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The first waiting step of one category, as ``choose`` sees it."""

    step_id: int
    category_id: str
    due_at: datetime
    eligible_at: datetime
    arrived_at: datetime
    serial: int
    waiting_since: datetime
    entry: Entry = Entry.WALK_IN
    priority: bool = False

    @property
    def order(self) -> tuple[datetime, datetime, int, int]:
        return (self.due_at, self.arrived_at, self.serial, self.step_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One category in a work profile. ``after_minutes``: a secondary category counts only when its
    head has waited longer; None for a primary one."""

    category_id: str
    after_minutes: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why this number: a stable code and the values of its sentence."""

    code: str
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    head: Head
    reason: Reason


_REASON = {
    Entry.WALK_IN: "earliest",
    Entry.BOOKED: "booked",
    Entry.JOURNEY: "journey",
    Entry.REJOINED: "rejoined",
    Entry.DELIVERY: "delivery",
}


def _reason(head: Head, *, secondary: bool, early: bool) -> Reason:
    code = _REASON[head.entry]
    if head.priority and head.entry in (Entry.WALK_IN, Entry.JOURNEY):
        code = "priority"
    if secondary:
        code = "secondary"
    if early:
        code = "early"
    return Reason(code=code, values=MappingProxyType({"due_at": head.due_at, "category": head.category_id}))


def choose(heads: Sequence[Head], profile: Sequence[Line], now: datetime) -> Choice | None:
    """The step a counter calls next, or None when nobody may be called.

    ``heads``: of each category of the profile, the first eligible waiting step and the first of all
    (they may be the same). Booked people before their early window are taken only if nobody else waits.
    """
    lines = {line.category_id: line for line in profile}

    def counts(head: Head) -> bool:
        line = lines.get(head.category_id)
        if line is None:
            return False
        if line.after_minutes is None:
            return True
        return now - head.waiting_since > _minutes(line.after_minutes)

    open_heads = [head for head in heads if counts(head)]
    eligible = [head for head in open_heads if head.eligible_at <= now]
    pool = eligible or open_heads
    if not pool:
        return None
    head = min(pool, key=lambda candidate: candidate.order)
    secondary = lines[head.category_id].after_minutes is not None
    return Choice(head=head, reason=_reason(head, secondary=secondary, early=not eligible))
