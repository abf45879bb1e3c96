"""The staff's view of an office: who waits and since when, who is at which counter, what each line is like.

Like the board it is a function of the database at ``office.seq``; unlike the board it names steps, so that
staff can act on them. It carries no name and no token of a ticket; staff names stand beside their counters.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from app.db import later
from app.db.base import UtcDateTime
from app.db.ready import Ready
from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.domain.ticket import AT_COUNTER, FINAL, State
from app.models.place import Category, Counter, Office, Service
from app.models.ticket import Step, Ticket
from app.services import board
from app.services.queue import REOPEN_WITHIN

_COLUMNS = (
    Step.id, Step.ticket_id, Ticket.number, Step.category_id, Step.service_id, Step.position, Step.phase, Step.state,
    Step.priority, Step.entry, Step.slot_at, Step.arrived_at, Step.waiting_since, Step.due_at, Step.eligible_at,
    Step.called_at, Step.started_at, Step.ended_at, Step.changed_at, Step.counter_id, Step.recalls, Ticket.language,
    Ticket.party, Ticket.channel,
)  # fmt: skip

# Built once, its states in its text: a plan kept for whatever values come has the index of the day's states.
_STEPS = Ready(
    select(*_COLUMNS)
    .join(Ticket, Ticket.id == Step.ticket_id)
    .where(Step.office_id == bindparam("office"), Step.business_date == bindparam("day"))
    .where(or_(Step.state.not_in(sorted(FINAL)), Step.ended_at > bindparam("ended_after", type_=UtcDateTime())))
    .order_by(Step.state != State.WAITING, Step.due_at, Step.arrived_at, Step.serial, Step.id)
)
_NAMES = [column.key for column in _COLUMNS]
_Row = dict[str, Any]


def read(session: Session, *, office_id: str, at: datetime) -> dict[str, Any]:
    """``{office, epoch, seq, at, business_date, counters, categories, steps, services}`` of today; JSON values only.

    * ``counters``: ``{id, number, name, hall, section, state, since, back_at, profile, lines, capacity, staff,
      staff_id, help_since, steps}``; ``lines`` as in a work profile, ``steps`` the ids of the parties at it,
      ``help_since`` since when the clerk asks for help, or null.
    * ``categories``: the board's fields, ``{hall, section, target_minutes, longest_since}`` besides;
      ``longest_since`` is the instant since which the longest waiting party of the line has waited.
    * ``steps``: all that is not final, waiting ones first in the order they are called; then what ended in the
      last minutes and may be reopened. ``changed_at``: the last move, so since when a party is parked or missed.
      Instants are ISO 8601 with offset, names are by language.
    * ``services``: names by language of the services that occur, by id.

    Raises NotFound.
    """
    office = session.get(Office, office_id)
    if office is None:
        raise NotFound(what="office")
    seen = board.read(session, office_id=office_id, at=at)
    steps = _steps(session, office_id, business_date(at), at=at)
    return {
        "office": office_id, "epoch": seen["epoch"], "seq": seen["seq"], "at": seen["at"],
        "business_date": seen["business_date"], "counters": _counters(session, office_id, steps),
        "categories": _categories(session, seen["categories"], steps), "steps": [_step(row) for row in steps],
        "services": _services(session, steps),
    }  # fmt: skip


def _steps(session: Session, office_id: str, day: date, *, at: datetime) -> list[_Row]:
    asked = {"office": office_id, "day": day, "ended_after": at - REOPEN_WITHIN}
    return [dict(zip(_NAMES, row, strict=True)) for row in _STEPS.rows(later.all_seen(session), asked)]


def _iso(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _step(row: _Row) -> dict[str, Any]:
    names = {"ticket_id": "ticket", "category_id": "category", "service_id": "service", "counter_id": "counter"}
    return {names.get(name, name): _iso(value) for name, value in row.items()}


def _counters(session: Session, office_id: str, steps: Sequence[_Row]) -> list[dict[str, Any]]:
    held: dict[str, list[int]] = defaultdict(list)
    for row in steps:
        if row["counter_id"] is not None and State(row["state"]) in AT_COUNTER:
            held[row["counter_id"]].append(row["id"])
    found = session.scalars(select(Counter).where(Counter.office_id == office_id).order_by(Counter.position))
    return [
        {
            "id": c.id, "number": c.number, "name": c.name, "hall": c.hall_id, "section": c.section,
            "state": c.state, "since": _iso(c.since), "back_at": _iso(c.back_at), "profile": c.profile_id,
            "lines": list(c.lines), "capacity": c.capacity, "staff": c.staff_name, "staff_id": c.staff_id,
            "help_since": _iso(c.help_since), "steps": held[c.id],
        }
        for c in found
    ]  # fmt: skip


def _categories(session: Session, shown: Sequence[dict[str, Any]], steps: Sequence[_Row]) -> list[dict[str, Any]]:
    longest: dict[str, datetime] = {}
    for row in steps:
        if row["state"] == State.WAITING and row["waiting_since"] is not None:
            longest[row["category_id"]] = min(
                row["waiting_since"], longest.get(row["category_id"], row["waiting_since"])
            )
    places = {c.id: c for c in session.scalars(select(Category).where(Category.id.in_([s["id"] for s in shown])))}
    return [
        line
        | {
            "name": places[line["id"]].name, "hall": places[line["id"]].hall_id,
            "section": places[line["id"]].section, "target_minutes": places[line["id"]].target_minutes,
            "longest_since": _iso(longest.get(line["id"])),
        }
        for line in shown
    ]  # fmt: skip


def _services(session: Session, steps: Sequence[_Row]) -> dict[str, dict[str, Any]]:
    wanted = {row["service_id"] for row in steps}
    return {s.id: s.name for s in session.scalars(select(Service).where(Service.id.in_(wanted)))}
