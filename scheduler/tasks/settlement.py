"""Close the money of earlier business dates."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.services import settlements


def sweep(session: Session, office: str, at: datetime) -> int:
    """Count and close every date before today's; returns how many."""
    return settlements.close(session, office, business_date(at), at=at)
