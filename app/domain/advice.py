"""What to do about an alert, as data: which deed, at which counter, with which profile.

For a line that waits too long: first somebody who sits at an open counter with nobody to call and knows the
line too, then a closed counter. Who knows what is read from the work profiles, never guessed.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.floor import Counter, Floor, Line


class Deed(StrEnum):
    """An act of the screen; ``HELPED``, ``VISIT`` and ``LOOK`` begin on foot."""

    OPEN = "open"
    LEND = "lend"
    RESUME = "resume"
    CALL_NEXT = "call-next"
    RECALL = "recall"
    MISS = "miss"
    HELPED = "helped"
    VISIT = "visit"
    LOOK = "look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One deed. ``number``: of whom it would call, recall or miss."""

    deed: Deed
    counter: str | None = None
    profile: str | None = None
    step: int | None = None
    number: str | None = None


def for_line(floor: Floor, category: str, at: datetime, *, taken: Set[str] = frozenset()) -> Advice | None:
    """Another counter for a line; None when no counter is left that could serve it.

    ``taken``: counters that are proposed for something else already.
    """
    line = next(line for line in floor.lines if line.id == category)
    free = [counter for counter in floor.counters if counter.id not in taken]
    for counter in free:
        profile = _lendable(floor, counter, line, at)
        if profile is not None:
            return Advice(deed=Deed.LEND, counter=counter.id, profile=profile)
    closed = sorted(
        (rank, place, profile)
        for place, counter in enumerate(free)
        if counter.state == "closed"
        for rank, profile in _openings(floor, counter, line)
    )
    if not closed:
        return None
    _, place, profile = closed[0]
    return Advice(deed=Deed.OPEN, counter=free[place].id, profile=profile)


def _lendable(floor: Floor, counter: Counter, line: Line, at: datetime) -> str | None:
    """The profile with which a counter that has nobody to call serves its own lines and this one too."""
    if counter.state != "open" or not counter.primaries or floor.at_counter(counter.id):
        return None
    if any(floor.waiting(own, at) for own in counter.primaries):
        return None
    for name, lines in sorted(floor.profiles.items()):
        first = {each.category_id for each in lines if each.after_minutes is None}
        if name != counter.profile and counter.primaries <= first and _calls(floor, name, line, at):
            return name
    return None


def _calls(floor: Floor, profile: str, line: Line, at: datetime) -> bool:
    """Whether the profile lets the line be called now; a secondary one once its head has waited long enough."""
    served = next((each for each in floor.profiles[profile] if each.category_id == line.id), None)
    head = next(iter(floor.waiting(line.id, at)), None)
    if served is None or served.after_minutes is None:
        return served is not None
    waited = at - head.waiting_since if head and head.waiting_since else timedelta()
    return waited > timedelta(minutes=served.after_minutes)


def _openings(floor: Floor, counter: Counter, line: Line) -> Iterator[tuple[int, str]]:
    """Ranked profiles for a closed counter: its usual one, then one that joins this line to its usual ones."""
    if counter.usual is None or counter.usual not in floor.profiles:
        return
    usual = {each.category_id for each in floor.profiles[counter.usual] if each.after_minutes is None}
    if line.id in usual:
        yield (0 if counter.section == line.section else 1), counter.usual
        return
    for name, lines in sorted(floor.profiles.items()):
        first = {each.category_id for each in lines if each.after_minutes is None}
        if line.id in first and first & usual:
            yield 2, name
            return
