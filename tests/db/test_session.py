"""One transaction, whether a statement goes through the session or past it; one instant, however it is written."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import DateTime, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import Session

from app.db import ready
from app.db.base import UtcDateTime
from app.db.engines import as_json
from app.db.session import Database
from app.domain.errors import DomainError
from app.models.place import Office


def past(session: Session) -> None:
    session.connection().execute(text("UPDATE office SET seq = 41 WHERE id = 'ward'"))


def through(session: Session) -> None:
    session.get_one(Office, "ward").settings = {"training": True}


def only_added(session: Session) -> None:
    """The session begins by this, but joins no connection before its flush."""
    session.add(Office(id="new", municipality_id="aonami", name={"ja": "新"}, position=9, epoch="e", settings={}))


def one_too_many(session: Session) -> None:
    session.connection().execute(
        text("INSERT INTO slot (pool, start_at, office_id, category_id, capacity, staff_only, used, staff_used)"
             " VALUES ('p', '2026-04-01 00:00:00', 'ward', 'ward-tax', 1, 0, 2, 0)")
    )  # fmt: skip


def fail(_session: Session) -> None:
    raise ZeroDivisionError


def run(database: Database, *acts: Callable[[Session], None]) -> None:
    with database.transaction() as session:
        for act in acts:
            act(session)


def state(database: Database) -> tuple[int, object, int]:
    with database.snapshot() as session:
        ward = session.get_one(Office, "ward")
        offices = session.connection().scalar(text("SELECT count(*) FROM office"))
        return ward.seq, ward.settings.get("training"), int(offices or 0)


@pytest.mark.parametrize("acts", [(past, through), (through, past), (past,), (through,), (past, through, past)])
def test_both_ways_are_one_transaction(database: Database, acts: tuple[Callable[[Session], None], ...]) -> None:
    before = state(database)
    with pytest.raises(ZeroDivisionError):
        run(database, *acts, fail)
    assert state(database) == before
    run(database, *acts)
    seq, training, _ = state(database)
    assert seq == (41 if past in acts else before[0])
    assert training is (True if through in acts else before[1])


@pytest.mark.parametrize("acts", [(only_added,), (past, only_added), (only_added, past)])
def test_what_is_only_added_is_written_with_the_rest(
    database: Database, acts: tuple[Callable[[Session], None], ...]
) -> None:
    before = state(database)
    with pytest.raises(ZeroDivisionError):
        run(database, *acts, fail)
    assert state(database) == before
    run(database, *acts)
    assert state(database)[2] == before[2] + 1


def test_a_savepoint_ends_alone(database: Database) -> None:
    with database.transaction() as session:
        past(session)
        point = session.begin_nested()
        session.connection().execute(text("UPDATE office SET seq = 99 WHERE id = 'ward'"))
        point.rollback()
    assert state(database)[0] == 41


def test_after_a_refusal_the_next_writes(database: Database) -> None:
    with pytest.raises(DomainError):
        run(database, past, one_too_many)
    assert state(database)[0] != 41
    with database.transaction() as session:
        past(session)
    assert state(database)[0] == 41


def leaves_nothing(database: Database, *acts: Callable[[Session], None]) -> None:
    """What breaks is told as a refusal, all before it is taken back, and the next one writes."""
    before = state(database)
    with pytest.raises(DomainError):
        run(database, *acts)
    assert state(database) == before
    run(database, past)
    assert state(database)[0] == 41


# Refused only as the transaction is committed: a broken promise that is looked at in the end.
_BROKEN_IN_THE_END = {
    True: ("PRAGMA defer_foreign_keys=ON", "UPDATE counter SET office_id = 'nowhere'"),
    False: (
        "CREATE TABLE late (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)", "INSERT INTO late VALUES (1), (1)",
    ),
}  # fmt: skip


def test_a_refused_commit_is_told_and_leaves_nothing(database: Database) -> None:
    """The driver alone has begun; what it says as it commits is still told as the domain's refusal."""

    def broken(session: Session) -> None:
        for statement in ("UPDATE office SET seq = 7", *_BROKEN_IN_THE_END[database.is_sqlite]):
            ready.send(session.connection(), statement, (), gives=False)

    leaves_nothing(database, broken)


def test_the_next_turn_begins_anew(database: Database) -> None:
    """On SQLite the session is the same one: nothing of who had it before is left, and rows are read again."""
    with database.transaction() as session:
        before = session.get_one(Office, "ward")
        session.info["unguarded"] = True
    other = Database(database.url)
    run(other, past)
    other.dispose()
    with database.transaction() as session:
        assert "unguarded" not in session.info
        now = session.get_one(Office, "ward")
        assert now is not before
        assert now.seq == 41


_WORDS = st.text(st.characters(codec=None, exclude_categories=[]))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _WORDS,
        lambda inner: st.lists(inner) | st.dictionaries(_WORDS, inner),
    )
)
def test_a_json_value_comes_back_as_it_went(value: object) -> None:
    """Also what orjson does not know: half a sign, a number beyond 64 bits."""
    assert json.loads(as_json(value)) == value


@pytest.mark.parametrize("value", [date(2026, 4, 1), {1, 2}, Office])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        as_json({"x": value})


def test_a_connection_that_broke_is_not_used_again(database: Database) -> None:
    def broken(session: Session) -> None:
        if database.is_sqlite:
            session.connection().connection.dbapi_connection.close()  # type: ignore[union-attr]
        else:
            number = ready.send(session.connection(), "SELECT pg_backend_pid()", (), gives=True)[0][0]
            with database.engine.connect() as other:
                other.execute(text(f"SELECT pg_terminate_backend({number})"))
        ready.send(session.connection(), "SELECT 1", (), gives=True)

    leaves_nothing(database, past, broken)


def test_who_has_asked_for_nothing_has_no_connection(database: Database) -> None:
    """On PostgreSQL twenty may wait for an office's turn; they must not hold what those who have it need."""
    if database.is_sqlite:
        with database.transaction():
            assert database.engine.pool.checkedout() == 1  # type: ignore[attr-defined]
        return
    held = database.engine.pool.checkedout()  # type: ignore[attr-defined]
    with database.transaction() as session:
        assert database.engine.pool.checkedout() == held  # type: ignore[attr-defined]
        past(session)
        assert database.engine.pool.checkedout() == held + 1  # type: ignore[attr-defined]
    assert database.engine.pool.checkedout() == held  # type: ignore[attr-defined]


@given(
    st.datetimes(min_value=datetime(1000, 1, 2), max_value=datetime(9998, 1, 1)),  # noqa: DTZ001 - a wall clock's
    st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-3, minutes=-30))]),
)
def test_an_instant_is_the_text_that_the_column_reads(wall: datetime, zone: timezone) -> None:
    at, dialect = wall.replace(tzinfo=zone), sqlite.dialect()  # type: ignore[no-untyped-call]
    own = UtcDateTime().bind_processor(dialect)
    plain = DateTime().dialect_impl(dialect).bind_processor(dialect)
    assert own is not None
    assert plain is not None
    assert own(at) == plain(at.astimezone(UTC).replace(tzinfo=None))
    assert own(None) is None
    back = UtcDateTime().result_processor(dialect, None)
    assert back is not None
    assert (back(own(at)), back(None)) == (at, None)


def test_a_time_without_offset_is_no_instant() -> None:
    own = UtcDateTime().bind_processor(sqlite.dialect())  # type: ignore[no-untyped-call]
    assert own is not None
    with pytest.raises(ValueError, match="naive"):
        own(datetime(2026, 4, 1))  # noqa: DTZ001 - the fault asked about
