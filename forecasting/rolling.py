"""Rolling origins: the past told again from days on which nothing later was known, for choosing, bands and figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from forecasting import registry
from forecasting.bands import Told
from forecasting.cold_start import office_shape
from forecasting.scoring import mase, weekly_naive
from forecasting.series import WEEK, Ahead, Bools, Floats, NotEnough, Series

HORIZON = 2 * WEEK
# A rival of the baseline must be better by more than chance plays in so few origins.
TIE = 0.01
_LEAST_SAME = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``origins``: days known at each; each tells ``horizon`` days. The last ``scored`` of them are only for the
    figures, the ``judged`` before them for choosing."""

    horizon: int
    judged: int
    scored: int
    days: int

    @property
    def origins(self) -> list[int]:
        count = self.judged + self.scored
        return [self.days - (count - place) * self.horizon for place in range(count)]


def plan(days: int, *, most_judged: int = 4, most_scored: int = 6) -> Plan:
    """How a series of so many days is judged. Raises NotEnough when even one day cannot be told from one before it."""
    horizon, least = (HORIZON, 8 * WEEK) if days >= 12 * WEEK else (WEEK, WEEK) if days >= 4 * WEEK else (1, 1)
    blocks = (days - least) // horizon
    # So many days, not so many stretches, make a figure worth reading.
    most_scored *= 2 if horizon == 1 else 1
    scored = min(most_scored, max(blocks // 2, 1)) if most_scored else 0
    judged = min(most_judged, blocks - scored)
    if judged < 1 or (most_scored and blocks < 2):
        raise NotEnough("three days are needed")
    return Plan(horizon=horizon, judged=judged, scored=scored, days=days)


@dataclass(slots=True)
class Rolled:
    """What a method told at each origin; ``failed`` where it could not."""

    told: list[Told] = field(default_factory=list)
    naive: list[float] = field(default_factory=list)
    failed: str = ""

    def mase(self, first: int, last: int) -> float:
        """Mean MASE of origins ``first`` up to, not including, ``last``; infinite where the method failed."""
        if self.failed or last > len(self.told):
            return float("inf")
        each = [mase(told.actual, told.expected, naive)
                for told, naive in zip(self.told[first:last], self.naive[first:last], strict=True)]  # fmt: skip
        known = [value for value in each if np.isfinite(value)]
        return float(np.mean(known)) if known else float("inf")


def open_ahead(series: Series, days: int) -> Bools:
    """Which intervals of the days ahead are open, as far as the counts themselves tell: those known on the same
    weekday within eight weeks on days with people, without holidays if those were empty as a rule."""
    weekdays = (np.arange(days) + series.day(series.days).weekday()) % WEEK
    recent = series.open[-8 * WEEK :] & series.served[-8 * WEEK :, None]
    of_recent = series.weekdays[-8 * WEEK :]
    seen = [recent[of_recent == weekday] for weekday in range(WEEK)]
    # A weekday that a short series has hardly come to yet is taken for one like the rest.
    known = np.array([rows.any(0) if len(rows) >= _LEAST_SAME else recent.any(0) for rows in seen])
    found: Bools = known[weekdays]
    if _holidays_close(series):
        shut = [_shut(series, series.days + ahead) for ahead in range(days)]
        found[np.array(shut, dtype=np.bool_)] = False
    return found


def _shut(series: Series, row: int) -> bool:
    day = series.day(row)
    return day in series.holidays or (day.month, day.day) in ((12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3))


def _holidays_close(series: Series) -> bool:
    totals = np.nan_to_num(series.totals)
    usual = np.array([np.median(totals[series.weekdays == weekday]) if (series.weekdays == weekday).any() else 0.0
                      for weekday in range(WEEK)])[series.weekdays]  # fmt: skip
    rows = [row for row in range(series.days) if series.day(row) in series.holidays and usual[row] > 0]
    empty = sum(totals[row] < 0.1 * usual[row] for row in rows)
    return len(rows) >= 2 and empty >= 0.7 * len(rows)


def tell(
    series: Series, name: str, at: Plan, *, office: Callable[[int], Floats] | None = None,
    opens: Callable[[Series, int], Bools] = open_ahead, heard: Callable[[int], None] | None = None,
) -> Rolled:  # fmt: skip
    """What a method would have told at each origin of a plan. ``office``: shape of the office as known on a day."""
    found = Rolled()
    for origin in at.origins:
        past = series.until(origin)
        coming = series.counts[origin : origin + at.horizon]
        try:
            expected = registry.forecast(name, past, Ahead(opens(past, len(coming))), office and office(origin))
        except NotEnough as error:
            found.failed = str(error)
            return found
        found.told.append(Told(expected, coming))
        found.naive.append(weekly_naive(past))
        if heard is not None:
            heard(origin)
    return found


def tell_all(lines: Sequence[Series], offices: Sequence[str], name: str, at: Plan) -> Rolled:
    """What a method would have told of many lines at each origin, one below the other; a line on which it fails is
    told by the baseline, as in a real night. Failed where it fails on every line. ``offices``: whose each line is."""
    shapes = {
        office: _shape([line for line, place in zip(lines, offices, strict=True) if place == office])
        for office in set(offices)
    }
    found = [tell(line, name, at, office=shapes[office]) for line, office in zip(lines, offices, strict=True)]
    if all(each.failed for each in found):
        return Rolled(failed=found[0].failed)
    found = [
        tell(line, registry.BASELINE, at) if each.failed else each for line, each in zip(lines, found, strict=True)
    ]
    told = [
        Told(np.concatenate([each.expected for each in at_once]), np.concatenate([each.actual for each in at_once]))
        for at_once in zip(*(each.told for each in found), strict=True)
    ]
    known = [
        [naive for naive in at_once if np.isfinite(naive)] for at_once in zip(*(f.naive for f in found), strict=True)
    ]
    return Rolled(told=told, naive=[float(np.mean(each)) if each else float("nan") for each in known])


def _shape(lines: Sequence[Series]) -> Callable[[int], Floats] | None:
    """The shape of an office as known on a day; a single line has none to lean on."""
    if len(lines) < 2:
        return None
    return cache(lambda origin: office_shape([line.until(origin) for line in lines]))


def averaged(parts: Sequence[Rolled]) -> Rolled:
    """The mean of several methods at the same origins; failed where one of them did."""
    failed = next((part.failed for part in parts if part.failed), "")
    if failed or not parts:
        return Rolled(failed=failed or "no parts")
    told = [
        Told(np.mean([each.expected for each in at_once], axis=0), at_once[0].actual)
        for at_once in zip(*(part.told for part in parts), strict=True)
    ]
    return Rolled(told=told, naive=parts[0].naive)


def choose(rolled: Mapping[str, Rolled], judged: int) -> tuple[str, dict[str, float]]:
    """The method with the least mean MASE over the judged origins, and all of them; the baseline wins ties."""
    scores = {name: each.mase(0, judged) for name, each in rolled.items()}
    known = {name: score for name, score in scores.items() if np.isfinite(score)}
    if not known:
        return registry.BASELINE, {}
    best = min(known, key=lambda name: known[name])
    baseline = known.get(registry.BASELINE, float("inf"))
    chosen = best if known[best] < baseline * (1 - TIE) else registry.BASELINE
    return chosen, known
