"""Grouped rules of the Japanese calendar, one row of features a day.

A named holiday is seen once a year and teaches nothing; "a holiday on a weekday", "the day after a closure", "the last
days of the month" are seen often enough. Whatever a series does not obey, the ridge of the methods leaves at nothing.
"""

import calendar
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from forecasting.series import Bools, Floats

NAMES = (
    "holiday", "holiday_eve", "after_closure", "after_long_closure", "before_closure", "year_end", "new_year",
    "month_start", "month_end", "spring", "spring_peak", "pay_day", "fifth_days",
    "month_sin_1", "month_cos_1", "month_sin_2", "month_cos_2", "month_sin_3", "month_cos_3",
)  # fmt: skip
_WAVES = (1, 2, 3)
_LONG = 2


def features(days: Sequence[date], *, holidays: frozenset[date], closed: Bools) -> Floats:
    """Shape (days, len(NAMES)). ``closed``: days shut although their weekday is usually open (a holiday, 12/29-1/3).

    A row does not depend on the rows after it but for the closures announced there.
    """
    before, after = _runs(closed), _runs(closed[::-1])[::-1]
    return np.array(
        [_row(day, holidays, int(before[place]), int(after[place])) for place, day in enumerate(days)],
        dtype=np.float64,
    ).reshape(len(days), len(NAMES))


def _runs(closed: Bools) -> "list[int]":
    """For each day, how many closed days lie right before it."""
    found, run = [], 0
    for shut in closed:
        found.append(run)
        run = run + 1 if shut else 0
    return found


def _row(day: date, holidays: frozenset[date], closed_before: int, closed_after: int) -> list[float]:
    length = calendar.monthrange(day.year, day.month)[1]
    to_end, working = length - day.day, day.weekday() < 5
    month_day = (day.month, day.day)
    turn = 2 * np.pi * (day.day - 1) / length
    waves = [float(wave(k * turn)) for k in _WAVES for wave in (np.sin, np.cos)]
    return [
        float(day in holidays and working), float(day + timedelta(days=1) in holidays and working),
        float(closed_before > 0), float(closed_before >= _LONG), float(closed_after > 0),
        float((12, 25) <= month_day <= (12, 28)), float((1, 4) <= month_day <= (1, 8)),
        float(day.day <= 2), float(to_end <= 1),
        float((3, 15) <= month_day <= (4, 10)), float((3, 25) <= month_day <= (4, 5)),
        float(day.day == 25), float(day.day % 5 == 0),
        *waves,
    ]  # fmt: skip
