"""The baselines: the same weekday last week (SN1), and the mean of the last four same weekdays (SN4).

A baseline always has an answer: a weekday never seen is told from all days, an interval never seen is told as none.
"""

import warnings

import numpy as np

from forecasting.series import WEEK, Ahead, Floats, NotEnough, Series


def _mean(rows: Floats) -> Floats:
    with warnings.catch_warnings():
        # An interval closed on all of these days: NaN, filled in by the caller.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmean(rows, axis=0))


def _by_weekday(series: Series, weeks: int) -> Floats:
    """Shape (7, slots): the mean of each weekday's last ``weeks`` known days; NaN where nothing is known."""
    known = np.flatnonzero(series.open.any(1))
    found = np.full((WEEK, series.slots), np.nan)
    for weekday in range(WEEK):
        last = known[series.weekdays[known] == weekday][-weeks:]
        if len(last):
            found[weekday] = _mean(series.counts[last])
    return found


def _of_weekdays(series: Series, ahead: Ahead, weeks: int) -> Floats:
    if not series.open.any():
        raise NotEnough("no day is known")
    table = _by_weekday(series, weeks)
    everyday = np.nan_to_num(_mean(series.counts[np.flatnonzero(series.open.any(1))][-weeks * WEEK :]))
    table = np.where(np.isnan(table), everyday, table)
    weekdays = (np.arange(ahead.days) + series.day(series.days).weekday()) % WEEK
    return np.where(ahead.open, table[weekdays], 0.0)


def sn1(series: Series, ahead: Ahead) -> Floats:
    """Parties per interval of the days ahead, shape as ``ahead.open``. Raises NotEnough for a series without a day."""
    return _of_weekdays(series, ahead, 1)


def sn4(series: Series, ahead: Ahead) -> Floats:
    """As ``sn1`` from the last four same weekdays."""
    return _of_weekdays(series, ahead, 4)
