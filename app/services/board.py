"""The board: a snapshot of committed state, numbers only, never a name.

It is a function of the database at ``office.seq``: ``at`` inside it is the instant of the last event,
so the last pushed board equals a fresh snapshot until something changes.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.db import later
from app.db.ready import Ready
from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.domain.ticket import State
from app.models.place import Category, Counter, Hall, Notice, Office
from app.models.ticket import Event, Step, Ticket
from app.services import waits

CALLS_SHOWN = 8

# Built once, their states in their text: a plan kept for whatever values come has the index of those who wait.
_WAITING = Ready(
    select(Step.category_id, Ticket.number)
    .join(Ticket, Ticket.id == Step.ticket_id)
    .where(Step.category_id.in_(bindparam("categories", expanding=True)))
    .where(Step.business_date == bindparam("day"), Step.state == State.WAITING)
    .order_by(Step.due_at, Step.arrived_at, Step.serial, Step.id),
    "categories",
)


def read(session: Session, *, office_id: str, hall_id: str | None = None, at: datetime) -> dict[str, Any]:
    """The board of an office or of one hall (fields: contract.md, "Board"). Raises NotFound."""
    office = session.get(Office, office_id)
    if office is None:
        raise NotFound(what="office")
    if hall_id is not None:
        hall = session.get(Hall, hall_id)
        if hall is None or hall.office_id != office_id:
            raise NotFound(what="hall")
    day = business_date(at)
    categories = _categories(session, office_id, hall_id)
    waiting = _waiting(session, day, [category.id for category in categories])
    counters = list(session.scalars(select(Counter).where(Counter.office_id == office_id).order_by(Counter.position)))
    shown, numbers = _lines(session, categories, waiting, counters, day=day, at=office.changed_at or at)
    return {
        "office": office_id,
        "hall": hall_id,
        "epoch": office.epoch,
        "seq": office.seq,
        "at": (office.changed_at or at).isoformat(timespec="seconds"),
        "business_date": day.isoformat(),
        "calls": _calls(session, office_id, hall_id, day),
        "categories": shown,
        "waiting": numbers,
        "notices": _notices(session, office_id, hall_id, at=office.changed_at or at),
    }


def lean(found: dict[str, Any]) -> dict[str, Any]:
    """The board as it is sent to every screen: names and news in the two languages of the glass (at most 6 kB).

    A page in another language has its words from the server already and finds its line by ``id``.
    """
    lines = [line | {"name": _short(line["name"])} for line in found["categories"]]
    notices = [notice | {"text": _short(notice["text"])} for notice in found["notices"]]
    return found | {"categories": lines, "notices": notices}


def _short(words: dict[str, Any]) -> dict[str, Any]:
    return {language: words[language] for language in ("ja", "en") if language in words}


def _categories(session: Session, office_id: str, hall_id: str | None) -> list[Category]:
    query = select(Category).where(Category.office_id == office_id).order_by(Category.position)
    if hall_id is not None:
        query = query.where(Category.hall_id == hall_id)
    return list(session.scalars(query))


def _waiting(session: Session, day: date, categories: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for category, number in _WAITING.rows(later.all_seen(session), {"categories": categories, "day": day}):
        found[category].append(number)
    return found


def _lines(
    session: Session,
    categories: Sequence[Category],
    waiting: dict[str, list[str]],
    counters: Sequence[Counter],
    *,
    day: date,
    at: datetime,
) -> tuple[list[dict[str, Any]], dict[str, list[list[Any]]]]:
    shown: list[dict[str, Any]] = []
    numbers: dict[str, list[list[Any]]] = {}
    office_id = categories[0].office_id if categories else ""
    known = waits.of_lines(session, office_id, [category.id for category in categories], day=day, at=at)
    staffed = waits.staffed(counter.lines for counter in counters if counter.state == "open")
    for category in categories:
        line = waiting.get(category.id, [])
        ranges = waits.ranges(known[category.id], range(len(line) + 1)) if category.id in staffed else None
        next_range = ranges[len(line)] if ranges else None
        if line:
            numbers[category.prefix] = [
                [number, *(ranges[ahead] if ranges else (None, None))] for ahead, number in enumerate(line)
            ]
        shown.append(
            {
                "id": category.id,
                "prefix": category.prefix,
                "name": category.public_name or category.name,
                "waiting": len(line),
                "estimate": {"low": next_range[0], "high": next_range[1]} if next_range else None,
                "open_counters": sum(c.state == "open" and _serves(c, category.id) for c in counters),
                "lamp": waits.lamp(next_range, len(line), staffed=category.id in staffed),
            }
        )
    return shown, numbers


def _serves(counter: Counter, category_id: str) -> bool:
    return any(line["category"] == category_id and line.get("after_minutes") is None for line in counter.lines)


def _calls(session: Session, office_id: str, hall_id: str | None, day: date) -> list[dict[str, Any]]:
    """The last calls, newest first; a call taken back is not shown, a recalled one has its newest seq."""
    newest = (
        select(func.max(Event.seq).label("seq"))
        .where(Event.office_id == office_id, Event.action.in_(("call", "recall")), Event.step_id == Step.id)
        .correlate(Step)
        .scalar_subquery()
    )
    recent = (
        select(Step.id, Step.called_at, Step.phase, Step.ticket_id, Step.counter_id, newest.label("seq"))
        .where(Step.office_id == office_id, Step.business_date == day, Step.called_at.is_not(None))
        .where(Step.state.in_((State.CALLED, State.SERVING, State.DONE)))
        .order_by(Step.called_at.desc())
        .limit(CALLS_SHOWN * 3)
        .subquery()
    )
    query = (
        select(recent.c.seq, Ticket.number, Counter.number.label("counter"), recent.c.phase, recent.c.called_at)
        .join(Ticket, Ticket.id == recent.c.ticket_id)
        .join(Counter, Counter.id == recent.c.counter_id)
        .order_by(recent.c.seq.desc())
        .limit(CALLS_SHOWN)
    )
    if hall_id is not None:
        query = query.where(Counter.hall_id == hall_id)
    return [
        {
            "seq": r.seq,
            "number": r.number,
            "counter": r.counter,
            "phase": r.phase,
            "called_at": r.called_at.isoformat(timespec="seconds"),
        }
        for r in session.execute(query)
    ]


def _notices(session: Session, office_id: str, hall_id: str | None, *, at: datetime) -> list[dict[str, Any]]:
    query = (
        select(Notice)
        .where(Notice.office_id == office_id)
        .where(or_(Notice.starts_at.is_(None), Notice.starts_at <= at))
        .where(or_(Notice.ends_at.is_(None), Notice.ends_at > at))
        .order_by(Notice.position, Notice.id)
    )
    if hall_id is not None:
        query = query.where(or_(Notice.hall_id.is_(None), Notice.hall_id == hall_id))
    return [{"level": notice.level, "text": notice.words} for notice in session.scalars(query)]
