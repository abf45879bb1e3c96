"""Settle what earlier business dates left open in an office."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.services import day, events


def sweep(session: Session, office: str, at: datetime) -> int:
    """Close every business date before today's and begin today's; returns the steps settled."""
    settled = day.close(session, office, business_date(at) - timedelta(days=1), at=at)
    # The new date changes every board, also of an empty hall: clients that keep the newest seq must see one.
    events.append(session, events.lock_office(session, office), action="day", actor="system", at=at)
    return settled
