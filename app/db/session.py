"""``Database``: the engines, the one commit, and the office's lock.

SQLite: every writing transaction is BEGIN IMMEDIATE behind a cooperative lock of this process (one
greenlet never blocks the loop on another's transaction); reads go through a second, read-only engine.
PostgreSQL: time limits on locks and statements, connections checked before use.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from app.db.refusals import refusal_of
from app.domain.errors import Unavailable

_BUSY_SECONDS = 5.0
_PING_AFTER_SECONDS = 2.0
_PG_OPTIONS = "-c lock_timeout=3000 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=10000"


def sqlite_module() -> Any:
    """The driver with a current SQLite (design.md, Storage: versions before 3.51.3 have the WAL-reset bug)."""
    from pysqlite3 import dbapi2

    return dbapi2


def _sqlite_engine(url: str, *, read_only: bool) -> Engine:
    engine = create_engine(
        url, module=sqlite_module(), poolclass=QueuePool, pool_size=8, max_overflow=8,
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
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: str) -> Engine:
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=10,
        max_overflow=10, pool_timeout=5, pool_recycle=1800,
        connect_args={"connect_timeout": 5, "options": _PG_OPTIONS, "tcp_user_timeout": 5000},
    )  # fmt: skip

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


def _remembering(session: Session) -> Session:
    """Keep every loaded row until the session ends: its map is weak, and a short transaction asks for a row twice."""
    kept: list[object] = []

    def keep(_session: Session, row: object) -> None:
        kept.append(row)

    event.listen(session, "loaded_as_persistent", keep)
    event.listen(session, "pending_to_persistent", keep)
    return session


class Database:
    """Engines of one database; made after a fork, closed with ``dispose``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._writer = threading.Lock()
        self._listeners: list[Callable[[set[str]], None]] = []
        if self.is_sqlite:
            self.engine = _sqlite_engine(url, read_only=False)
            self.read_engine = _sqlite_engine(url, read_only=True)
        else:
            self.engine = self.read_engine = _postgres_engine(url)

    def on_commit(self, listener: Callable[[set[str]], None]) -> None:
        """Call ``listener(office ids)`` after a commit that appended events to them; a wake-up, not the truth."""
        self._listeners.append(listener)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One short writing transaction; commits on leaving, rolls back on any error.

        Raises the domain's refusal for a violated constraint, Unavailable when the database is busy.
        """
        if not self.is_sqlite:
            with self._session() as session:
                yield session
            return
        if not self._writer.acquire(timeout=_BUSY_SECONDS):
            raise Unavailable(retry_after=1)
        try:
            with self._session() as session:
                self._begin(session)
                session.info["alone"] = True
                yield session
        finally:
            self._writer.release()

    def _begin(self, session: Session) -> None:
        """BEGIN IMMEDIATE, waiting for another process's writer without blocking the loop."""
        deadline = time.monotonic() + _BUSY_SECONDS
        while True:
            try:
                session.connection()
                return
            except OperationalError as error:
                session.rollback()
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.002 + random.random() * 0.01)  # noqa: S311 - jitter

    @contextmanager
    def _session(self) -> Iterator[Session]:
        session = _remembering(Session(self.engine, expire_on_commit=False))
        try:
            yield session
            session.flush()
            session.commit()
        except DBAPIError as error:
            session.rollback()
            raise refusal_of(error) from error
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()
        changed: set[str] = session.info.get("offices", set())
        if changed:
            for listener in self._listeners:
                listener(changed)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Reads that see one state of the database; never writes."""
        engine = self.read_engine
        if not self.is_sqlite:
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        session = _remembering(Session(engine, expire_on_commit=False))
        try:
            yield session
        except DBAPIError as error:
            raise refusal_of(error) from error
        finally:
            session.close()

    @contextmanager
    def glance(self) -> Iterator[Session]:
        """Reads of one statement each (who is calling?): no transaction around them on PostgreSQL."""
        if self.is_sqlite:
            with self.snapshot() as session:
                yield session
            return
        session = Session(self.read_engine.execution_options(isolation_level="AUTOCOMMIT"), expire_on_commit=False)
        try:
            yield session
        except DBAPIError as error:
            raise refusal_of(error) from error
        finally:
            session.close()

    def dispose(self) -> None:
        self.engine.dispose()
        self.read_engine.dispose()


__all__ = ["Database", "sqlite_module"]
