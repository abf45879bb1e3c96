"""What was learned from past waits, and what was told to whom: the model of an office, the promise of a step."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, BigId, Pk

_OF_OFFICE = text("category_id IS NULL")


class WaitModelRow(Base):
    """The wait formula as last fitted: one row for the office (``category_id`` empty) and one for each line.

    ``coefficients``: domain/wait.py, WaitModel. The usual figures are calls per minute and minutes; a line
    never called has none. ``mae`` in minutes and ``cover`` (0 to 1, of the range as people read it) come from
    later days told by earlier ones.
    """

    __tablename__ = "wait_model"
    __table_args__ = (
        UniqueConstraint("category_id"),
        Index("uq_wait_model_office", "office_id", unique=True, sqlite_where=_OF_OFFICE, postgresql_where=_OF_OFFICE),
        Index("ix_wait_model_office_id", "office_id"),
    )
    id: Mapped[Pk]
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    category_id: Mapped[str | None] = mapped_column(ForeignKey("category.id"))
    coefficients: Mapped[dict[str, Any]]
    call_rate_per_min: Mapped[float | None]
    mean_wait_min: Mapped[float | None]
    fitted_at: Mapped[datetime]
    sample_size: Mapped[int]
    mae: Mapped[float | None]
    cover: Mapped[float | None]


class WaitSample(Base):
    """One walk-in's wait: what was known when it began, what was told, and the minutes until the first call.

    Inputs and promise are empty where too little was known to tell anything; ``actual_minutes`` is empty
    until the day is learned, and stays so for a step that was never called.
    """

    __tablename__ = "wait_sample"
    __table_args__ = (
        CheckConstraint("promised_low IS NULL OR promised_low < promised_high", name="promise"),
        CheckConstraint("actual_minutes IS NULL OR actual_minutes >= 0", name="actual"),
        Index("ix_wait_sample_office_date", "office_id", "business_date"),
    )
    step_id: Mapped[int] = mapped_column(BigId, ForeignKey("step.id"), primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"))
    business_date: Mapped[date]
    issued_at: Mapped[datetime]
    queue_ahead: Mapped[int]
    call_rate_per_min: Mapped[float | None]
    mean_wait_min: Mapped[float | None]
    last_wait_min: Mapped[float | None]
    promised_low: Mapped[int | None]
    promised_median: Mapped[float | None]
    promised_high: Mapped[int | None]
    actual_minutes: Mapped[float | None]
