"""Two regressions beside Prophet, both on what the base leaves over, with the base as exposure: a Poisson GLM on days,
and boosted trees with Poisson loss on intervals.

y / e is fitted with weights e, which is the same likelihood as a Poisson mean of e · f(x).
"""

import calendar
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import PoissonRegressor

from forecasting import calendar_rules
from forecasting.base import Base, base, smooth
from forecasting.cleaning import History
from forecasting.days import Days, table
from forecasting.series import WEEK, Ahead, Floats, Ints, NotEnough, Series

LEAST_DAYS = 8 * WEEK
_RIDGE = 0.1
_TREES, _RATE, _LEAVES, _LEAST_LEAF, _L2 = 200, 0.04, 8, 60, 5.0
_LEAST_EXPOSURE = 0.02
_MOST_GAPS = 3
_FOR_TREES = [
    calendar_rules.NAMES.index(name) for name in ("holiday", "holiday_eve", "after_closure", "before_closure")
]


def _table(series: Series, ahead: Ahead, told: Callable[[History, int], Base]) -> tuple[Days, Ints]:
    """The days, and the rows to learn from; raises NotEnough."""
    days = table(series, ahead, told)
    rows = np.flatnonzero(np.isfinite(days.ratio))
    if series.days < LEAST_DAYS or len(rows) < 2 * WEEK:
        raise NotEnough("less than eight weeks")
    if not days.history.totals[rows].sum() > 0:
        raise NotEnough("nobody came on the days to learn from")
    return days, rows


def _learned_gaps(days: Days) -> list[int]:
    """The first gaps and the last: what lies between differs little."""
    gaps = sorted(days.bases)
    return gaps if len(gaps) <= _MOST_GAPS else [*gaps[: _MOST_GAPS - 1], gaps[-1]]


def _of_days(days: Days, gap: int) -> Floats:
    """GLM features of every day told at ``gap``: how recent days came out counts more the nearer they are."""
    recent, near = days.recent(gap), float(gap <= WEEK)
    weekdays = (np.arange(len(recent)) + days.history.series.first.weekday()) % WEEK
    rules = days.rules_until(len(recent))
    return np.column_stack([recent * near * 10, recent * (1 - near) * 10, rules, np.eye(WEEK)[weekdays]])


def glm(series: Series, ahead: Ahead) -> Floats:
    """Parties per interval of the days ahead by the Poisson GLM. Raises NotEnough below ``LEAST_DAYS``."""
    days, rows = _table(series, ahead, smooth)
    features, targets, weights = [], [], []
    for gap in _learned_gaps(days):
        level = np.nan_to_num(days.bases[gap].level[rows])
        good = level > _LEAST_EXPOSURE
        features.append(_of_days(days, gap)[rows][good])
        targets.append(days.history.totals[rows][good] / level[good])
        weights.append(level[good])
    weight = np.concatenate(weights)
    model = PoissonRegressor(alpha=_RIDGE, max_iter=300)
    model.fit(np.concatenate(features), np.concatenate(targets), sample_weight=weight / weight.mean())
    of_gap = {gap: _of_days(days, gap) for gap in days.bases}
    coming = np.array([of_gap[days.gap(ahead_)][days.known + ahead_] for ahead_ in range(ahead.days)])
    return days.expected(np.asarray(model.predict(coming)))


def _of_intervals(days: Days, gap: int, rows: Ints) -> Floats:
    """Tree features, a row for each interval of the days ``rows`` told at ``gap``."""
    series, recent, rules = days.history.series, days.recent(gap), days.rules_until(days.known + gap)
    dates = [series.day(int(row)) for row in rows]
    month = [(day.day, calendar.monthrange(day.year, day.month)[1] - day.day) for day in dates]
    weekdays = [[day.weekday()] for day in dates]
    of_day = np.column_stack([weekdays, month, recent[rows], np.full(len(rows), gap), rules[rows][:, _FOR_TREES]])
    told = np.log(np.maximum(days.bases[gap].expected[rows], _LEAST_EXPOSURE)).reshape(-1, 1)
    slots = np.tile(np.arange(series.slots), len(rows)).reshape(-1, 1)
    return np.column_stack([np.repeat(of_day, series.slots, axis=0), slots, told])


def trees(series: Series, ahead: Ahead) -> Floats:
    """Parties per interval of the days ahead by boosted trees. Raises NotEnough below ``LEAST_DAYS``."""
    days, rows = _table(series, ahead, base)
    features, targets, weights = [], [], []
    for gap in _learned_gaps(days):
        exposure = days.bases[gap].expected[rows].ravel()
        good = (exposure > _LEAST_EXPOSURE) & np.isfinite(days.history.counts[rows].ravel())
        features.append(_of_intervals(days, gap, rows)[good])
        targets.append(days.history.counts[rows].ravel()[good] / exposure[good])
        weights.append(exposure[good])
    model = HistGradientBoostingRegressor(
        loss="poisson", max_iter=_TREES, learning_rate=_RATE, max_leaf_nodes=_LEAVES, min_samples_leaf=_LEAST_LEAF,
        l2_regularization=_L2, early_stopping=False,
    )  # fmt: skip
    model.fit(np.concatenate(features), np.concatenate(targets), sample_weight=np.concatenate(weights))
    found = np.zeros((ahead.days, series.slots))
    for gap in days.bases:
        coming = np.array([day for day in range(ahead.days) if days.gap(day) == gap], dtype=np.int64)
        if len(coming):
            factor = model.predict(_of_intervals(days, gap, days.known + coming)).reshape(-1, series.slots)
            found[coming] = days.bases[gap].expected[days.known + coming] * factor
    return np.where(ahead.open, found, 0.0)
