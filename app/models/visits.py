"""Past visits: every number of the days before today, our own and those of the machine that stood here before us.

One table feeds forecasts, service times, no-show rates and reports, so that a year that was imported and a year of
our own are the same thing to whoever reads them.
"""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, BigId, Pk


class PastVisit(Base):
    """One party that came for one service on a past business date.

    Exactly one of ``step_id`` (our own) and ``fingerprint`` (imported: a hash of the row's facts and of how many rows
    like it came before it, so that the same file read twice is stored once). ``started_at`` is known only of our own;
    ``no_show``: called, and nobody came. ``counter`` is a number, empty where nobody was called or it is not known.
    """

    __tablename__ = "past_visit"
    __table_args__ = (
        UniqueConstraint("step_id"),
        UniqueConstraint("office_id", "fingerprint"),
        CheckConstraint("(step_id IS NULL) <> (fingerprint IS NULL)", name="source"),
        CheckConstraint("called_at IS NULL OR called_at >= issued_at", name="called"),
        CheckConstraint("finished_at IS NULL OR finished_at >= called_at", name="finished"),
        Index("ix_past_visit_office_id_business_date", "office_id", "business_date"),
        Index("ix_past_visit_category_id_issued_at", "category_id", "issued_at"),
    )
    id: Mapped[Pk]
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    business_date: Mapped[date]
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"))
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id"))
    issued_at: Mapped[datetime]
    called_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    counter: Mapped[str]
    booked: Mapped[bool]
    no_show: Mapped[bool]
    step_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("step.id"))
    fingerprint: Mapped[str | None]
