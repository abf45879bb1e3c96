"""The life of a message, its hours and its limits."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from app.domain import delivery
from app.domain.delivery import ENDED, TABLE, Limits, Occasion, State, Turn
from app.domain.errors import IllegalTransition


def test_what_is_over_stays_over() -> None:
    for turn in Turn:
        for state in (State.DELIVERED, State.FAILED):
            with pytest.raises(IllegalTransition):
                delivery.after(state, turn)


def test_every_message_can_come_to_an_end() -> None:
    reached = set(ENDED)
    for _ in State:
        reached |= {before for (before, _), after in TABLE.items() if after in reached}
    assert reached == set(State)


def test_only_what_is_claimed_goes_back_to_the_queue() -> None:
    assert delivery.befores(Turn.AGAIN) == (State.CLAIMED,)
    assert {before for (before, _), after in TABLE.items() if after is State.QUEUED} == {State.CLAIMED}


@pytest.mark.parametrize("words", list(itertools.permutations([Turn.ACCEPT, Turn.DELIVER, Turn.GIVE_UP, Turn.FAIL], 3)))
def test_receipts_in_any_order_never_go_back(words: tuple[Turn, ...]) -> None:
    state, ends = State.CLAIMED, list[State]()
    for word in words:
        try:
            state = delivery.after(state, word)
        except IllegalTransition:
            continue
        ends.append(state)
    final = [each for each in ends if each in (State.DELIVERED, State.FAILED)]
    assert len(set(final)) <= 1
    assert not final or ends[-1] == final[0]


def _japan(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 4, 1, hour, minute, tzinfo=delivery.TOKYO).astimezone(UTC)


def test_quiet_hours_end_in_the_morning() -> None:
    limits = Limits()
    assert limits.quiet_end(_japan(20, 59)) is None
    assert limits.quiet_end(_japan(8)) is None
    assert limits.quiet_end(_japan(21)) == _japan(8) + timedelta(days=1)
    assert limits.quiet_end(_japan(7, 59)) == _japan(8)
    assert limits.quiet_end(_japan(0)) == _japan(8)
    assert Limits(quiet_from=0, quiet_until=0).quiet_end(_japan(3)) is None


def test_an_office_changes_single_limits_and_nonsense_changes_none() -> None:
    given = {"messages": {"yen_per_day": 500, "sms_yen": -1, "yen_per_hour": "1", "person_per_day": True, "other": 3}}
    assert Limits.of(given) == Limits(yen_per_day=500)
    assert Limits.of({}) == Limits.of({"messages": "x"}) == Limits()


def test_a_call_is_no_news_after_ten_minutes() -> None:
    assert delivery.expiry(Occasion.CALLED, _japan(10)) == _japan(10, 10)
    assert delivery.expiry(Occasion.BOOKED, _japan(10)) == _japan(10) + timedelta(days=1)
