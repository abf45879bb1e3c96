"""The floor for app/domain/alerts.py: what the staff's snapshot does not hold, read beside it.

Work profiles, the profile each counter opens with, how long procedures usually take, and the last act at each
counter today, from the log.
"""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import floor
from app.domain.calendar import business_date, instant
from app.domain.floor import Floor
from app.models.place import Counter, Service, WorkProfile
from app.models.ticket import Event


def of_snapshot(session: Session, seen: Mapping[str, Any], *, at: datetime) -> Floor:
    """The floor of a staff snapshot (services/staff_queue.py) of today."""
    office_id = seen["office"]
    usual = select(Counter.id, Counter.default_profile_id).where(Counter.office_id == office_id)
    profiles = select(WorkProfile.id, WorkProfile.lines).where(WorkProfile.office_id == office_id)
    return floor.of_snapshot(
        seen, usual=dict(session.execute(usual).all()),
        profiles=dict(session.execute(profiles).all()),
        free_since=last_acts(session, office_id, at=at), minutes=_minutes(session, seen),
    )  # fmt: skip


def last_acts(session: Session, office_id: str, *, at: datetime) -> dict[str, datetime]:
    """When something last happened at each counter on the business date of ``at``, by counter id."""
    begun = instant(business_date(at), time())
    rows = session.execute(
        select(Event.counter_id, func.max(Event.at))
        .where(Event.office_id == office_id, Event.at >= begun, Event.counter_id.is_not(None))
        .group_by(Event.counter_id)
    )
    return {counter: last for counter, last in rows if counter is not None}


def _minutes(session: Session, seen: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    found = session.execute(select(Service.id, Service.minutes).where(Service.id.in_(list(seen["services"]))))
    return {
        (service, phase): float(usual)
        for service, minutes in found
        for phase, usual in minutes.items()
        if isinstance(usual, int | float) and not isinstance(usual, bool)
    }
