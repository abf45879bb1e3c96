"""``Database``: the one commit, and whose turn it is to write.

SQLite: one writer at a time, behind a cooperative lock of this process (one greenlet never blocks the loop on
another's transaction); reads go through a second, read-only engine. PostgreSQL: offices have their turns.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, SessionTransaction

from app.db import later, ready
from app.db.engines import begin_on_sqlite, postgres_engine, sqlite_engine
from app.db.refusals import refusal_of
from app.domain.errors import Unavailable

_BUSY_SECONDS = 5.0
_TURN_SECONDS = 3.0
_MOST_REMEMBERED = 20_000


class _Remembering(Session):
    """Keeps every loaded row until it ends: its map is weak, and a short transaction asks for a row twice."""


class _Writing(_Remembering):
    """One that reads what waits to be written with its commit (later.py).

    It has one transaction on one connection, which begins and ends at the driver. SQLAlchemy's connection and session
    join it only when something is read or written through them: a transaction object of each, with its states and its
    walk to the next, costs 60 µs, and a hold or a call goes through statements of its own (ready.py).
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        super().__init__(expire_on_commit=False, join_transaction_mode="control_fully")
        self._connect = connect
        self._mine: Connection | None = None
        self._begun = self._nests = False

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        """Nothing to write where no model has been read or added: either begins the session's transaction."""
        if self.in_transaction():
            super().flush(objects)

    def begin_nested(self) -> SessionTransaction:
        """A savepoint, from here on by way of the session: it begins with the first look through it."""
        self._nests = True
        return super().begin_nested()

    def get_bind(self, *_asked: Any, **_more: Any) -> Connection:
        """The connection, taken from the pool when it is first asked for: not while waiting for an office's turn."""
        if self._mine is None:
            self._mine = self._connect()
        return self._mine

    def connection(self, *asked: Any, **more: Any) -> Connection:
        """The connection in its transaction; without one it begins here."""
        if self._nests or asked or more:
            return super().connection(*asked, **more)
        mine = self._mine or self.get_bind()
        if not self._begun:
            if mine.dialect.name == "sqlite" and not mine.in_transaction():
                begin_on_sqlite(mine)
            # PostgreSQL's driver begins by itself.
            self._begun = True
        return mine

    def commit(self) -> None:
        if self.in_transaction():
            super().commit()
        self._end(ready.commit)

    def rollback(self) -> None:
        if self.in_transaction():
            super().rollback()
        self._end(ready.rollback)

    def _end(self, at_driver: Callable[[Connection], None]) -> None:
        """End what neither the session nor its connection has joined, and what only the connection has."""
        mine = self._mine
        if mine is not None and (self._begun or mine.in_transaction()):
            at_driver(mine)
        self._begun = False

    def close(self) -> None:
        super().close()
        mine, self._mine = self._mine, None
        if mine is not None:
            mine.close()

    def wipe(self) -> None:
        """Make it as new after its commit; only the connection stays."""
        # Letting go of nothing is 10 µs: a map of rows made anew.
        if self.in_transaction() or self.identity_map or self.new:
            super().close()
        self.info.clear()
        self._nests = False


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
        self.office_of: dict[tuple[type, object], str] = {}
        self._pen: _Writing | None = None
        self.listeners: list[Callable[[set[str]], None]] = []
        if self.is_sqlite:
            self.engine = sqlite_engine(url, read_only=False)
            self.read_engine = sqlite_engine(url, read_only=True)
        else:
            self.engine = self.read_engine = postgres_engine(url)

    def on_commit(self, listener: Callable[[set[str]], None]) -> None:
        """Call ``listener(office ids)`` after a commit that appended events to them; a wake-up, not the truth."""
        self.listeners.append(listener)

    def transaction(self) -> AbstractContextManager[Session]:
        """One short writing transaction; commits on leaving, rolls back on any error.

        Raises the domain's refusal for a violated constraint, Unavailable when the database is busy.
        """
        return _Transaction(self)

    def its_turn(self, turns: list[threading.Lock]) -> _Writing:
        """A session to write by, once this one may: what is to be let go of in the end is put into ``turns``.

        On SQLite there is one turn, and with it goes a session that is kept: making one and its connection costs
        40 µs. On PostgreSQL offices have theirs, taken with their rows.
        """
        if not self.is_sqlite:
            session = _Writing(self.engine.connect)
            session.info["turn"] = lambda office_id: self._take_turn(turns, office_id)
            return session
        if not self._writer.acquire(timeout=_BUSY_SECONDS):
            raise Unavailable(retry_after=1)
        turns.append(self._writer)
        kept, self._pen = self._pen, None
        return kept or _Writing(self.engine.connect)

    def keep(self, session: _Writing) -> None:
        """The session of a transaction that was committed: for the next who has the turn, or away with it."""
        if self.is_sqlite:
            session.wipe()
            self._pen = session
        else:
            session.close()

    def _take_turn(self, turns: list[threading.Lock], office_id: str) -> None:
        """Queue in this process for an office's row before the database is asked for it.

        The row's lock alone keeps the order right; but eight transactions waiting inside PostgreSQL cost a
        third of the calls a single one makes, by lock queues and wake-ups there and switches here.
        """
        turn = self._turns[office_id]
        if not turn.acquire(timeout=_TURN_SECONDS):
            raise Unavailable(retry_after=1)
        turns.append(turn)

    def begin(self, session: Session) -> None:
        """BEGIN IMMEDIATE on SQLite, waiting for another process's writer without blocking the loop."""
        if not self.is_sqlite:
            return
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

    def remember(self, found: Mapping[tuple[type, object], str]) -> None:
        """Only what was committed: SQLite gives the id of a row that was rolled back to the next."""
        if len(self.office_of) > _MOST_REMEMBERED:
            self.office_of.clear()
        self.office_of.update(found)

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


class _Transaction:
    """``Database.transaction``, as a class of its own: a generator costs six calls more for each."""

    __slots__ = ("_database", "_found", "_session", "_turns")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Session:
        database, turns = self._database, list[threading.Lock]()
        session = database.its_turn(turns)
        self._session, self._turns, self._found = session, turns, dict[tuple[type, object], str]()
        session.info["office_of"] = self._found, database.office_of
        try:
            database.begin(session)
        except BaseException as error:
            self._abandon(error)
            raise
        return session

    def __exit__(self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        database, session = self._database, self._session
        if error is not None:
            self._abandon(error)
            return
        try:
            session.flush()
            later.write(session)
            session.commit()
        except BaseException as refused:
            self._abandon(refused)
            raise
        database.remember(self._found)
        changed: set[str] = session.info.get("offices", set())
        try:
            database.keep(session)
        finally:
            self._let_go()
        if changed:
            for listener in database.listeners:
                listener(changed)

    def _abandon(self, error: BaseException) -> None:
        """Take all back; raises the domain's word for what the database said."""
        try:
            self._session.rollback()
        finally:
            try:
                self._session.close()
            finally:
                self._let_go()
        if isinstance(error, DBAPIError):
            raise refusal_of(error) from error

    def _let_go(self) -> None:
        for turn in self._turns:
            turn.release()


__all__ = ["Database"]
