"""A year of arrivals with known structure: weekdays, month ends, the turn of the fiscal year, days after a holiday,
growth, and one moved holiday."""

import math
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecasting.series import Floats, Series

WEEKDAY = (1.25, 1.0, 0.92, 0.95, 1.08)
MONTH_END, AFTER_HOLIDAY, TURN_OF_YEAR, GROWTH = 1.30, 1.35, 1.5, 0.15
LEVEL = 320.0
OPENS, CLOSES = 17, 34
# The office's own holiday, moved this year from the 10th to the 17th of June.
MOVED = date(2026, 6, 17)
HOLIDAYS = frozenset(
    date(*day)
    for day in (
        (2025, 7, 21), (2025, 8, 11), (2025, 9, 15), (2025, 9, 23), (2025, 10, 13), (2025, 11, 3), (2025, 11, 24),
        (2026, 1, 1), (2026, 1, 12), (2026, 2, 11), (2026, 2, 23), (2026, 3, 20), (2026, 4, 29), (2026, 5, 4),
        (2026, 5, 5), (2026, 5, 6), (2026, 6, 17), (2026, 7, 20),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Year:
    """``series``: counts with closed time unknown; ``mean``: what they were drawn from."""

    series: Series
    mean: Floats


def closed(day: date) -> bool:
    year_end = (day.month, day.day) in ((12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3))
    return day.weekday() > 4 or day in HOLIDAYS or year_end


def effect(day: date, first: date) -> float:
    """The factor of a day beside the level."""
    found = WEEKDAY[day.weekday()] * (1 + GROWTH * (day - first).days / 365)
    month = (day + timedelta(days=1)).month != day.month or (day + timedelta(days=2)).month != day.month
    found *= MONTH_END if month else 1.0
    before = day - timedelta(days=1)
    found *= AFTER_HOLIDAY if before.weekday() < 5 and closed(before) else 1.0
    return found * (TURN_OF_YEAR if (3, 25) <= (day.month, day.day) <= (4, 5) else 1.0)


def shape() -> Floats:
    """Shares by half-hour with a noon peak."""
    slots = np.arange(48)
    found = np.where((slots >= OPENS) & (slots < CLOSES), 1 + np.exp(-((slots - 24) ** 2) / 8), 0.0)
    return np.asarray(found / found.sum())


def year(
    first: date = date(2025, 6, 30), days: int = 364, *, level: float = LEVEL, seed: int = 1, steady: float = 60
) -> Year:
    """``steady``: a day as a whole is off by chance by one part in its root."""
    chance = np.random.default_rng(seed)
    mean = np.array(
        [shape() * level * (0 if closed(day) else effect(day, first))
         for day in (first + timedelta(days=ahead) for ahead in range(days))]
    )  # fmt: skip
    # Twice as much spread as chance alone would make, as real halls have it.
    busy = chance.gamma(shape=steady, scale=1 / steady, size=(days, 1))
    counts = chance.poisson(mean * busy).astype(np.float64)
    counts[mean <= 0] = math.nan
    return Year(Series(first, 30, counts, HOLIDAYS), mean)
