"""Bring a database to the newest schema; a newer one than ours is refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from app.db.session import Database
from app.domain.errors import Conflict, Unavailable

MIGRATIONS = Path(__file__).parents[2] / "migrations"


def configuration() -> Config:
    """Alembic's configuration without a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def current(database: Database) -> str | None:
    """The revision the database is at, or None when it is empty."""
    with database.read_engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """The revision of this release."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def known(revision: str) -> None:
    """Raise Unavailable("schema_newer") for a revision of a newer release."""
    try:
        ScriptDirectory.from_config(configuration()).get_revision(revision)
    except CommandError:
        raise Unavailable("schema_newer") from None


def migrate(database: Database, to: str = "head") -> None:
    """Upgrade in one transaction; raises Unavailable("schema_newer") for a database of a newer release, and
    Conflict("database_damaged") where SQLite finds a row that points at nothing: the database is then as it was.
    """
    now = current(database)
    known(now or "head")
    if now == newest():
        return
    with rebuilding(database) as connection:
        upgrade(connection, to)


def upgrade(connection: Connection, to: str) -> None:
    """The migrations up to a revision, in the connection's transaction (of ``rebuilding``)."""
    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


@contextmanager
def rebuilding(database: Database) -> Iterator[Connection]:
    """One transaction in which tables may be taken down and set up again.

    SQLite changes a table by a copy that takes its place, and drops none that other rows point at: its references
    rest meanwhile, which can be said only outside a transaction, and are looked at before the commit.
    """
    with database.engine.connect() as connection:
        _references(connection, kept=False)
        try:
            with connection.begin():
                yield connection
                if database.is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise Conflict("database_damaged")
        finally:
            _references(connection, kept=True)


def _references(connection: Connection, *, kept: bool) -> None:
    if connection.dialect.name != "sqlite":
        return
    cursor = connection.connection.cursor()
    cursor.execute(f"PRAGMA foreign_keys={'ON' if kept else 'OFF'}")
    cursor.close()
