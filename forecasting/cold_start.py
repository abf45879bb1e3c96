"""Under eight weeks of history: an empirical-Bayes profile that leans on all lines of the office.

The office's profile × (own counts + pseudo-counts) / (usual counts + pseudo-counts) × own mean × a weekday shrunk
toward none × the office's shape of that weekday. In so short a history a machine that caught up after a failure, or
one wild day, would be a tenth of all that is known: every interval and day is held within what its neighbours make
likely.
"""

import warnings

import numpy as np

from forecasting.series import WEEK, Ahead, Floats, Ints, NotEnough, Series

# Chosen on one half of the recorded offices, confirmed on the other (docs/forecasting.md).
PSEUDO_COUNTS = 5.0
REACH_MIN = 60
_MOST_DAYS_MEDIAN = 10.0
# A weekday's factor has the weight of its own days against so many without any weekday; its shape likewise.
_PSEUDO_DAYS, _PSEUDO_WEEKS = 2.0, 3.0
_HALF_LIFE_DAYS = 2 * WEEK
_MOST_ROOTS = 2.0
_LEAST_DAY, _MOST_DAY = 0.5, 1.3


def office_shape(lines: "list[Series]") -> Floats:
    """Shape (7, slots): parties of all lines by weekday and slot, what a single line leans on."""
    return shape_of(office_days(lines), lines[0].weekdays)


def office_days(lines: "list[Series]") -> Floats:
    """Shape (days, slots): parties of all lines, which have the same days."""
    found: Floats = np.sum([np.nan_to_num(held(line.counts)) for line in lines], axis=0)
    return found


def shape_of(days: Floats, weekdays: Ints) -> Floats:
    """``office_shape`` from rows of ``office_days`` and their weekdays; of the first rows: as it was known then."""
    return np.array([days[weekdays == weekday].sum(0) for weekday in range(WEEK)])


def held(counts: Floats) -> Floats:
    """Counts with each interval at most some roots above the median of its time of day."""
    with warnings.catch_warnings():
        # A slot that was never open.
        warnings.simplefilter("ignore", RuntimeWarning)
        median = np.nan_to_num(np.nanmedian(counts, axis=0)) if len(counts) else np.zeros(counts.shape[1])
    return np.asarray(np.minimum(counts, median + _MOST_ROOTS * np.sqrt(median + 1)))


def cold_start(series: Series, ahead: Ahead, office: Floats | None = None) -> Floats:
    """Parties per interval of the days ahead, shape as ``ahead.open``. ``office``: ``office_shape`` of its lines; the
    line's own where there is none. Raises NotEnough for a series without a known day.
    """
    known = np.flatnonzero(series.served)
    if not len(known):
        return _nobody(series, ahead)
    counts, weekdays = held(series.counts)[known], series.weekdays[known]
    pool = office_shape([series]) if office is None else office
    profile = _profile(counts, pool.sum(0), series.interval_min)
    # Parties per unit of share: a day of which only the morning is known counts for what the morning usually brings.
    shares = (np.isfinite(counts) * profile).sum(1)
    days = np.nansum(counts, 1) / np.maximum(shares, 1e-9)
    days = np.clip(days, _LEAST_DAY * np.median(days), _MOST_DAY * np.median(days))
    weights = 0.5 ** ((series.days - 1 - known) / _HALF_LIFE_DAYS)
    level = float((weights * days * shares).sum() / max((weights * shares).sum(), 1e-9))
    table = level * _factors(weekdays, weights, days / max(level, 1e-9))[:, None] * profile * _shapes(pool, weekdays)
    coming = (np.arange(ahead.days) + series.day(series.days).weekday()) % WEEK
    return np.where(ahead.open, table[coming], 0.0)


def _nobody(series: Series, ahead: Ahead) -> Floats:
    if not series.open.any():
        raise NotEnough("no day is known")
    return np.zeros(ahead.open.shape)


def _profile(counts: Floats, pool: Floats, interval_min: int) -> Floats:
    """Shares by slot: the office's, times how much more or less of the line comes then.

    That factor changes slowly over the day, so each slot learns it from its neighbours too.
    """
    share = pool / max(float(pool.sum()), 1e-9)
    known = np.isfinite(counts)
    days = np.nansum(counts, 1) / np.maximum((known * share).sum(1), 1e-9)
    days = np.minimum(days, _MOST_DAYS_MEDIAN * np.median(days) + 1)
    own, usual = np.nansum(counts, 0), (known * share * days[:, None]).sum(0)
    factor = (_neighbours(own, interval_min) + PSEUDO_COUNTS) / (_neighbours(usual, interval_min) + PSEUDO_COUNTS)
    found = share * factor
    return np.asarray(found / max(float(found.sum()), 1e-9))


def _neighbours(slots: Floats, interval_min: int) -> Floats:
    """Each slot's mean with those around it, the nearer the heavier; shape as ``slots``."""
    reach = min(REACH_MIN // interval_min, (len(slots) - 1) // 2)
    kernel = 1.0 + reach - np.abs(np.arange(-reach, reach + 1))
    return np.convolve(slots, kernel / kernel.sum(), "same")


def _factors(weekdays: Ints, weights: Floats, days: Floats) -> Floats:
    """Shape (7,): each weekday beside the mean; 1 where nothing is known."""
    weight = np.bincount(weekdays, weights, WEEK)
    return np.asarray((np.bincount(weekdays, weights * days, WEEK) + _PSEUDO_DAYS) / (weight + _PSEUDO_DAYS))


def _shapes(pool: Floats, weekdays: Ints) -> Floats:
    """Shape (7, slots): how a weekday's share of a slot differs from all days' in the whole office."""
    share = pool.sum(0) / max(float(pool.sum()), 1e-9)
    seen = np.minimum(np.bincount(weekdays, minlength=WEEK), pool.sum(1))
    people = pool.sum(1) / np.maximum(seen, 1)
    lean = _PSEUDO_WEEKS * people[:, None] * share
    expected = pool.sum(1)[:, None] * share + lean
    return np.asarray(np.divide(pool + lean, expected, out=np.ones_like(pool), where=expected > 0))
