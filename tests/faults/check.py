"""The invariants over the clients' history and the database that is left (quality.md, I1 to I6 and I9)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models.place import Office
from app.models.ticket import Event, RequestKey, Ticket
from app.services import proof
from tests.faults.client import Operation

OFFICE = "ward"


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is in the database: tickets by id, events by key, how many events and the office's seq."""

    tickets: Mapping[int, tuple[str, Any]]
    events: Mapping[str, Sequence[tuple[int, str, int | None, int | None]]]
    counted: int
    seq: int


def read(session: Session) -> Left:
    events: dict[str, list[tuple[int, str, int | None, int | None]]] = {}
    rows = session.execute(select(Event).where(Event.office_id == OFFICE).order_by(Event.seq)).scalars()
    for row in rows:
        if row.request_key:
            events.setdefault(row.request_key, []).append((row.seq, row.action, row.ticket_id, row.step_id))
    tickets = session.execute(select(Ticket.id, Ticket.number, Ticket.business_date).where(Ticket.office_id == OFFICE))
    return Left(
        tickets={row.id: (row.number, row.business_date) for row in tickets}, events=events,
        counted=session.scalar(select(func.count()).select_from(Event).where(Event.office_id == OFFICE)) or 0,
        seq=session.scalar(select(Office.seq).where(Office.id == OFFICE)) or 0,
    )  # fmt: skip


def violations(session: Session, operations: Sequence[Operation]) -> dict[str, list[str]]:
    """Broken promises by name; every list is empty when all held."""
    left, keys = read(session), {operation.key for operation in operations}
    acts = [operation for operation in operations if operation.kind == "act" and operation.acknowledged]
    issues = [operation for operation in operations if operation.kind == "issue" and operation.acknowledged]
    calls = [op for op in operations if op.kind == "call" and op.acknowledged and op.status == 200]
    said = proof.check(session, OFFICE).violations
    return {
        "duplicate_numbers": [str(pair) for pair, times in Counter(left.tickets.values()).items() if times > 1],
        "lost_tickets": [_lost(op, left) for op in issues if _lost(op, left)],
        "phantom_tickets": _phantoms(left, keys),
        "two_tickets_for_a_key": [
            key for key, rows in left.events.items() if len({row[2] for row in rows if row[1] == "ready"}) > 1
        ],
        "lost_calls": [op.key for op in calls if not _called(op, left)],
        "a_call_acknowledged_twice": _twice(calls, left),
        "lost_acts": [operation.path for operation in acts if operation.key not in left.events],
        "seq_gaps": [] if left.counted == left.seq else [f"{left.counted} events, seq {left.seq}"],
        "rules": list(said),
        "keys_without_effect": [
            key for (key,) in session.execute(select(RequestKey.key)) if key not in keys
        ],
    }  # fmt: skip


def _lost(operation: Operation, left: Left) -> str:
    """Why an acknowledged ticket is not there as it was told; empty when it is."""
    answer = operation.answer
    found = left.tickets.get(answer["id"])
    if found is None:
        return f"{answer['number']} of {operation.key} is gone"
    events = {row[2] for row in left.events.get(operation.key, ())}
    return "" if found[0] == answer["number"] and events == {answer["id"]} else f"{answer['number']} is another now"


def _phantoms(left: Left, keys: set[str]) -> list[str]:
    asked = {row[2] for key, rows in left.events.items() if key in keys for row in rows}
    return [number for ticket, (number, _) in left.tickets.items() if ticket not in asked]


def _call_of(operation: Operation, left: Left) -> int | None:
    step = operation.answer["step"]["id"]
    rows = [row[0] for row in left.events.get(operation.key, ()) if row[1] == "call" and row[3] == step]
    return rows[0] if len(rows) == 1 else None


def _called(operation: Operation, left: Left) -> bool:
    return _call_of(operation, left) is not None


def _twice(calls: Sequence[Operation], left: Left) -> list[str]:
    times = Counter(_call_of(operation, left) for operation in calls)
    return [f"seq {seq}" for seq, count in times.items() if seq is not None and count > 1]
