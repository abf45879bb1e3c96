"""How much a line's mornings say about its afternoons, learned from days told from rolling origins, and how much better
the rest of a day is told at midday with it than the night before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting import midday
from forecasting.bands import Told
from forecasting.series import Floats

# What is usual weighs as much as so many days of the line's own.
_PRIOR_DAYS = 10.0
# Where the slope is nothing, the people that hold it back would be without end.
_LEAST_SLOPE, _MOST_SLOPE = 0.01, 0.97


@dataclass(frozen=True, slots=True)
class Midday:
    """Mean absolute error of the parties still to come, in parties: as told the night before, and told again."""

    night: float
    again: float
    days: int

    @property
    def gain(self) -> float:
        """How much lower the error is when told again, in percent."""
        return 100 * (1 - self.again / self.night) if self.night > 0 else 0.0


@dataclass(frozen=True, slots=True)
class _Halves:
    """A day at midday: expected and come so far, expected and come of the rest."""

    so_far: float
    came: float
    rest: float
    truth: float


def learned(told: Sequence[Told]) -> float | None:
    """The people that hold back this line's mornings, beside those of a day; None without a day to learn from.

    Empirical Bayes: the slope of the afternoon's deviation on the morning's, leaning on the usual one. A slope of
    Ŷ / (Ŷ + k) is what k people make of it.
    """
    days = _days(told)
    if not days:
        return None
    so_far, came, rest, truth = np.array([(day.so_far, day.came, day.rest, day.truth) for day in days]).T
    held = np.array([midday.usual(each) for each in so_far + rest])
    usual = float(np.mean(so_far / (so_far + held)))
    morning, afternoon = (
        came - so_far,
        (truth - rest) * np.divide(so_far, rest, out=np.zeros_like(rest), where=rest > 0),
    )
    # Beside the root of what was expected, as counts vary.
    weight = 1 / np.maximum(so_far, 1.0)
    spread = float((weight * morning**2).sum())
    lean = _PRIOR_DAYS * max(spread / len(days), 1.0)
    slope = (float((weight * morning * afternoon).sum()) + usual * lean) / (spread + lean)
    slope = float(np.clip(slope, _LEAST_SLOPE, _MOST_SLOPE))
    return float(np.mean(so_far / (so_far + rest))) * (1 - slope) / slope


def judge(told: Sequence[Told], *, judged: int = 0, lines: int = 1) -> Midday | None:
    """Over all days after the first ``judged`` stretches, from which each line learns, on which somebody was expected.

    ``lines``: how many stand one below the other in each stretch. None without such a day.
    """
    each_line = [[_part(stretch, place, lines) for stretch in told] for place in range(lines)]
    errors = [
        error for line in each_line for error in _errors(_days(line[judged:]), learned(line[:judged]))
    ]  # fmt: skip
    if not errors:
        return None
    night, again = np.array(errors).mean(0)
    return Midday(float(night), float(again), len(errors))


def _part(told: Told, place: int, lines: int) -> Told:
    days = len(told.expected) // lines
    rows = slice(place * days, (place + 1) * days)
    return Told(told.expected[rows], told.actual[rows])


def _errors(days: Sequence[_Halves], held_share: float | None) -> list[tuple[float, float]]:
    """Of each day: as told the night before, and told again."""
    by = [
        midday.factor(came=day.came, expected_so_far=day.so_far, expected_of_day=day.so_far + day.rest,
                      held_share=held_share)
        for day in days
    ]  # fmt: skip
    return [(abs(day.rest - day.truth), abs(day.rest * times - day.truth)) for day, times in zip(days, by, strict=True)]


def _days(told: Sequence[Told]) -> list[_Halves]:
    found = (_halves(*day) for each in told for day in zip(each.expected, each.actual, strict=True))
    return [day for day in found if day is not None]


def _halves(expected: Floats, actual: Floats) -> _Halves | None:
    """Midday is when half of the people were expected; None for a day without a half."""
    known = np.isfinite(actual)
    people, came = np.where(known, expected, 0.0), np.where(known, actual, 0.0)
    cut = int(np.searchsorted(np.cumsum(people), people.sum() / 2)) + 1
    if not people.sum() > 0 or not 0 < cut < len(people):
        return None
    return _Halves(float(people[:cut].sum()), float(came[:cut].sum()), float(people[cut:].sum()),
                   float(came[cut:].sum()))  # fmt: skip
