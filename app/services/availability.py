"""Free slots: what a visit needs of which lines, when it may be booked, and where there is room for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.db.base import UtcDateTime
from app.domain.booking import State
from app.domain.calendar import OpeningCalendar, business_date, instant
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.slots import LONGEST_PAUSE, Cell, LineRules, Look, Plan, Room, day_cells, plan, pool_of
from app.models.booking import Booking, BookingPlace
from app.services import hours, places
from app.services.places import Claim, Given
from app.services.visits import Visit, visit

MOST_DAYS = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A start with its places for this visit; ``free`` 0: full (for this party)."""

    start: datetime
    end: datetime
    capacity: int
    free: int


def days(since: date, until: date) -> list[date]:
    """The days of a range, both included; raises InvalidInput("bad_range") for a backward or too long one."""
    length = (until - since).days
    if not 0 <= length < MOST_DAYS:
        raise InvalidInput("bad_range", most=MOST_DAYS)
    return [since + timedelta(days=offset) for offset in range(length + 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Grid:
    """The cells of a visit's lines on one day: ``starts`` of all, in order, and those of each line."""

    starts: tuple[datetime, ...]
    of_line: Mapping[str, frozenset[datetime]]


@lru_cache(maxsize=4096)
def _grid(asked: Visit, calendar: OpeningCalendar, day: date) -> _Grid:
    """As long as catalogue and hours stand, visit and calendar are the same objects (visits.py, hours.py)."""
    cells = {line: day_cells(rules, calendar.intervals(day, line), day) for line, rules in asked.rules.items()}
    starts = sorted({start for each in cells.values() for start in each})
    if asked.along:
        until = _numbers_until(calendar, asked, day)
        starts = [start for start in starts if start < until]
    return _Grid(starts=tuple(starts), of_line={line: frozenset(each) for line, each in cells.items()})


class Rooms:
    """What the cells of a visit's lines hold on some days: ``look`` at one, ``claims`` is how they are taken.

    A cell is worked out when it is looked at.
    """

    def __init__(
        self, asked: Visit, grids: Mapping[date, _Grid], touched: Mapping[Cell, tuple[int, int, int | None]],
        over: Mapping[Cell, int],
    ) -> None:  # fmt: skip
        self.asked, self._grids, self._touched, self._over = asked, grids, touched, over
        self._seen: dict[Cell, Room | None] = {}
        self._by_rules: dict[Cell, tuple[int, int]] = {}

    def starts(self, day: date) -> tuple[datetime, ...]:
        """When a visit may begin on a day; never on one that was not asked for."""
        return self._grids[day].starts if day in self._grids else ()

    def look(self, cell: Cell) -> Room | None:
        """What a cell holds; None where there is no cell."""
        if cell not in self._seen:
            self._seen[cell] = self._room(cell)
        return self._seen[cell]

    def _room(self, cell: Cell) -> Room | None:
        pool, start = cell
        line = pool.partition("/")[0]
        grid = self._grids.get(business_date(start))
        if grid is None or start not in grid.of_line[line]:
            return None
        capacity, staff_only = self._by_rules[cell] = _by_rules(self.asked.rules[line], cell)
        used, staff_used, set_capacity = self._touched.get(cell, (0, 0, None))
        return Room(
            capacity=capacity if set_capacity is None else set_capacity, staff_only=staff_only,
            used=used - self._over.get(cell, 0), staff_used=staff_used,
        )  # fmt: skip

    def emptied(self, *, staff: bool) -> Look:
        """The same cells as if nothing were taken; a cell without places for the caller does not exist."""

        def look(cell: Cell) -> Room | None:
            room = self.look(cell)
            every = room.capacity if room and staff else room.public if room else 0
            return Room(capacity=every) if every else None

        return look

    def claims(self, taken: Mapping[Cell, int]) -> dict[Cell, Claim]:
        """How the places of a plan are asked of the database; it was made by looks at these cells."""
        found = {}
        for cell, count in taken.items():
            line = cell.pool.partition("/")[0]
            capacity, staff_only = self._by_rules[cell]
            found[cell] = Claim(line=line, places=count, capacity=capacity, staff_only=staff_only)
        return found


def _by_rules(rules: LineRules, cell: Cell) -> tuple[int, int]:
    line, _, group = cell.pool.partition("/")
    capacity, staff_only = rules.places(cell.start)
    if not group:
        return capacity, staff_only
    found = next(each for each in rules.groups if pool_of(line, each) == cell.pool)
    return min(found.capacity, capacity), 0


def rooms(
    session: Session, asked: Visit, wanted: Sequence[date], *, at: datetime, over: Mapping[Cell, int] | None = None,
    within: tuple[datetime, datetime] | None = None,
) -> Rooms:  # fmt: skip
    """The cells of a visit's lines on some days (in order), with what is taken in them at this instant.

    Holds whose time is over count as free: whoever takes such a place ends them first (holds.py). ``over``: what
    they take, where the caller has looked already. ``within``: no cell outside of it will be looked at.
    """
    calendar = hours.calendar_of(session, asked.office_id)
    pools = _pools(asked)
    first, last = within or (instant(wanted[0], time(0)), instant(wanted[-1] + timedelta(days=1), time(0)))
    touched = places.rooms(session, pools, first, last)
    if over is None:
        over = _overdue(session, asked.office_id, pools, first, last, at=at) if touched else {}
    return Rooms(asked, {day: _grid(asked, calendar, day) for day in wanted}, touched, over)


@lru_cache(maxsize=1024)
def _pools(asked: Visit) -> tuple[str, ...]:
    return tuple(pool_of(line, group) for line, rules in asked.rules.items() for group in (None, *rules.groups))


def _numbers_until(calendar: OpeningCalendar, asked: Visit, day: date) -> datetime:
    """Whoever comes for a visit of that day must find each line it needs no booking for still giving numbers."""
    midnight = instant(day, time(0))
    return min(
        max((instant(day, each.reception_closes) for each in calendar.intervals(day, part.line)), default=midnight)
        for part in asked.along
    )


_OVERDUE = (
    select(BookingPlace.pool, BookingPlace.start_at, BookingPlace.places)
    .join(Booking, Booking.id == BookingPlace.booking_id)
    .where(
        Booking.office_id == bindparam("office"), Booking.state == State.HELD, ~Booking.staff,
        Booking.expires_at <= bindparam("at", type_=UtcDateTime()),
        BookingPlace.pool.in_(bindparam("pools", expanding=True)),
        BookingPlace.start_at >= bindparam("first", type_=UtcDateTime()),
        BookingPlace.start_at < bindparam("last", type_=UtcDateTime()),
    )
)  # fmt: skip


def _overdue(
    session: Session, office_id: str, pools: Sequence[str], first: datetime, last: datetime, *, at: datetime
) -> dict[Cell, int]:
    found: dict[Cell, int] = {}
    asked = {"office": office_id, "at": at, "pools": list(pools), "first": first, "last": last}
    for row in session.connection().execute(_OVERDUE, asked):
        cell = Cell(row.pool, row.start_at)
        found[cell] = found.get(cell, 0) + row.places
    return found


def of_days(
    session: Session, asked: Visit, wanted: Iterable[date], *, party: int, at: datetime, staff: bool = False
) -> list[Slot]:
    """The slots of a visit on some days, full ones too; those outside its reach are left out.

    Raises InvalidInput("bad_party").
    """
    if not 1 <= party <= asked.limits.most_party:
        raise InvalidInput("bad_party", most=asked.limits.most_party)
    bounds = asked.limits.reach(at=at, staff=staff)
    first, last = business_date(bounds.earliest), business_date(bounds.latest)
    reached = [day for day in sorted(wanted) if first <= day <= last]
    if not reached:
        return []
    known = rooms(session, asked, reached, at=at)
    empty = known.emptied(staff=staff)
    found = (
        _slot(known, empty, start, party, staff=staff)
        for day in reached
        for start in known.starts(day)
        if bounds.earliest <= start <= bounds.latest
    )
    return [slot for slot in found if slot is not None]


def _slot(known: Rooms, empty: Look, start: datetime, party: int, *, staff: bool) -> Slot | None:
    asked = known.asked
    whole = plan(asked.blocks, start=start, party=party, look=empty, staff=staff)
    if whole is None:
        return None
    fits = plan(asked.blocks, start=start, party=party, look=known.look, staff=staff)
    capacity = min(_capacity(empty, cell) for cell in whole.places)
    if fits is None:
        return Slot(start=start, end=whole.end, capacity=capacity, free=0)
    left = min(_free(known, cell, staff=staff) for cell in fits.places)
    # A party that stands one after the other takes fewer places at once than it has people.
    return Slot(start=start, end=fits.end, capacity=max(capacity, party), free=max(left, party))


def _free(known: Rooms, cell: Cell, *, staff: bool) -> int:
    room = known.look(cell)
    return room.free(staff=staff) if room else 0


def _capacity(empty: Look, cell: Cell) -> int:
    room = empty(cell)
    return room.capacity if room else 0


def refuse_out_of_reach(asked: Visit, start: datetime, *, at: datetime, staff: bool = False) -> None:
    """Raise InvalidInput "slot_past", "slot_too_soon" or "slot_too_far"."""
    if start < at:
        raise InvalidInput("slot_past", field="start")
    bounds = asked.limits.reach(at=at, staff=staff)
    if start < bounds.earliest:
        raise InvalidInput("slot_too_soon", field="start")
    if start > bounds.latest:
        raise InvalidInput("slot_too_far", field="start")


class Fit(NamedTuple):
    """A visit as it will lie: its plan, and how its places are asked of the database."""

    plan: Plan
    claims: Mapping[Cell, Claim]


def fit(
    session: Session, asked: Visit, start: datetime, *, party: int, at: datetime, staff: bool = False,
    own: Mapping[Cell, Given] | None = None, over: Mapping[Cell, int] | None = None,
) -> Fit:  # fmt: skip
    """Where the visit lies when it begins at ``start``; ``own``: places it has already and may take again.

    ``over``: as in ``rooms``.

    Raises InvalidInput("bad_party"), NotFound when no slot of this visit begins there, Conflict("slot_full").
    """
    if not 1 <= party <= asked.limits.most_party:
        raise InvalidInput("bad_party", most=asked.limits.most_party)
    within = start, start + _longest(asked, party)
    known = rooms(session, asked, [business_date(start)], at=at, over=over, within=within)
    look = _with_own(known.look, own) if own else known.look
    if session.info.get("unguarded"):
        look = known.emptied(staff=staff)
    if asked.along and start not in known.starts(business_date(start)):
        raise NotFound(what="slot")
    found = plan(asked.blocks, start=start, party=party, look=look, staff=staff)
    if found is None:
        if plan(asked.blocks, start=start, party=party, look=known.emptied(staff=staff), staff=staff) is None:
            raise NotFound(what="slot")
        raise Conflict("slot_full")
    return Fit(plan=found, claims=known.claims(found.places))


@lru_cache(maxsize=1024)
def _longest(asked: Visit, party: int) -> timedelta:
    """No plan of this visit ends later after its start: one person after the other, the longest pause each time."""
    at_counters = sum(part.minutes for part in asked.parts) + sum(each.grid for each in asked.rules.values())
    return timedelta(minutes=at_counters * party) + LONGEST_PAUSE * len(asked.rules)


def _with_own(look: Look, own: Mapping[Cell, Given]) -> Look:
    def seen(cell: Cell) -> Room | None:
        room = look(cell)
        if room is None or cell not in own:
            return room
        return Room(
            capacity=room.capacity, used=max(0, room.used - own[cell].places), staff_only=room.staff_only,
            staff_used=max(0, room.staff_used - own[cell].of_staff),
        )  # fmt: skip

    return seen


__all__ = [
    "MOST_DAYS", "Fit", "Rooms", "Slot", "Visit", "days", "fit", "of_days", "refuse_out_of_reach", "rooms", "visit",
]  # fmt: skip
