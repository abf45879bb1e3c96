"""When a visit can be booked: the grid of cells of each line, what they hold, and a feasible order of one visit.

A line's day is cut into cells of ``grid`` minutes. A cell has so many places; a person takes one place in every
cell the service lasts, so one place is one person at one counter for up to ``grid`` minutes. Several services of
a line follow each other without a gap; several lines follow each other with a short way between, in the order
that ends soonest. A party stands side by side where there is room, else one after the other.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple

from app.domain.calendar import WEEKDAYS, Interval, business_date, clock, instant

# The way from one counter to the next, and the longest pause a visit may have between two lines.
WAY = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(minutes=60)
_MOST_LINES_PERMUTED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A time of day with places of its own; ``weekdays`` (0 is Monday) empty: every day. The last that fits counts."""

    first: time
    last: time
    capacity: int
    staff_only: int = 0
    weekdays: frozenset[int] = frozenset()

    def covers(self, day: date, at: time) -> bool:
        return self.first <= at < self.last and (not self.weekdays or day.weekday() in self.weekdays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Services that share fewer places than their line has (one counter can do them)."""

    name: str
    services: frozenset[str]
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRules:
    """How one line (category) is booked; minutes and days. ``staff_only``: places that only staff give."""

    grid: int
    capacity: int
    staff_only: int = 0
    bands: tuple[Band, ...] = ()
    breaks: tuple[tuple[time, time], ...] = ()
    groups: tuple[Group, ...] = ()
    lead_minutes: int = 60
    window_days: int = 30
    most_party: int = 4
    check_in_early: int = 60
    no_show_after: int = 30

    @classmethod
    def read(cls, stored: Mapping[str, object]) -> "LineRules":
        """Rules as the catalogue stores them (config/document_booking.py)."""
        plain: dict[str, object] = dict(stored)
        bands = _mappings(plain.pop("times", ()))
        breaks = _mappings(plain.pop("breaks", ()))
        groups = _mappings(plain.pop("groups", ()))
        return cls(
            bands=tuple(_band(each) for each in bands),
            breaks=tuple(
                (time.fromisoformat(str(each["from"])), time.fromisoformat(str(each["to"]))) for each in breaks
            ),
            groups=tuple(_group(each) for each in groups),
            **plain,  # type: ignore[arg-type]
        )

    def places(self, start: datetime) -> tuple[int, int]:
        """``(all places, those for staff alone)`` of the cell that begins at ``start``."""
        if not self.bands:
            return self.capacity, self.staff_only
        day, at = business_date(start), clock(start)
        band = next((band for band in reversed(self.bands) if band.covers(day, at)), None)
        return (band.capacity, band.staff_only) if band else (self.capacity, self.staff_only)


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []


def _band(stored: Mapping[str, object]) -> Band:
    given, numbers = stored.get("days"), ("capacity", "staff_only")
    days = given if isinstance(given, list | tuple) else ()
    return Band(
        first=time.fromisoformat(str(stored["from"])), last=time.fromisoformat(str(stored["to"])),
        weekdays=frozenset(WEEKDAYS.index(str(day)) for day in days),
        **{name: int(str(stored.get(name) or 0)) for name in numbers},
    )  # fmt: skip


def _group(stored: Mapping[str, object]) -> Group:
    services = stored["services"]
    names = frozenset(str(name) for name in services) if isinstance(services, list | tuple) else frozenset()
    return Group(name=str(stored["id"]), services=names, capacity=int(str(stored["capacity"])))


@lru_cache(maxsize=8192)
def day_cells(rules: LineRules, hours: tuple[Interval, ...], day: date) -> tuple[datetime, ...]:
    """The starts of a day's cells: on the grid from the opening on, ended before it closes, none in a break.

    ``hours`` are those of the line. The last cell begins before numbers cease to be given.
    """
    step = timedelta(minutes=rules.grid)
    found: list[datetime] = []
    for opening in hours:
        start, last = instant(day, opening.opens), instant(day, opening.closes)
        reception = instant(day, opening.reception_closes)
        while start + step <= last and start < reception:
            if not _in_break(rules, start, start + step):
                found.append(start)
            start += step
    return tuple(found)


def _in_break(rules: LineRules, start: datetime, end: datetime) -> bool:
    first, last = clock(start), clock(end)
    return any(first < stop and begin < last for begin, stop in rules.breaks)


class Cell(NamedTuple):
    """One stretch of one pool of places: a line's, or a group's within it."""

    pool: str
    start: datetime


class Room(NamedTuple):
    """What a cell holds. ``staff_only`` places count as taken for the public until staff have used them."""

    capacity: int
    used: int = 0
    staff_only: int = 0
    staff_used: int = 0

    def free(self, *, staff: bool = False) -> int:
        kept = 0 if staff or not self.staff_only else max(0, self.staff_only - self.staff_used)
        return max(0, self.capacity - self.used - kept)

    @property
    def public(self) -> int:
        """How many places the public has in all."""
        return max(0, self.capacity - max(0, self.staff_only - self.staff_used))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One service of a visit in its line: ``minutes`` at the counter for one person."""

    service: str
    line: str
    minutes: int


class Stage(NamedTuple):
    """A service of a planned visit: from when it is expected."""

    service: str
    line: str
    start: datetime


class Plan(NamedTuple):
    """A feasible visit: its services in order with their starts, its end, and the places it takes."""

    start: datetime
    end: datetime
    stages: tuple[Stage, ...]
    places: Mapping[Cell, int]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """All services of one line, one after the other, as ``blocks`` lays them; equal only to itself.

    One person takes ``cells`` cells of the line, and of its groups a place in each ``(pool, number of the cell)``.
    ``offsets``: how long after the block's start each part begins.
    """

    line: str
    grid: timedelta
    parts: tuple[Part, ...]
    offsets: tuple[timedelta, ...]
    cells: int
    grouped: tuple[tuple[str, int], ...]


def blocks(parts: Sequence[Part], rules: Mapping[str, LineRules]) -> tuple[Block, ...]:
    """What a visit needs of each line; worked out once for a visit, since a month is tried at every start."""
    lines = dict.fromkeys(part.line for part in parts)
    return tuple(_block(line, rules[line], tuple(part for part in parts if part.line == line)) for line in lines)


def _block(line: str, rules: LineRules, parts: tuple[Part, ...]) -> Block:
    grid, offset = timedelta(minutes=rules.grid), timedelta()
    offsets: list[timedelta] = []
    grouped: dict[tuple[str, int], None] = {}
    for part in parts:
        offsets.append(offset)
        end = offset + timedelta(minutes=part.minutes)
        for number in range(offset // grid, max(offset // grid + 1, -(-end // grid))):
            own = (pool_of(line, group) for group in rules.groups if part.service in group.services)
            grouped |= dict.fromkeys((pool, number) for pool in own)
        offset = end
    return Block(line=line, grid=grid, parts=parts, offsets=tuple(offsets), cells=max(1, -(-offset // grid)),
                 grouped=tuple(grouped))  # fmt: skip


def pool_of(line: str, group: Group | None = None) -> str:
    """The name under which a line's, or its group's, places are counted."""
    return line if group is None else f"{line}/{group.name}"


Look = Callable[[Cell], Room | None]


def plan(wanted: Sequence[Block], *, start: datetime, party: int, look: Look, staff: bool = False) -> Plan | None:
    """The visit that begins at ``start`` and ends soonest; None when there is no room for it.

    ``look`` tells what a cell holds, None where there is no cell.
    """
    orders = permutations(wanted) if 1 < len(wanted) <= _MOST_LINES_PERMUTED else (wanted,)
    best: Plan | None = None
    for order in orders:
        found = _in_order(order, start=start, party=party, look=look, staff=staff)
        if found is not None and (best is None or found.end < best.end):
            best = found
    return best


def _in_order(order: Sequence[Block], *, start: datetime, party: int, look: Look, staff: bool) -> Plan | None:
    stages: list[Stage] = []
    places: dict[Cell, int] = {}
    end = start
    for block in order:
        earliest, latest = (end + WAY, end + LONGEST_PAUSE) if stages else (start, start)
        found = _first_fit(block, earliest, latest, party=party, look=look, staff=staff)
        if found is None:
            return None
        begin, end, taken = found
        places |= taken
        stages += [
            Stage(service=part.service, line=block.line, start=begin + offset)
            for part, offset in zip(block.parts, block.offsets, strict=True)
        ]
    return Plan(start=start, end=end, stages=tuple(stages), places=places)


# A visit after another may begin at any of these minutes; a line's grid need not begin at the hour.
_STEP = timedelta(minutes=5)


def _first_fit(
    block: Block, earliest: datetime, latest: datetime, *, party: int, look: Look, staff: bool
) -> tuple[datetime, datetime, dict[Cell, int]] | None:
    """The first start in a span at which the block has room, side by side before one after the other."""
    begin = earliest
    while begin <= latest:
        if look(Cell(block.line, begin)) is not None:
            for abreast in range(party, 0, -1):
                taken = {Cell(pool, begin + after): people for pool, after, people in _footprint(block, party, abreast)}
                if _fits(taken, look, staff=staff):
                    turns = -(-party // abreast)
                    return begin, begin + turns * block.cells * block.grid, taken
        begin += _STEP
    return None


@lru_cache(maxsize=4096)
def _footprint(block: Block, party: int, abreast: int) -> tuple[tuple[str, timedelta, int], ...]:
    """What a party takes when so many stand side by side, the rest after them: ``(pool, after the start, places)``."""
    found: list[tuple[str, timedelta, int]] = []
    for turn in range(-(-party // abreast)):
        people, first = min(abreast, party - turn * abreast), turn * block.cells
        found += [(block.line, (first + number) * block.grid, people) for number in range(block.cells)]
        found += [(pool, (first + number) * block.grid, people) for pool, number in block.grouped]
    return tuple(found)


def _fits(taken: Mapping[Cell, int], look: Look, *, staff: bool) -> bool:
    for cell, people in taken.items():
        room = look(cell)
        if room is None or room.free(staff=staff) < people:
            return False
    return True


class Reach(NamedTuple):
    """From when and until when a visit may be booked now: instants, both included."""

    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRules:
    """What one service adds: days before, a clock time after which a day counts as begun, its own window."""

    lead_days: int = 0
    cut_off: time | None = None
    window_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The strictest of all that a visit touches: ``window_days`` ahead, ``lead`` before it, so many people together."""

    lead: timedelta
    window_days: int
    most_party: int
    services: tuple[ServiceRules, ...]

    @classmethod
    def of(cls, lines: Iterable[LineRules], services: Iterable[ServiceRules]) -> "Limits":
        lines, services = list(lines), tuple(services)
        own = [each.window_days for each in services if each.window_days is not None]
        return cls(
            lead=timedelta(minutes=max((each.lead_minutes for each in lines), default=0)),
            window_days=min([each.window_days for each in lines] + own, default=30),
            most_party=min((each.most_party for each in lines), default=1),
            services=tuple(each for each in services if each.lead_days or each.cut_off),
        )

    def reach(self, *, at: datetime, staff: bool = False) -> Reach:
        """When it may be booked now. Staff book for a caller up to the present, in the same window."""
        today = business_date(at)
        latest = _last_minute(today + timedelta(days=self.window_days))
        if staff:
            return Reach(earliest=at, latest=latest)
        days = max([_lead(each, at) for each in self.services], default=0)
        earliest = at + self.lead
        if days:
            earliest = max(earliest, instant(today + timedelta(days=days), time(0)))
        return Reach(earliest=earliest, latest=latest)


@lru_cache(maxsize=512)
def _last_minute(day: date) -> datetime:
    return instant(day, time(23, 59))


def _lead(rules: ServiceRules, at: datetime) -> int:
    """Days before the visit. Past the cut-off a day counts as over; without lead days it closes the rest of today."""
    past = rules.cut_off is not None and clock(at) >= rules.cut_off
    return rules.lead_days + (1 if past else 0)


__all__ = [
    "LONGEST_PAUSE", "Band", "Block", "Cell", "Group", "Limits", "LineRules", "Part", "Plan", "Reach", "Room",
    "ServiceRules", "Stage", "blocks", "day_cells", "plan", "pool_of",
]  # fmt: skip
