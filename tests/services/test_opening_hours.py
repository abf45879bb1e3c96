"""Which bookings new hours leave outside: each clause of it stops a publication, and none that need not."""

from datetime import time, timedelta
from typing import Any

import pytest

from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.errors import Conflict
from app.services import bookings, hours, opening_hours
from app.services.publications import Kind, current
from tests.services.booking_desk import AT, book, hold, morning

DAY = business_date(morning(10))
SHUT: list[dict[str, str]] = []
# A Thursday, on which this line is open until seven.
USUAL = [(time(8, 30), time(19))]


def publish(database: Database, *, at: Any = AT, **day: Any) -> None:
    """Let the Thursday differ and put that in force, told of no booking."""
    with database.transaction() as session:
        opening_hours.set_special_day(
            session, office_id="ward", day=DAY, note={"ja": "工事"}, actor="test", at=AT, **day
        )  # fmt: skip
        based_on = current(session, "ward", Kind.HOURS).version
        opening_hours.publish(session, office_id="ward", based_on=based_on, actor="test", at=at)


def in_force(database: Database) -> list[tuple[time, time]]:
    """From when until when the line is open on the Thursday, as published."""
    with database.snapshot() as session:
        return [(each.opens, each.closes) for each in hours.opening(session, "ward", DAY, "ward-moving")]


@pytest.mark.parametrize(
    "day",
    [
        {"intervals": SHUT},
        {"intervals": [{"open": "10:05", "close": "17:00"}]},
        {"intervals": [{"open": "09:00", "close": "10:10"}]},
        {"intervals": [{"open": "09:00", "close": "17:00"}], "categories": ["ward-insurance"]},
    ],
    ids=["shut", "opens later", "closes earlier", "another line only"],
)
def test_a_booking_outside_the_new_hours_stops_them(database: Database, day: dict[str, Any]) -> None:
    with database.transaction() as session:
        book(session)
    with pytest.raises(Conflict, match="bookings_outside_hours") as refused:
        publish(database, **day)
    assert refused.value.values == {"count": 1}
    assert in_force(database) == USUAL


def test_a_time_that_is_being_confirmed_counts_too(database: Database) -> None:
    with database.transaction() as session:
        hold(session)
    with pytest.raises(Conflict, match="bookings_outside_hours"):
        publish(database, intervals=SHUT)


def test_a_booking_within_them_stops_nothing(database: Database) -> None:
    with database.transaction() as session:
        book(session)
    publish(database, intervals=[{"open": "10:00", "close": "10:15"}], categories=["ward-moving"])
    assert in_force(database) == [(time(10), time(10, 15))]


def test_what_was_cancelled_stops_nothing(database: Database) -> None:
    with database.transaction() as session:
        bookings.cancel(session, book(session), actor="test", at=AT)
    publish(database, intervals=SHUT)
    assert in_force(database) == []


def test_what_has_begun_stops_nothing(database: Database) -> None:
    with database.transaction() as session:
        book(session)
    publish(database, intervals=SHUT, at=morning(10) + timedelta(minutes=1))
    assert in_force(database) == []
