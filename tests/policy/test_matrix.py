"""Every route × every role, generated: a new route or role is asked here without a line being written.

Which rights a caller has is not the database's matter, so the roles are asked on SQLite; whose thing it is, is
read from the database, so strangers are asked on both kinds.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.session import Database
from app.web import security
from tests.policy import city, matrix
from tests.policy.callers import Doors, everyone

APPLICATION = city.application(Database("sqlite://"))
DOORS = matrix.doors(APPLICATION)


class Hall:
    """One application with its things and callers."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.web = city.application(self.database)
        self.things = city.furnish(self.database)
        self.callers = Doors(self.web, self.database)


@pytest.fixture(scope="module")
def hall(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    file = tmp_path_factory.mktemp("roles") / "hall.db"
    shutil.copyfile(sqlite_template, file)
    found = Hall(f"sqlite:///{file}")
    yield found
    found.database.dispose()


@pytest.fixture(scope="module")
def each_hall(shared_url: str) -> Iterator[Hall]:
    found = Hall(shared_url)
    yield found
    found.database.dispose()


def test_every_name_in_an_address_is_known_here() -> None:
    """A new one must be said to be a thing of an office or a mere word, or nobody would ask for a foreign one."""
    names = {name for door in DOORS for name in door.names}
    assert names <= matrix.THINGS | set(matrix.WORDS)


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_each_role_can_do_exactly_its_cells(hall: Hall, door: matrix.Door) -> None:
    assert matrix.wrong(hall.web, hall.callers, door, hall.things, everyone()) == []


@pytest.mark.parametrize("door", [door for door in DOORS if matrix.guards_a_thing(APPLICATION, door)], ids=str)
@pytest.mark.parametrize("place", [city.ELSEWHERE, city.BRANCH], ids=["another city", "another office"])
def test_what_is_a_strangers_looks_absent(each_hall: Hall, door: matrix.Door, place: tuple[str, str]) -> None:
    """Same status, same body, nothing changed: no way to learn what another city or office has.

    That an office is there is public: a kiosk of another is told that it is not registered here.
    """
    kinds = matrix.strangers(each_hall.web, door, place)
    before = matrix.rows_of(each_hall.database)
    for kind in kinds:
        answers = {
            matrix.told(each_hall.callers, door, kind, each_hall.things, nowhere=nowhere) for nowhere in (True, False)
        }
        said = f"{door}: {kind}: {[(status, body[:300]) for status, body in answers]}"
        assert len(answers) == 1 or door.endpoint.startswith(matrix.BY_MACHINE), said
        assert {status // 100 for status, _ in answers} == {4}, said
    assert matrix.rows_of(each_hall.database) == before


def test_the_matrix_sees_a_door_without_a_guard(hall: Hall) -> None:
    """The negative control: without the one check before every request, the table is broken in many cells."""
    hooks = hall.web.before_request_funcs[None]
    guarded = list(hooks)
    hooks.remove(security._enforce)
    try:
        asked = [door for door in DOORS if door.method == "GET" and not door.names]
        broken = [
            cell for door in asked for cell in matrix.wrong(hall.web, hall.callers, door, hall.things, everyone())
        ]
        assert len(broken) > 10
    finally:
        hooks[:] = guarded
