"""The first of a line costs the same however many wait and were called: read in order, asked by keys.

Looked at as PostgreSQL does it from the sixth time on: by the plan it keeps for whatever values come.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection

from app.db import ready
from app.db.session import Database
from app.domain.ticket import Action
from app.models.ticket import Step
from app.services import counters, lines, queue, tickets

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


def sent(database: Database, mark: str) -> tuple[str, Any]:
    """The statement that has ``mark`` of those that read a line, as the driver is given it."""
    found: list[tuple[str, Any]] = []
    send = ready.send

    def note(connection: Connection, statement: str, values: Any, *, gives: bool) -> list[tuple[Any, ...]]:
        if mark in statement:
            found.append((statement, values))
        return send(connection, statement, values, gives=gives)

    with pytest.MonkeyPatch.context() as patch, database.transaction() as session:
        patch.setattr(ready, "send", note)
        [head] = lines.heads(session, [lines.Line(category_id=LINE)], at=AT + timedelta(hours=2))
        lines.ahead(session, session.get_one(Step, head.step_id))
    assert len(found) == 1
    return found[0]


def planned(database: Database, statement: str, values: dict[str, Any]) -> dict[str, Any]:
    """What PostgreSQL does for it without a look at the values."""
    names = list(values)
    text = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)
    with database.transaction() as session:
        driver = session.connection().connection.driver_connection
        with psycopg.ClientCursor(driver) as cursor:
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor.execute(f"PREPARE looked_at AS {text}")
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
