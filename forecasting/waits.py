"""The wait formula fitted: three log-quantile regressions over past waits. Numbers in, coefficients out.

min Σ ρ_q(log wait − c − a·log QL − b·log mean − d·log LES) with a, b, d ≥ 0, as a linear programme in its
dual form (one bounded variable per wait, four rows), solved by HiGHS in a fraction of a second.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from app.domain.wait import DEFAULT, FLOOR_MINUTES, Curve, Range, WaitInputs, WaitModel, minutes, rounded
from app.domain.wait_history import Case, Fit, LineDay, Score, Told, Usual, score, usual_figures

LEAST_CASES = 200
MOST_CASES = 6000
HELD_BACK = 0.3
# A wait is measured from the press of a button to a chime: under a minute it is no wait.
_SHORTEST = 1.0
_QUANTILES = {"low": 0.1, "median": 0.5, "high": 0.9}

Floats = NDArray[np.float64]


def quantile_curve(features: Floats, targets: Floats, quantile: float) -> Curve:
    """The ``quantile`` line of ``targets`` (log minutes, shape n) on ``features`` (logs, shape n × 3).

    Raises ArithmeticError when the programme has no solution (features that are not finite).
    """
    if not (np.isfinite(features).all() and np.isfinite(targets).all()):
        raise ArithmeticError("figures must be finite")
    answer: Any = linprog(
        -targets, A_eq=np.ones((1, len(targets))), b_eq=[0.0], A_ub=features.T, b_ub=np.zeros(features.shape[1]),
        bounds=(quantile - 1, quantile), method="highs",
    )  # fmt: skip
    if answer.status != 0:
        raise ArithmeticError(str(answer.message))
    slopes = np.maximum(-answer.ineqlin.marginals, 0.0)
    return Curve(c=float(-answer.eqlin.marginals[0]), a=float(slopes[0]), b=float(slopes[1]), d=float(slopes[2]))


def _usual_of(case: Case, usual: Mapping[str, Usual], office: Usual) -> Usual:
    return usual.get(case.line, office)


def _features(cases: Sequence[Case], usual: Mapping[str, Usual], office: Usual) -> Floats:
    rows = []
    for case in cases:
        figures = _usual_of(case, usual, office)
        last = figures.mean_wait_min if case.last_wait_min is None else case.last_wait_min
        rows.append(((case.queue_ahead + 1) / figures.call_rate_per_min, figures.mean_wait_min, last))
    return np.log(np.maximum(np.array(rows, dtype=np.float64), FLOOR_MINUTES))


def _model(cases: Sequence[Case], usual: Mapping[str, Usual], office: Usual) -> WaitModel:
    """The three curves; a long history is thinned evenly, which keeps every hour and line in it."""
    thinned = cases[:: math.ceil(len(cases) / MOST_CASES)]
    features = _features(thinned, usual, office)
    targets = np.log(np.maximum([case.actual_min for case in thinned], _SHORTEST))
    return WaitModel(**{name: quantile_curve(features, targets, q) for name, q in _QUANTILES.items()})


def told(cases: Sequence[Case], model: WaitModel, usual: Mapping[str, Usual], office: Usual) -> list[tuple[Case, Told]]:
    """What the model would have told each case."""
    found = []
    for case in cases:
        figures = _usual_of(case, usual, office)
        inputs = WaitInputs(
            queue_ahead=case.queue_ahead, call_rate_per_min=figures.call_rate_per_min,
            mean_wait_min=figures.mean_wait_min,
            last_wait_min=figures.mean_wait_min if case.last_wait_min is None else case.last_wait_min,
        )  # fmt: skip
        low, median, high = minutes(inputs, (case.queue_ahead,), model)[0]
        shown: Range = rounded(low, high)
        found.append((case, Told(queue_ahead=case.queue_ahead, low=low, median=median, high=high, shown=shown,
                                 actual_min=case.actual_min)))  # fmt: skip
    return found


def split(cases: Sequence[Case], held_back: float = HELD_BACK) -> tuple[list[Case], list[Case]]:
    """Earlier days and later days; the later are about ``held_back`` of all days, at least one of two."""
    days = sorted({case.day for case in cases})
    first_later = days[len(days) - max(1, round(held_back * len(days)))] if len(days) > 1 else None
    if first_later is None:
        return list(cases), []
    return [c for c in cases if c.day < first_later], [c for c in cases if c.day >= first_later]


def rehearse(cases: Sequence[Case], days: Sequence[LineDay], held_back: float = HELD_BACK) -> list[tuple[Case, Told]]:
    """Fit on the earlier days, tell the later ones; the default model where the earlier days are too few."""
    earlier, later = split(cases, held_back)
    if not later:
        return []
    first_later = min(case.day for case in later)
    office, usual = usual_figures([d for d in days if d.day < first_later])
    if office is None:
        return []
    model = _model(earlier, usual, office) if len(earlier) >= LEAST_CASES else DEFAULT
    return told(later, model, usual, office)


def fit(cases: Sequence[Case], days: Sequence[LineDay]) -> Fit | None:
    """Model and usual figures from all days, errors from the later days told by the earlier ones.

    The default model with the office's usual figures below ``LEAST_CASES``; None when nobody was ever called.
    """
    office, usual = usual_figures(days)
    if office is None:
        return None
    rehearsed = rehearse(cases, days)
    by_line: dict[str, list[Told]] = {}
    for case, each in rehearsed:
        by_line.setdefault(case.line, []).append(each)
    scores: dict[str, Score] = {line: score(each) for line, each in by_line.items()}
    model = _model(cases, usual, office) if len(cases) >= LEAST_CASES else DEFAULT
    return Fit(
        model=model, usual=usual, samples=len(cases), score=score([each for _, each in rehearsed]), by_line=scores
    )
