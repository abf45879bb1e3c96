"""The staff's view: every open step once, in the order it is called, and who sits where."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import select

from app.db.session import Database
from app.domain.errors import NotFound
from app.domain.ticket import Action
from app.models.place import Counter
from app.services import counters, queue, staff_queue, tickets

NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


def _issue(database: Database, service: str, at: datetime) -> str:
    with database.transaction() as session:
        ticket = tickets.issue(
            session, office_id="ward", wish=tickets.Wish(services=[service], channel="kiosk"), seed=f"{service}{at}",
            secret=b"s" * 32, actor="test", at=at,
        )  # fmt: skip
        return ticket.number


def test_the_view_follows_a_day(database: Database) -> None:
    first, second = (_issue(database, "juminhyo", NOON + timedelta(minutes=n)) for n in (0, 1))
    late = NOON + timedelta(minutes=5)
    with database.transaction() as session:
        place = session.scalars(select(Counter.id).where(Counter.office_id == "ward")).first() or ""
        counters.open_counter(session, counter_id=place, actor="test", at=late, categories=["ward-certificates"])
        called = queue.call_next(session, counter_id=place, actor="test", at=late)
        assert called is not None
        step = called[0].id
    with database.snapshot() as session:
        seen = staff_queue.read(session, office_id="ward", at=late)
    orjson.dumps(seen)
    assert [s["number"] for s in seen["steps"] if s["state"] == "waiting"] == [second]
    at_counter = next(c for c in seen["counters"] if c["id"] == place)
    assert at_counter["steps"] == [step]
    assert next(s for s in seen["steps"] if s["id"] == step)["number"] == first
    line = next(c for c in seen["categories"] if c["id"] == "ward-certificates")
    assert (line["waiting"], line["longest_since"]) == (1, (NOON + timedelta(minutes=1)).isoformat())
    with database.transaction() as session:
        queue.act(session, step_id=step, action=Action.START, actor="test", at=late)
        queue.act(session, step_id=step, action=Action.FINISH, actor="test", at=late)
    with database.snapshot() as session:
        soon = staff_queue.read(session, office_id="ward", at=late + timedelta(minutes=1))
        past = staff_queue.read(session, office_id="ward", at=late + timedelta(minutes=11))
    assert step in [s["id"] for s in soon["steps"]]
    assert step not in [s["id"] for s in past["steps"]]


def test_an_unknown_office(database: Database) -> None:
    with database.snapshot() as session, pytest.raises(NotFound):
        staff_queue.read(session, office_id="nowhere", at=NOON)
