"""Holds that are over, people who did not come, and what is no longer needed of those who did."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.services import booking_sweeps


def expire(session: Session, office: str, at: datetime) -> int:
    """End holds in time and offer freed slots; returns the holds ended."""
    return booking_sweeps.expire_holds(session, office_id=office, at=at)


def no_shows(session: Session, office: str, at: datetime) -> int:
    """Give up the places of those who did not come; returns how many."""
    return booking_sweeps.mark_no_shows(session, office_id=office, at=at)


def erase(session: Session, office: str, at: datetime) -> int:
    """Erase names and contacts of visits long over; returns of how many bookings."""
    return booking_sweeps.erase(session, office_id=office, at=at)
