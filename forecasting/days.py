"""What is learned on whole days: how far each day came out beside its base, and what was known when it was told."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from forecasting import calendar_rules
from forecasting.base import Base, base, gap_of, smooth
from forecasting.cleaning import History, clean
from forecasting.series import WEEK, Ahead, Bools, Floats, Ints, NotEnough, Series

# Before so many days a base is no base.
FIRST_DAY = 5 * WEEK
_PSEUDO = 1.0
# Of a weekday on which nobody comes, nothing can come out beside the base.
_LEAST_LEVEL = 0.2


@dataclass(frozen=True)
class Days:
    """The days of a history and the days ahead, one table for each gap that the days ahead need.

    ``ratio``: log of each day's total over its base told a week before (NaN where unusable); ``rules``: calendar
    features of all days.
    """

    history: History
    ahead: Ahead
    ratio: Floats
    rules: Floats
    bases: dict[int, Base]

    @property
    def known(self) -> int:
        return self.history.series.days

    def gap(self, ahead: int) -> int:
        """How old the figures are that the ``ahead``-th day ahead (0: the first) is told from, in days."""
        return gap_of(ahead)

    def rules_until(self, days: int) -> Floats:
        """The calendar features of the first so many days; days past the last one ahead are blank, nobody asks."""
        missing = max(days - len(self.rules), 0)
        return np.concatenate([self.rules, np.zeros((missing, self.rules.shape[1]))])[:days]

    def expected(self, factor: Floats) -> Floats:
        """Parties per interval of the days ahead: base × profile × ``factor`` (one for each day); 0 where closed."""
        rows = [self.bases[self.gap(day)].expected[self.known + day] for day in range(self.ahead.days)]
        return np.where(self.ahead.open, np.array(rows).reshape(-1, self.history.series.slots) * factor[:, None], 0.0)

    def recent(self, gap: int) -> Floats:
        """Shape (known + gap, 2): the mean ratio of the last week and of the last four known ``gap`` days before."""
        days, found = self.known + gap, np.zeros((self.known + gap, 2))
        for column, span in enumerate((WEEK, 4 * WEEK)):
            for day in range(days):
                last = self.ratio[max(day - gap - span + 1, 0) : max(day - gap + 1, 0)]
                last = last[np.isfinite(last)]
                found[day, column] = last.mean() if len(last) else 0.0
        return found


def table(series: Series, ahead: Ahead, told: Callable[[History, int], Base] = base) -> Days:
    """The table of a series; ``told`` makes its bases. Raises NotEnough where no day is left to learn from."""
    history = clean(series)
    gaps = sorted({gap_of(day) for day in range(max(ahead.days, 1))} | {WEEK})
    bases = {gap: told(history, gap) for gap in gaps}
    ratio = _ratio(history, bases[WEEK])
    if not np.isfinite(ratio).any():
        raise NotEnough("less than five weeks, or nobody came")
    days = [series.day(day) for day in range(series.days + ahead.days)]
    rules = calendar_rules.features(days, holidays=series.holidays, closed=_closures(history, ahead))
    return Days(history, ahead, ratio, rules, bases)


def leveled(days: Days, factor: Floats) -> Days:
    """The same table over a level of days without what is known to be special about them: each counts as its total
    over its ``factor`` (one for each day of the history).

    Or else four weeks of a rush raise the level of the four weeks after it. Raises NotEnough.
    """
    plain = replace(days.history, totals=days.history.totals / factor)
    bases = {gap: replace(base(plain, gap), profile=old.profile) for gap, old in days.bases.items()}
    ratio = _ratio(days.history, bases[WEEK])
    if not np.isfinite(ratio).any():
        raise NotEnough("less than five weeks, or nobody came")
    return replace(days, ratio=ratio, bases=bases)


def _ratio(history: History, told: Base) -> Floats:
    """Log of each day's total over its base; NaN where there is nothing to learn."""
    level = told.level[: history.series.days]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.asarray(np.log((history.totals + _PSEUDO) / (level + _PSEUDO)))
    found[~history.usable | (level <= _LEAST_LEVEL)] = np.nan
    found[:FIRST_DAY] = np.nan
    return found


def level(series: Series, ahead: Ahead) -> Floats:
    """Exponential smoothing: the smooth level times the profile, nothing learned beside it. Raises NotEnough."""
    days = table(series, ahead, smooth)
    rows = np.flatnonzero(np.isfinite(days.ratio))
    told = np.nan_to_num(days.bases[WEEK].level[rows]).sum()
    lift = float(np.clip(days.history.totals[rows].sum() / max(told, 1e-9), 0.9, 1.15))
    return days.expected(np.full(ahead.days, lift))


def _closures(history: History, ahead: Ahead) -> Bools:
    """Days shut, or as good as shut, though their weekday is usually open."""
    series = history.series
    weekdays = (np.arange(series.days + ahead.days) + series.first.weekday()) % WEEK
    usual = np.array([np.nanmedian(_of(series.totals, series.weekdays, day)) for day in range(WEEK)])
    totals = np.nan_to_num(series.totals)
    past = totals < 0.1 * usual[series.weekdays]
    coming = ~ahead.open.any(1) & (usual[weekdays[series.days :]] > 0)
    return np.concatenate([past, coming])


def _of(totals: Floats, weekdays: Ints, weekday: int) -> Floats:
    """The totals of a weekday that is open as a rule; a 0 where it is closed as a rule."""
    found = totals[weekdays == weekday]
    known = found[np.isfinite(found)]
    return known if len(known) * 2 >= len(found) and len(known) else np.zeros(1)
