"""``Database``: the engines, the one commit, and the office's lock.

SQLite: every writing transaction is BEGIN IMMEDIATE behind a cooperative lock of this process (one
greenlet never blocks the loop on another's transaction); reads go through a second, read-only engine.
PostgreSQL: time limits on locks and statements, connections checked before use.
"""

import random
import threading
import time
from collections import ChainMap, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from app.db import cooperative, later, ready
from app.db.refusals import refusal_of
from app.domain.errors import Unavailable

_BUSY_SECONDS = 5.0
_TURN_SECONDS = 3.0
_PING_AFTER_SECONDS = 2.0
_MOST_REMEMBERED = 20_000
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
        ready.send(connection, "BEGIN" if read_only else "BEGIN IMMEDIATE", (), gives=False)

    return engine


def _postgres_engine(url: str) -> Engine:
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1), pool_size=10,
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


class _Remembering(Session):
    """Keeps every loaded row until it ends: its map is weak, and a short transaction asks for a row twice."""


class _Writing(_Remembering):
    """One that reads what waits to be written with its commit (later.py).

    It has one transaction on one connection, which the connection itself begins and ends. The session joins it only
    when models are read or written through it: a transaction object of its own, with its states and its walk to
    the connection, costs 60 µs, and a hold or a call goes through statements of its own.
    """

    def __init__(self, take: Callable[[], Connection], give_back: Callable[[Connection], None]) -> None:
        super().__init__(expire_on_commit=False, join_transaction_mode="control_fully")
        self._take, self._give_back = take, give_back
        self._mine: Connection | None = None

    def get_bind(self, *_asked: Any, **_more: Any) -> Connection:
        """The connection, taken from the pool when it is first asked for: not while waiting for an office's turn."""
        if self._mine is None:
            self._mine = self._take()
        return self._mine

    def connection(self, *asked: Any, **more: Any) -> Connection:
        """The connection in its transaction; without one it begins here."""
        if asked or more or self.in_nested_transaction():
            # A savepoint begins with the session's first look through it.
            return super().connection(*asked, **more)
        mine = self._mine or self.get_bind()
        if not mine.in_transaction():
            mine.begin()
        return mine

    def commit(self) -> None:
        if self.in_transaction():
            super().commit()
        # What the session has not joined, though it had begun a transaction of its own.
        if self._mine is not None and self._mine.in_transaction():
            self._mine.commit()

    def rollback(self) -> None:
        if self.in_transaction():
            super().rollback()
        if self._mine is not None and self._mine.in_transaction():
            self._mine.rollback()

    def close(self) -> None:
        # Letting go of nothing is 10 µs: a map of rows made anew.
        if self.in_transaction() or self.identity_map:
            super().close()
        if self._mine is not None:
            self._give_back(self._mine)
            self._mine = None


def _keep(session: Session, row: object) -> None:
    session.info.setdefault("kept", []).append(row)


# On the classes, once: three listeners for each of a hundred short transactions a second are work too.
event.listen(_Remembering, "loaded_as_persistent", _keep)
event.listen(_Remembering, "pending_to_persistent", _keep)
event.listen(_Remembering, "detached_to_persistent", _keep)
event.listen(_Writing, "do_orm_execute", later.before_reading)


class Database:
    """Engines of one database; made after a fork, closed with ``dispose``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self._writer = threading.Lock()
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        # Of which office a counter or step is, as services/events.py has found; it never changes.
        self._office_of: dict[tuple[type, object], str] = {}
        self._pen: Connection | None = None
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
            with ExitStack() as turns, self._session() as session:
                session.info["turn"] = lambda office_id: self._take_turn(turns, office_id)
                yield session
            return
        if not self._writer.acquire(timeout=_BUSY_SECONDS):
            raise Unavailable(retry_after=1)
        try:
            with self._session() as session:
                self._begin(session)
                yield session
        finally:
            self._writer.release()

    def _take_turn(self, turns: ExitStack, office_id: str) -> None:
        """Queue in this process for an office's row before the database is asked for it.

        The row's lock alone keeps the order right; but eight transactions waiting inside PostgreSQL cost a
        third of the calls a single one makes, by lock queues and wake-ups there and switches here.
        """
        turn = self._turns[office_id]
        if not turn.acquire(timeout=_TURN_SECONDS):
            raise Unavailable(retry_after=1)
        turns.callback(turn.release)

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

    def _take(self) -> Connection:
        """A connection to write by. SQLite has one writer at a time, so one is kept for whoever has its turn."""
        kept, self._pen = self._pen, None
        return kept or self.engine.connect()

    def _give_back(self, connection: Connection) -> None:
        if not self.is_sqlite or self._pen is not None or connection.invalidated:
            connection.close()
            return
        if connection.in_transaction():
            connection.rollback()
        self._pen = connection

    @contextmanager
    def _session(self) -> Iterator[Session]:
        session = _Writing(self._take, self._give_back)
        session.info["office_of"] = found = ChainMap({}, self._office_of)
        try:
            yield session
            session.flush()
            later.write(session)
            session.commit()
            self._remember(found.maps[0])
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

    def _remember(self, found: Mapping[tuple[type, object], str]) -> None:
        """Only what was committed: SQLite gives the id of a row that was rolled back to the next."""
        if len(self._office_of) > _MOST_REMEMBERED:
            self._office_of.clear()
        self._office_of.update(found)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Reads that see one state of the database; never writes."""
        engine = self.read_engine
        if not self.is_sqlite:
            engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        session = _Remembering(engine, expire_on_commit=False)
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
        if self._pen is not None:
            self._pen.close()
            self._pen = None
        self.engine.dispose()
        self.read_engine.dispose()


__all__ = ["Database", "sqlite_module"]
