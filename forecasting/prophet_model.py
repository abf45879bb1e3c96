"""The Prophet hybrid: the day level of SN4, times what Prophet makes of the days that came out beside it (grouped
calendar rules, month position, drift), times the intraday profile. The only place where Prophet is imported.

It is fitted twice: what the first fit finds special about a rush is taken out before the level is built anew, so
that a rush is not told again for four weeks as the usual.

Prophet on the intervals themselves is worse than the baseline and costs a hundred times as much (docs/forecasting.md).
"""

import logging

import numpy as np
import pandas as pd

from forecasting import calendar_rules
from forecasting.days import Days, leveled, table
from forecasting.series import WEEK, Ahead, Floats, Ints, NotEnough, Series

# It complains of plotting libraries that nobody needs here.
logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)
from prophet import Prophet  # noqa: E402

LEAST_DAYS = 8 * WEEK
# Below two years a yearly wave is the noise of single weeks.
YEARLY_DAYS = 730
_RULE_SCALE = 0.1
_MOST_FACTOR = 2.5
# Of the logarithm; what is taken out for less costs the level more by its own error than it mends.
_RUSH = 0.25


def hybrid(series: Series, ahead: Ahead) -> Floats:
    """Parties per interval of the days ahead, shape as ``ahead.open``. Raises NotEnough below ``LEAST_DAYS``."""
    days = table(series, ahead)
    rows = np.flatnonzero(np.isfinite(days.ratio))
    if series.days < LEAST_DAYS or len(rows) < 2 * WEEK:
        raise NotEnough("less than eight weeks")
    special = _told(_fitted(days, rows), days, np.arange(days.known))
    special -= np.median(special[rows])
    special = np.where(np.abs(special) > _RUSH, np.clip(special, -np.log(_MOST_FACTOR), np.log(_MOST_FACTOR)), 0.0)
    days = leveled(days, np.exp(special))
    rows = np.flatnonzero(np.isfinite(days.ratio))
    model = _fitted(days, rows)
    coming, fitted = (
        _told(model, days, np.arange(days.known, days.known + ahead.days)),
        np.exp(_told(model, days, rows)),
    )
    level = days.bases[WEEK].level[rows]
    # exp of a mean of logs is a median: what the two differ is put back.
    lift = float(np.clip(days.history.totals[rows].sum() / (level * fitted).sum(), 0.9, 1.15))
    factor = np.clip(np.exp(coming) * lift, 1 / _MOST_FACTOR, _MOST_FACTOR)
    return days.expected(factor)


def _fitted(days: Days, rows: Ints) -> Prophet:
    model = _model(days.known)
    model.fit(_frame(days, rows).assign(y=days.ratio[rows]))
    return model


def _told(model: Prophet, days: Days, rows: Ints) -> Floats:
    """What is special about these days, as a logarithm."""
    return np.array(model.predict(_frame(days, rows))["yhat"])


def _model(known: int) -> Prophet:
    logging.getLogger("cmdstanpy").disabled = True
    logging.getLogger("prophet").setLevel(logging.ERROR)
    model = Prophet(
        growth="flat", weekly_seasonality=False, daily_seasonality=False, uncertainty_samples=0,
        yearly_seasonality=4 if known >= YEARLY_DAYS else False,
    )  # fmt: skip
    for name in calendar_rules.NAMES:
        model.add_regressor(name, prior_scale=_RULE_SCALE, standardize=False)
    return model


def _frame(days: Days, rows: Ints) -> "pd.DataFrame":
    frame = pd.DataFrame(days.rules[rows], columns=list(calendar_rules.NAMES))
    frame.insert(0, "ds", pd.to_datetime([days.history.series.day(int(row)) for row in rows]))
    return frame
