"""Back up a running database: one snapshot, read table by table into one file (app/db/backup_file.py).

The live file is never copied: opening it would drop the locks of this process, and a copy without its WAL is not
a database. Writers go on; what they commit after the snapshot began is not in the backup.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import JSON, Connection, Date, Table, select, text

from app.db import schema
from app.db.backup_file import Header, Writer, writing
from app.db.base import Base, UtcDateTime
from app.db.session import Database
from app.domain.errors import Conflict, Unavailable

Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was written or read."""

    tables: int
    rows: int


def kind_of(column_type: object) -> str:
    """How a column's values stand in the file."""
    if isinstance(column_type, UtcDateTime):
        return "instant"
    if isinstance(column_type, Date):
        return "date"
    return "json" if isinstance(column_type, JSON) else "plain"


def check_integrity(connection: Connection) -> None:
    """SQLite's own look at every page and reference; raises Conflict("database_damaged")."""
    if connection.dialect.name != "sqlite":
        return
    said = connection.execute(text("PRAGMA integrity_check")).scalars().all()
    if said != ["ok"] or connection.execute(text("PRAGMA foreign_key_check")).first() is not None:
        raise Conflict("database_damaged")


def dump(database: Database, path: Path, *, at: datetime, mark: str, progress: Progress) -> Figures:
    """Write all tables into ``path``. Raises Unavailable("schema_older") for a database that must be migrated first,
    Conflict("database_damaged"); nothing is left at ``path`` then.
    """
    revision = schema.current(database)
    if revision is None or revision != schema.newest():
        raise Unavailable("schema_older")
    header = Header(schema=revision, made_at=at, source="sqlite" if database.is_sqlite else "postgresql", mark=mark)
    tables = Base.metadata.sorted_tables
    with database.snapshot() as session:
        connection = session.connection()
        check_integrity(connection)
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        with writing(path, header) as out:
            for table in tables:
                progress(table.name, _dump_table(connection, table, out))
            rows = out.rows
    return Figures(tables=len(tables), rows=rows)


def _dump_table(connection: Connection, table: Table, out: Writer) -> int:
    out.table(table.name, [(column.name, kind_of(column.type)) for column in table.columns])
    before = out.rows
    found = connection.execution_options(yield_per=1_000).execute(select(table).order_by(*table.primary_key.columns))
    for row in found:
        out.row(list(row))
    return out.rows - before
