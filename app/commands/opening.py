"""What every command opens: the settings and the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from app.db.session import Database
from config import settings as configuration


@contextmanager
def opened() -> Iterator[tuple[configuration.Settings, Database]]:
    """Settings and database, closed afterwards."""
    settings = configuration.load()
    database = Database(settings.database)
    try:
        yield settings, database
    finally:
        database.dispose()
