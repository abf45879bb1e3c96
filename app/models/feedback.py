"""Feedback of one tap: how a visit was, kept apart from the number it belongs to."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.domain.feedback import Topic, Verdict

_VERDICTS = ", ".join(f"'{each}'" for each in Verdict)
_TOPICS = ", ".join(f"'{each}'" for each in Topic)


class Feedback(Base):
    """One answer a visit. ``key`` (domain/refs.py) comes of the link's token, which no table holds: whoever has the
    link may answer anew, and nobody who reads the tables learns whose answer it is.

    Neither an instant nor a counter stands here; either would lead back to the party.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint(f"verdict IN ({_VERDICTS})", name="verdict"),
        CheckConstraint(f"topic IN ({_TOPICS})", name="topic"),
        Index("ix_feedback_office_id_business_date", "office_id", "business_date"),
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    office_id: Mapped[str] = mapped_column(ForeignKey("office.id"))
    business_date: Mapped[date]
    category_id: Mapped[str] = mapped_column(ForeignKey("category.id"))
    service_id: Mapped[str] = mapped_column(ForeignKey("service.id"))
    verdict: Mapped[str]
    topic: Mapped[str | None]
