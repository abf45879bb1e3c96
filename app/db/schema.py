"""Bring a database to the newest schema; a newer one than ours is refused."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from app.db.session import Database
from app.domain.errors import Unavailable

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


def migrate(database: Database) -> None:
    """Upgrade to head in one transaction; raises Unavailable("schema_newer") for a database of a newer release."""
    config = configuration()
    known(current(database) or "head")
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
