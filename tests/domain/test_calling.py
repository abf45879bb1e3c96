"""The order people are called in: places, fairness, reasons. Times are minutes after nine."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calling import Arrival, Entry, Head, Line, Policy, choose, due_at

NINE = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
POLICY = Policy(allowance=30, late_penalty=10, late_grace=5, priority=15, rejoin=10, deliver=5, early_window=5)


def m(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def due(entry: Entry, at: float, *, now: float | None = None, policy: Policy = POLICY, **more: object) -> float:
    """Minutes after nine at which it is due."""
    arrival = Arrival(entry=entry, arrived_at=m(at), now=m(at if now is None else now), **more)  # type: ignore[arg-type]
    return (due_at(arrival, policy).due_at - NINE) / timedelta(minutes=1)


def test_a_walk_in_is_due_after_the_allowance() -> None:
    assert due(Entry.WALK_IN, 10) == 40


@pytest.mark.parametrize(
    ("arrived", "expected"),
    [(50, 60), (60, 60), (65, 60), (65.5, 75.5), (90, 100)],
    ids=["early", "at the time", "within the grace", "just late", "very late"],
)
def test_a_booked_party_is_due_at_its_time_and_late_ones_behind(arrived: float, expected: float) -> None:
    assert due(Entry.BOOKED, arrived, slot=m(60)) == expected


def test_a_booked_party_is_not_called_before_its_window() -> None:
    early = due_at(Arrival(entry=Entry.BOOKED, arrived_at=m(20), now=m(20), slot=m(60)), POLICY)
    assert early.eligible_at == m(55)
    walk_in = due_at(Arrival(entry=Entry.WALK_IN, arrived_at=m(20), now=m(20)), POLICY)
    assert walk_in.eligible_at == m(20)


def test_priority_lifts_the_place_and_not_what_others_are_held_to() -> None:
    lifted = due_at(Arrival(entry=Entry.WALK_IN, arrived_at=m(10), now=m(10), priority=True), POLICY)
    assert (lifted.due_at, lifted.base) == (m(25), m(40))


def test_who_comes_back_neither_wins_nor_loses_more_than_the_policy_says() -> None:
    assert due(Entry.REJOINED, 0, now=20, was_due=m(30)) == 30  # its place has not come yet
    assert due(Entry.REJOINED, 0, now=50, was_due=m(30)) == 40  # not before everybody: ten minutes from the front
    assert due(Entry.REJOINED, 0, now=35, was_due=m(30)) == 30
    assert due(Entry.REJOINED, 0, now=20, was_due=m(30), priority=True) == 30  # lifted once only
    assert due(Entry.REJOINED, 0, now=20) == 30  # parked before it ever had a place: as a walk-in


def test_a_certificate_is_handed_over_soon() -> None:
    assert due(Entry.DELIVERY, 0, now=50) == 45


def test_a_journey_keeps_its_arrival() -> None:
    assert due(Entry.JOURNEY, 0, now=50) == 30


@given(st.lists(st.floats(0, 240), min_size=2, max_size=20), st.floats(0, 60))
def test_nobody_who_comes_later_is_due_earlier(arrivals: list[float], allowance: float) -> None:
    """Walk-ins of a line keep their order even when the policy changes between them."""
    last, policies = None, (Policy(allowance=allowance), Policy(allowance=allowance / 2))
    for turn, arrived in enumerate(sorted(arrivals)):
        arrival = Arrival(entry=Entry.WALK_IN, arrived_at=m(arrived), now=m(arrived), last_walk_in_due=last)
        place = due_at(arrival, policies[turn % 2])
        assert last is None or place.due_at >= last
        last = place.base


def head(step: int, *, category: str = "a", at: float = 0, entry: Entry = Entry.WALK_IN, eligible: float | None = None,
         since: float | None = None, priority: bool = False) -> Head:  # fmt: skip
    return Head(
        step_id=step, category_id=category, due_at=m(at), eligible_at=m(at - 60 if eligible is None else eligible),
        arrived_at=m(at - 30), serial=step, waiting_since=m(at - 30 if since is None else since), entry=entry,
        priority=priority,
    )  # fmt: skip


PRIMARY = (Line(category_id="a"), Line(category_id="b"))


def test_the_earliest_due_of_the_own_lines_is_called() -> None:
    found = choose([head(1, at=20), head(2, category="b", at=10), head(3, category="c", at=0)], PRIMARY, m(30))
    assert found is not None
    assert (found.head.step_id, found.reason.code) == (2, "earliest")


def test_equal_dues_go_by_arrival_and_then_by_number() -> None:
    found = choose([head(2, at=20), head(1, category="b", at=20)], PRIMARY, m(30))
    assert found is not None
    assert found.head.step_id == 1


def test_nobody_to_call() -> None:
    assert choose([], PRIMARY, m(0)) is None
    assert choose([head(1, category="elsewhere")], PRIMARY, m(0)) is None


@pytest.mark.parametrize(
    ("entry", "priority", "code"),
    [
        (Entry.WALK_IN, False, "earliest"), (Entry.WALK_IN, True, "priority"), (Entry.JOURNEY, True, "priority"),
        (Entry.BOOKED, True, "booked"), (Entry.REJOINED, False, "rejoined"), (Entry.DELIVERY, False, "delivery"),
        (Entry.JOURNEY, False, "journey"),
    ],
)  # fmt: skip
def test_every_call_says_why(entry: Entry, priority: bool, code: str) -> None:
    found = choose([head(1, entry=entry, priority=priority)], PRIMARY, m(30))
    assert found is not None
    assert found.reason.code == code
    assert found.reason.values == {"due_at": m(0), "category": "a"}


def test_another_line_is_helped_only_once_it_waits_long() -> None:
    profile = (Line(category_id="a"), Line(category_id="b", after_minutes=15))
    waiting = head(1, category="b", at=5, since=0)
    assert choose([waiting], profile, m(15)) is None
    found = choose([waiting], profile, m(15.5))
    assert found is not None
    assert found.reason.code == "secondary"


def test_somebody_booked_is_called_early_only_when_nobody_else_waits() -> None:
    booked = head(1, at=0, eligible=55, entry=Entry.BOOKED)
    other = head(2, category="b", at=40)
    first = choose([booked, other], PRIMARY, m(45))
    alone = choose([booked], PRIMARY, m(45))
    assert first is not None
    assert alone is not None
    assert (first.head.step_id, alone.head.step_id, alone.reason.code) == (2, 1, "early")
