"""Cities for the catalogue: ``city`` is shared and only read, ``own_city`` and ``empty_db`` are the test's own.

Each on a SQLite file and on PostgreSQL. The sample is loaded once for each kind, as files say it (the hall's
fixtures put their offices in training, which is always open), and then copied.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from app.db import schema
from app.db.session import Database
from app.services.catalogue_load import load_document
from config.municipality import SAMPLE, load

SETUP = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Copies:
    """Databases made from a template: ``make("empty" | "city")`` gives the URL of a fresh copy."""

    make: Callable[[str], str]


def _prepare(empty: str, city: Callable[[], str]) -> None:
    database = Database(empty)
    schema.migrate(database)
    database.dispose()
    database = Database(city())
    with database.transaction() as session:
        load_document(session, load(SAMPLE), at=SETUP)
    database.dispose()


def _sqlite(directory: Path) -> Copies:
    count = itertools.count()

    def make(template: str) -> str:
        path = directory / f"copy{next(count)}.db"
        shutil.copyfile(directory / f"{template}.db", path)
        return f"sqlite:///{path}"

    def city() -> str:
        shutil.copyfile(directory / "empty.db", directory / "city.db")
        return f"sqlite:///{directory / 'city.db'}"

    _prepare(f"sqlite:///{directory / 'empty.db'}", city)
    return Copies(make)


@contextmanager
def _postgres(server: str) -> Iterator[Copies]:
    count, run, made = itertools.count(), f"catalogue_{os.getpid()}", list[str]()

    def tell(statement: str) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(statement.encode())

    def create(name: str, template: str) -> str:
        tell(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        made.append(name)
        return urlsplit(server)._replace(path=f"/{name}").geturl()

    _prepare(create(f"{run}_empty", "template0"), lambda: create(f"{run}_city", f"{run}_empty"))
    yield Copies(lambda template: create(f"{run}_{next(count)}", f"{run}_{template}"))
    for name in made:
        tell(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def copies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    if request.param == "sqlite":
        yield _sqlite(tmp_path_factory.mktemp("catalogue"))
        return
    with _postgres(request.getfixturevalue("postgres_server")) as found:
        yield found


def _open(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def city(copies: Copies) -> Iterator[Database]:
    yield from _open(copies.make("city"))


@pytest.fixture
def own_city(copies: Copies) -> Iterator[Database]:
    yield from _open(copies.make("city"))


@pytest.fixture
def empty_db(copies: Copies) -> Iterator[Database]:
    yield from _open(copies.make("empty"))
