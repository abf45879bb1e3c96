"""回らない窓口 in figures: how long a visit to several counters takes, which comes next, how counters are named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.slots import WAY
from app.domain.wait import Range, rounded

WAY_MINUTES = WAY.total_seconds() / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One procedure of a visit, all in minutes: the wait in its line as if joined now, the hearing, the work
    behind the counter (0: none), the handing over (0: none)."""

    wait: Range
    accept: float
    back: float = 0
    deliver: float = 0


def whole(stops: Sequence[Stop]) -> Range | None:
    """Until the last procedure is done; None for no stops.

    A later step keeps the party's arrival, so its line moves on while the party is at another counter: it is
    heard when both its turn has come and the hearing before is over. Both ends of the range follow this alone.
    """
    if not stops:
        return None
    ends = []
    for bound in (0, 1):
        free = ready = 0.0
        for stop in stops:
            free = max(free, float(stop.wait[bound])) + stop.accept
            ready = max(ready, free + stop.back)
        ends.append(max(free, ready) + sum(stop.deliver for stop in stops))
    return rounded(ends[0], ends[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A hearing that could come next: people before it in its line, open counters of the line, minutes of a hearing,
    and its place in the order the party was given."""

    ahead: int
    counters: int
    accept: float
    position: int


def next_stop(choices: Sequence[Choice]) -> Choice | None:
    """The hearing to go to now: where the turn comes soonest; the given order where that makes no difference.

    A line without an open counter comes last, because nobody can say when its turn comes. None for no choices.
    """
    return min(choices, key=lambda each: (each.counters == 0, _minutes(each), each.position), default=None)


def fits(choice: Choice, minutes: float) -> bool:
    """Whether a hearing, with the way to it and on to the next, is over before so many minutes have passed.

    The wait is only an estimate, so it is taken twice: a promised time is not to be missed for it.
    """
    return choice.counters > 0 and 2 * (_minutes(choice) + WAY_MINUTES) + choice.accept <= minutes


def _minutes(each: Choice) -> float:
    return each.ahead * each.accept / max(each.counters, 1)


def row(numbers: Iterable[str]) -> list[tuple[str, str]]:
    """Counter numbers as runs, ``[(first, last), …]`` in their order: 4, 5, 6, 7, 9 is 4–7 and 9."""
    found: list[tuple[str, str]] = []
    for number in numbers:
        if found and number.isdigit() and found[-1][1].isdigit() and int(number) == int(found[-1][1]) + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
