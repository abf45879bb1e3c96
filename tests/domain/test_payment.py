"""Whole yen, what is owed, and a state table that no order of events can confuse."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations

import pytest

from app.domain.errors import InvalidInput
from app.domain.payment import (
    TABLE,
    Line,
    Money,
    State,
    after,
    attempt_key,
    end_of,
    key_is_fresh,
    konbini_days,
    monotone,
    online_methods,
    owed,
    too_much,
    total,
)  # fmt: skip

AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
HISTORIES = [
    [*order, *twice]
    for order in permutations(State)
    for size in range(len(State) + 1)
    for twice in combinations(State, size)
]


def test_every_order_and_every_subset_of_duplicates_ends_in_one_state() -> None:
    assert len(HISTORIES) == 3_840
    assert {end_of(history) for history in HISTORIES} == {State.REFUNDED}


def test_duplicates_anywhere_and_lost_events_change_no_end() -> None:
    """The end depends on the set of what was seen alone, also when some was never told."""
    for size in range(1, 6):
        for seen in combinations(State, size):
            ends = {end_of(order) for order in permutations(seen)}
            ends |= {end_of([each for each in order for _ in range(2)]) for order in permutations(seen)}
            assert len(ends) == 1, seen


def test_the_table_is_whole_and_never_goes_back() -> None:
    assert set(TABLE) == {(state, seen) for state in State for seen in State}
    order = list(State)
    for (state, seen), then in TABLE.items():
        assert order.index(then) >= order.index(state)
        assert after(then, seen) is then
        assert after(after(state, seen), seen) is then


def test_a_table_that_took_the_last_event_for_the_truth_would_be_found() -> None:
    """The negative control: “the newest event wins” ends in five different states."""
    assert len({history[-1] for history in HISTORIES}) == 5
    assert not monotone([State.SUCCEEDED, State.PROCESSING])
    assert monotone([State.CREATED, State.FAILED, State.SUCCEEDED])


def test_money_is_whole_yen() -> None:
    assert Money(300) + Money(450) == Money(750)
    assert Money.told(750, "jpy") == Money(750)
    assert Money.told(750, "usd") != Money(750)
    assert Money.told("750", "jpy") is None
    assert Money.told(7.5, "jpy") is None
    assert Money.told(True, "jpy") is None
    with pytest.raises(InvalidInput):
        Money(3.5)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        Money(1) + Money(1, "USD")


def test_what_is_owed_is_what_was_asked_for_and_not_paid() -> None:
    due = [
        Line(service="juminhyo", unit=300, copies=2), Line(service="koseki", unit=450),
        Line(service="zei", unit=300, exemption="public_assistance"), Line(service="free", unit=0),
    ]  # fmt: skip
    assert total(due) == Money(1_050)
    assert total(owed(due, {})) == Money(1_050)
    assert owed(due, {"juminhyo": 1, "koseki": 1}) == [Line(service="juminhyo", unit=300)]
    assert owed(due, {"juminhyo": 2, "koseki": 1}) == []


def test_what_was_paid_too_much_is_known_by_fee() -> None:
    due = [Line(service="juminhyo", unit=300), Line(service="zei", unit=300, exemption="official")]
    assert too_much(due, {"juminhyo": 2, "zei": 1, "gone": 1}) == {"juminhyo": 1, "zei": 1, "gone": 1}
    assert too_much(due, {"juminhyo": 1}) == {}


@pytest.mark.parametrize(
    "line",
    [{"copies": -1}, {"copies": 100}, {"copies": True}, {"copies": 1.5}, {"unit": -1}, {"exemption": "because"}],
)
def test_a_fee_that_cannot_be_is_refused(line: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Line(**({"service": "a", "unit": 300} | line))  # type: ignore[arg-type]


def test_a_shop_slip_only_where_time_allows() -> None:
    soon, later = AT + timedelta(hours=2), AT + timedelta(days=4)
    assert online_methods(until=soon, at=AT) == (("card", "paypay"), timedelta(minutes=31))
    assert "konbini" in online_methods(until=later, at=AT)[0]
    assert konbini_days(until=later, at=AT) == 2
    assert konbini_days(until=AT + timedelta(days=30), at=AT) == 3


def test_the_key_is_one_of_the_attempt_and_dies_before_the_provider_forgets_it() -> None:
    assert attempt_key("ticket:7", 2) == "pay:ticket:7:2"
    assert key_is_fresh(AT, AT + timedelta(hours=22))
    assert not key_is_fresh(AT, AT + timedelta(hours=23))
