"""The one log: the office's lock, and an event appended under it with a gapless ``seq``."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.models.place import Counter, Office
from app.models.ticket import Event, Step

Row = TypeVar("Row", Counter, Step)
_LOOK = select(Office).where(Office.id == bindparam("office")).execution_options(populate_existing=True)
_LOCK = _LOOK.with_for_update()
_APPEND = insert(Event)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def lock_office(session: Session, office_id: str) -> Office:
    """The office's row, held until the end of the transaction; raises NotFound. Again: the row that is held.

    On SQLite the writing transaction itself is the lock. ``session.info["unguarded"]`` is set only by the
    negative control of the race tests, which must then find violations.
    """
    held: dict[str, Office] = session.info.setdefault("locked", {})
    if office_id in held:
        return held[office_id]
    office = session.scalar(_LOOK if session.info.get("unguarded") else _LOCK, {"office": office_id})
    if office is None:
        raise NotFound(what="office")
    held[office_id] = office
    return office


def lock_counter(session: Session, counter_id: str) -> tuple[Office, Counter]:
    """A counter as it is under its office's lock; raises NotFound."""
    known = session.get(Counter, counter_id)
    if known is None:
        raise NotFound(what="counter")
    office = lock_office(session, known.office_id)
    return office, _as_locked(session, known)


def lock_step(session: Session, step_id: int) -> tuple[Office, Step]:
    """A step as it is under its office's lock; raises NotFound."""
    known = session.get(Step, step_id)
    if known is None:
        raise NotFound(what="step")
    office = lock_office(session, known.office_id)
    return office, _as_locked(session, known)


def _as_locked(session: Session, row: Row) -> Row:
    """The row read again, once: what was read before the lock was held may have been changed by its holder.

    Where the transaction itself is the lock (SQLite, ``session.info["alone"]``), nothing was read before it.
    """
    if session.info.get("alone"):
        return row
    seen: set[int] = session.info.setdefault("seen_locked", set())
    if id(row) not in seen:
        session.refresh(row)
        seen.add(id(row))
    return row


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
    # One flush writes the step and the office; the event stands on both.
    session.flush()
    session.connection().execute(
        _APPEND,
        {
            "office_id": office.id, "seq": office.seq, "at": at, "action": action,
            "ticket_id": step.ticket_id if step else None, "step_id": step.id if step else None,
            "counter_id": counter_id, "before": before, "after": step.state if step else None, "actor": actor,
            "request_key": request_key, "reason": reason, "details": dict(details),
        },
    )  # fmt: skip
    session.info.setdefault("offices", set()).add(office.id)
    return office.seq
