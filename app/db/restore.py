"""Put a backup in the place of a database: all or nothing, in one transaction, whichever kind it came from.

The backup's own schema is made, filled and then migrated to ours, so that an older backup is good for a newer
release. What must not come back as it was is changed in the same transaction: epochs, sessions, today's numbers.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Connection, Date, MetaData, column, insert, inspect, select, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import NullType, TypeEngine

from app.db import schema
from app.db.backup import Figures, Progress, check_integrity
from app.db.backup_file import Header, tables, verify
from app.db.base import UtcDateTime
from app.db.refusals import refusal_of
from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.errors import Conflict

_TYPES: dict[str, TypeEngine[Any]] = {"instant": UtcDateTime(), "date": Date(), "json": JSON(none_as_null=True)}
# Whoever was signed in then may have been signed out since; a code on a glass is ten minutes old at most.
_ENDED = ("staff_session", "pairing", "scheduler_lease")


def is_empty(database: Database) -> bool:
    """Whether no municipality would be lost."""
    with database.read_engine.connect() as connection:
        if not inspect(connection).has_table("municipality"):
            return True
        return connection.execute(select(text("1")).select_from(table("municipality")).limit(1)).first() is None


def refuse_running(database: Database, *, at: datetime) -> None:
    """Raise Conflict("still_running") while a scheduler leads: its service was not stopped."""
    with database.read_engine.connect() as connection:
        if not inspect(connection).has_table("scheduler_lease"):
            return
        lease = table("scheduler_lease", column("expires_at", UtcDateTime()))
        if any(until > at for until in connection.scalars(select(lease.c.expires_at))):
            raise Conflict("still_running")


def load(database: Database, path: Path, *, at: datetime, leap: int, progress: Progress) -> Figures:
    """Replace everything by the backup. ``leap``: how far today's numbers go on beyond those in the backup, because
    numbers given since are on paper.

    Raises InvalidInput("backup_broken"), Unavailable("schema_newer"); the database is then as it was.
    """
    header = verify(path)
    schema.known(header.schema)
    try:
        with schema.rebuilding(database) as connection:
            _make_room(connection, header)
            figures = _fill(connection, path, progress)
            _move_sequences(connection)
            schema.upgrade(connection, "head")
            _make_another(connection, at=at, leap=leap)
            check_integrity(connection)
    except DBAPIError as error:
        raise refusal_of(error) from error
    return figures


def _make_room(connection: Connection, header: Header) -> None:
    """Drop what is there, and make the schema the backup was written with."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
    there = MetaData()
    there.reflect(connection)
    there.drop_all(connection)
    schema.upgrade(connection, header.schema)


def _fill(connection: Connection, path: Path, progress: Progress) -> Figures:
    counted: dict[str, int] = {}
    for name, columns, rows in tables(path):
        counted[name] = counted.get(name, 0) + len(rows)
        if rows:
            types = [column(each, _TYPES.get(kind, NullType())) for each, kind in columns]
            connection.execute(insert(table(name, *types)), rows)
        progress(name, counted[name])
    return Figures(tables=len(counted), rows=sum(counted.values()))


def _move_sequences(connection: Connection) -> None:
    """PostgreSQL draws the next id from a sequence that knows nothing of rows written with theirs."""
    if connection.dialect.name == "sqlite":
        return
    there = MetaData()
    there.reflect(connection)
    for each in there.sorted_tables:
        for key in each.primary_key.columns:
            if "nextval(" in str(getattr(key.server_default, "arg", "")):
                connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{each.name}', '{key.name}'), "  # noqa: S608 - our names
                        f"coalesce(max({key.name}), 1), max({key.name}) IS NOT NULL) FROM {each.name}"
                    )
                )


def _make_another(connection: Connection, *, at: datetime, leap: int) -> None:
    """Another database from now on: boards join anew, nobody is signed in, no number of today is given again."""
    there = MetaData()
    there.reflect(connection)
    connection.execute(there.tables["office"].update().values(epoch=f"{at:%Y%m%d%H%M%S%f}"))
    for name in _ENDED:
        connection.execute(there.tables[name].delete())
    _hold_messages(connection, at=at)
    _hold_money(connection, at=at)
    if leap > 0:
        _leap(connection, there, day=business_date(at), leap=leap)


def _hold_messages(connection: Connection, *, at: datetime) -> None:
    """What was due by now may have been sent since the backup: never again. The rest waits for ``messages resume``."""
    rows = table(
        "delivery", column("state"), column("reason"), column("due_at", UtcDateTime()),
        column("ended_at", UtcDateTime()),
    )  # fmt: skip
    for before, after in (("queued", "failed"), ("claimed", "unknown")):
        due = (rows.c.state == before) & (rows.c.due_at <= at)
        connection.execute(rows.update().where(due).values(state=after, reason="restored", ended_at=at))
    _hold(connection, "hold:messages", at=at)


def _hold_money(connection: Connection, *, at: datetime) -> None:
    """A refund that stood open may have been sent since the backup: from its first moment its key may be in use, so
    that an old one is looked for at the provider and never sent anew. The rest waits for ``payments resume``."""
    rows = table(
        "refund", column("state"), column("sent_at", UtcDateTime()), column("requested_at", UtcDateTime()),
    )  # fmt: skip
    open_ = rows.c.state.in_(["requested", "sending"]) & rows.c.sent_at.is_(None)
    connection.execute(rows.update().where(open_).values(sent_at=rows.c.requested_at))
    _hold(connection, "hold:money", at=at)


def _hold(connection: Connection, key: str, *, at: datetime) -> None:
    """Read by services/holding.py in every process."""
    kept = table("budget", column("key"), column("used"), column("until", UtcDateTime()))
    connection.execute(kept.delete().where(kept.c.key == key))
    connection.execute(insert(kept), {"key": key, "used": 1, "until": at + timedelta(days=36_500)})


def _leap(connection: Connection, there: MetaData, *, day: date, leap: int) -> None:
    lines, categories = there.tables["number_line"], there.tables["category"]
    of_today = lines.c.business_date == day
    begun = set(connection.scalars(select(lines.c.category_id).where(of_today)))
    further = lines.c.last_serial + leap
    connection.execute(lines.update().where(of_today, lines.c.last_serial.is_not(None)).values(last_serial=further))
    fresh = [
        {"category_id": row.id, "business_date": day, "last_serial": row.numbers.get("first", 1) - 1 + leap}
        for row in connection.execute(select(categories.c.id, categories.c.numbers))
        if row.id not in begun
    ]
    if fresh:
        connection.execute(lines.insert(), fresh)
