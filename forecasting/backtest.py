"""Every method judged on one series, or on many at once: each in a process of its own, so that its memory and its
seconds are its own.

One is chosen by rolling MASE over origins that end before the first scored day; the baseline wins ties. Of many series
the errors of all are added up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting import bands, midday_judged, registry, rolling
from forecasting.bands import Told
from forecasting.midday_judged import Midday
from forecasting.process import Failed, Worker
from forecasting.rolling import Plan, Rolled
from forecasting.scoring import Score, cover80, day_wape, mase, wape
from forecasting.series import Floats, NotEnough, Series
from forecasting.task import Task

TIMEOUT_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One method on the scored days. ``cpu_seconds``: one fit and prediction; ``judged_mase``: its MASE before them."""

    method: str
    score: Score
    judged_mase: float | None
    cpu_seconds: float
    peak_mb: float
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """The methods that could be judged on so many ``lines``, and why the others could not (name → code); ``midday``: of
    the chosen one."""

    plan: Plan
    lines: int
    methods: Sequence[Judged]
    left_out: dict[str, str]
    midday: Midday | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    rolled: Rolled
    cpu_seconds: float
    peak_mb: float


def run(
    lines: Mapping[tuple[str, ...], Series], *, heard: Callable[[str], None],
    methods: Sequence[str] = tuple(registry.METHODS),
) -> Backtest:  # fmt: skip
    """Judge the methods; ``heard`` is told each name as it begins. ``lines``: by name (office, line), all over the same
    days. Raises NotEnough for two days, or without people."""
    days = next(iter(lines.values())).days
    at = rolling.plan(days)
    known = {name: each for name, each in lines.items() if each.open[: at.origins[0]].any()}
    if not any(np.nansum(each.counts[at.origins[at.judged] :]) > 0 for each in known.values()):
        raise NotEnough(f"nobody was counted on the last {at.scored * at.horizon} days, there is nothing to measure")
    runs: dict[str, _Run] = {}
    left_out: dict[str, str] = {}
    for name in methods:
        heard(name)
        try:
            runs[name] = _mean(name, runs) if registry.METHODS[name].parts else _told(known, name, at)
        except Failed as error:
            left_out[name] = error.code
    chosen, scores = rolling.choose({name: each.rolled for name, each in runs.items()}, at.judged)
    judged = [
        Judged(method=name, score=_score(each.rolled, at), judged_mase=scores.get(name), cpu_seconds=each.cpu_seconds,
               peak_mb=each.peak_mb, chosen=name == chosen)
        for name, each in runs.items()
    ]  # fmt: skip
    told = runs[chosen].rolled.told if chosen in runs else []
    return Backtest(plan=at, lines=len(known), methods=judged, left_out=left_out,
                    midday=midday_judged.judge(told, judged=at.judged, lines=len(known)))  # fmt: skip


def _told(lines: Mapping[tuple[str, ...], Series], name: str, at: Plan) -> _Run:
    tasks = [
        Task(
            first=each.first, interval_min=each.interval_min, open=[], holidays=sorted(each.holidays),
            counts=[[None if np.isnan(n) else n for n in row] for row in each.counts.tolist()],
        ).to_json()
        for each in lines.values()
    ]  # fmt: skip
    request = {
        "kind": "tell", "tasks": tasks, "offices": ["/".join(line[:-1]) for line in lines], "method": name,
        "plan": {"horizon": at.horizon, "judged": at.judged, "scored": at.scored, "days": at.days},
    }  # fmt: skip
    with Worker() as worker:
        found = worker.ask(request, timeout=TIMEOUT_SECONDS)
    if found["failed"]:
        raise Failed("no_history")
    every = list(lines.values())
    told = [
        Told(
            np.array(expected, dtype=np.float64),
            np.concatenate([each.counts[origin : origin + at.horizon] for each in every]),
        )
        for expected, origin in zip(found["expected"], at.origins, strict=True)
    ]
    return _Run(rolled=Rolled(told=told, naive=found["naive"]), cpu_seconds=found["cpu_seconds"],
                peak_mb=found["peak_mb"])  # fmt: skip


def _mean(name: str, runs: dict[str, _Run]) -> _Run:
    parts = [runs[part] for part in registry.METHODS[name].parts if part in runs]
    if len(parts) < len(registry.METHODS[name].parts):
        raise Failed("no_history")
    return _Run(rolled=rolling.averaged([part.rolled for part in parts]), peak_mb=max(part.peak_mb for part in parts),
                cpu_seconds=sum(part.cpu_seconds for part in parts))  # fmt: skip


def _score(rolled: Rolled, at: Plan) -> Score:
    """Of the scored origins together; each band is fitted on the origins before it."""
    scored = rolled.told[at.judged :]
    ends = [bands.fit(rolled.told[:place]).around(rolled.told[place].expected)
            for place in range(at.judged, len(rolled.told))]  # fmt: skip
    actual, expected = _joined([each.actual for each in scored]), _joined([each.expected for each in scored])
    naive = float(np.nanmean(rolled.naive[at.judged :])) if np.isfinite(rolled.naive[at.judged :]).any() else np.nan
    return Score(
        wape=wape(actual, expected), mase=mase(actual, expected, naive), day_wape=day_wape(actual, expected),
        cover80=cover80(actual, expected, _joined([low for low, _ in ends]), _joined([high for _, high in ends])),
    )  # fmt: skip


def _joined(rows: Sequence[Floats]) -> Floats:
    return np.concatenate(rows)
