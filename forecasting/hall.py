"""A hall in a moment of thought: lines simulated with the real call policy, to verify what a formula promises.

A counter whose profile names other lines calls those too, under the same rules as the real one. People come by a
Poisson process whose rate changes with the interval, services last log-normal minutes, and each counter that falls free
asks ``app.domain.calling`` whom to call, as the real one does. Time is in minutes from the opening.
"""

import bisect
import heapq
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from app.domain.calling import Arrival, Entry, Head, Line, Policy, choose, due_at

_OPENING = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
_COMES, _FREE, _CHANGES, _LOOK = 0, 1, 2, 3
# A secondary line counts once its head has waited longer, not as long.
_MOMENT = 0.001
_Order = tuple[datetime, datetime, int, int]
# Who holds a number at the close is still served.
_STAY_MINUTES = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One line's day.

    ``arrivals``: expected people in each interval of ``interval_min`` minutes; ``counters``: open in each.
    ``service_min`` and ``spread`` (coefficient of variation): of one service. ``before``: people who already stand
    at the door when it opens. ``booked``: the share that has booked a slot of its interval.
    ``already``: of those who wait as it begins, the minutes they have waited; ``busy``: counters in the midst of a
    service then. ``begins``: minutes from the opening of the hall to the first interval.
    """

    arrivals: Sequence[float]
    counters: Sequence[int]
    service_min: float
    interval_min: int = 30
    spread: float = 0.6
    before: float = 0
    booked: float = 0
    already: Sequence[float] = ()
    busy: int = 0
    begins: int = 0
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    """What a counter calls beside its own line: the ``line`` (its place among those of the hall) once its head has
    waited longer than ``after`` minutes, None: as it does its own."""

    line: int
    after: float | None


# Of a line's first, second, … counter.
Helping = Sequence[Sequence[Help]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of all simulated days together: the share called within the target, over the day and in the worst interval.

    ``mean_wait``, ``wait_of_nine``: minutes of all. ``left``: a day's people not called by the close.
    ``by_interval``: the share within the target of those who came in each interval, ``waits``: their mean minutes, both
    None where nobody came. ``longest``: the longest wait of a day, of nine days in ten at most; ``maxima``: of each
    day, ascending. The last two: mean minutes of those without and with a booking (from their slot on), None where
    there is nobody.
    """

    people: int
    within: float
    worst: float
    mean_wait: float
    wait_of_nine: float
    left: float
    by_interval: tuple[float | None, ...]
    waits: tuple[float | None, ...] = ()
    longest: float = 0.0
    maxima: tuple[float, ...] = ()
    walk_in_wait: float | None = None
    booked_wait: float | None = None


def _poisson(rate: float, chance: random.Random) -> int:
    """Knuth's product for small rates, the normal approximation from 50 on."""
    if rate <= 0:
        return 0
    if rate > 50:
        return max(round(chance.gauss(rate, math.sqrt(rate))), 0)
    limit, product, count = math.exp(-rate), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def _people(day: Day, chance: random.Random) -> list[tuple[float, float | None]]:
    """``(arrival, slot)`` of everybody in order of arrival."""
    opens = float(day.begins)
    found: list[tuple[float, float | None]] = [(opens - minutes, None) for minutes in day.already]
    found += [(opens, None)] * _poisson(day.before, chance)
    for number, expected in enumerate(day.arrivals):
        begin = opens + number * day.interval_min
        for _ in range(_poisson(expected, chance)):
            at = begin + chance.random() * day.interval_min
            booked = chance.random() < day.booked
            slot = begin + day.interval_min * round((at - begin) / day.interval_min) if booked else None
            found.append((max(at if slot is None else slot - chance.random() * 10, opens), slot))
    return sorted(found, key=lambda one: one[0])


def _minutes(value: float) -> datetime:
    return _OPENING + timedelta(minutes=value)


class _Line:
    """One line of a simulated day: its people, who waits in order, its own counters."""

    def __init__(self, number: int, day: Day, chance: random.Random) -> None:
        self.day, self.id = day, str(number)
        sigma = math.sqrt(math.log(1 + day.spread**2))
        self._shape = (math.log(day.service_min) - sigma**2 / 2, sigma)
        self.people = _people(day, chance)
        self.ends = day.begins + len(day.arrivals) * day.interval_min
        self.waiting: list[tuple[_Order, Head]] = []
        self._last_due: datetime | None = None
        self.open, self.busy = 0, day.busy
        # The places of its counters that are free, the first one first.
        self.free = list(range(day.busy, max(*day.counters, day.busy, 0) + 1))
        # (came, waited, had booked)
        self.called: list[tuple[float, float, bool]] = []

    def service(self, chance: random.Random) -> float:
        return chance.lognormvariate(*self._shape)

    def come(self, number: int) -> None:
        minute, slot = self.people[number]
        at = _minutes(minute)
        arrival = Arrival(
            entry=Entry.WALK_IN if slot is None else Entry.BOOKED, arrived_at=at, now=at,
            slot=None if slot is None else _minutes(slot), last_walk_in_due=self._last_due,
        )  # fmt: skip
        place = due_at(arrival, self.day.policy)
        if slot is None:
            self._last_due = place.base
        head = Head(
            step_id=number, category_id=self.id, due_at=place.due_at, eligible_at=place.eligible_at,
            arrived_at=at, serial=number, waiting_since=at,
        )  # fmt: skip
        bisect.insort(self.waiting, (head.order, head), key=lambda each: each[0])

    def heads(self, at: datetime) -> list[Head]:
        """The first eligible and the first of all, as the service hands them over."""
        first = self.waiting[0][1]
        if first.eligible_at <= at:
            return [first]
        return [next((head for _, head in self.waiting if head.eligible_at <= at), first), first]

    def call(self, head: Head, now: float) -> None:
        self.waiting.pop(bisect.bisect_left(self.waiting, head.order, key=lambda each: each[0]))
        came, slot = self.people[head.step_id]
        self.called.append((came, max(now - max(came, slot or 0.0), 0.0), slot is not None))


class _Hall:
    """One simulated day of lines that stand in one hall: who waits, who is served by whom, what happens next."""

    def __init__(self, days: Sequence[Day], helping: Sequence[Helping], chance: random.Random) -> None:
        self._chance = chance
        self.lines = [_Line(number, day, chance) for number, day in enumerate(days)]
        # (minute, kind, line, number): somebody comes, a counter falls free, the number of open counters changes.
        self._agenda: list[tuple[float, int, int, int]] = []
        for place, line in enumerate(self.lines):
            day = line.day
            self._agenda += [(at, _COMES, place, n) for n, (at, _) in enumerate(line.people)]
            self._agenda += [(day.begins + n * day.interval_min, _CHANGES, place, n) for n in range(len(day.counters))]
            # What is left of a service one looks into is a part of it that chance decides.
            self._agenda += [(line.service(chance) * chance.random(), _FREE, place, n) for n in range(day.busy)]
        heapq.heapify(self._agenda)
        # Of each line's first, second, … counter the lines it serves; the last is of one that helps nobody.
        self._profiles = [
            [
                [(line, Line(category_id=line.id)),
                 *((self.lines[other.line], Line(category_id=str(other.line), after_minutes=other.after))
                   for other in counter)]
                for counter in (*helping[place], ())
            ]
            for place, line in enumerate(self.lines)
        ]  # fmt: skip
        self._callers = [
            (place, *(n for n, each in enumerate(helping) if any(other.line == place for at in each for other in at)))
            for place in range(len(days))
        ]
        # After how long a wait of a line's head a counter elsewhere may begin to call it.
        self._patience = [
            sorted({
                other.after for each in helping for counter in each for other in counter
                if other.line == place and other.after is not None
            })
            for place in range(len(days))
        ]  # fmt: skip

    def run(self) -> list[int]:
        """Play the day; of each line how many were not called in the time after the end that staff stay for them."""
        last = max(line.ends for line in self.lines) + _STAY_MINUTES
        while self._agenda:
            now, kind, place, number = heapq.heappop(self._agenda)
            line = self.lines[place]
            if kind == _COMES:
                line.come(number)
                for after in self._patience[place]:
                    heapq.heappush(self._agenda, (now + after + _MOMENT, _LOOK, place, 0))
            elif kind == _FREE:
                line.busy -= 1
                bisect.insort(line.free, number)
            elif kind == _CHANGES:
                line.open = line.day.counters[number]
            if now < last:
                # Nobody else has anything new to do: whose counter it is, and who may call those who wait here.
                for caller in (place,) if kind in (_FREE, _CHANGES) else self._callers[place]:
                    while self._call(caller, now):
                        pass
        return [len(line.waiting) for line in self.lines]

    def _call(self, place: int, now: float) -> bool:
        """The first free counter of a line calls whom the policy chooses of its profile; False when nobody may be."""
        own = self.lines[place]
        if own.busy >= own.open:
            return False
        counter = own.free[0]
        profiles = self._profiles[place]
        served = profiles[counter] if counter < len(profiles) and now < own.ends else profiles[-1]
        waiting = [line for line, _ in served if line.waiting]
        if not waiting:
            return False
        at = _minutes(now)
        choice = choose([head for line in waiting for head in line.heads(at)], [line for _, line in served], at)
        if choice is None:
            return False
        line = self.lines[int(choice.head.category_id)]
        line.call(choice.head, now)
        own.busy += 1
        del own.free[0]
        heapq.heappush(self._agenda, (now + line.service(self._chance), _FREE, place, counter))
        return True


def simulate(day: Day, *, target_min: float, days: int, seed: int) -> Outcome:
    """``days`` such days one after another with the chance of ``seed``; raises ValueError for what is no day."""
    return together((day,), ((),), target_min=target_min, days=days, seed=seed)[0]


def together(
    lines: Sequence[Day], helping: Sequence[Helping], *, target_min: float, days: int, seed: int
) -> tuple[Outcome, ...]:
    """The same for lines whose counters help each other, an outcome for each.

    ``helping``: of each line what else its first, second, … counter calls; those after the last call their own only.
    """
    for day in lines:
        if len(day.arrivals) != len(day.counters) or not day.arrivals or day.service_min <= 0 or days < 1:
            raise ValueError("a day has as many counters as intervals, and services of some length")
    chance = random.Random(seed)  # noqa: S311 - a simulation
    called: list[list[tuple[float, float, bool]]] = [[] for _ in lines]
    left, longest = [0] * len(lines), [list[float]() for _ in lines]
    for _ in range(days):
        played = _Hall(lines, helping, chance)
        for place, waiting in enumerate(played.run()):
            found = played.lines[place].called
            left[place] += waiting
            called[place] += found
            longest[place].append(max((wait for _, wait, _ in found), default=0.0))
    return tuple(
        _outcome(day, called[place], left[place], longest[place], target_min=target_min)
        for place, day in enumerate(lines)
    )


def _outcome(
    day: Day, called: Sequence[tuple[float, float, bool]], left: int, longest: Sequence[float], *, target_min: float
) -> Outcome:
    days = len(longest)
    waits = [(came, wait) for came, wait, _ in called]
    if not waits:
        # Nobody was called: all is well only where nobody came.
        share = 0.0 if left else 1.0
        return Outcome(people=left, within=share, worst=share, mean_wait=0.0, wait_of_nine=0.0, left=left / days,
                       by_interval=(None,) * len(day.arrivals), waits=(None,) * len(day.arrivals))  # fmt: skip
    shares = _shares(waits, day, target_min)
    ordered = sorted(wait for _, wait in waits)
    everybody = len(waits) + left
    return Outcome(
        people=everybody, within=sum(wait <= target_min for wait in ordered) / everybody,
        worst=min((share for share in shares if share is not None), default=1.0), mean_wait=sum(ordered) / len(ordered),
        wait_of_nine=ordered[math.ceil(0.9 * len(ordered)) - 1], left=left / days, by_interval=tuple(shares),
        maxima=tuple(sorted(longest)),
        waits=tuple(_means(waits, day)), longest=sorted(longest)[math.ceil(0.9 * days) - 1],
        walk_in_wait=_mean([wait for _, wait, booked in called if not booked]),
        booked_wait=_mean([wait for _, wait, booked in called if booked]),
    )  # fmt: skip


def _shares(waits: Sequence[tuple[float, float]], day: Day, target_min: float) -> list[float | None]:
    """For those who came in each interval, the share called within the target."""
    found: list[float | None] = []
    for number in range(len(day.arrivals)):
        begin = day.begins + number * day.interval_min
        of_it = [wait for at, wait in waits if begin <= at < begin + day.interval_min]
        found.append(sum(wait <= target_min for wait in of_it) / len(of_it) if of_it else None)
    return found


def _means(waits: Sequence[tuple[float, float]], day: Day) -> list[float | None]:
    """For those who came in each interval, their mean wait in minutes."""
    of_each: list[list[float]] = [[] for _ in day.arrivals]
    for at, wait in waits:
        of_each[min(max(int((at - day.begins) // day.interval_min), 0), len(of_each) - 1)].append(wait)
    return [_mean(each) for each in of_each]


def _mean(waits: Sequence[float]) -> float | None:
    return sum(waits) / len(waits) if waits else None
