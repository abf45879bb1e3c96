"""Where a floor lead is needed now: pure rules over the floor, each alert with since when and what to do.

An alert begins at ``since`` and stays until its cause ends; the order is urgent before less urgent, and at last the
older first, so that nothing changes place while one reads. Somebody who has seen one says so (``Seen``), and it
steps back for ``SEEN_FOR``, unless it has grown worse.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from types import MappingProxyType

from app.domain.advice import Advice, Deed, for_line
from app.domain.floor import Counter, Floor, Line, Party, minutes_since
from app.domain.ticket import State

SEEN_FOR = timedelta(minutes=10)
CALLS_BEFORE_MISS = 3
_NONE: Mapping[str, int] = MappingProxyType({})


class Code(StrEnum):
    """What is the matter."""

    HELP = "help"
    NO_COUNTER = "no_counter"
    LATE = "late"
    RISING = "rising"
    IDLE = "idle"
    NOT_COME = "not_come"
    OVERDUE = "overdue"
    LONG = "long"
    PARKED = "parked"
    MISSED = "missed"


class Severity(IntEnum):
    """▲ at once, △ soon, and what is only worth knowing; smaller is worse."""

    URGENT = 0
    SOON = 1
    NOTE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Dials:
    """When it is too much. ``late_urgent`` and ``long`` are multiples of the target and of the usual time."""

    late_urgent: float = 1.5
    idle: timedelta = timedelta(seconds=90)
    not_come: timedelta = timedelta(minutes=3)
    not_come_urgent: timedelta = timedelta(minutes=6)
    overdue: timedelta = timedelta(minutes=1)
    long: float = 2.0
    long_least: timedelta = timedelta(minutes=10)
    parked: timedelta = timedelta(minutes=20)
    missed: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One place where somebody is needed.

    ``category``, ``counter``, ``steps``: what it is about; ``values``: figures for its sentence (minutes, people).
    """

    code: Code
    severity: Severity
    since: datetime
    category: str | None = None
    counter: str | None = None
    steps: tuple[int, ...] = ()
    values: Mapping[str, int] = field(default_factory=lambda: _NONE)
    advice: Advice | None = None

    @property
    def key(self) -> str:
        """The same as long as it is the same matter; of several people: as long as they are the same people."""
        return ":".join([self.code, self.category or self.counter or "", *map(str, self.steps)])

    @property
    def order(self) -> tuple[int, bool, bool, datetime, str]:
        """Worst first; a person who asks before figures, what can be done before what can only be known, then age."""
        return (self.severity, self.code is not Code.HELP, self.advice is None, self.since, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Somebody took care of an alert. ``by``: the name."""

    key: str
    severity: Severity
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class _Look:
    floor: Floor
    at: datetime
    dials: Dials

    def past(self, since: datetime | None, after: timedelta = timedelta()) -> datetime | None:
        """The instant at which ``since`` became too long ago; None while it is not."""
        return since + after if since is not None and self.at >= since + after else None

    def minutes(self, since: datetime) -> int:
        return minutes_since(since, self.at)


def find(floor: Floor, at: datetime, dials: Dials | None = None) -> list[Alert]:
    """Every alert of the floor at an instant, worst first. No counter is proposed twice."""
    look = _Look(floor, at, dials or Dials())
    found = sorted((alert for rule in _RULES for alert in rule(look)), key=lambda alert: alert.order)
    taken = {alert.advice.counter for alert in found if alert.advice and alert.advice.counter}
    advised: list[Alert] = []
    for alert in found:
        if alert.code in (Code.LATE, Code.NO_COUNTER) and alert.category is not None:
            advice = for_line(floor, alert.category, at, taken=taken)
            taken |= {advice.counter} if advice and advice.counter else set()
            alert = replace(alert, advice=advice)  # noqa: PLW2901 - the same alert, now with what to do
        advised.append(alert)
    return sorted(advised, key=lambda alert: alert.order)


def rising(
    floor: Floor, category: str, *, minutes: int, at: datetime, since: datetime, found: Sequence[Alert]
) -> Alert:
    """A line that keeps its target now and is expected to miss it: ``minutes`` is the longest wait to come.

    ``found``: what is proposed already, so that no counter is proposed twice.
    """
    line = next(line for line in floor.lines if line.id == category)
    taken = {alert.advice.counter for alert in found if alert.advice and alert.advice.counter}
    return Alert(
        code=Code.RISING, severity=Severity.SOON, since=since, category=category,
        values={"waiting": len(floor.waiting(category, at)), "minutes": minutes,
                "target": int(line.target.total_seconds() // 60)},
        advice=for_line(floor, category, at, taken=taken),
    )  # fmt: skip


def still_seen(alert: Alert, seen: Seen, at: datetime) -> bool:
    """Whether somebody's "seen" covers the alert: not for ever, not when it grew worse, not one that began anew.

    A line is late through one party after another: there the instant moves although the matter is the same.
    """
    fresh = timedelta() <= at - seen.at < SEEN_FOR and seen.key == alert.key and alert.severity >= seen.severity
    return fresh and (alert.category is not None or seen.at >= alert.since)


def _lines(look: _Look) -> Iterator[Alert]:
    for line in look.floor.lines:
        since = look.floor.longest_since(line.id, look.at)
        if since is None:
            continue
        staffed = any(
            c.state == "open" and any(each.category_id == line.id for each in c.serves) for c in look.floor.counters
        )
        yield from _late(look, line, since) if staffed else _nobody_calls(look, line, since)


def _figures(look: _Look, line: Line, since: datetime) -> dict[str, int]:
    return {
        "waiting": len(look.floor.waiting(line.id, look.at)), "minutes": look.minutes(since),
        "target": int(line.target.total_seconds() // 60),
    }  # fmt: skip


def _late(look: _Look, line: Line, since: datetime) -> Iterator[Alert]:
    begun = look.past(since, line.target)
    if begun is None:
        return
    urgent = look.past(since, line.target * look.dials.late_urgent)
    yield Alert(
        code=Code.LATE, severity=Severity.URGENT if urgent else Severity.SOON, since=begun, category=line.id,
        values=_figures(look, line, since),
    )  # fmt: skip


def _nobody_calls(look: _Look, line: Line, since: datetime) -> Iterator[Alert]:
    urgent = look.past(since, line.target)
    yield Alert(
        code=Code.NO_COUNTER, severity=Severity.URGENT if urgent else Severity.SOON, since=since, category=line.id,
        values=_figures(look, line, since),
    )  # fmt: skip


def _next_for(look: _Look, counter: Counter) -> Party | None:
    """Whom an open counter may call; a secondary line counts once its head has waited long enough."""
    for served in counter.serves:
        head = next(iter(look.floor.waiting(served.category_id, look.at)), None)
        if head is None or head.waiting_since is None:
            continue
        if served.after_minutes is None or look.at - head.waiting_since > timedelta(minutes=served.after_minutes):
            return head
    return None


def _idle(look: _Look) -> Iterator[Alert]:
    for counter in look.floor.counters:
        if counter.state != "open" or look.floor.at_counter(counter.id):
            continue
        head = _next_for(look, counter)
        known = [counter.since, counter.free_since, head.callable_since if head else None]
        begun = look.past(max((each for each in known if each is not None), default=None), look.dials.idle)
        if head is None or begun is None:
            continue
        yield Alert(
            code=Code.IDLE, severity=Severity.SOON, since=begun, counter=counter.id,
            values={"minutes": look.minutes(begun - look.dials.idle)},
            advice=Advice(deed=Deed.CALL_NEXT, counter=counter.id, number=head.number),
        )  # fmt: skip


def _not_come(look: _Look) -> Iterator[Alert]:
    for party in look.floor.parties:
        begun = look.past(party.called_at, look.dials.not_come) if party.state is State.CALLED else None
        if begun is None or party.called_at is None:
            continue
        urgent = look.past(party.called_at, look.dials.not_come_urgent)
        deed = Deed.MISS if party.recalls + 1 >= CALLS_BEFORE_MISS else Deed.RECALL
        yield Alert(
            code=Code.NOT_COME, severity=Severity.URGENT if urgent else Severity.SOON, since=begun,
            counter=party.counter, steps=(party.step,),
            values={"minutes": look.minutes(party.called_at), "calls": party.recalls + 1},
            advice=Advice(deed=deed, step=party.step, number=party.number),
        )  # fmt: skip


def _counters(look: _Look) -> Iterator[Alert]:
    for counter in look.floor.counters:
        if counter.help_since is not None and counter.state != "closed":
            yield Alert(
                code=Code.HELP, severity=Severity.URGENT, since=counter.help_since, counter=counter.id,
                values={"minutes": look.minutes(counter.help_since)},
                advice=Advice(deed=Deed.HELPED, counter=counter.id),
            )  # fmt: skip
        begun = look.past(counter.back_at, look.dials.overdue) if counter.state == "paused" else None
        if begun is not None and counter.back_at is not None:
            yield Alert(
                code=Code.OVERDUE, severity=Severity.SOON, since=begun, counter=counter.id,
                values={"minutes": look.minutes(counter.back_at)},
                advice=Advice(deed=Deed.RESUME, counter=counter.id, profile=counter.profile),
            )  # fmt: skip


def _long(look: _Look) -> Iterator[Alert]:
    for party in look.floor.parties:
        usual = look.floor.minutes.get((party.service, party.phase))
        if party.state is not State.SERVING or usual is None or party.started_at is None:
            continue
        whole = max(look.dials.long * timedelta(minutes=usual), timedelta(minutes=usual) + look.dials.long_least)
        begun = look.past(party.started_at, whole)
        if begun is None:
            continue
        yield Alert(
            code=Code.LONG, severity=Severity.NOTE, since=begun, counter=party.counter, steps=(party.step,),
            values={"minutes": look.minutes(party.started_at), "usual": int(usual)},
            advice=Advice(deed=Deed.VISIT, number=party.number),
        )  # fmt: skip


def _away(look: _Look) -> Iterator[Alert]:
    """Those set aside for long, together: one matter for whoever walks through the hall."""
    for code, state, limit in (
        (Code.PARKED, State.PARKED, look.dials.parked), (Code.MISSED, State.MISSED, look.dials.missed),
    ):  # fmt: skip
        gone: list[tuple[datetime, Party]] = []
        for party in look.floor.parties:
            begun = look.past(party.changed_at, limit) if party.state is state else None
            gone += [(begun, party)] if begun is not None else []
        if not gone:
            continue
        first = min(begun for begun, _ in gone)
        yield Alert(
            code=code, severity=Severity.NOTE, since=first, steps=tuple(sorted(party.step for _, party in gone)),
            values={"people": len(gone), "minutes": look.minutes(first - limit)}, advice=Advice(deed=Deed.LOOK),
        )  # fmt: skip


_RULES: Sequence[Callable[[_Look], Iterator[Alert]]] = (_lines, _idle, _not_come, _counters, _long, _away)
