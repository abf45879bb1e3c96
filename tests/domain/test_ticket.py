"""The state table as a whole: what leads where, what ends, and which state of its steps a ticket shows."""

import itertools

import pytest

from app.domain.errors import IllegalTransition
from app.domain.ticket import AT_COUNTER, FINAL, TABLE, Action, State, actions_from, after, status


@pytest.mark.parametrize(("state", "action"), list(itertools.product(State, Action)))
def test_what_is_not_in_the_table_is_refused(state: State, action: Action) -> None:
    if (state, action) in TABLE:
        assert after(state, action) is TABLE[state, action]
        assert action in actions_from(state)
        return
    assert action not in actions_from(state)
    with pytest.raises(IllegalTransition) as refused:
        after(state, action)
    assert refused.value.values == {"state": str(state), "action": str(action)}


def test_every_state_is_reached_from_the_first_and_nobody_is_stuck() -> None:
    reached, edge = {State.PENDING, State.WAITING}, {State.PENDING, State.WAITING}
    while edge:
        edge = {TABLE[state, action] for state in edge for action in actions_from(state)} - reached
        reached |= edge
    assert reached == set(State)
    for state in set(State) - FINAL:
        assert any(TABLE[state, action] is not state for action in actions_from(state)), state


def test_a_cancelled_step_stays_so_and_a_done_one_can_only_be_reopened() -> None:
    assert actions_from(State.CANCELLED) == frozenset()
    assert actions_from(State.DONE) == {Action.REOPEN}
    # Somebody who stands at a counter is finished or sent back, never cancelled from under a clerk's hands.
    assert all(Action.CANCEL not in actions_from(state) for state in AT_COUNTER)


@pytest.mark.parametrize(
    ("states", "shown"),
    [
        ([State.WAITING, State.CALLED, State.DONE], State.CALLED),
        ([State.SERVING, State.WAITING], State.SERVING),
        ([State.MISSED, State.PENDING], State.MISSED),
        ([State.PARKED, State.PENDING, State.DONE], State.PARKED),
        ([State.PENDING, State.DONE], State.PENDING),
        ([State.DONE, State.CANCELLED], State.DONE),
        ([State.CANCELLED], State.CANCELLED),
    ],
)
def test_a_ticket_shows_the_most_urgent_of_its_steps(states: list[State], shown: State) -> None:
    assert status(states) is shown
