"""The first of a line costs the same however many wait and were called: read in order, asked by keys.

Looked at as PostgreSQL does it from the sixth time on: by the plan it keeps for whatever values come.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.db import ready
from app.db.session import Database
from app.domain.ticket import Action
from app.models.place import Counter
from app.models.ticket import Step
from app.services import board, counter_board, counters, desk, lines, operations, queue, tickets

AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
LINE = "ward-certificates"
# A descent of an index, a row and its ticket: about ten pages, with room for those of rows that left the line.
MOST_PAGES = 30


def busy(database: Database, *, waiting: int, missed: int) -> None:
    """A morning of which the database has no statistics yet: each act a transaction of its own.

    None come in between either, as they would on a slow machine after a minute: of so few rows in one line they say
    that sorting them is as cheap.
    """
    with database.transaction() as session:
        if not database.is_sqlite:
            for table in ("step", "ticket"):
                session.connection().exec_driver_sql(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
        counters.open_counter(session, counter_id="ward-2", actor="test", at=AT, categories=[LINE])
    for number in range(waiting + missed):
        wish = tickets.Wish(services=["juminhyo"], channel="kiosk")
        with database.transaction() as session:
            tickets.issue(
                session, office_id="ward", wish=wish, seed=f"seed {number}", secret=b"k" * 32, actor="test",
                at=AT + timedelta(seconds=number),
            )  # fmt: skip
    at = AT + timedelta(hours=1)
    for _ in range(missed):
        with database.transaction() as session:
            found = queue.call_next(session, counter_id="ward-2", actor="test", at=at)
        assert found is not None
        with database.transaction() as session:
            queue.act(session, step_id=found[0].id, action=Action.MISS, actor="test", at=at)


# Days of the past as a database knows them that has looked at its rows: each number called, served and gone.
PAST = """
INSERT INTO ticket (office_id, business_date, category_id, number, serial, seed, token_hash, language, priority,
                    party, channel, issued_at)
SELECT 'ward', day::date, 'ward-certificates', 'Z' || n, n, 's' || day || n, 'h' || day || n, 'ja', false,
       1, 'kiosk', day
FROM generate_series(timestamp '2026-03-18', timestamp '2026-03-31', interval '1 day') day, generate_series(1, 500) n;
INSERT INTO step (ticket_id, office_id, business_date, position, service_id, category_id, phase, state, serial,
                  priority, entry, arrived_at, waiting_since, due_at, eligible_at, called_at, started_at,
                  ended_at, counter_id, exclusive, recalls, changed_at)
SELECT id, office_id, business_date, 0, 'juminhyo', category_id, 'accept', 'done', serial, false, 'walk_in', issued_at,
       issued_at, issued_at, issued_at, issued_at, issued_at, issued_at, 'ward-3', true, 0, issued_at
FROM ticket WHERE business_date < '2026-04-01';
ANALYZE;
"""


def with_a_past(database: Database) -> None:
    with database.transaction() as session:
        for statement in filter(str.strip, PAST.split(";")):
            session.execute(text(statement))


def of_a_line(session: Session) -> None:
    [head] = lines.heads(session, [lines.Line(category_id=LINE)], at=AT + timedelta(hours=2))
    lines.ahead(session, session.get_one(Step, head.step_id))


def sent(database: Database, mark: str, read: Callable[[Session], object] = of_a_line) -> tuple[str, Any]:
    """The statement of ``read`` that has ``mark``, as the driver is given it."""
    found: list[tuple[str, Any]] = []
    send = ready.send

    def note(connection: Connection, statement: str, values: Any, *, gives: bool) -> list[tuple[Any, ...]]:
        if mark in statement:
            found.append((statement, values))
        return send(connection, statement, values, gives=gives)

    with pytest.MonkeyPatch.context() as patch, database.transaction() as session:
        patch.setattr(ready, "send", note)
        read(session)
    assert len(found) == 1
    return found[0]


def planned(database: Database, statement: str, values: dict[str, Any]) -> dict[str, Any]:
    """What PostgreSQL does for it without a look at the values."""
    names = list(values)
    given = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)
    with database.transaction() as session:
        driver = session.connection().connection.driver_connection
        with psycopg.ClientCursor(driver) as cursor:
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor.execute(f"PREPARE looked_at AS {given}")
            places = ", ".join(["%s"] * len(names))
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE looked_at ({places})",
                           [values[name] for name in names])  # fmt: skip
            row = cursor.fetchone()
            cursor.execute("DEALLOCATE looked_at")
    assert row is not None
    found: dict[str, Any] = row[0][0]["Plan"]
    return found


def test_the_first_of_a_line_is_read_in_order(database: Database) -> None:
    busy(database, waiting=150, missed=40)
    statement, values = sent(database, "ORDER BY step.due_at")
    if database.is_sqlite:
        with database.transaction() as session:
            rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plan = " ".join(row.detail for row in rows)
        assert "ix_step_line" in plan
        assert "TEMP B-TREE" not in plan
        return
    plan = planned(database, statement, values)
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= MOST_PAGES
    assert '"Sort"' not in json.dumps(plan)


def test_who_is_ahead_is_counted_among_those_who_wait(database: Database) -> None:
    busy(database, waiting=60, missed=20)
    statement, values = sent(database, "step.due_at, step.arrived_at, step.serial) <")
    if database.is_sqlite:
        with database.transaction() as session:
            rows = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            assert "ix_step_line" in " ".join(row.detail for row in rows)
        return
    assert "ix_step_line" in json.dumps(planned(database, statement, values))


def counter(session: Session) -> Counter:
    return session.get_one(Counter, "ward-2")


READS: list[tuple[str, str, Callable[[Session], object]]] = [
    ("ix_step_line", "SELECT step.category_id, ticket.number", lambda s: board.read(s, office_id="ward", at=AT)),
    ("ix_step_line", "count(step.id)", lambda s: operations.offices(s, at=AT)),
    ("_busy", "ticket.number, step.state", lambda s: counter_board.read(s, office_id="ward", at=AT)),
    ("_busy", "ORDER BY step.called_at DESC", lambda s: desk.held(s, counter(s), at=AT)),
    ("ix_step_office_date_state", "step_1.ended_at", lambda s: desk.making(s, counter(s), at=AT)),
]


@pytest.mark.parametrize(("index", "mark", "read"), READS)
def test_a_snapshot_costs_what_is_in_the_hall_however_many_were_served(
    database: Database, index: str, mark: str, read: Callable[[Session], object]
) -> None:
    busy(database, waiting=8, missed=2)
    statement, values = sent(database, mark, read)
    if database.is_sqlite:
        return
    with_a_past(database)
    plan = planned(database, statement, values)
    assert index in json.dumps(plan)
    # Each who waits and the own ticket: about four pages.
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 2 * MOST_PAGES
