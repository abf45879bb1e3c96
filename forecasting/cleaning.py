"""A history made fit to learn from: days that were no usual days set apart, broken stretches filled, totals comparable.

Usual is what the same weekday did within some weeks on either side; all of it lies before the origin of a forecast.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecasting.series import WEEK, Bools, Floats, Ints, Series

# A day below this share of its neighbours was a closure, above that multiple a mishap.
_ODD_LOW, _ODD_HIGH = 0.6, 2.5
_WEEKS_ROUND = 6
_LEAST_SAME = 3
# A stretch counts as broken when this many were to be expected and hardly anybody came.
_BROKEN_EXPECTED, _BROKEN_SHARE = 15.0, 0.08
_LEAST_KNOWN = 0.4


@dataclass(frozen=True)
class History:
    """``counts``: shape (days, slots), every slot of a known day filled; NaN rows are unknown days. ``odd``: known
    days that no level is learned from. ``totals``: parties as if the whole usual day had been open and on record.
    """

    series: Series
    counts: Floats
    totals: Floats
    odd: Bools

    @cached_property
    def usable(self) -> Bools:
        """Known days that are not odd."""
        return np.isfinite(self.totals) & ~self.odd

    @property
    def weekdays(self) -> Ints:
        return self.series.weekdays


def odd_days(totals: Floats, weekdays: Ints) -> Bools:
    """Days far from the median of their weekday's neighbours; never the days of a weekday that is always empty."""
    found = np.zeros(len(totals), dtype=np.bool_)
    for weekday in range(WEEK):
        rows = np.flatnonzero((weekdays == weekday) & np.isfinite(totals))
        for place, row in enumerate(rows):
            near = np.delete(rows, place)
            near = near[np.abs(near - row) <= _WEEKS_ROUND * WEEK]
            if len(near) < _LEAST_SAME:
                continue
            usual = float(np.median(totals[near]))
            # Few people vary by chance alone: three times the root of the usual is no sign of anything.
            low = min(_ODD_LOW * usual, usual - 3 * np.sqrt(usual))
            high = max(_ODD_HIGH * usual, usual + 6 * np.sqrt(usual + 1))
            found[row] = totals[row] < low or totals[row] > high
    return found


def clean(series: Series) -> History:
    """The history of a series; the series itself is left as it is."""
    totals = series.totals
    odd = odd_days(totals, series.weekdays)
    usual = _usual(series.counts, odd, series.weekdays)
    counts = _without_breaks(series.counts, usual[series.weekdays], odd)
    known, shares = np.isfinite(counts), usual[series.weekdays]
    whole = shares.sum(1)
    part = np.divide((shares * known).sum(1), whole, out=np.ones(series.days), where=whole > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        full = np.where(known.any(1) & (part >= _LEAST_KNOWN), np.nansum(counts, 1) / part, np.nan)
    filled = np.where(known, counts, (full / np.where(whole > 0, whole, 1))[:, None] * shares)
    filled[~np.isfinite(full)] = np.nan
    return History(series, filled, full, odd | odd_days(full, series.weekdays))


def _usual(counts: Floats, odd: Bools, weekdays: Ints) -> Floats:
    """Shape (7, slots): the mean of each weekday over its usual days; 0 where nothing was ever known."""
    found = np.zeros((WEEK, counts.shape[1]))
    for weekday in range(WEEK):
        rows = counts[(weekdays == weekday) & ~odd]
        seen = np.isfinite(rows)
        found[weekday] = np.divide(np.nansum(rows, 0), seen.sum(0), out=found[weekday], where=seen.any(0))
    return found


def _without_breaks(counts: Floats, usual: Floats, odd: Bools) -> Floats:
    """Stretches in which hardly anybody was counted though many were to be expected become unknown."""
    found = counts.copy()
    low = np.isfinite(counts) & (counts <= _BROKEN_SHARE * usual) & (usual >= 1) & ~odd[:, None]
    for day in np.flatnonzero(low.any(1)):
        edges = np.flatnonzero(np.diff(np.concatenate(([0], low[day].astype(np.int64), [0]))))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            if usual[day, begin:end].sum() >= _BROKEN_EXPECTED:
                found[day, begin:end] = np.nan
    return found
