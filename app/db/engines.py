"""How each database is reached: its driver, what a new connection is told, and how JSON is written.

SQLite: every writing transaction is BEGIN IMMEDIATE; PostgreSQL: time limits on locks and statements, connections
checked before use.
"""

import json
import time
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from app.db import cooperative, ready

# Nothing is written in a form the standard library would refuse.
_PLAIN = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_PING_AFTER_SECONDS = 2.0
_PG_OPTIONS = "-c lock_timeout=3000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=10000"


def as_json(value: Any) -> str:
    """A value of a JSON column as text; a tenth of the time of the standard library, which knows what this does not."""
    try:
        return orjson.dumps(value, option=_PLAIN).decode()
    except TypeError:
        return json.dumps(value)


def sqlite_module() -> Any:
    """The driver with a current SQLite (design.md, Storage: versions before 3.51.3 have the WAL-reset bug)."""
    from pysqlite3 import dbapi2

    return dbapi2


def begin_on_sqlite(connection: Connection, *, read_only: bool = False) -> None:
    ready.send(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE", (), gives=False)


def sqlite_engine(url: str, *, read_only: bool) -> Engine:
    engine = create_engine(
        url, module=sqlite_module(), json_serializer=as_json, poolclass=QueuePool, pool_size=8, max_overflow=8,
        connect_args={"check_same_thread": False, "timeout": 0.25},
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # A writing one may have begun at the driver already (_Writing).
        if read_only or not connection.connection.in_transaction:
            begin_on_sqlite(connection, read_only=read_only)

    return engine


def postgres_engine(url: str) -> Engine:
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), json_serializer=as_json, pool_size=10,
        max_overflow=10, pool_timeout=5, pool_recycle=1800,
        connect_args={"connect_timeout": 5, "options": _PG_OPTIONS, "tcp_user_timeout": 5000},
    )  # fmt: skip

    if cooperative.wanted():

        @event.listens_for(engine, "do_connect")
        def connect(_dialect: object, _record: object, places: Any, names: Any) -> Any:
            return cooperative.CooperativeConnection.connect(*places, **names)

    @event.listens_for(engine, "checkout")
    def ask_when_idle(connection: Any, record: Any, _proxy: object) -> None:
        """Ask a connection that rested whether it still stands; asking at every use costs a round trip each."""
        if time.monotonic() - record.info.get("used", 0.0) < _PING_AFTER_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error

    @event.listens_for(engine, "checkin")
    def remember_use(_connection: object, record: Any) -> None:
        record.info["used"] = time.monotonic()

    return engine


__all__ = ["as_json", "begin_on_sqlite", "postgres_engine", "sqlite_engine", "sqlite_module"]
