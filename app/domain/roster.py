"""Who works where in each half-hour of a day: the values of a roster, what it leaves short, what it breaks.

A day is a table of people and half-hours. A cell holds the id of the line that is served, or one of the words below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

OFF, BACK, LUNCH, REST = "", "@back", "@lunch", "@rest"
NOT_SERVING = frozenset({OFF, BACK, LUNCH, REST})
SLOT_MIN = 30
# Lunch begins within these minutes from midnight; whoever is present for so many half-hours has one.
LUNCH_FROM, LUNCH_UNTIL = 11 * 60, 14 * 60
LUNCH_AFTER_SLOTS = 12
LEAST_BLOCK = 2

Cells = tuple[str, ...]
Shifts = Mapping[str, Cells]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of staff on one day.

    ``lines``: ids of the lines the person can serve; ``present``: by half-hours; ``lunch`` and ``rests``: half-hours
    of each. ``carried``: half-hours served on earlier days of the week, for fairness.
    """

    id: str
    lines: tuple[str, ...]
    present: tuple[bool, ...]
    lunch: int = 0
    rests: int = 0
    carried: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What a roster is made for. ``starts``: minutes from midnight; ``needs``: counters by line and half-hour."""

    starts: tuple[int, ...]
    people: tuple[Person, ...]
    needs: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A half-hour of a line with fewer counters than it needs."""

    start: int
    line: str
    need: int
    staffed: int

    @property
    def missing(self) -> int:
        return self.need - self.staffed


class Broken(StrEnum):
    """A rule that a person's day does not keep. By hand it may be broken; it is marked, not refused."""

    SKILL = "skill"
    ABSENT = "absent"
    LUNCH = "lunch"
    REST = "rest"


def staffed(day: Day, shifts: Shifts) -> dict[str, list[int]]:
    """How many people serve each line in each half-hour."""
    found = {line: [0] * len(day.starts) for line in day.needs}
    for cells in shifts.values():
        for slot, cell in enumerate(cells):
            if cell in found:
                found[cell][slot] += 1
    return found


def gaps(day: Day, shifts: Shifts) -> list[Gap]:
    """Every half-hour that is short, in the order of the day."""
    has = staffed(day, shifts)
    return [
        Gap(start=start, line=line, need=needs[slot], staffed=has[line][slot])
        for slot, start in enumerate(day.starts)
        for line, needs in day.needs.items()
        if has[line][slot] < needs[slot]
    ]


def shortfall(day: Day, shifts: Shifts) -> float:
    """The share of needed half-hours that nobody serves, 0 to 1; a day that needs nobody is not short."""
    needed = sum(sum(each) for each in day.needs.values())
    return sum(gap.missing for gap in gaps(day, shifts)) / needed if needed else 0.0


def served(cells: Sequence[str]) -> int:
    """Half-hours at a counter."""
    return sum(cell not in NOT_SERVING for cell in cells)


def broken(person: Person, cells: Sequence[str]) -> list[Broken]:
    """What a person's day does not keep."""
    works = [cell not in (OFF, LUNCH, REST) for cell in cells]
    found = []
    if any(cell not in NOT_SERVING and cell not in person.lines for cell in cells):
        found.append(Broken.SKILL)
    if any(cell != OFF and not here for cell, here in zip(cells, person.present, strict=True)):
        found.append(Broken.ABSENT)
    if any(works) and _longest(cells, LUNCH) < person.lunch:
        found.append(Broken.LUNCH)
    if any(works) and sum(cell == REST for cell in cells) < person.rests:
        found.append(Broken.REST)
    return found


def _longest(cells: Sequence[str], wanted: str) -> int:
    best = run = 0
    for cell in cells:
        run = run + 1 if cell == wanted else 0
        best = max(best, run)
    return best


def fitted(person: Person, cells: Sequence[str]) -> Cells:
    """The cells of a person who is present at other times now: off where absent, in the back office where unplanned."""
    return tuple(OFF if not here else (cell or BACK) for cell, here in zip(cells, person.present, strict=True))
