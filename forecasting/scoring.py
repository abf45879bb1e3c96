"""How well a forecast did: WAPE, MASE, WAPE of day totals, cover of the band. Unknown intervals do not count."""

from dataclasses import dataclass

import numpy as np

from forecasting.series import WEEK, Bools, Floats, Series

# An interval in which so few are expected is closed in all but name; its empty band would flatter the cover.
_LEAST_EXPECTED = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``wape``, ``day_wape`` and ``cover80`` in percent, ``mase`` against the weekly naive of the history; NaN where
    nothing can be said."""

    wape: float
    mase: float
    day_wape: float
    cover80: float


def weekly_naive(series: Series) -> float:
    """Mean absolute difference to the same interval a week before, in parties; NaN below eight days."""
    if series.days <= WEEK:
        return float("nan")
    steps = np.abs(series.counts[WEEK:] - series.counts[:-WEEK])
    return float(np.nanmean(steps)) if np.isfinite(steps).any() else float("nan")


def wape(actual: Floats, expected: Floats) -> float:
    """Σ|y − ŷ| / Σy in percent over the known intervals; NaN where nobody came."""
    known = np.isfinite(actual)
    people = float(actual[known].sum())
    return 100 * float(np.abs(actual[known] - expected[known]).sum()) / people if people > 0 else float("nan")


def mase(actual: Floats, expected: Floats, naive: float) -> float:
    """Mean absolute error in units of the history's weekly naive."""
    known = np.isfinite(actual)
    if not known.any() or not naive > 0:
        return float("nan")
    return float(np.abs(actual[known] - expected[known]).mean()) / naive


def day_wape(actual: Floats, expected: Floats) -> float:
    """WAPE of day totals over the known intervals of each day; arrays have a row for each day."""
    known = np.isfinite(actual)
    days = known.any(1)
    return wape(np.where(known, actual, 0).sum(1)[days], np.where(known, expected, 0).sum(1)[days])


def covered(actual: Floats, expected: Floats, low: Floats, high: Floats) -> Bools:
    """Whether each counted interval lay in its band, in one row; a count is whole, so the band is rounded outward."""
    counted = np.isfinite(actual) & ((expected >= _LEAST_EXPECTED) | (actual > 0))
    return np.asarray((actual >= np.floor(low)) & (actual <= np.ceil(high)))[counted]


def cover80(actual: Floats, expected: Floats, low: Floats, high: Floats) -> float:
    """Share of counted intervals inside the band, in percent."""
    inside = covered(actual, expected, low, high)
    return 100 * float(inside.mean()) if len(inside) else float("nan")
