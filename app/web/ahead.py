"""The forecast of one day for the office's home page: the hours of today, or of the day it opens next.

What past weeks say changes once a day, a forecast when a night is made up for, and a home page is looked at by many:
a process asks once an hour for a day.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.domain.calendar import business_date, clock
from app.models.place import Office
from app.services import congestion
from app.services.congestion import Day
from app.web import security

_KEPT = 64
_known: dict[tuple[str, str, str, date, date, int], Day] = {}


def of_day(session: Session, office: Office, day: date, *, at: datetime) -> Day:
    """The hours of ``day`` as they are told today."""
    key = (security.database().url, office.epoch, office.id, day, business_date(at), clock(at).hour)
    found = _known.get(key)
    if found is None:
        found = congestion.of_days(session, office_id=office.id, category_id=None, since=day, until=day, at=at)[0]
        while len(_known) >= _KEPT:
            _known.pop(next(iter(_known)))
        _known[key] = found
    return found


def quietest(day: Day, *, at: datetime) -> Sequence[int]:
    """The hours still to come that are told to be the emptiest; none where all are alike."""
    now = clock(at).hour if day.day == business_date(at) else -1
    ahead = {hour: level for hour, level in day.hours.items() if hour >= now}
    if len(set(ahead.values())) < 2:
        return []
    least = min(ahead.values())
    return [hour for hour, level in ahead.items() if level == least]
