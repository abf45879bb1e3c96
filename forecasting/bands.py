"""80 % bands: conformal quantiles of residual / √ŷ, adapted as the cover comes in.

Counts are over-dispersed three to nine times, so a Poisson band is far too narrow. Quantiles are taken among intervals
of the same size (rare, some, many), as small counts are skewed. Adaptive after Gibbs and Candès (2021): after a
stretch that covered too little, the next one aims higher.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.scoring import covered
from forecasting.series import WEEK, Floats, Ints

TARGET = 0.8
_SIZES = (2.0, 10.0)
_LEAST_RESIDUALS = 60
_HALF_LIFE = 6 * WEEK
_STEP, _NARROWEST, _WIDEST = 0.4, 0.6, 0.96
_LEAST_ROOT = 0.3
# Until anything is known: twice what chance alone would give.
USUAL_Z = 1.28 * 1.5


@dataclass(frozen=True)
class Band:
    """``z``: shape (3, 2), lower and upper half-width in roots of what is expected, for few, some and many."""

    z: Floats

    def around(self, expected: Floats) -> tuple[Floats, Floats]:
        """The lower and upper ends, shapes as ``expected``; an interval with nobody expected has no width."""
        size = _size(expected)
        root = np.sqrt(np.maximum(expected, _LEAST_ROOT**2)) * (expected > 0)
        low = np.maximum(expected - self.z[size, 0] * root, 0.0)
        return np.minimum(low, expected), np.maximum(expected + self.z[size, 1] * root, expected)


@dataclass(frozen=True)
class Told:
    """A stretch of days that was told beforehand: what was expected and what came, shapes (days, slots)."""

    expected: Floats
    actual: Floats


def usual() -> Band:
    """The band of a series that was never judged."""
    return Band(np.full((len(_SIZES) + 1, 2), USUAL_Z))


def fit(told: Sequence[Told]) -> Band:
    """The band for the next stretch from those before it, oldest first; ``usual`` where too little is known."""
    aim = TARGET
    for place in range(1, len(told)):
        band = _quantiles(told[:place], aim)
        low, high = band.around(told[place].expected)
        inside = covered(told[place].actual, told[place].expected, low, high)
        if len(inside):
            aim = float(np.clip(aim + _STEP * (TARGET - inside.mean()), _NARROWEST, _WIDEST))
    return _quantiles(told, aim)


def _size(expected: Floats) -> Ints:
    return np.digitize(expected, _SIZES).astype(np.int64)


def _quantiles(told: Sequence[Told], aim: float) -> Band:
    rows = [(each.expected, each.actual, np.isfinite(each.actual) & (each.expected > 0)) for each in told]
    expected = np.concatenate([expected[known] for expected, _, known in rows]) if rows else np.zeros(0)
    actual = np.concatenate([actual[known] for _, actual, known in rows]) if rows else np.zeros(0)
    if len(expected) < _LEAST_RESIDUALS:
        return usual()
    ages = np.cumsum([0, *(len(each.actual) for each in reversed(told))])[:-1][::-1]
    weights = np.concatenate([np.full(int(known.sum()), 0.5 ** (age / _HALF_LIFE))
                              for age, (_, _, known) in zip(ages, rows, strict=True)])  # fmt: skip
    residuals = (actual - expected) / np.sqrt(np.maximum(expected, _LEAST_ROOT**2))
    size = _size(expected)
    found = np.zeros((len(_SIZES) + 1, 2))
    for group in range(len(_SIZES) + 1):
        rows_ = size == group if (size == group).sum() >= _LEAST_RESIDUALS else np.full(len(size), True)
        found[group] = _ends(residuals[rows_], weights[rows_], aim)
    return Band(found)


def _ends(residuals: Floats, weights: Floats, aim: float) -> tuple[float, float]:
    """Half-widths below and above; weighted quantiles, never negative."""
    order = np.argsort(residuals)
    shares = (np.cumsum(weights[order]) - weights[order] / 2) / weights.sum()
    low, high = np.interp([(1 - aim) / 2, (1 + aim) / 2], shares, residuals[order])
    return max(-float(low), 0.0), max(float(high), 0.0)
