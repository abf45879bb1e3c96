"""What is known of past waits: cases to learn from, the usual figures of a line, and the error of what was told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.domain.wait import Range, WaitModel, kept

# A young line is believed in part: it is given this much of its office's usual figures.
PRIOR_BUSY_MINUTES = 30.0
PRIOR_WAITS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One wait that ended in a call: what was known when it began, and the minutes it took."""

    line: str
    day: date
    queue_ahead: int
    last_wait_min: float | None
    actual_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDay:
    """One line on one business date: its calls, the minutes in which anybody waited, its waits."""

    line: str
    day: date
    calls: int
    busy_min: float
    waits: int
    wait_sum_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """The usual calls per minute while people wait, and the usual wait in minutes."""

    call_rate_per_min: float
    mean_wait_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Error of ranges over ``n`` waits: minutes off the median, share inside; with ten or more ahead, too.

    ``cover`` is of the formula's 80 % range, ``shown_cover`` of the rounded range that people read;
    ``longer`` is the share that waited longer than the rounded range said. None: no such waits.
    """

    n: int
    mae: float | None
    cover: float | None
    cover_ten: float | None
    shown_cover: float | None
    shown_cover_ten: float | None
    longer: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted office: its model, the usual figures of its lines, and errors on days the fit had not seen."""

    model: WaitModel
    usual: Mapping[str, Usual]
    samples: int
    score: Score
    by_line: Mapping[str, Score]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told at the start of one wait and what came of it, in minutes."""

    queue_ahead: int
    low: float
    median: float
    high: float
    shown: Range
    actual_min: float


def _share(hits: Iterable[bool]) -> float | None:
    found = list(hits)
    return sum(found) / len(found) if found else None


def score(told: Sequence[Told]) -> Score:
    """The error of what was told."""
    ten = [each for each in told if each.queue_ahead >= 10]
    return Score(
        n=len(told),
        mae=sum(abs(t.actual_min - t.median) for t in told) / len(told) if told else None,
        cover=_share(t.low <= t.actual_min <= t.high for t in told),
        cover_ten=_share(t.low <= t.actual_min <= t.high for t in ten),
        shown_cover=_share(kept(t.shown, t.actual_min) for t in told),
        shown_cover_ten=_share(kept(t.shown, t.actual_min) for t in ten),
        longer=_share(t.actual_min > t.shown.high for t in told),
    )


def busy_minutes(waits: Sequence[tuple[float, float]]) -> float:
    """Length of the union of waits ``(begin, end)`` in minutes; each counts at least one minute.

    Where nobody waits for long, the minute keeps an idle line from looking infinitely fast.
    """
    total, until = 0.0, float("-inf")
    for begin, end in sorted((begin, max(end, begin + 1.0)) for begin, end in waits):
        total += max(end - max(begin, until), 0.0)
        until = max(until, end)
    return total


def usual_figures(days: Sequence[LineDay]) -> tuple[Usual | None, dict[str, Usual]]:
    """``(office, by line)``; the office is None when nobody was ever called."""
    calls, busy = sum(d.calls for d in days), sum(d.busy_min for d in days)
    waits, waited = sum(d.waits for d in days), sum(d.wait_sum_min for d in days)
    if not calls or not waits or busy <= 0:
        return None, {}
    rate, mean = calls / busy, waited / waits
    sums: dict[str, list[float]] = {}
    for d in days:
        found = sums.setdefault(
            d.line, [rate * PRIOR_BUSY_MINUTES, PRIOR_BUSY_MINUTES, PRIOR_WAITS * mean, PRIOR_WAITS]
        )
        for at, figure in enumerate((d.calls, d.busy_min, d.wait_sum_min, d.waits)):
            found[at] += figure
    by_line = {line: Usual(call_rate_per_min=c / b, mean_wait_min=w / n) for line, (c, b, w, n) in sums.items()}
    return Usual(call_rate_per_min=rate, mean_wait_min=mean), by_line
