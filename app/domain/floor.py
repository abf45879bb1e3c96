"""The floor as a lead sees it: lines, counters and open steps of one office, read from the staff's snapshot.

Pure facts for app/domain/alerts.py. The snapshot is the one of app/services/staff_queue.py; what it does not
hold (work profiles, usual minutes, since when a counter is free) is handed over beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from app.domain.calling import Line as Served
from app.domain.ticket import AT_COUNTER, State

_NONE: Mapping[Any, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One category. ``target``: within which time people should be called."""

    id: str
    target: timedelta
    hall: str = ""
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """A counter. ``serves``: the lines in force; ``usual``: the profile it opens with by itself.

    ``free_since``: the last act at it today, None when nothing happened at it.
    """

    id: str
    number: str
    state: str
    since: datetime | None = None
    back_at: datetime | None = None
    help_since: datetime | None = None
    free_since: datetime | None = None
    serves: tuple[Served, ...] = ()
    profile: str | None = None
    usual: str | None = None
    hall: str = ""
    section: str = ""
    staff: str = ""

    @property
    def primaries(self) -> frozenset[str]:
        """Ids of the categories it serves first."""
        return frozenset(line.category_id for line in self.serves if line.after_minutes is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One open step of a ticket. ``changed_at``: its last move, so since when it is parked or missed."""

    step: int
    ticket: int
    number: str
    category: str
    service: str
    phase: str
    state: State
    counter: str | None = None
    recalls: int = 0
    eligible_at: datetime | None = None
    waiting_since: datetime | None = None
    called_at: datetime | None = None
    started_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def callable_since(self) -> datetime | None:
        """Since when it waits to be called; somebody booked who came early does not wait before the time."""
        if self.waiting_since is None or self.eligible_at is None:
            return self.waiting_since
        return max(self.waiting_since, self.eligible_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """One office at one instant. ``parties``: waiting ones in the order they are called.

    ``profiles``: lines by profile id; ``minutes``: how long (service id, phase) usually takes.
    """

    lines: tuple[Line, ...]
    counters: tuple[Counter, ...]
    parties: tuple[Party, ...]
    profiles: Mapping[str, tuple[Served, ...]] = field(default_factory=lambda: _NONE)
    minutes: Mapping[tuple[str, str], float] = field(default_factory=lambda: _NONE)

    def at_counter(self, counter: str) -> list[Party]:
        """The parties a counter holds."""
        return [party for party in self.parties if party.counter == counter and party.state in AT_COUNTER]

    def waiting(self, category: str, at: datetime) -> list[Party]:
        """Who of a line may be called now, in order; not while the party is at a counter with another step."""
        busy = {party.ticket for party in self.parties if party.state in AT_COUNTER}
        return [
            party
            for party in self.parties
            if party.category == category and party.state is State.WAITING and party.ticket not in busy
            and party.callable_since is not None and party.callable_since <= at
        ]  # fmt: skip

    def longest_since(self, category: str, at: datetime) -> datetime | None:
        """Since when the longest waiting party of a line could have been called; None when nobody can."""
        found = [party.callable_since for party in self.waiting(category, at) if party.callable_since is not None]
        return min(found, default=None)


def minutes_since(since: datetime, at: datetime) -> int:
    """Whole minutes since an instant; 0 for one that a clock set back since has put into the future."""
    return max(int((at - since).total_seconds() // 60), 0)


def instant(text: str | None) -> datetime | None:
    """An instant as a snapshot writes it."""
    return datetime.fromisoformat(text) if text else None


def served(lines: Sequence[Mapping[str, Any]]) -> tuple[Served, ...]:
    """Lines of a profile as they are stored."""
    return tuple(Served(category_id=line["category"], after_minutes=line.get("after_minutes")) for line in lines)


def of_snapshot(
    seen: Mapping[str, Any], *, usual: Mapping[str, str | None] = _NONE,
    profiles: Mapping[str, Sequence[Mapping[str, Any]]] = _NONE, free_since: Mapping[str, datetime] = _NONE,
    minutes: Mapping[tuple[str, str], float] = _NONE,
) -> Floor:  # fmt: skip
    """The floor of a staff snapshot. ``usual`` and ``free_since`` by counter id, ``profiles`` as stored."""
    return Floor(
        lines=tuple(
            Line(id=line["id"], target=timedelta(minutes=line["target_minutes"]), hall=line["hall"],
                 section=line["section"])
            for line in seen["categories"]
        ),
        counters=tuple(
            Counter(
                id=c["id"], number=c["number"], state=c["state"], since=instant(c["since"]),
                back_at=instant(c["back_at"]), help_since=instant(c["help_since"]), free_since=free_since.get(c["id"]),
                serves=served(c["lines"]), profile=c["profile"], usual=usual.get(c["id"]), hall=c["hall"],
                section=c["section"], staff=c["staff"],
            )
            for c in seen["counters"]
        ),
        parties=tuple(_party(step) for step in seen["steps"]),
        profiles={name: served(lines) for name, lines in profiles.items()},
        minutes=minutes,
    )  # fmt: skip


def _party(step: Mapping[str, Any]) -> Party:
    return Party(
        step=step["id"], ticket=step["ticket"], number=step["number"], category=step["category"],
        service=step["service"], phase=step["phase"], state=State(step["state"]), counter=step["counter"],
        recalls=step["recalls"], eligible_at=instant(step["eligible_at"]), waiting_since=instant(step["waiting_since"]),
        called_at=instant(step["called_at"]), started_at=instant(step["started_at"]),
        changed_at=instant(step["changed_at"]),
    )  # fmt: skip
