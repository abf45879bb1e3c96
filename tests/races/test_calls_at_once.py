"""Eight counters call at once: nobody twice, nobody out of turn; without lock and constraints the checker sees it."""

import itertools
import shutil
from collections.abc import Generator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.db.session import Database
from app.domain.errors import DomainError
from app.services import proof, queue
from tests.conftest import copy_of
from tests.races.control import PEOPLE, START, call_all, fill, found_out, lost_its_promise


def test_nobody_is_called_twice_or_out_of_turn(database: Database) -> None:
    call_all(database, fill(database), guarded=True)
    with database.snapshot() as session:
        shown = proof.check(session, "ward")
    assert list(shown.violations) == []
    assert shown.calls == PEOPLE


def _fresh(request: pytest.FixtureRequest, folder: Path) -> Generator[Database]:
    if request.param == "sqlite":
        for number in itertools.count():
            file = folder / f"hall{number}.db"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
            yield Database(f"sqlite:///{file}")
    server, template = (request.getfixturevalue(f"postgres_{name}") for name in ("server", "template"))
    while True:
        with copy_of(server, template) as url:
            yield Database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def halls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Iterator[Database]]:
    """Fresh halls on each kind of database, as many as are asked for."""
    made = _fresh(request, tmp_path)
    yield made
    made.close()


def test_without_lock_and_constraints_the_checker_finds_it(halls: Iterator[Database]) -> None:
    """The negative control. A race that happens not to meet is run again; how often that is so is measured by
    ``python -m tests.races.control``."""
    assert any(lost_its_promise(found_out(database, guarded=False)) for database in itertools.islice(halls, 3))


@pytest.mark.parametrize("times", [5])
def test_two_presses_have_one_effect(database: Database, times: int) -> None:
    places = fill(database)
    with database.transaction() as session:
        queue.call_next(session, counter_id=places[0], actor="test", at=START + timedelta(hours=1))
    for _ in range(times):
        with pytest.raises(DomainError, match="counter_busy"), database.transaction() as session:
            queue.call_next(session, counter_id=places[0], actor="test", at=START + timedelta(hours=1))
