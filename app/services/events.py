"""The one log: the office's lock, and an event appended under it with a gapless ``seq``."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app.db import later
from app.db.objects import Look
from app.db.ready import Ready
from app.domain.errors import NotFound
from app.models.place import Counter, Office
from app.models.ticket import Event, Step, Ticket

Row = TypeVar("Row", Counter, Step)
_OFFICE = select(Office).where(Office.id == bindparam("office"))
_LOOK, _LOCK = Look(_OFFICE, anew=True), Look(_OFFICE.with_for_update(), anew=True)
_OFFICE_OF = {model: Ready(select(model.office_id).where(model.id == bindparam("id"))) for model in (Counter, Step)}
# A step comes with its ticket: what is told of one names the other.
_AS_LOCKED = {
    Counter: Look(select(Counter).where(Counter.id == bindparam("id")), anew=True),
    Step: Look(
        select(Step, Ticket).join(Ticket, Ticket.id == Step.ticket_id).where(Step.id == bindparam("id")), anew=True
    ),
}
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def lock_office(session: Session, office_id: str) -> Office:
    """The office's row, held until the end of the transaction; raises NotFound. Again: the row that is held.

    On SQLite the writing transaction itself is the lock. ``session.info["unguarded"]`` is set only by the
    negative control of the race tests, which must then find violations.
    """
    held: dict[str, Office] = session.info.setdefault("locked", {})
    if office_id in held:
        return held[office_id]
    guarded = not session.info.get("unguarded")
    if guarded and "turn" in session.info:
        session.info["turn"](office_id)
    office: Office | None = (_LOCK if guarded else _LOOK).one(session, {"office": office_id})
    if office is None:
        raise NotFound(what="office")
    held[office_id] = office
    return office


def office_of(session: Session, model: type[Counter | Step], row_id: object) -> str:
    """The office of a counter or step, before anything is locked; raises NotFound.

    The column alone: the row itself is read under the lock, since its holder may change it. Neither ever moves to
    another office, so the process remembers (``Database.transaction``); ``_as_locked`` looks whether it is still so.
    """
    fresh, known = _remembered(session)
    office_id = fresh.get((model, row_id)) or known.get((model, row_id))
    if office_id is None:
        found = _OFFICE_OF[model].run(session.connection(), {"id": row_id})
        if not found:
            raise NotFound(what=model.__tablename__)
        office_id = fresh[model, row_id] = str(found[0][0])
    return office_id


def _remembered(session: Session) -> tuple[dict[tuple[type, object], str], ...]:
    """What this transaction has found, and what the process knows from those before."""
    found: tuple[dict[tuple[type, object], str], ...] = session.info.setdefault("office_of", ({}, {}))
    return found


def lock_counter(session: Session, counter_id: str) -> tuple[Office, Counter]:
    """A counter as it is under its office's lock; raises NotFound."""
    office = lock_office(session, office_of(session, Counter, counter_id))
    return office, _as_locked(session, Counter, counter_id, office.id)


def lock_step(session: Session, step_id: int) -> tuple[Office, Step]:
    """A step, its ticket beside it, as it is under its office's lock; raises NotFound."""
    office = lock_office(session, office_of(session, Step, step_id))
    return office, _as_locked(session, Step, step_id, office.id)


def _as_locked(session: Session, model: type[Row], row_id: object, office_id: str) -> Row:
    """The row read under the lock, once: what was read before the lock was held may have been changed since."""
    seen: dict[tuple[type, object], Row] = session.info.setdefault("seen_locked", {})
    if (model, row_id) not in seen:
        found = _AS_LOCKED[model].one(session, {"id": row_id})
        if found is None or found.office_id != office_id:
            # Another database was restored under this process.
            for known in _remembered(session):
                known.pop((model, row_id), None)
            raise NotFound(what=model.__tablename__)
        seen[model, row_id] = found
    return seen[model, row_id]


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
    set_committed_value(office, "seq", office.seq + 1)
    set_committed_value(office, "changed_at", at)
    later.update_later(session, Office, {"id": office.id}, {"seq": office.seq, "changed_at": at})
    later.insert_later(
        session,
        Event,
        {
            "office_id": office.id, "seq": office.seq, "at": at, "action": action,
            "ticket_id": step.ticket_id if step else None, "step_id": step.id if step else None,
            "counter_id": counter_id, "before": before, "after": step.state if step else None, "actor": actor,
            "request_key": request_key, "reason": reason, "details": dict(details),
        },
    )  # fmt: skip
    if step is not None:
        _remembered(session)[0][Step, step.id] = office.id
    session.info.setdefault("offices", set()).add(office.id)
    return office.seq
