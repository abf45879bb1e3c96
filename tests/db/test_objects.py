"""Objects read and put by statements compiled once are what the session would have loaded and flushed."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, inspect, select

from app.db import later, objects
from app.db.objects import Look
from app.db.session import Database
from app.domain.errors import Conflict
from app.models.place import Category, Office
from app.models.ticket import NumberLine, Step, Ticket

AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
DAY = date(2026, 4, 1)
_OFFICE = select(Office).where(Office.id == bindparam("office"))
_LINES = Look(
    select(Category, NumberLine)
    .outerjoin(NumberLine, (NumberLine.category_id == Category.id) & (NumberLine.business_date == bindparam("day")))
    .where(Category.id.in_(bindparam("ids", expanding=True)))
    .order_by(Category.id),
    "ids",
)


def ticket(serial: int) -> Ticket:
    return Ticket(
        office_id="ward", business_date=DAY, category_id="ward-tax", number=f"T{serial}", serial=serial,
        seed=f"seed {serial}", token_hash=f"hash {serial}", channel="kiosk", issued_at=AT,
    )  # fmt: skip


def step(of: Ticket, position: int) -> Step:
    return Step(
        ticket_id=of.id, office_id="ward", business_date=DAY, position=position, service_id="juminhyo",
        category_id="ward-tax", phase="accept", state="pending", serial=of.serial, changed_at=AT,
    )  # fmt: skip


def columns(row: Any) -> dict[str, Any]:
    return {each.key: getattr(row, each.key) for each in inspect(row).mapper.column_attrs}


def test_a_look_gives_what_the_session_would_load(database: Database) -> None:
    with database.transaction() as session:
        session.add(NumberLine(category_id="ward-tax", business_date=DAY, last_serial=4, last_walk_in_due=AT))
    with database.snapshot() as session:
        usual = columns(session.get_one(Category, "ward-tax")), columns(session.get_one(NumberLine, ("ward-tax", DAY)))
    with database.snapshot() as session:
        rows = _LINES.rows(session, {"ids": ["ward-tax", "ward-moving"], "day": DAY})
        assert [(each.id, line and line.last_serial) for each, line in rows] == [
            ("ward-moving", None),
            ("ward-tax", 4),
        ]
        assert (columns(rows[1][0]), columns(rows[1][1])) == usual
        # The session's own from here on: not asked again, and kept.
        assert session.get(Category, "ward-tax") is rows[1][0]
        assert not session.is_modified(rows[1][0])
        assert _LINES.rows(session, {"ids": ["ward-tax"], "day": DAY})[0][0] is rows[1][0]


def test_what_is_changed_on_a_found_object_is_written(database: Database) -> None:
    with database.transaction() as session:
        Look(_OFFICE).one(session, {"office": "ward"}).settings = {"training": True}
    with database.snapshot() as session:
        assert session.get_one(Office, "ward").settings == {"training": True}


@pytest.mark.parametrize(("anew", "seq"), [(True, 7), (False, 0)])
def test_only_a_look_anew_takes_what_has_changed_since(database: Database, anew: bool, seq: int) -> None:
    look = Look(_OFFICE, anew=anew)
    with database.transaction() as session:
        known = session.get_one(Office, "ward")
        session.connection().exec_driver_sql("UPDATE office SET seq = 7 WHERE id = 'ward'")
        assert look.one(session, {"office": "ward"}) is known
        assert known.seq == seq


def test_a_look_sees_what_the_session_holds_and_what_waits(database: Database) -> None:
    with database.transaction() as session:
        session.add(NumberLine(category_id="ward-tax", business_date=DAY, last_serial=4))
        line = _LINES.rows(session, {"ids": ["ward-tax"], "day": DAY})[0][1]
        assert line.last_serial == 4
        later.update_later(session, Office, {"id": "ward"}, {"seq": 9})
        assert Look(_OFFICE, anew=True).one(session, {"office": "ward"}).seq == 9


def test_rows_that_are_put_have_their_ids_and_their_defaults(database: Database) -> None:
    with database.transaction() as session:
        one = ticket(1)
        objects.put(session, [one], apart="seed")
        assert session.get(Ticket, one.id) is one
        steps = [step(one, position) for position in (0, 2, 1)]
        objects.put(session, steps, apart="position")
        assert len({each.id for each in steps}) == 3
        later.set_later(session, steps[0], {"state": "cancelled", "ended_at": AT})
        steps[1].recalls = 2
    with database.snapshot() as session:
        assert columns(session.get_one(Ticket, one.id)) == columns(one)
        assert (one.language, one.priority, one.party, one.confirm_by) == ("ja", False, 1, None)
        for each in steps:
            assert columns(session.get_one(Step, each.id)) == columns(each)


def twice(database: Database) -> None:
    with database.transaction() as session:
        objects.put(session, [ticket(1)], apart="seed")


def test_a_broken_promise_is_named_where_it_is_put(database: Database) -> None:
    twice(database)
    with pytest.raises(Conflict):
        twice(database)
