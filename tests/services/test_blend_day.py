"""A day as tests.bench.blend plays a week, small enough for every run: booking keeps its promise and costs nobody.

The same people come with a peak before noon; half of them book, or nobody does.
"""

import random

from tests.bench.blend import CLOSE, OPEN, kept, people, week

LOAD = 0.35


def test_booked_people_are_called_on_time_and_the_others_wait_no_longer() -> None:
    dice = random.Random(11)
    minutes = [minute for _ in range(400) if OPEN <= (minute := dice.gauss(660, 40)) < CLOSE]
    day = people(minutes, LOAD, dice)
    nobody, wide = week([day], allowance=None), week([day], allowance=90)
    assert nobody["people"] == wide["people"] == len(day)
    assert nobody["walk_in_mean"] > 5, "without a peak there is nothing to spread"
    assert all(kept(nobody, wide).values()), (nobody, wide)
