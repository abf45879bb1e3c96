"""Forecast arrivals: how each line was forecast last, its intervals, and what its services share of it.

The web only reads these rows; they are made in a process of its own (app/commands/forecast.py).
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class ForecastNight(Base):
    """The forecast of an office, claimed once a night: of several schedulers or hands one runs it.

    ``token`` is the runner's; it writes only while the row still carries it. ``error`` is a code, empty when all went
    well.
    """

    __tablename__ = "forecast_night"
    __table_args__ = (CheckConstraint("state IN ('running', 'done', 'failed')", name="state"),)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[str]
    token: Mapped[str]
    attempts: Mapped[int]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    error: Mapped[str]


class ForecastSeries(Base):
    """How one line was forecast last. ``made_at`` is the age of its intervals; a later ``attempted_at`` with an
    ``error`` is a night that failed and left the older ones standing.

    ``model`` is the method chosen, ``scores`` its rivals' rolling MASE by name. ``low_z`` and ``high_z`` span the 80 %
    band in units of the square root of what is expected; ``cover`` is what they held on days not seen before.
    ``held_share``: people that hold back a morning when the rest of a day is told again, beside those of a day; None
    for a line that was never judged.
    """

    __tablename__ = "forecast_series"
    __table_args__ = (Index("ix_forecast_series_office_id", "office_id"),)
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"), primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    attempted_at: Mapped[datetime]
    error: Mapped[str]
    made_at: Mapped[datetime | None]
    model: Mapped[str]
    scores: Mapped[dict[str, Any]]
    history_days: Mapped[int]
    day_wape: Mapped[float | None]
    cover: Mapped[float | None]
    low_z: Mapped[float]
    high_z: Mapped[float]
    cpu_seconds: Mapped[float]
    peak_mb: Mapped[float]
    reforecast_at: Mapped[datetime | None]
    held_share: Mapped[float | None]


class ForecastInterval(Base):
    """What is expected of a line in the 30 minutes from ``start_at``: parties, with an 80 % band.

    ``expected``, ``low`` and ``high`` are of the night before the day and stay, so that the past can be judged; the
    ``now_`` figures are those of the day itself as it goes (empty until the first look). ``bookings``: parties that
    had booked when it was made.
    """

    __tablename__ = "forecast_interval"
    __table_args__ = (
        CheckConstraint("low <= expected AND expected <= high AND low >= 0", name="band"),
        Index("ix_forecast_interval_office_id_business_date", "office_id", "business_date"),
    )
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"), primary_key=True)
    start_at: Mapped[datetime] = mapped_column(primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    business_date: Mapped[date]
    expected: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    bookings: Mapped[int]
    now_expected: Mapped[float | None]
    now_low: Mapped[float | None]
    now_high: Mapped[float | None]


class ServiceRate(Base):
    """What is usual for a service in one hour of the day (Japanese time; -1: the whole day).

    ``share`` of its line's arrivals, ``minutes`` of service (mean) and ``spread`` (standard deviation of the log),
    ``no_show``: share of those called who do not come. Little seen leans on the whole day, the line and the
    catalogue; ``samples`` counts the visits.
    """

    __tablename__ = "service_rate"
    __table_args__ = (CheckConstraint("hour BETWEEN -1 AND 23", name="hour"),)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"), primary_key=True)
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id"), primary_key=True)
    hour: Mapped[int] = mapped_column(primary_key=True)
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"))
    share: Mapped[float]
    minutes: Mapped[float]
    spread: Mapped[float]
    no_show: Mapped[float]
    samples: Mapped[int]
