"""Settle what earlier business dates left open, in every office."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.models.place import Office
from app.services import day


def sweep(session: Session, at: datetime) -> int:
    """Close every business date before today's; returns the steps settled."""
    yesterday = business_date(at) - timedelta(days=1)
    offices = session.scalars(select(Office.id).order_by(Office.id)).all()
    return sum(day.close(session, office, yesterday, at=at) for office in offices)
