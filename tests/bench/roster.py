"""``python -m tests.bench.roster``: a week of 30 people, 10 services, 17 half-hours a day, solved within a minute.

Every service has nine people who know it, a fifth works part time, one day in twenty is leave; the counters need 82 %
of all the time there is when everybody has had lunch and a rest. Days are solved one after the other, what somebody
has served so far counts for fairness on the next. Prints the seconds to the first plan and the shortfall at the end.
"""

import argparse
import json
import random
from dataclasses import replace

from app.domain.roster import Day, Person, broken, gaps, served, shortfall
from app.domain.roster_first import first
from forecasting.roster import Found, solve

PEOPLE, SERVICES, SLOTS, DAYS = 30, 10, 17, 5
SHAPE = (0.55, 0.75, 0.9, 1, 1, 1, 0.95, 0.9, 0.85, 0.9, 0.95, 0.9, 0.85, 0.75, 0.65, 0.55, 0.45)
LOAD = 0.82


def week(seed: int) -> list[Day]:
    """Five days of the problem."""
    chance = random.Random(seed)
    names = [f"service {number}" for number in range(SERVICES)]
    skills = [tuple(names[(number + step) % SERVICES] for step in (0, 3, 7)) for number in range(PEOPLE)]
    begins = [chance.choice((0, 2, 4, 6)) for _ in range(PEOPLE)]
    return [_day(names, skills, begins, chance) for _ in range(DAYS)]


def _day(names: list[str], skills: list[tuple[str, ...]], begins: list[int], chance: random.Random) -> Day:
    people = []
    for number, lines in enumerate(skills):
        hours = range(begins[number], begins[number] + 11) if number % 5 == 4 else range(SLOTS)
        leave = chance.random() < 0.05
        present = tuple(not leave and slot in hours for slot in range(SLOTS))
        here = sum(present)
        people.append(
            Person(id=f"person {number}", lines=lines, present=present, lunch=2 if here >= 12 else 0,
                   rests=1 if here >= 8 else 0)
        )  # fmt: skip
    time = sum(max(sum(person.present) - person.lunch - person.rests, 0) for person in people)
    weights = [chance.uniform(0.7, 1.3) for _ in names]
    scale = time * LOAD / (sum(weights) * sum(SHAPE))
    needs = {
        name: tuple(max(1, round(scale * weight * share * chance.uniform(0.85, 1.15))) for share in SHAPE)
        for name, weight in zip(names, weights, strict=True)
    }
    return Day(starts=tuple(510 + 30 * slot for slot in range(SLOTS)), people=tuple(people), needs=needs)


def run(seed: int, seconds: float) -> dict[str, float]:
    """The figures of one week: ``shortfall`` in percent of what is needed, ``first`` the slowest first plan."""
    carried: dict[str, int] = {}
    missing = needed = uncovered = wrong = 0
    slowest = began_with = 0.0
    for plain in week(seed):
        people = tuple(replace(person, carried=carried.get(person.id, 0)) for person in plain.people)
        day = replace(plain, people=people)
        times: list[float] = []

        def heard(found: Found, times: list[float] = times) -> None:
            times.append(found.seconds)

        found = solve(day, seconds=seconds / DAYS, heard=heard, hint=first(day), seed=seed)
        assert found is not None, "no plan in the time given"
        slowest = max(slowest, times[0])
        began_with += shortfall(day, first(day)) / DAYS
        short = gaps(day, found.shifts)
        missing += sum(gap.missing for gap in short)
        needed += sum(map(sum, day.needs.values()))
        uncovered += sum(gap.staffed == 0 for gap in short)
        wrong += sum(len(broken(person, found.shifts[person.id])) for person in day.people)
        for who, cells in found.shifts.items():
            carried[who] = carried.get(who, 0) + served(cells)
    full = [carried[f"person {number}"] for number in range(PEOPLE) if number % 5 != 4]
    return {
        "first_plan_s": round(slowest, 2), "first_roster_shortfall_percent": round(100 * began_with, 2),
        "shortfall_percent": round(100 * missing / needed, 2), "uncovered": uncovered, "rules_broken": wrong,
        "fewest_hours": min(full) / 2, "most_hours": max(full) / 2, "needed_hours": needed / 2,
    }  # fmt: skip


def main() -> None:
    """Print the figures of a few weeks."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--seconds", type=float, default=60)
    given.add_argument("--seeds", type=int, default=3)
    asked = given.parse_args()
    for seed in range(1, asked.seeds + 1):
        print(json.dumps({"seed": seed} | run(seed, asked.seconds)), flush=True)


if __name__ == "__main__":
    main()
