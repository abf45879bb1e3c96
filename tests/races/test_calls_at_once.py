"""Eight counters call at once: nobody twice, nobody out of turn; without lock and constraints the checker sees it."""

import itertools
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from app.db.session import Database
from app.domain.errors import DomainError
from app.domain.ticket import Action
from app.models.place import Counter
from app.services import counters, proof, queue, tickets

START = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
PEOPLE, PLACES = 48, 8


def fill(database: Database) -> list[str]:
    with database.transaction() as session:
        places = list(session.scalars(select(Counter.id).where(Counter.office_id == "ward").limit(PLACES)))
        for place in places:
            counters.open_counter(session, counter_id=place, actor="test", at=START, categories=["ward-certificates"])
    wish = tickets.Wish(services=["juminhyo"], channel="kiosk")
    for number in range(PEOPLE):
        with database.transaction() as session:
            tickets.issue(session, office_id="ward", wish=wish, seed=f"s{number}", secret=b"test", actor="test",
                          at=START + timedelta(seconds=number))  # fmt: skip
    return places


def call_all(database: Database, places: list[str], *, guarded: bool) -> None:
    """Each counter calls and marks absent until nobody waits."""
    ticks = itertools.count(PEOPLE)
    begin = threading.Barrier(len(places))

    def work(place: str) -> None:
        begin.wait()
        for _ in range(3 * PEOPLE if guarded else 12):
            try:
                with database.transaction() as session:
                    session.info["unguarded"] = not guarded
                    at = START + timedelta(seconds=next(ticks))
                    called = queue.call_next(session, counter_id=place, actor="test", at=at)
                if called is None:
                    return
                with database.transaction() as session:
                    at = START + timedelta(seconds=next(ticks))
                    queue.act(session, step_id=called[0].id, action=Action.MISS, actor="test", at=at)
            except DomainError:
                continue

    threads = [threading.Thread(target=work, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nobody_is_called_twice_or_out_of_turn(database: Database) -> None:
    call_all(database, fill(database), guarded=True)
    with database.snapshot() as session:
        shown = proof.check(session, "ward")
    assert list(shown.violations) == []
    assert shown.calls == PEOPLE


def test_without_lock_and_constraints_the_checker_finds_it(fresh_postgres: str) -> None:
    database = Database(fresh_postgres)
    try:
        places = fill(database)
        with database.transaction() as session:
            for statement in (
                "DROP INDEX uq_step_counter_busy",
                "DROP INDEX uq_step_ticket_busy",
                "ALTER TABLE event DROP CONSTRAINT pk_event",
            ):
                session.execute(text(statement))
        call_all(database, places, guarded=False)
        with database.snapshot() as session:
            found = proof.check(session, "ward").violations
        # Not any complaint: dropping the key alone leaves gaps in seq. The promise lost is one party, one counter.
        assert any("is at another counter" in each for each in found)
        assert any("was called past place" in each for each in found)
    finally:
        database.dispose()


@pytest.mark.parametrize("times", [5])
def test_two_presses_have_one_effect(database: Database, times: int) -> None:
    places = fill(database)
    with database.transaction() as session:
        queue.call_next(session, counter_id=places[0], actor="test", at=START + timedelta(hours=1))
    for _ in range(times):
        with pytest.raises(DomainError, match="counter_busy"), database.transaction() as session:
            queue.call_next(session, counter_id=places[0], actor="test", at=START + timedelta(hours=1))
