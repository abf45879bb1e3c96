"""A statement compiled once says what SQLAlchemy's own execution says, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import bindparam, insert, select

from app.db.base import UtcDateTime
from app.db.ready import Ready
from app.db.session import Database
from app.domain.errors import Conflict
from app.models.booking import Slot

AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
_PUT = Ready(
    insert(Slot).values(
        pool=bindparam("pool"), start_at=bindparam("start"), office_id="ward", category_id="ward-moving", capacity=3,
        staff_only=0, used=0, staff_used=0, set_capacity=None,
    )
)  # fmt: skip
_QUERY = (
    select(Slot.pool, Slot.start_at, Slot.used, Slot.set_capacity)
    .where(
        Slot.pool.in_(bindparam("pools", expanding=True)), Slot.start_at <= bindparam("last", type_=UtcDateTime()),
        Slot.capacity == 3,
    )
    .order_by(Slot.pool)
)  # fmt: skip
_FIND = Ready(_QUERY, "pools")


@pytest.mark.parametrize("pools", [["a"], ["a", "b"], ["b", "c", "a"], []])
def test_it_gives_what_an_ordinary_execution_gives(database: Database, pools: list[str]) -> None:
    with database.transaction() as session:
        for minute, pool in enumerate("ab"):
            _PUT.run(session.connection(), {"pool": pool, "start": AT + timedelta(minutes=minute)})
    asked = {"pools": pools, "last": AT + timedelta(hours=1)}
    with database.snapshot() as session:
        ready = _FIND.rows(session.connection(), asked)
        usual = [tuple(row) for row in session.connection().execute(_QUERY, asked)]
    assert ready == usual
    assert {row[0] for row in ready} == set(pools) & {"a", "b"}
    assert all(row[1].tzinfo is UTC for row in ready)


def test_a_naive_instant_is_refused_as_ever(database: Database) -> None:
    with database.transaction() as session, pytest.raises(ValueError, match="naive"):
        _PUT.run(session.connection(), {"pool": "a", "start": AT.replace(tzinfo=None)})


def test_a_refusal_of_the_database_is_still_a_named_error(database: Database) -> None:
    same = {"pool": "a", "start": AT}
    with database.transaction() as session:
        _PUT.run(session.connection(), same)
    with pytest.raises(Conflict), database.transaction() as session:
        _PUT.run(session.connection(), same)
