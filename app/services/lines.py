"""Lines of people: the heads a counter may call, and the place a step takes when it begins to wait."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import BindParameter, Integer, Select, bindparam, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.db import later
from app.db.base import UtcDateTime
from app.db.objects import Look
from app.db.ready import Ready
from app.domain.calendar import business_date
from app.domain.calling import Arrival, Entry, Head, Line, Policy, due_at
from app.domain.errors import NotFound
from app.domain.ticket import AT_COUNTER, State
from app.models.place import Category, Counter
from app.models.ticket import NumberLine, Step, Ticket


def profile(counter: Counter) -> list[Line]:
    """The lines an open counter serves, primary ones first as the profile says."""
    return [Line(category_id=line["category"], after_minutes=line.get("after_minutes")) for line in counter.lines]


def _first_of() -> Select[Step, Ticket]:
    """The first callable step of a line: by due, arrival, number; not while its party is at a counter.

    The party is asked for by its key, one row of the line at a time. As NOT EXISTS PostgreSQL makes a join of it
    and, of a morning it has no statistics of, reads all that stood at a counter today for each who waits.
    """
    elsewhere = aliased(Step)
    at_a_counter = (
        select(func.count())
        .where(elsewhere.ticket_id == Step.ticket_id, elsewhere.state.in_(sorted(AT_COUNTER)))
        .scalar_subquery()
    )
    return (
        select(Step, Ticket)
        .join(Ticket, Ticket.id == Step.ticket_id)
        .where(Step.category_id == bindparam("category"), Step.business_date == bindparam("day"))
        .where(Step.state == "waiting")
        .where(at_a_counter == 0)
        .order_by(Step.due_at, Step.arrived_at, Step.serial, Step.id)
        .limit(1)
    )


# Built once: every call asks them for each line of its counter.
_FIRST = Look(_first_of())
_FIRST_ELIGIBLE = Look(_first_of().where(Step.eligible_at <= bindparam("at", type_=UtcDateTime())))


def _first(session: Session, category_id: str, day: date, at: datetime | None) -> Step | None:
    asked = {"category": category_id, "day": day, "at": at}
    found: Step | None = (_FIRST if at is None else _FIRST_ELIGIBLE).one(session, asked)
    return found


def _sure(instant: datetime | None) -> datetime:
    """CHECK "due": a step that waits has a place, with all its instants."""
    assert instant is not None  # noqa: S101 - kept by the database
    return instant


def _head(step: Step) -> Head:
    return Head(
        step_id=step.id, category_id=step.category_id, due_at=_sure(step.due_at), eligible_at=_sure(step.eligible_at),
        arrived_at=_sure(step.arrived_at), serial=step.serial, waiting_since=_sure(step.waiting_since),
        entry=Entry(step.entry or Entry.WALK_IN), priority=step.priority,
    )  # fmt: skip


def heads(session: Session, lines: Sequence[Line], *, at: datetime) -> list[Head]:
    """For ``calling.choose``: the first eligible step of each line; where no line has one, the first of all."""
    day = business_date(at)
    found = [_first(session, line.category_id, day, at) for line in lines]
    eligible = [_head(step) for step in found if step is not None]
    if eligible and len(eligible) == len(lines):
        return eligible
    rest = [
        _first(session, line.category_id, day, None) for line, step in zip(lines, found, strict=True) if step is None
    ]
    return eligible + [_head(step) for step in rest if step is not None]


def number_line(session: Session, category_id: str, day: date) -> NumberLine:
    """Today's numbers of a category; the office's lock is held, so the row is ours."""
    line = session.get(NumberLine, (category_id, day))
    if line is None:
        line = NumberLine(category_id=category_id, business_date=day)
        session.add(line)
    return line


def join(session: Session, step: Step, *, entry: Entry, at: datetime) -> None:
    """Fix the step's place (``due_at``) by the policy of its category. The state is not touched here."""
    category = session.get_one(Category, step.category_id)
    line = number_line(session, step.category_id, step.business_date)
    rejoined = entry is Entry.REJOINED
    arrived = step.arrived_at or at
    place = due_at(
        Arrival(
            entry=entry, arrived_at=arrived, now=at, slot=step.slot_at, priority=step.priority,
            was_due=step.due_at if rejoined else None, last_walk_in_due=line.last_walk_in_due,
        ),
        Policy(**category.policy),
    )  # fmt: skip
    found = {
        "entry": entry, "arrived_at": arrived, "waiting_since": at, "due_at": place.due_at,
        "eligible_at": place.eligible_at,
    }  # fmt: skip
    later.set_later(session, step, found)
    if entry is Entry.WALK_IN and arrived == at:
        later.set_later(session, line, {"last_walk_in_due": place.base})


def steps_of(session: Session, ticket_id: int) -> Sequence[Step]:
    """All steps of a ticket in their order."""
    return session.scalars(
        select(Step)
        .where(Step.ticket_id == ticket_id)
        .order_by(Step.position)
        .execution_options(populate_existing=True)
    ).all()


def find_number(session: Session, office_id: str, number: str, *, at: datetime) -> Ticket:
    """Today's ticket with this number; raises NotFound."""
    if not number.isprintable():
        raise NotFound(what="number")
    ticket = session.scalar(
        select(Ticket).where(
            Ticket.office_id == office_id, Ticket.business_date == business_date(at), Ticket.number == number
        )
    )
    if ticket is None:
        raise NotFound(what="number")
    return ticket


_due: BindParameter[datetime] = bindparam("due", type_=UtcDateTime())
_arrived: BindParameter[datetime] = bindparam("arrived", type_=UtcDateTime())
_serial: BindParameter[int] = bindparam("serial", type_=Integer())
# Built once: every ticket asks this as it is issued and whenever its page is read.
_AHEAD = Ready(
    select(func.count()).where(
    Step.category_id == bindparam("category"), Step.business_date == bindparam("day"), Step.state == State.WAITING,
    tuple_(Step.due_at, Step.arrived_at, Step.serial) < tuple_(_due, _arrived, _serial),
))  # fmt: skip


def ahead(session: Session, step: Step) -> int:
    """How many wait before this step in its line."""
    place = {"due": step.due_at, "arrived": step.arrived_at, "serial": step.serial}
    asked = {"category": step.category_id, "day": step.business_date, **place}
    return int(_AHEAD.run(later.seen(session, Step), asked)[0][0])


def place_of(step: Step) -> dict[str, object]:
    """The place as its event keeps it, so that the log alone proves the order (domain/history.py)."""
    instants = {"due": step.due_at, "arrived": step.arrived_at, "eligible": step.eligible_at}
    return {
        "category": step.category_id,
        "serial": step.serial,
        **{name: at.isoformat() if at else None for name, at in instants.items()},
    }
