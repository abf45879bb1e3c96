"""A first roster without any search: pauses dealt out in turn, then whoever knows fewest lines goes where most lack.

It is what a day begins with, what a search starts from, and what stands where OR-tools is not installed.
"""

from collections.abc import Mapping, Sequence

from app.domain.roster import BACK, LEAST_BLOCK, LUNCH, LUNCH_FROM, LUNCH_UNTIL, OFF, REST, Cells, Day, Person, Shifts

# A rest stands so many half-hours away from lunch and from the ends of the day.
REST_APART = 2


def first(day: Day) -> Shifts:
    """A roster that keeps every rule; what it leaves short is for ``roster.gaps`` to say."""
    lacks = {line: list(needs) for line, needs in day.needs.items()}
    found: dict[str, Cells] = {}
    for turn, person in enumerate(sorted(day.people, key=lambda each: len(each.lines) or len(day.needs) + 1)):
        cells = _paused(person, day.starts, turn)
        for begin, end in _free(cells):
            _fill(cells, begin, end, [line for line in person.lines if line in lacks], lacks)
        found[person.id] = tuple(cells)
    return {person.id: found[person.id] for person in day.people}


def lunches(person: Person, starts: Sequence[int]) -> list[int]:
    """The half-hours at which a person's lunch may begin."""
    return [
        slot
        for slot, start in enumerate(starts)
        if person.lunch and LUNCH_FROM <= start <= LUNCH_UNTIL and slot + person.lunch <= len(starts)
        and all(person.present[slot : slot + person.lunch])
    ]  # fmt: skip


def rests(person: Person, lunch: int | None) -> list[int]:
    """The half-hours at which a person may rest, apart from lunch and from coming and going."""
    here = [slot for slot, present in enumerate(person.present) if present]
    inner = here[REST_APART:-REST_APART]
    if lunch is None:
        return inner
    return [slot for slot in inner if not lunch - REST_APART <= slot < lunch + person.lunch + REST_APART]


def _paused(person: Person, starts: Sequence[int], turn: int) -> list[str]:
    """The day of a person with nothing but its pauses; ``turn`` deals them out so that not all go at once."""
    cells = [BACK if here else OFF for here in person.present]
    fits = lunches(person, starts)
    # Every other beginning first: whole lunches then follow each other instead of overlapping.
    fits = fits[:: person.lunch] + [slot for slot in fits if slot not in fits[:: person.lunch]] if fits else []
    lunch = fits[turn % len(fits)] if fits else None
    if lunch is not None:
        cells[lunch : lunch + person.lunch] = [LUNCH] * person.lunch
    may = [slot for slot in rests(person, lunch) if lunch is None or slot > lunch] or rests(person, lunch)
    for number in range(min(person.rests, len(may))):
        cells[may[(turn + number) % len(may)]] = REST
    return cells


def _free(cells: Sequence[str]) -> list[tuple[int, int]]:
    """Stretches of the back office, each from its first half-hour up to, not including, its last."""
    found, begin = [], None
    for slot, cell in enumerate([*cells, OFF]):
        if cell == BACK and begin is None:
            begin = slot
        elif cell != BACK and begin is not None:
            found.append((begin, slot))
            begin = None
    return found


def _fill(cells: list[str], begin: int, end: int, lines: Sequence[str], lacks: Mapping[str, list[int]]) -> None:
    """Serve what lacks most, block by block, and stay with a line as long as it lacks anybody."""
    slot = begin
    while end - slot >= LEAST_BLOCK:
        line = max(lines, key=lambda each: sum(max(n, 0) for n in lacks[each][slot : slot + LEAST_BLOCK]), default=None)
        if line is None or all(lacks[line][at] <= 0 for at in range(slot, slot + LEAST_BLOCK)):
            slot += 1
            continue
        last = slot + LEAST_BLOCK
        while last < end and (lacks[line][last] > 0 or end - last < LEAST_BLOCK):
            last += 1
        for at in range(slot, last):
            cells[at] = line
            lacks[line][at] -= 1
        slot = last
