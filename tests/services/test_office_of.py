"""Whose office a counter or step is: remembered by the process, looked at again under the lock."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert, select

from app.db.session import Database
from app.domain.errors import Conflict, NotFound
from app.models.place import Counter, Office
from app.models.ticket import Step
from app.services import events, tickets

AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)


def test_a_counter_that_went_to_another_office_is_found_there(database: Database) -> None:
    """As after a restore under a running process: once absent, then right; never acted on under the wrong lock."""
    with database.transaction() as session:
        assert events.lock_counter(session, "ward-2")[0].id == "ward"
        other = session.scalars(select(Office.id).where(Office.id != "ward").order_by(Office.id)).first()
    with database.transaction() as session:
        row = session.execute(select(Counter.__table__).where(Counter.id == "ward-2")).mappings().one()
        session.execute(delete(Counter).where(Counter.id == "ward-2"))
        session.execute(insert(Counter.__table__), [dict(row) | {"office_id": other, "number": "99"}])
    with pytest.raises(NotFound), database.transaction() as session:
        events.lock_counter(session, "ward-2")
    with database.transaction() as session:
        assert events.lock_counter(session, "ward-2")[0].id == other


def _taken_back(database: Database, ids: list[int]) -> None:
    with database.transaction() as session:
        wish = tickets.Wish(services=["juminhyo"], channel="kiosk")
        issued = tickets.issue_told(session, office_id="ward", wish=wish, seed="s", secret=b"x", actor="test", at=AT)
        ids.append(issued.steps[0].id)
        raise Conflict("on_second_thought")


def test_what_was_rolled_back_is_not_remembered(database: Database) -> None:
    ids: list[int] = []
    with pytest.raises(Conflict):
        _taken_back(database, ids)
    with database.transaction() as session:
        assert not any((Step, ids[0]) in known for known in session.info["office_of"])
    with pytest.raises(NotFound), database.transaction() as session:
        events.lock_step(session, ids[0])
