"""Of any floor: the order of what is handed in does not matter, an alert stays until its cause ends, and what is
proposed can be done."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from app.domain.advice import Deed
from app.domain.alerts import Alert, Seen, find, still_seen
from app.domain.calling import Line as Served
from app.domain.floor import Counter, Floor, Line, Party
from app.domain.ticket import AT_COUNTER, State
from tests.domain.floors import NOW

LINES = ("a", "b", "c")
COUNTERS = ("c1", "c2", "c3", "c4")
Each = TypeVar("Each")
BEFORE = st.integers(0, 5400).map(lambda seconds: NOW - timedelta(seconds=seconds))
AROUND = st.integers(-1800, 5400).map(lambda seconds: NOW - timedelta(seconds=seconds))
SERVED = st.lists(
    st.builds(Served, category_id=st.sampled_from(LINES), after_minutes=st.none() | st.integers(0, 40)),
    max_size=3, unique_by=lambda line: line.category_id,
).map(tuple)  # fmt: skip


def maybe(instants: st.SearchStrategy[datetime]) -> st.SearchStrategy[datetime | None]:
    return st.none() | instants


@st.composite
def counters(draw: st.DrawFn, name: str) -> Counter:
    state = draw(st.sampled_from(("open", "open", "paused", "closed")))
    return Counter(
        id=name, number=name[1:], state=state, since=draw(maybe(BEFORE)), free_since=draw(maybe(BEFORE)),
        back_at=draw(maybe(AROUND)) if state == "paused" else None, help_since=draw(maybe(BEFORE)),
        serves=() if state == "closed" else draw(SERVED), usual=draw(st.none() | st.sampled_from(("p", "q", "gone"))),
        profile=draw(st.none() | st.sampled_from(("p", "q"))), section=draw(st.sampled_from(("x", "y"))),
    )  # fmt: skip


@st.composite
def parties(draw: st.DrawFn, step: int) -> Party:
    state = draw(st.sampled_from(State))
    return Party(
        step=step, ticket=draw(st.integers(1, 8)), number=f"N{step}", category=draw(st.sampled_from(LINES)),
        service="s", phase="accept", state=state, recalls=draw(st.integers(0, 4)),
        counter=draw(st.sampled_from(COUNTERS)) if state in AT_COUNTER else None, eligible_at=draw(AROUND),
        waiting_since=draw(BEFORE), called_at=draw(BEFORE), started_at=draw(BEFORE), changed_at=draw(BEFORE),
    )  # fmt: skip


@st.composite
def floors(draw: st.DrawFn) -> Floor:
    return Floor(
        lines=tuple(
            Line(id=name, target=timedelta(minutes=draw(st.integers(0, 60))), section=draw(st.sampled_from("xy")))
            for name in LINES
        ),
        counters=tuple(draw(counters(name)) for name in COUNTERS),
        parties=tuple(draw(parties(step)) for step in range(draw(st.integers(0, 8)))),
        profiles={"p": draw(SERVED), "q": draw(SERVED)},
        minutes=draw(st.sampled_from(({}, {("s", "accept"): 7.0}))),
    )


def shuffled(draw: Any, things: Sequence[Each]) -> tuple[Each, ...]:
    return tuple(draw(st.permutations(things)))


@given(floors(), st.data())
def test_the_order_in_which_lines_are_handed_in_does_not_matter(where: Floor, data: st.DataObject) -> None:
    other = Floor(
        lines=shuffled(data.draw, where.lines), counters=where.counters, parties=where.parties,
        profiles=dict(reversed(where.profiles.items())), minutes=where.minutes,
    )  # fmt: skip
    assert find(other, NOW) == find(where, NOW)


@given(floors())
def test_the_order_is_total_and_worst_comes_first(where: Floor) -> None:
    found = find(where, NOW)
    assert [alert.order for alert in found] == sorted(alert.order for alert in found)
    assert len({alert.key for alert in found}) == len(found)
    assert all(alert.since <= NOW for alert in found)


def matters(found: Sequence[Alert]) -> set[tuple[str, str | None, str | None, int | None]]:
    return {(a.code, a.category, a.counter, step) for a in found for step in a.steps or (None,)}


@given(floors(), st.integers(1, 7200))
def test_time_alone_never_ends_an_alert_nor_makes_it_milder(where: Floor, seconds: int) -> None:
    now, later = find(where, NOW), find(where, NOW + timedelta(seconds=seconds))
    assert matters(now) <= matters(later)
    worst = {alert.key: alert.severity for alert in later}
    assert all(worst.get(alert.key, alert.severity) <= alert.severity for alert in now)


@given(floors())
def test_what_is_proposed_can_be_done_and_no_counter_twice(where: Floor) -> None:
    places = {counter.id: counter for counter in where.counters}
    used = [a.advice.counter for a in find(where, NOW) if a.advice and a.advice.deed in (Deed.OPEN, Deed.LEND)]
    assert len(used) == len(set(used))
    for alert in find(where, NOW):
        advice = alert.advice
        if advice is None or advice.counter is None:
            continue
        counter = places[advice.counter]
        if advice.deed is Deed.OPEN:
            assert counter.state == "closed"
        if advice.deed is Deed.RESUME:
            assert counter.state == "paused"
        if advice.deed in (Deed.LEND, Deed.CALL_NEXT):
            assert counter.state == "open"
            assert not where.at_counter(counter.id)
        if advice.deed in (Deed.OPEN, Deed.LEND):
            assert alert.category in {line.category_id for line in where.profiles[advice.profile or ""]}
        if advice.deed is Deed.LEND:
            kept = {each.category_id for each in where.profiles[advice.profile or ""] if each.after_minutes is None}
            assert counter.primaries <= kept


@given(floors(), st.integers(0, 3600))
def test_nothing_stays_seen_for_ever(where: Floor, minutes: int) -> None:
    for alert in find(where, NOW):
        mark = Seen(key=alert.key, severity=alert.severity, at=NOW, by="x")
        assert still_seen(alert, mark, NOW)
        assert still_seen(alert, mark, NOW + timedelta(minutes=minutes)) == (minutes < 10)
