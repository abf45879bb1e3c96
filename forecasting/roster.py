"""Rosters by CP-SAT: the best found in so many seconds, never "optimal". The only file that imports OR-tools.

Runs in a process of its own (app/commands/roster.py); the web reads its rows. What a person may do is a hard limit
(skills, hours, one lunch, rests, no hop shorter than an hour); what the counters need is soft, so there always is a
plan, and what it leaves short is counted and named.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ortools.sat.python import cp_model

from app.domain.roster import BACK, LEAST_BLOCK, LUNCH, OFF, REST, Day, Person, Shifts
from app.domain.roster_first import REST_APART, lunches, rests

# A line with nobody weighs most, then what is missing; then calm days (few moves) and an even share of counter time.
_UNCOVERED, _MISSING, _DEEPER, _UNFAIR, _MOVE = 150, 20, 6, 2, 1
WORKERS = 2
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best plan so far. ``cost`` and ``bound`` in the weights above; ``proved``: nothing better exists."""

    shifts: Shifts
    seconds: float
    cost: float
    bound: float
    proved: bool


Heard = Callable[[Found], None]
"""Told each better plan."""


class _Model:
    """The variables of one day."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.model = cp_model.CpModel()
        self.serves: dict[tuple[int, int, str], cp_model.IntVar] = {}
        self.away: dict[tuple[int, int, str], cp_model.IntVar] = {}
        self._cost: list[cp_model.LinearExpr] = []
        for number, person in enumerate(day.people):
            self._person(number, person)
        for line, needs in day.needs.items():
            for slot, need in enumerate(needs):
                self._cover(line, slot, need)
        self._fairness()
        self.model.minimize(sum(self._cost))

    def _person(self, number: int, person: Person) -> None:
        here = [slot for slot, present in enumerate(person.present) if present]
        lines = [line for line in person.lines if line in self.day.needs]
        for slot in here:
            for line in lines:
                self.serves[number, slot, line] = self.model.new_bool_var("")
        lunch = self._lunch(number, person)
        resting = self._rests(number, person, lunch)
        for slot in here:
            does = [self.serves[number, slot, line] for line in lines]
            does += [begun for begins, begun in lunch.items() if begins <= slot < begins + person.lunch]
            if slot in resting:
                does.append(resting[slot])
            self.model.add_at_most_one(does)
        for line in lines:
            self._blocks(number, here, line)

    def _lunch(self, number: int, person: Person) -> dict[int, cp_model.IntVar]:
        """Exactly one beginning, within the hours of lunch and the person's own; none where it fits nowhere."""
        if not person.lunch:
            return {}
        fits = lunches(person, self.day.starts)
        found = {slot: self.model.new_bool_var("") for slot in fits}
        for slot, begun in found.items():
            self.away[number, slot, LUNCH] = begun
        if found:
            self.model.add_exactly_one(found.values())
        return found

    def _rests(self, number: int, person: Person, lunch: dict[int, cp_model.IntVar]) -> dict[int, cp_model.IntVar]:
        """As many single half-hours as the person has, apart from lunch and from coming and going."""
        inner = rests(person, None)
        if not person.rests or len(inner) < person.rests:
            return {}
        found = {slot: self.model.new_bool_var("") for slot in inner}
        for slot, pause in found.items():
            self.away[number, slot, REST] = pause
            for begins, begun in lunch.items():
                if begins - REST_APART <= slot < begins + person.lunch + REST_APART:
                    self.model.add_bool_or(pause.negated(), begun.negated())
        self.model.add(sum(found.values()) == person.rests)
        return found

    def _blocks(self, number: int, here: list[int], line: str) -> None:
        """A line is served for at least ``LEAST_BLOCK`` half-hours on end; each beginning is a move."""
        for slot in here:
            now = self.serves[number, slot, line]
            before = self.serves.get((number, slot - 1, line))
            begins = self.model.new_bool_var("")
            self.model.add_bool_or(*[each for each in (now.negated(), before, begins) if each is not None])
            self._cost.append(_MOVE * begins)
            for more in range(1, LEAST_BLOCK):
                after = self.serves.get((number, slot + more, line))
                if after is None:
                    self.model.add(begins == 0)
                else:
                    self.model.add_implication(begins, after)

    def _cover(self, line: str, slot: int, need: int) -> None:
        does = [var for (_, at, what), var in self.serves.items() if at == slot and what == line]
        if not need:
            self.model.add(sum(does) <= 1)
            return
        short = self.model.new_int_var(0, need, "")
        self.model.add(sum(does) + short >= need)
        self.model.add(sum(does) <= need + 1)
        nobody = self.model.new_bool_var("")
        self.model.add(short <= need - 1 + nobody)
        self._cost += [_MISSING * short, _UNCOVERED * nobody]
        if need > 1:
            deeper = self.model.new_int_var(0, need - 1, "")
            self.model.add(deeper >= short - 1)
            self._cost.append(_DEEPER * deeper)

    def _fairness(self) -> None:
        """Whoever is here the whole day has counter time between two bounds that are drawn together."""
        whole = [n for n, person in enumerate(self.day.people) if all(person.present) and person.lines]
        if len(whole) < 2:
            return
        most = len(self.day.starts) + max(self.day.people[n].carried for n in whole)
        top, bottom = (self.model.new_int_var(0, most, "") for _ in range(2))
        for number in whole:
            total = self.day.people[number].carried + sum(
                var for (who, _, _), var in self.serves.items() if who == number
            )
            self.model.add(total <= top)
            self.model.add(total >= bottom)
        self._cost.append(_UNFAIR * (top - bottom))

    def shifts(self, value: Callable[[cp_model.IntVar], int]) -> Shifts:
        """The plan a solution stands for."""
        found = {person.id: [BACK if here else OFF for here in person.present] for person in self.day.people}
        people = self.day.people
        for (number, slot, line), var in self.serves.items():
            if value(var):
                found[people[number].id][slot] = line
        for (number, slot, what), var in self.away.items():
            if value(var):
                for more in range(people[number].lunch if what == LUNCH else 1):
                    found[people[number].id][slot + more] = what
        return {who: tuple(cells) for who, cells in found.items()}


class _Listener(cp_model.CpSolverSolutionCallback):
    """Passes on each better plan, and stops when told."""

    def __init__(self, model: _Model, heard: Heard, begun: float) -> None:
        super().__init__()
        self._model, self._heard, self._begun = model, heard, begun
        self.best: Found | None = None

    def on_solution_callback(self) -> None:
        self.best = Found(
            shifts=self._model.shifts(self.value), seconds=time.monotonic() - self._begun, cost=self.objective_value,
            bound=self.best_objective_bound, proved=False,
        )  # fmt: skip
        self._heard(self.best)


def _nobody(_: Found) -> None:
    """Nobody listens."""


def solve(
    day: Day, *, seconds: float, heard: Heard = _nobody, hint: Shifts | None = None, seed: int = 1,
    workers: int = WORKERS, stop: threading.Event | None = None,
) -> Found | None:  # fmt: skip
    """The best plan of a day found in ``seconds``, or until ``stop`` is set; None when the time sufficed for none."""
    begun = time.monotonic()
    model = _Model(day)
    if hint is not None:
        _suggest(model, hint)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(seconds - (time.monotonic() - begun), 0.1)
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    listener = _Listener(model, heard, begun)
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(solver, stop or threading.Event(), over), daemon=True)
    watch.start()
    status = solver.solve(model.model, listener)
    over.set()
    watch.join()
    if listener.best is None:
        return None
    return Found(
        shifts=listener.best.shifts, seconds=time.monotonic() - begun, cost=listener.best.cost,
        bound=solver.best_objective_bound, proved=status == cp_model.OPTIMAL,
    )  # fmt: skip


def _watch(solver: cp_model.CpSolver, stop: threading.Event, over: threading.Event) -> None:
    """A search speaks only when it has found something; whoever stops it must not wait for that."""
    while not over.wait(_LOOK_SECONDS):
        if stop.is_set():
            solver.stop_search()


def _suggest(model: _Model, hint: Shifts) -> None:
    """Begin from a plan that is known, so that a search never ends with a worse one for want of time."""
    people = model.day.people
    for (number, slot, line), var in model.serves.items():
        model.model.add_hint(var, _does(hint, people[number], slot) == line)
    for (number, slot, what), var in model.away.items():
        begins = _does(hint, people[number], slot) == what and _does(hint, people[number], slot - 1) != what
        model.model.add_hint(var, begins)


def _does(shifts: Shifts, person: Person, slot: int) -> str:
    cells = shifts.get(person.id, ())
    return cells[slot] if 0 <= slot < len(cells) else OFF
