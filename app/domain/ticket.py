"""The life of a step: THE STATE TABLE, and what a ticket's status is.

Whatever is not in ``TABLE`` is refused with ``IllegalTransition`` and changes nothing.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from app.domain.errors import IllegalTransition


class State(StrEnum):
    PENDING = "pending"
    WAITING = "waiting"
    CALLED = "called"
    SERVING = "serving"
    PARKED = "parked"
    MISSED = "missed"
    DONE = "done"
    CANCELLED = "cancelled"


class Action(StrEnum):
    READY = "ready"
    CALL = "call"
    RECALL = "recall"
    UNCALL = "uncall"
    START = "start"
    RETURN = "return"
    FINISH = "finish"
    REOPEN = "reopen"
    MISS = "miss"
    REJOIN = "rejoin"
    PARK = "park"
    TRANSFER = "transfer"
    CANCEL = "cancel"


class Phase(StrEnum):
    """``accept``: the resident is heard (受付). ``deliver``: the finished certificate is handed over (交付)."""

    ACCEPT = "accept"
    DELIVER = "deliver"


FINAL = frozenset({State.DONE, State.CANCELLED})
AT_COUNTER = frozenset({State.CALLED, State.SERVING})

TABLE: Mapping[tuple[State, Action], State] = MappingProxyType(
    {
        (State.PENDING, Action.READY): State.WAITING,
        (State.WAITING, Action.CALL): State.CALLED,
        (State.CALLED, Action.RECALL): State.CALLED,
        (State.CALLED, Action.UNCALL): State.WAITING,
        (State.CALLED, Action.START): State.SERVING,
        (State.SERVING, Action.RETURN): State.WAITING,
        (State.SERVING, Action.FINISH): State.DONE,
        (State.DONE, Action.REOPEN): State.SERVING,
        (State.CALLED, Action.MISS): State.MISSED,
        (State.MISSED, Action.REJOIN): State.WAITING,
        (State.PARKED, Action.REJOIN): State.WAITING,
        (State.WAITING, Action.PARK): State.PARKED,
        (State.SERVING, Action.PARK): State.PARKED,
        (State.SERVING, Action.TRANSFER): State.WAITING,
        (State.CALLED, Action.TRANSFER): State.WAITING,
        (State.PENDING, Action.CANCEL): State.CANCELLED,
        (State.WAITING, Action.CANCEL): State.CANCELLED,
        (State.PARKED, Action.CANCEL): State.CANCELLED,
        (State.MISSED, Action.CANCEL): State.CANCELLED,
    }
)


def after(state: State, action: Action) -> State:
    """The state that follows, or IllegalTransition."""
    try:
        return TABLE[state, action]
    except KeyError:
        raise IllegalTransition(state=str(state), action=str(action)) from None


def actions_from(state: State) -> frozenset[Action]:
    """What can be done to a step in this state (screens offer exactly these)."""
    return frozenset(action for (before, action) in TABLE if before is state)


# The status a resident sees is the most urgent among the states of the ticket's steps.
_URGENCY = (State.CALLED, State.SERVING, State.WAITING, State.MISSED, State.PARKED, State.PENDING)


def status(states: Iterable[State]) -> State:
    """Status of a ticket, derived from its steps; never stored.

    Open steps decide, most urgent first; when all have ended: done if any was done, else cancelled.
    """
    seen = frozenset(states)
    for state in _URGENCY:
        if state in seen:
            return state
    return State.DONE if State.DONE in seen else State.CANCELLED
