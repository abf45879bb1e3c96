"""Cells of a day, places by time of day, and how a visit lies in them: the pure rules."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import Interval
from app.domain.slots import (
    Band,
    Cell,
    Group,
    Limits,
    LineRules,
    Part,
    Room,
    ServiceRules,
    blocks,
    day_cells,
    plan,
)  # fmt: skip

DAY = date(2026, 4, 2)
HOURS = (Interval(opens=time(8, 30), closes=time(17, 15), reception_closes=time(17, 0)),)
NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 4, 2, hour, minute, tzinfo=UTC) - timedelta(hours=9)


def test_cells_lie_on_the_grid_within_the_hours_and_none_in_a_break() -> None:
    rules = LineRules(grid=30, capacity=1, breaks=((time(12), time(13)),))
    cells = day_cells(rules, HOURS, DAY)
    assert (cells[0], cells[-1]) == (at(8, 30), at(16, 30))
    assert at(11, 30) in cells
    assert not {at(12), at(12, 30)} & set(cells)
    assert day_cells(rules, (), DAY) == ()


def test_the_last_band_that_fits_counts() -> None:
    noon = Band(first=time(12), last=time(13), capacity=1)
    thursday = Band(first=time(12), last=time(13), capacity=0, weekdays=frozenset({3}))
    rules = LineRules(grid=15, capacity=3, staff_only=1, bands=(noon, thursday))
    assert rules.places(at(11)) == (3, 1)
    assert rules.places(at(12)) == (0, 0)
    assert rules.places(at(12) + timedelta(days=1)) == (1, 0)


def test_rules_are_read_as_the_files_have_them() -> None:
    stored = {
        "grid": 15, "capacity": 3, "staff_only": 1, "lead_minutes": 30,
        "times": [{"from": "12:00:00", "to": "13:00:00", "days": ["thu"], "capacity": 1, "staff_only": 0}],
        "breaks": [{"from": "12:00", "to": "12:30"}], "groups": [{"id": "cards", "services": ["a"], "capacity": 2}],
    }  # fmt: skip
    rules = LineRules.read(stored)
    assert rules.bands == (Band(first=time(12), last=time(13), capacity=1, weekdays=frozenset({3})),)
    assert rules.groups == (Group(name="cards", services=frozenset({"a"}), capacity=2),)
    assert (rules.breaks, rules.lead_minutes) == (((time(12), time(12, 30)),), 30)


@pytest.mark.parametrize(
    ("room", "public", "staff"),
    [
        (Room(capacity=3), 3, 3), (Room(capacity=3, staff_only=1), 2, 3),
        (Room(capacity=3, used=2, staff_only=1), 0, 1),
        (Room(capacity=3, used=1, staff_only=1, staff_used=1), 2, 2), (Room(capacity=0, used=2), 0, 0),
    ],
)  # fmt: skip
def test_places_for_staff_are_theirs_until_used(room: Room, public: int, staff: int) -> None:
    assert (room.free(), room.free(staff=True)) == (public, staff)


def test_a_group_has_fewer_places_than_its_line() -> None:
    rules = LineRules(grid=15, capacity=3, groups=(Group(name="g", services=frozenset({"a"}), capacity=1),))
    rooms = {Cell("l", at(9)): Room(capacity=3), Cell("l/g", at(9)): Room(capacity=1, used=1)}
    for service, fits in (("a", False), ("b", True)):
        found = plan(
            blocks([Part(service=service, line="l", minutes=10)], {"l": rules}), start=at(9), party=1, look=rooms.get
        )
        assert (found is not None) is fits


@given(
    minutes=st.lists(st.integers(1, 60), min_size=1, max_size=4), party=st.integers(1, 5),
    free=st.lists(st.integers(0, 4), min_size=12, max_size=12), grid=st.sampled_from([10, 15, 30]),
)  # fmt: skip
def test_a_plan_takes_only_what_is_free_and_enough_for_everybody(
    minutes: list[int], party: int, free: list[int], grid: int
) -> None:
    """Two lines in turn; each person has a place in every cell the line's services last."""
    step = timedelta(minutes=grid)
    parts = [Part(service=str(n), line="ab"[n % 2], minutes=length) for n, length in enumerate(minutes)]
    lines = sorted({part.line for part in parts})
    rooms = {Cell(line, at(9) + step * n): Room(capacity=free[n]) for line in lines for n in range(12)}
    rules = {line: LineRules(grid=grid, capacity=4, most_party=5) for line in lines}
    found = plan(blocks(parts, rules), start=at(9), party=party, look=rooms.get)
    if found is None:
        return
    assert found.start == at(9)
    assert all(rooms[cell].free() >= count > 0 for cell, count in found.places.items())
    assert found.end == max(cell.start for cell in found.places) + step
    for line in lines:
        cells = -(-sum(part.minutes for part in parts if part.line == line) // grid)
        assert sum(count for cell, count in found.places.items() if cell.pool == line) == cells * party
    spans = [sorted(cell.start for cell in found.places if cell.pool == line) for line in lines]
    for first in spans:
        assert all(b - a == step for a, b in pairwise(first))
    if len(spans) == 2:
        assert spans[0][-1] < spans[1][0] or spans[1][-1] < spans[0][0]
    assert [stage.service for stage in found.stages] != []


def test_a_visit_may_be_booked_from_and_until() -> None:
    line = LineRules(grid=15, capacity=1, lead_minutes=60, window_days=30)
    plain = Limits.of([line], [ServiceRules()]).reach(at=NOON)
    assert (plain.earliest, plain.latest.date()) == (NOON + timedelta(hours=1), date(2026, 5, 1))
    days = Limits.of([line], [ServiceRules(lead_days=3)]).reach(at=NOON)
    assert days.earliest == datetime(2026, 4, 3, 15, 0, tzinfo=UTC)
    late = Limits.of([line], [ServiceRules(lead_days=3, cut_off=time(12))]).reach(at=NOON)
    assert late.earliest == datetime(2026, 4, 4, 15, 0, tzinfo=UTC)
    short = Limits.of([line], [ServiceRules(window_days=7)]).reach(at=NOON)
    assert short.latest.date() == date(2026, 4, 8)
    assert Limits.of([line], [ServiceRules(lead_days=3)]).reach(at=NOON, staff=True).earliest == datetime(
        2026, 4, 1, 3, 0, tzinfo=UTC
    )
