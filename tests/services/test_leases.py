"""The lease itself: renewed by its holder, taken when free, refused under an old fence, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from app.db.session import Database
from app.domain.errors import Conflict
from app.models.scheduling import SchedulerLease
from app.services import leases

AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
LATE = AT + leases.LASTS


def take(database: Database, holder: str, at: datetime) -> int | None:
    with database.transaction() as session:
        return leases.take(session, name="x", holder=holder, at=at)


def test_the_holder_renews_and_keeps_its_fence(database: Database) -> None:
    assert take(database, "a", AT) == 1
    assert take(database, "a", LATE - timedelta(seconds=1)) == 1
    assert take(database, "b", LATE) is None


def test_an_ended_lease_has_a_new_fence_even_for_its_old_holder(database: Database) -> None:
    assert take(database, "a", AT) == 1
    assert take(database, "a", LATE) == 2


def test_an_old_fence_is_refused(database: Database) -> None:
    take(database, "a", AT)
    take(database, "b", LATE)
    with database.transaction() as session:
        leases.hold(session, name="x", fence=2)
    with pytest.raises(leases.LeaseLost), database.transaction() as session:
        leases.hold(session, name="x", fence=1)


def test_a_period_is_recorded_once_whatever_the_code_believes(database: Database) -> None:
    for expected in (False, True):
        with database.snapshot() as session:
            assert leases.done(session, job="j", period="p") is expected
        if not expected:
            with database.transaction() as session:
                leases.record(session, job="j", period="p", fence=1, at=AT, effect=0)
    with pytest.raises(Conflict), database.transaction() as session:
        leases.record(session, job="j", period="p", fence=1, at=AT, effect=0)


def test_only_the_holder_gives_the_lease_back(database: Database) -> None:
    take(database, "a", AT)
    with database.transaction() as session:
        leases.release(session, name="x", holder="b", at=AT)
    assert take(database, "b", AT) is None
    with database.transaction() as session:
        session.execute(update(SchedulerLease).values(holder="b"))
        leases.release(session, name="x", holder="b", at=AT)
    assert take(database, "c", AT) == 2


def test_a_clock_apart_from_the_databases_is_measured(database: Database) -> None:
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    with database.snapshot() as session:
        found = leases.skew(session, ahead)
    assert abs(found - (timedelta() if database.is_sqlite else timedelta(minutes=5))) < timedelta(seconds=2)
