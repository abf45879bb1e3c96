"""Rows that travel with the commit: written before anybody in the transaction reads, in one statement on PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from app.db import later, ready
from app.db.session import Database
from app.domain.errors import Conflict
from app.models.place import Office
from app.models.ticket import Event, NumberLine, RequestKey

AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)


def row(seq: int, **other: object) -> dict[str, object]:
    blank = dict.fromkeys(("ticket_id", "step_id", "counter_id", "before", "after", "request_key", "reason"))
    return {
        **blank,
        "office_id": "ward",
        "seq": seq,
        "at": AT,
        "action": "note",
        "actor": "test",
        "details": {},
        **other,
    }


def key(name: str) -> dict[str, object]:
    return {"scope": "test", "key": name, "fingerprint": "f", "answer": {"said": "はい"}, "at": AT}


def write(database: Database, event_row: dict[str, object]) -> None:
    with database.transaction() as session:
        later.insert_later(session, RequestKey, key(f"beside {id(event_row)}"))
        later.insert_later(session, Event, event_row)


def think_again(database: Database) -> None:
    with database.transaction() as session:
        later.insert_later(session, Event, row(1))
        raise Conflict("on_second_thought")


@contextmanager
def written(database: Database) -> Iterator[list[str]]:
    """The statements that write, as they are sent."""
    sent: list[str] = []
    send = ready.send

    def note(connection: Connection, statement: str, values: Any, *, gives: bool) -> list[tuple[Any, ...]]:
        assert connection.engine.url == database.engine.url
        if "INSERT" in statement or "UPDATE" in statement:
            sent.append(statement)
        return send(connection, statement, values, gives=gives)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ready, "send", note)
        yield sent


def test_all_is_there_after_the_commit(database: Database) -> None:
    with written(database) as sent, database.transaction() as session:
        later.update_later(session, Office, {"id": "ward"}, {"seq": 1, "changed_at": AT})
        later.insert_later(session, Event, row(1, details={"place": 4}))
        later.insert_later(session, RequestKey, key("one-key"))
        later.update_later(session, Office, {"id": "ward"}, {"seq": 2})
        later.insert_later(session, Event, row(2))
        assert sent == []
    assert len(sent) == (4 if database.is_sqlite else 1)
    with database.snapshot() as session:
        assert session.get_one(Office, "ward").seq == 2
        assert session.get_one(Office, "ward").changed_at == AT
        assert [found.details for found in session.scalars(select(Event).order_by(Event.seq))] == [{"place": 4}, {}]
        assert session.get_one(RequestKey, ("test", "one-key")).answer == {"said": "はい"}


def test_a_read_through_the_session_sees_what_waits(database: Database) -> None:
    with database.transaction() as session:
        later.insert_later(session, Event, row(1))
        assert session.scalars(select(Event.action)).all() == ["note"]
        assert session.get(RequestKey, ("test", "k")) is None
        later.insert_later(session, RequestKey, key("k"))
        assert session.get(RequestKey, ("test", "k")) is not None


def test_what_is_rolled_back_was_never_there(database: Database) -> None:
    with pytest.raises(Conflict, match="on_second_thought"):
        think_again(database)
    with database.snapshot() as session:
        assert session.scalars(select(Event)).all() == []


def test_a_broken_promise_is_named_at_the_commit(database: Database) -> None:
    write(database, row(1))
    with pytest.raises(Conflict, match="sequence_taken"):
        write(database, row(1))
    with database.snapshot() as session:
        assert len(session.scalars(select(RequestKey)).all()) == 1


def test_columns_of_a_loaded_row_travel_too(database: Database) -> None:
    with database.transaction() as session:
        session.add(NumberLine(category_id="ward-tax", business_date=AT.date(), last_serial=4))
    with written(database) as sent, database.transaction() as session:
        line = session.get_one(NumberLine, ("ward-tax", AT.date()))
        later.set_later(session, line, {"last_serial": 5})
        later.set_later(session, line, {"last_serial": 6})
        later.insert_later(session, RequestKey, key("beside-it"))
        assert line.last_serial == 6
        assert not session.is_modified(line)
        assert sent == []
    assert len(sent) == (2 if database.is_sqlite else 1)
    with database.snapshot() as session:
        assert session.get_one(NumberLine, ("ward-tax", AT.date())).last_serial == 6


def test_columns_of_a_fresh_row_come_with_its_insert(database: Database) -> None:
    with database.transaction() as session:
        line = NumberLine(category_id="ward-tax", business_date=AT.date())
        later.set_later(session, line, {"last_serial": 5})
        session.add(line)
    with database.snapshot() as session:
        assert session.get_one(NumberLine, ("ward-tax", AT.date())).last_serial == 5


def test_a_statement_past_the_session_sees_what_waits_for_its_table(database: Database) -> None:
    count = select(func.count()).select_from(Event)
    with database.transaction() as session:
        later.insert_later(session, Event, row(1))
        assert later.seen(session, RequestKey).scalar(count) == 0
        assert later.seen(session, Event).scalar(count) == 1


def test_what_the_session_holds_goes_before_what_waits(database: Database) -> None:
    """A step's place in line before the state that demands one (CHECK "due")."""
    with database.transaction() as session:
        session.add(NumberLine(category_id="ward-tax", business_date=AT.date(), last_serial=4))
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.seq = 7
        later.update_later(session, Office, {"id": "ward"}, {"seq": 8})
        later.write(session)
        assert session.scalar(select(Office.seq).where(Office.id == "ward")) == 8


def test_a_long_transaction_writes_one_by_one(database: Database) -> None:
    with written(database) as sent, database.transaction() as session:
        for seq in range(40):
            later.insert_later(session, Event, row(seq + 1))
    assert len(sent) == 40
