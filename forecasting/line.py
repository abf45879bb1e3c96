"""One line forecast from end to end: methods told again over the past, one chosen, its expectation and band.

Nothing here knows of databases or clocks; it runs in a process of its own (forecasting/worker.py).
"""

from collections.abc import Callable

import numpy as np

from forecasting import bands, known, midday_judged, registry, rolling
from forecasting.bands import Band
from forecasting.cold_start import shape_of
from forecasting.rolling import Rolled
from forecasting.scoring import covered, day_wape
from forecasting.series import WEEK, Ahead, Floats, NotEnough, Series
from forecasting.task import Result, Task

YOUNG_DAYS = 8 * WEEK
JUDGED = 4
Shape = Callable[[int], Floats]


def forecast(task: Task) -> Result:
    """The forecast of a line. Raises NotEnough for a line without a single known day."""
    series, ahead = _trimmed(task.series()), task.ahead()
    shape = _shape(task, series)
    rolled, judged = _rolled(task, series, shape)
    office = shape(series.days) if shape is not None else None
    chosen, scores = rolling.choose(rolled, judged)
    told = rolled[chosen].told if chosen in rolled else []
    band = bands.fit(told)
    try:
        expected = _expected(task, chosen, ahead, office)
    except NotEnough:
        # It could tell the past but not what is ahead; without any history the baseline cannot either.
        chosen, band = (
            registry.BASELINE,
            bands.fit(rolled[registry.BASELINE].told if registry.BASELINE in rolled else []),
        )
        expected = _expected(task, chosen, ahead, office)
    low, high = band.around(expected)
    return Result(
        model=chosen, expected=expected.tolist(), low=low.tolist(), high=high.tolist(),
        low_z=float(band.z[-1, 0]), high_z=float(band.z[-1, 1]), history_days=int(series.open.any(1).sum()),
        scores=scores, day_wape=_day_wape(rolled.get(chosen)), cover=_cover(rolled.get(chosen)),
        held_share=midday_judged.learned(told),
    )  # fmt: skip


def _shape(task: Task, series: Series) -> Shape | None:
    """The office's shape as known on a day of the trimmed series; None where only the line itself is known."""
    if not task.office:
        return None
    days = np.array(task.office, dtype=np.float64).reshape(-1, series.slots)[-series.days :]
    return lambda known: shape_of(days[:known], series.weekdays[:known])


def _trimmed(series: Series) -> Series:
    """From the first day on that is known."""
    known_days = np.flatnonzero(series.open.any(1))
    if not len(known_days):
        raise NotEnough("no day is known")
    first = int(known_days[0])
    return Series(series.day(first), series.interval_min, series.counts[first:], series.holidays)


def _rolled(task: Task, series: Series, shape: Shape | None) -> tuple[dict[str, Rolled], int]:
    """What each method would have told over the last weeks; empty for a history too short to judge anything."""
    names = task.methods or list(registry.YOUNG if series.days < YOUNG_DAYS else registry.METHODS)
    try:
        at = rolling.plan(series.days, most_judged=JUDGED, most_scored=0)
    except NotEnough:
        return {}, 0
    found = {name: rolling.tell(series, name, at, office=shape) for name in names if name != registry.MEAN}
    if registry.MEAN in names:
        found[registry.MEAN] = rolling.averaged([found[part] for part in registry.METHODS[registry.MEAN].parts])
    return {name: each for name, each in found.items() if not each.failed}, at.judged


def _expected(task: Task, chosen: str, ahead: Ahead, office: Floats | None) -> Floats:
    """Those without a booking by the method, those with one as they are known."""
    parts = known.split(task)
    if parts is None:
        return registry.forecast(chosen, _trimmed(task.series()), ahead, office)
    walk_ins, booked = map(_trimmed, parts)
    return registry.forecast(chosen, walk_ins, ahead, office) + known.expected(task, booked, ahead)


def _day_wape(rolled: Rolled | None) -> float | None:
    if rolled is None or not rolled.told:
        return None
    value = day_wape(
        np.concatenate([each.actual for each in rolled.told]), np.concatenate([each.expected for each in rolled.told])
    )
    return value if np.isfinite(value) else None


def _cover(rolled: Rolled | None) -> float | None:
    """What bands held on stretches that they had not seen, 0 to 1."""
    told = rolled.told if rolled is not None else []
    inside = [_inside(bands.fit(told[:place]), told[place]) for place in range(1, len(told))]
    every = np.concatenate(inside) if inside else np.zeros(0)
    return float(every.mean()) if len(every) else None


def _inside(band: Band, told: bands.Told) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return covered(told.actual, told.expected, *band.around(told.expected))
