"""Eight counters call at once: nobody twice, nobody out of turn; without lock and constraints the checker sees it."""

from datetime import timedelta

import pytest

from app.db.session import Database
from app.domain.errors import DomainError
from app.services import proof, queue
from tests.races.control import PEOPLE, START, call_all, fill, found_out, lost_its_promise


def test_nobody_is_called_twice_or_out_of_turn(database: Database) -> None:
    call_all(database, fill(database), guarded=True)
    with database.snapshot() as session:
        shown = proof.check(session, "ward")
    assert list(shown.violations) == []
    assert shown.calls == PEOPLE


def test_without_lock_and_constraints_the_checker_finds_it(database: Database) -> None:
    """The negative control; how often it is found out is measured by ``python -m tests.races.control``."""
    assert lost_its_promise(found_out(database, guarded=False))


@pytest.mark.parametrize("times", [5])
def test_two_presses_have_one_effect(database: Database, times: int) -> None:
    places = fill(database)
    with database.transaction() as session:
        queue.call_next(session, counter_id=places[0], actor="test", at=START + timedelta(hours=1))
    for _ in range(times):
        with pytest.raises(DomainError, match="counter_busy"), database.transaction() as session:
            queue.call_next(session, counter_id=places[0], actor="test", at=START + timedelta(hours=1))
