"""Training mode (訓練) of an office: numbers for practice, given at every hour, and said to be so."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.services import events


def switch(session: Session, office_id: str, *, on: bool, actor: str, at: datetime) -> bool:
    """Turn it on or off, once; returns whether that changed anything. Raises NotFound.

    The hours hold again from the next number on; numbers that wait stay and are called or settled at the day's close.
    """
    office = events.lock_office(session, office_id)
    if office.training is on:
        return False
    office.settings = office.settings | {"training": on}
    events.append(session, office, action="training", actor=actor, at=at, details={"on": on})
    return True
