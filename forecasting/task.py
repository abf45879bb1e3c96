"""What goes into the worker process and comes out of it: plain numbers, so that JSON carries them."""

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np

from forecasting.series import Ahead, Series

Rows = list[list[float | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One line to forecast. ``counts``: a row a day from ``first``, None where unknown; ``open``: the days ahead.

    ``booked``: how many of ``counts`` had booked; ``bookings``: parties booked for the days ahead (rows may be
    missing at the end); ``leads``: days between making and day of past bookings. ``office``: parties of all
    lines of the office, rows as ``counts`` (cold_start.office_days), or empty. ``methods`` empty: all.
    """

    first: date
    interval_min: int
    counts: Rows
    open: list[list[bool]]
    holidays: list[date] = field(default_factory=list)
    booked: list[list[int]] = field(default_factory=list)
    bookings: list[list[int]] = field(default_factory=list)
    show_rate: float = 1.0
    leads: list[int] = field(default_factory=list)
    office: list[list[float]] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "first": self.first.isoformat(), "holidays": [day.isoformat() for day in self.holidays],
        }  # fmt: skip

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Task":
        dates = {"first": date.fromisoformat(given["first"]),
                 "holidays": [date.fromisoformat(day) for day in given["holidays"]]}  # fmt: skip
        return cls(**(given | dates))

    def series(self) -> Series:
        return Series(self.first, self.interval_min, _floats(self.counts, self.slots), frozenset(self.holidays))

    def ahead(self) -> Ahead:
        return Ahead(np.array(self.open, dtype=np.bool_).reshape(-1, self.slots))

    @property
    def slots(self) -> int:
        return 24 * 60 // self.interval_min


def _floats(rows: Rows, slots: int) -> "np.ndarray[Any, np.dtype[np.float64]]":
    found = np.array([[np.nan if n is None else n for n in row] for row in rows], dtype=np.float64)
    return found.reshape(-1, slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A line's forecast: rows as ``Task.open``; ``scores``: rolling MASE by method; the rest as ForecastSeries."""

    model: str
    expected: list[list[float]]
    low: list[list[float]]
    high: list[list[float]]
    low_z: float
    high_z: float
    history_days: int
    scores: dict[str, float] = field(default_factory=dict)
    day_wape: float | None = None
    cover: float | None = None
    held_share: float | None = None
    cpu_seconds: float = 0.0
    peak_mb: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
