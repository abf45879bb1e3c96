"""The measured error of what residents were told, for the lead's screen and for residents themselves.

It changes once a night and reads four weeks of waits, so a process asks once in ten minutes.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from app.services import wait_learning

KEPT = timedelta(minutes=10)


def error(session: Session, office_id: str, *, at: datetime) -> Mapping[str, Any]:
    """The office's figures of services/wait_learning.py ``report``, at most ten minutes old."""
    kept: dict[str, tuple[datetime, Mapping[str, Any]]] = current_app.extensions.setdefault("wait_errors", {})
    known = kept.get(office_id)
    if known is None or not timedelta() <= at - known[0] < KEPT:
        known = kept[office_id] = (at, wait_learning.report(session, office_id, at=at))
    return known[1]
