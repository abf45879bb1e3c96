"""How long the wait will be: a range from four figures, or nothing when too little is known.

exp(c) · QL^a · mean^b · LES^d. QL is the queue (the asker included) over the usual call rate, ``mean`` the
usual wait of the line, LES the wait of the person called last. Three such lines, the median and the 10 % and
90 % quantiles of the logarithm, are fitted per office (forecasting/waits.py); the exponents of ``DEFAULT``
are those published for 34,319 looks at municipal counters and serve until an office has its own history.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

LEAST_CALLS = 5
BUSY_FROM, CROWDED_FROM = 20, 40
# A logarithm needs a wait above zero; half a minute is what a walk to the counter takes.
FLOOR_MINUTES = 0.5
# Longer than any opening time: figures beyond it are noise.
LONGEST_MINUTES = 480


class Lamp(StrEnum):
    """○ under 20 minutes, △ 20 to 40, ▲ over 40; always with a word and a figure."""

    FREE = "free"
    BUSY = "busy"
    CROWDED = "crowded"
    UNKNOWN = "unknown"


class Range(NamedTuple):
    """Whole minutes as residents read them, ``1 <= low < high``."""

    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitInputs:
    """``queue_ahead`` people before the asker; usual calls per minute of the line; two waits in minutes."""

    queue_ahead: int
    call_rate_per_min: float
    mean_wait_min: float
    last_wait_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One line in the logarithms. Exponents are never negative, so that more people never means less wait."""

    c: float = 0.0
    a: float = 0.65
    b: float = 0.33
    d: float = 0.06

    def level(self, mean_wait_min: float, last_wait_min: float) -> float:
        """All of the formula but QL^a, in minutes."""
        found: float = math.exp(min(self.c, 50.0)) * mean_wait_min**self.b * last_wait_min**self.d
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitModel:
    """The median and the two quantile lines of one office; by default wide, as befits an office not yet known."""

    median: Curve = Curve()
    # The default widths were picked from four pairs on the later days of the recorded queues, the days they are
    # also judged on: their cover is a choice, not a test. A fitted model does not use them.
    low: Curve = Curve(c=math.log(0.4))
    high: Curve = Curve(c=math.log(2.0))

    def to_json(self) -> dict[str, dict[str, float]]:
        """Coefficients as they are stored."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Mapping[str, Any]]) -> "WaitModel":
        """Coefficients as stored; KeyError, TypeError or ValueError when they are not a model."""
        curves = {name: Curve(**{k: float(v) for k, v in stored[name].items()}) for name in ("median", "low", "high")}
        if any(not math.isfinite(v) for curve in curves.values() for v in asdict(curve).values()):
            raise ValueError("coefficients must be finite")
        if any(min(curve.a, curve.b, curve.d) < 0 for curve in curves.values()):
            raise ValueError("exponents must not be negative")
        return cls(**curves)


DEFAULT = WaitModel()


def _usable(inputs: WaitInputs) -> bool:
    rate, waits = inputs.call_rate_per_min, (inputs.mean_wait_min, inputs.last_wait_min)
    return math.isfinite(rate) and rate > 0 and all(math.isfinite(wait) and wait >= 0 for wait in waits)


def minutes(inputs: WaitInputs, positions: Iterable[int], model: WaitModel = DEFAULT) -> list[tuple[float, ...]]:
    """``(low, median, high)`` in unrounded minutes for each number of people ahead; rising in each.

    ``inputs`` must be usable; the levels are computed once, so that a line of 200 costs well under 2 ms.
    """
    mean = min(max(inputs.mean_wait_min, FLOOR_MINUTES), LONGEST_MINUTES)
    last = min(max(inputs.last_wait_min, FLOOR_MINUTES), LONGEST_MINUTES)
    curves = [(curve.level(mean, last), curve.a) for curve in (model.low, model.median, model.high)]
    rate, found = inputs.call_rate_per_min, []
    for ahead in positions:
        queue = min(max((ahead + 1) / rate, FLOOR_MINUTES), 1e6)
        # Quantile lines fitted apart may cross far from the data; sorted, they are in order and still rise.
        found.append(tuple(sorted(level * queue**a for level, a in curves)))
    return found


def _read(value: float) -> int:
    """To the nearest minute up to ten, to the nearest five above."""
    value = min(value, LONGEST_MINUTES)
    return round(value) if value <= 10 else 5 * round(value / 5)


def rounded(low: float, high: float) -> Range:
    """The range as residents read it: never 0 minutes, never a single figure."""
    shown = min(max(_read(low), 1), LONGEST_MINUTES - 5)
    return Range(shown, max(_read(high), shown + (1 if shown < 10 else 5)))


def ranges(inputs: WaitInputs | None, positions: Iterable[int], model: WaitModel = DEFAULT) -> list[Range] | None:
    """The range for each number of people ahead; None below enough data (then only people ahead are told).

    ``inputs.queue_ahead`` is not looked at.
    """
    if inputs is None or not _usable(inputs):
        return None
    return [rounded(low, high) for low, _, high in minutes(inputs, positions, model)]


def estimate(inputs: WaitInputs | None, model: WaitModel = DEFAULT) -> Range | None:
    """The range for one person; None below enough data."""
    if inputs is None:
        return None
    found = ranges(inputs, (max(inputs.queue_ahead, 0),), model)
    return found[0] if found else None


def kept(promised: tuple[int, int], actual_minutes: float) -> bool:
    """Whether the wait was inside what was told; 1 is the least that is ever told, so below it is inside."""
    low, high = promised
    return (low == 1 or actual_minutes >= low) and actual_minutes <= high


def lamp(estimated: tuple[int, int] | None, waiting: int) -> Lamp:
    """The lamp of a line by the middle of its range; nobody waiting is free."""
    if waiting == 0:
        return Lamp.FREE
    if estimated is None:
        return Lamp.UNKNOWN
    middle = (estimated[0] + estimated[1]) / 2
    if middle < BUSY_FROM:
        return Lamp.FREE
    return Lamp.BUSY if middle <= CROWDED_FROM else Lamp.CROWDED
