"""Proof from the log alone: replay an office's events and name every broken rule.

The checker knows nothing of the engine: it keeps who waits, who is at which counter, and compares.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.ticket import AT_COUNTER, FINAL, TABLE, Action, State

# Calls that are out of turn on purpose; their reason is on record.
ARGUED = frozenset({"picked", "secondary", "early"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event as the log has it; ``place`` are the details of a step that began to wait."""

    seq: int
    at: datetime
    action: str
    step: int | None
    ticket: int | None
    counter: str | None
    before: str | None
    after: str | None
    reason: str | None
    place: Mapping[str, object]


@dataclass(slots=True)
class _Hall:
    waiting: dict[int, tuple[int, tuple[object, ...], str, str]] = field(default_factory=dict)
    at_counter: dict[int, tuple[str, int]] = field(default_factory=dict)
    state: dict[int, str] = field(default_factory=dict)


def violations(log: Iterable[Entry], *, lines: Mapping[str, frozenset[str]]) -> list[str]:
    """Sentences, empty when every rule held. ``lines``: the primary categories each counter served.

    Checked: seq without gaps, moves of the table, one party at a counter, one counter for a party, and no
    call past somebody with an earlier place unless its reason is on record.
    """
    hall, found, last = _Hall(), [], None
    for entry in log:
        if last is not None and entry.seq != last + 1:
            found.append(f"seq {entry.seq} follows {last}")
        last = entry.seq
        if entry.step is not None and entry.before is not None:
            found += _step(hall, entry, lines)
    return found


def _step(hall: _Hall, entry: Entry, lines: Mapping[str, frozenset[str]]) -> list[str]:
    step, found = entry.step or 0, []
    if hall.state.get(step, entry.before) != entry.before:
        found.append(f"seq {entry.seq}: step {step} was {hall.state[step]}, not {entry.before}")
    if TABLE.get((State(entry.before or ""), Action(entry.action))) != entry.after:
        found.append(f"seq {entry.seq}: {entry.before} -{entry.action}-> {entry.after} is not in the table")
    if entry.action == Action.CALL:
        found += _call(hall, entry, lines)
    _move(hall, entry)
    return found


def _call(hall: _Hall, entry: Entry, lines: Mapping[str, frozenset[str]]) -> list[str]:
    found = []
    busy_tickets = {ticket for _, ticket in hall.at_counter.values()}
    if any(counter == entry.counter for counter, _ in hall.at_counter.values()):
        found.append(f"seq {entry.seq}: counter {entry.counter} already holds a party")
    if entry.ticket in busy_tickets:
        found.append(f"seq {entry.seq}: ticket {entry.ticket} is at another counter")
    mine = hall.waiting.get(entry.step or 0)
    if entry.reason in ARGUED or mine is None:
        return found
    served = lines.get(entry.counter or "", frozenset())
    for ticket, place, category, eligible in hall.waiting.values():
        passed = category in served and ticket not in busy_tickets and eligible <= entry.at.isoformat()
        if passed and place < mine[1]:
            found.append(f"seq {entry.seq}: step {entry.step} was called past place {place}")
    return found


def _move(hall: _Hall, entry: Entry) -> None:
    step = entry.step or 0
    hall.state[step] = entry.after or ""
    if entry.after == State.WAITING:
        place = entry.place
        order = (place["due"], place["arrived"], place["serial"], step)
        hall.waiting[step] = (entry.ticket or 0, order, str(place["category"]), str(place["eligible"]))
    else:
        hall.waiting.pop(step, None)
    if entry.after in AT_COUNTER:
        hall.at_counter[step] = (entry.counter or "", entry.ticket or 0)
    else:
        hall.at_counter.pop(step, None)
    if entry.after in FINAL:
        hall.waiting.pop(step, None)
