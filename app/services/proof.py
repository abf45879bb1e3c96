"""Read an office's log for domain/history.py: every broken rule of a day, and the waits it gave."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import history
from app.models.place import Counter
from app.models.ticket import Event, Step, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Violations as sentences; calls and tickets counted; waits of called steps in seconds, in call order."""

    violations: Sequence[str]
    tickets: int
    calls: int
    waits: Sequence[float]


def check(session: Session, office_id: str, *, since_seq: int = 0) -> Proof:
    """Check all events after ``since_seq`` (a point where nobody waited or was at a counter)."""
    rows = session.scalars(
        select(Event).where(Event.office_id == office_id, Event.seq > since_seq).order_by(Event.seq)
    ).all()
    log = [
        history.Entry(
            seq=row.seq, at=row.at, action=row.action, step=row.step_id, ticket=row.ticket_id, counter=row.counter_id,
            before=row.before, after=row.after, reason=row.reason, place=row.details,
        )
        for row in rows
    ]  # fmt: skip
    counters = session.scalars(select(Counter).where(Counter.office_id == office_id)).all()
    primary = {
        counter.id: frozenset(line["category"] for line in counter.lines if line.get("after_minutes") is None)
        for counter in counters
    }
    found = history.violations(log, lines=primary)
    doubled = session.execute(
        select(Ticket.number, Ticket.business_date)
        .where(Ticket.office_id == office_id)
        .group_by(Ticket.number, Ticket.business_date)
        .having(func.count() > 1)
    ).all()
    found += [f"number {number} was given twice on {day}" for number, day in doubled]
    steps = {row.step_id for row in rows if row.action == "call"}
    waits = session.execute(
        select(Step.called_at, Step.waiting_since)
        .where(Step.office_id == office_id, Step.called_at.is_not(None))
        .order_by(Step.called_at)
    ).all()
    tickets = {row.ticket_id for row in rows if row.ticket_id is not None}
    return Proof(
        violations=found, tickets=len(tickets), calls=len(steps),
        waits=[(called - since).total_seconds() for called, since in waits if called and since and called >= since],
    )  # fmt: skip
