"""Counts of one line as every method takes them: a row for each day, a column for each interval, NaN where nothing
is known because it was closed, missing or broken. Numbers in, numbers out; no clock, no file, no database.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
WEEK = 7
# So many usual people stay away all together by chance less than once in a hundred days.
_NEVER_EMPTY = 5.0


@dataclass(frozen=True)
class Series:
    """``counts``: shape (days, slots of a day), parties; NaN is unknown, not none. ``first``: the date of row 0."""

    first: date
    interval_min: int
    counts: Floats
    holidays: frozenset[date] = field(default_factory=frozenset)

    @property
    def days(self) -> int:
        return int(self.counts.shape[0])

    @property
    def slots(self) -> int:
        return int(self.counts.shape[1])

    @cached_property
    def open(self) -> Bools:
        """Where something is known, shape as ``counts``."""
        return np.isfinite(self.counts)

    @cached_property
    def totals(self) -> Floats:
        """Parties of each day; NaN for a day without any known interval."""
        return np.where(self.open.any(1), np.nansum(self.counts, 1), np.nan)

    @cached_property
    def served(self) -> Bools:
        """Known days on which it was open: a day with nobody where five or more are usual was closed."""
        with_people = self.totals > 0
        usual = float(np.median(self.totals[with_people])) if with_people.any() else 0.0
        return np.asarray(with_people if usual >= _NEVER_EMPTY else self.open.any(1))

    @cached_property
    def weekdays(self) -> Ints:
        """0 is Monday, for each day."""
        return (np.arange(self.days) + self.first.weekday()) % WEEK

    def until(self, days: int) -> "Series":
        """The first so many days, as if the rest had not happened yet."""
        return Series(self.first, self.interval_min, self.counts[:days], self.holidays)

    def day(self, index: int) -> date:
        """The date of a row; rows past the end are days ahead."""
        return self.first + timedelta(days=index)


@dataclass(frozen=True)
class Ahead:
    """The days right after a series. ``open``: shape (days, slots); nothing is expected where it is false."""

    open: Bools

    @property
    def days(self) -> int:
        return int(self.open.shape[0])


class NotEnough(ArithmeticError):
    """A method cannot say anything from so short a history."""
