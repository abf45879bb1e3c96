"""The level of a day and the shape of it, as they could have been told ``gap`` days before: a level times a profile
that leans on all weekdays.

Two levels: SN4 on days, and one that moves with every day (``smooth``). Every method beside the baselines learns what
a base leaves over, on past days told from equally old figures.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecasting.cleaning import History
from forecasting.series import WEEK, Floats, Ints

WEEKS = 4
_HALF_LIFE_DAYS = 6 * WEEK
# Of the smooth level and of the weekday's share in it.
_LEVEL_HALF_LIFE, _WEEKDAY_HALF_LIFE = 14, 12 * WEEK


@dataclass(frozen=True)
class Base:
    """For each day of the history and of the ``gap`` days after it: ``level`` (parties of a whole day, NaN where
    nothing was known) and ``profile`` (shape (days, slots), shares that add up to 1, or zeros)."""

    gap: int
    level: Floats
    profile: Floats

    @cached_property
    def expected(self) -> Floats:
        """Shape (days, slots): parties."""
        return np.nan_to_num(self.level)[:, None] * self.profile


def leaned(own: Floats, all_days: Floats) -> Floats:
    """Shares of a weekday from its decayed counts, leaning on those of all days as far as it looks like them.

    Empirical Bayes: p ~ Dirichlet(M · pool), M by moments from what the two differ beyond chance; a Saturday unlike
    the rest keeps its own shape, five alike working days share one.
    """
    mine, everyone = float(own.sum()), float(all_days.sum())
    if everyone <= 0:
        return np.zeros_like(own)
    pool = all_days / everyone
    if mine <= 0:
        return pool
    share, spread = own / mine, pool * (1 - pool)
    noise = float(spread.sum()) / mine
    beyond = max(float(((share - pool) ** 2).sum()) - noise, 0.02 * noise)
    weight = float(spread.sum()) / max(beyond, 1e-12)
    return np.asarray((own + weight * pool) / (mine + weight))


def base(history: History, gap: int) -> Base:
    """The base of every day from what was known ``gap`` or more days earlier (7: this week; 14: the next); the level
    is the mean of the last four same weekdays."""
    series = history.series
    days = series.days + gap
    weekdays = _weekdays(history, days)
    level = np.full(days, np.nan)
    lasts: list[list[float]] = [[] for _ in range(WEEK)]
    for day in range(days):
        learned = day - gap
        if learned >= 0 and history.usable[learned]:
            lasts[weekdays[learned]].append(float(history.totals[learned]))
        if lasts[weekdays[day]]:
            level[day] = np.mean(lasts[weekdays[day]][-WEEKS:])
    return Base(gap, level, _profile(history, days, gap))


def smooth(history: History, gap: int) -> Base:
    """As ``base``, with a level that all weekdays share and that forgets half in two weeks, times the weekday's part.

    In logs: l ← decayed mean of (log T − w), w ← decayed mean of the weekday's log T.
    """
    days = history.series.days + gap
    weekdays = _weekdays(history, days)
    logs = np.log(history.totals + 1.0)
    forget, forget_weekday = 0.5 ** (1 / _LEVEL_HALF_LIFE), 0.5 ** (1 / _WEEKDAY_HALF_LIFE)
    level = np.full(days, np.nan)
    sums, weights = np.zeros(WEEK), np.zeros(WEEK)
    moved = moved_weight = 0.0
    for day in range(days):
        learned = day - gap
        if learned >= 0:
            sums, weights = sums * forget_weekday, weights * forget_weekday
            moved, moved_weight = moved * forget, moved_weight * forget
            if history.usable[learned]:
                weekday = weekdays[learned]
                sums[weekday] += logs[learned]
                weights[weekday] += 1
                moved += float(logs[learned] - sums[weekday] / weights[weekday])
                moved_weight += 1
        if weights[weekdays[day]] > 0:
            usual = sums[weekdays[day]] / weights[weekdays[day]]
            level[day] = max(np.exp(usual + moved / max(moved_weight, 1e-9)) - 1.0, 0.0)
    return Base(gap, level, _profile(history, days, gap))


def _weekdays(history: History, days: int) -> Ints:
    return (np.arange(days) + history.series.first.weekday()) % WEEK


def _profile(history: History, days: int, gap: int) -> Floats:
    """Shape (days, slots): the shares of each day from the decayed counts of its weekday and of all days."""
    weekdays, decay = _weekdays(history, days), 0.5 ** (1 / _HALF_LIFE_DAYS)
    sums, found = np.zeros((WEEK, history.series.slots)), np.zeros((days, history.series.slots))
    for day in range(days):
        learned = day - gap
        if learned >= 0:
            sums *= decay
            if history.usable[learned]:
                sums[weekdays[learned]] += history.counts[learned]
        found[day] = leaned(sums[weekdays[day]], sums.sum(0))
    return found


def gap_of(ahead: int) -> int:
    """The gap at which the ``ahead``-th day after the history (0: the first) has been told: whole weeks."""
    return (ahead // WEEK + 1) * WEEK
