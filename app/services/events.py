"""The one log: the office's lock, and an event appended under it with a gapless ``seq``."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.models.place import Office
from app.models.ticket import Event, Step

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def lock_office(session: Session, office_id: str) -> Office:
    """The office's row, held until the end of the transaction; raises NotFound.

    On SQLite the writing transaction itself is the lock. ``session.info["unguarded"]`` is set only by the
    negative control of the race tests, which must then find violations.
    """
    query = select(Office).where(Office.id == office_id).execution_options(populate_existing=True)
    if not session.info.get("unguarded"):
        query = query.with_for_update()
    office = session.scalar(query)
    if office is None:
        raise NotFound(what="office")
    return office


def append(
    session: Session,
    office: Office,
    *,
    action: str,
    actor: str,
    at: datetime,
    step: Step | None = None,
    before: str | None = None,
    counter_id: str | None = None,
    request_key: str | None = None,
    reason: str | None = None,
    details: Mapping[str, Any] = _NOTHING,
) -> int:
    """Draw the next ``seq`` of a locked office and write its event; returns the seq.

    Drawn under the lock because an auto-increment column read by ``id > last`` loses rows that commit
    out of order (design.md).
    """
    office.seq += 1
    office.changed_at = at
    session.execute(
        insert(Event).values(
            office_id=office.id,
            seq=office.seq,
            at=at,
            action=action,
            ticket_id=step.ticket_id if step else None,
            step_id=step.id if step else None,
            counter_id=counter_id,
            before=before,
            after=step.state if step else None,
            actor=actor,
            request_key=request_key,
            reason=reason,
            details=dict(details),
        )
    )
    session.info.setdefault("offices", set()).add(office.id)
    return office.seq
