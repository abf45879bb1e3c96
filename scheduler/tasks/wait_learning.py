"""What past waits teach: their length written down, then the formula fitted again."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from app.services import wait_learning
from forecasting import waits


def learn(session: Session, office: str, at: datetime) -> int:
    """Write down the waits of past days and erase the oldest; returns how many were learned."""
    wait_learning.forget(session, office, at=at)
    return wait_learning.learn(session, office, at=at)


def refit(session: Session, office: str, at: datetime) -> Callable[[Session, str, datetime], int]:
    """Fit from a snapshot; the sweep only puts the rows in their place. Nobody called yet: nothing to put."""
    fitted = waits.fit(wait_learning.cases(session, office, at=at), wait_learning.line_days(session, office, at=at))

    def put(session: Session, office: str, at: datetime) -> int:
        return wait_learning.store(session, office, fitted, at=at) if fitted else 0

    return put
