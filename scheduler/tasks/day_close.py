"""Settle what earlier business dates left open in an office."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.services import day


def sweep(session: Session, office: str, at: datetime) -> int:
    """Close every business date before today's; returns the steps settled."""
    return day.close(session, office, business_date(at) - timedelta(days=1), at=at)
