"""How the lines of a floor stand now, as a simulation takes them: who waits, who comes, which counter calls whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.floor import Counter, Floor
from app.services.forecasts import INTERVAL_MIN, Interval

STEP_MIN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a line stands, rounded so that a look a second later is the same question.

    ``arrivals``: expected in each step; ``already``: minutes that those who wait have waited; ``counters``: whose first
    line it is, ``busy``: those of them in the midst of a service.
    """

    arrivals: tuple[float, ...]
    already: tuple[int, ...]
    counters: int
    busy: int
    service_min: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """A line and those whose counters help it or are helped by its own.

    ``helping``: of each line's counters, the busy ones first, what else they call: ``(place of the line, minutes its
    head must have waited)``, None for at once.
    """

    standings: tuple[Standing, ...]
    helping: tuple[tuple[tuple[tuple[int, float | None], ...], ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line among those it is played with. ``served``: some open counter calls it, its own or one that helps."""

    together: Together
    number: int
    served: bool

    @property
    def standing(self) -> Standing:
        """The line's own."""
        return self.together.standings[self.number]


def of_floor(
    floor: Floor, expected: Mapping[str, Sequence[Interval]], times: Mapping[str, tuple[float, float]], *,
    begins: datetime, steps: int, at: datetime,
) -> dict[str, Place]:  # fmt: skip
    """Every line that has a forecast and usual minutes (``times``: mean and spread), for so many steps."""
    known = [line.id for line in floor.lines if line.id in expected and line.id in times]
    calls = {counter.id: _calls(counter, known) for counter in floor.counters if counter.state == "open"}
    own: dict[str, list[str]] = {line: [] for line in known}
    for counter, lines in calls.items():
        if lines and lines[0][1] is None:
            own[lines[0][0]].append(counter)
    busy = {counter for counter in calls if floor.at_counter(counter)}
    for counters in own.values():
        counters.sort(key=lambda counter: counter not in busy)
    standings = {
        line: Standing(
            arrivals=_arrivals(expected[line], begins, steps), already=_already(floor, line, at),
            counters=len(own[line]), busy=sum(counter in busy for counter in own[line]),
            service_min=round(times[line][0], 1), spread=round(times[line][1], 2),
        )
        for line in known
    }  # fmt: skip
    served = {line for lines in calls.values() for line, _ in lines}
    found: dict[str, Place] = {}
    for line in known:
        group = _beside(line, known, list(calls.values()))
        numbers = {each: number for number, each in enumerate(group)}
        together = Together(
            standings=tuple(standings[each] for each in group),
            helping=tuple(
                tuple(
                    tuple((numbers[other], after) for other, after in calls[counter][1:] if other in numbers)
                    for counter in own[each]
                )
                for each in group
            ),
        )
        found[line] = Place(together=together, number=numbers[line], served=line in served)
    return found


def _calls(counter: Counter, known: Sequence[str]) -> list[tuple[str, float | None]]:
    """What a counter calls, its first line before those it helps."""
    lines = [(line.category_id, line.after_minutes) for line in counter.serves if line.category_id in known]
    return sorted(lines, key=lambda line: line[1] is not None)


def _beside(line: str, known: Sequence[str], calls: Sequence[Sequence[tuple[str, float | None]]]) -> list[str]:
    """The line and those that some open counter calls beside it, in the order of the floor.

    Not those beside these in turn: in many an office everything hangs together, and this is asked all day long.
    """
    near = {line}.union(*(each for each in ([name for name, _ in lines] for lines in calls) if line in each))
    return [each for each in known if each in near]


def _arrivals(expected: Sequence[Interval], begins: datetime, steps: int) -> tuple[float, ...]:
    by_start = {each.start: each.expected for each in expected}
    found = []
    for step in range(steps):
        then = begins + timedelta(minutes=step * STEP_MIN)
        half = then.replace(minute=then.minute // INTERVAL_MIN * INTERVAL_MIN)
        found.append(round(by_start.get(half, 0.0) * STEP_MIN / INTERVAL_MIN, 2))
    return tuple(found)


def _already(floor: Floor, line: str, at: datetime) -> tuple[int, ...]:
    waits = (at - party.callable_since for party in floor.waiting(line, at) if party.callable_since)
    return tuple(sorted(int(wait.total_seconds() // 60) for wait in waits))
