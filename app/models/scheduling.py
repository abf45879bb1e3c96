"""One scheduler at a time, and each period of a job once."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base


class SchedulerLease(Base):
    """Who leads until when; ``fence`` grows with every change of leader and goes into every write's WHERE."""

    __tablename__ = "scheduler_lease"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    fence: Mapped[int]
    expires_at: Mapped[datetime]


class JobRun(Base):
    """A job did its period; the key is unique, so a second scheduler cannot do it again."""

    __tablename__ = "job_run"
    job: Mapped[str] = mapped_column(primary_key=True)
    period: Mapped[str] = mapped_column(primary_key=True)
    fence: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)
    effect: Mapped[int]
