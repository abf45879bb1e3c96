"""Statements of hot paths, compiled once: the driver gets their text and values, as it would from SQLAlchemy.

``Connection.execute`` looks up the compiled text, makes a context and a result of typed rows at every use: about
60 µs each on the machine that books, where a hold is eight statements and the driver needs 15. What is asked for
here uses the connection's own transaction, and its errors are the same; its events do not hear of it, so writes to
the tables of rights, to which app/web/known_callers.py listens, never go this way.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Boolean, Connection, Dialect, Float
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement, visitors
from sqlalchemy.types import TypeEngine

# Where a connection keeps its cursor.
_CURSOR = "_madoguchi_ready"
# What a statement may say in its own text; of anything else the driver knows better how it is written.
_CONSTANTS = (str, int, list)
# The dialect, and how long each list is.
_Key = str | tuple[str | int, ...]


def _out(kind: TypeEngine[Any], dialect: Dialect) -> Any:
    """What turns the driver's value into the column's; None where it is that already, as a float always is.

    A float's processor would ask for the driver's own code of the column, which is known only with a row.
    """
    return None if isinstance(kind, Float) else kind.dialect_impl(dialect).result_processor(dialect, None)


def _into(kind: TypeEngine[Any], dialect: Dialect) -> Any:
    """What turns a value into the driver's; None where it is that already, as a boolean is to either."""
    return None if isinstance(kind, Boolean) else kind.dialect_impl(dialect).bind_processor(dialect)


def _said(statement: Any) -> Any:
    """The statement with its own constants (``state = 'waiting'``, LIMIT 1) in its text, not among the values.

    PostgreSQL plans such a statement once for all values: of a value it does not see it cannot know that the index
    of those who wait will do, and it takes a limit for a tenth of the table.
    """

    def stands(part: Any, **_: Any) -> Any | None:
        constant = isinstance(part, BindParameter) and part.unique and isinstance(part.effective_value, _CONSTANTS)
        return part.render_literal_execute() if constant else None

    found: Any = visitors.replacement_traverse(statement, {}, stands)  # type: ignore[call-overload]
    return found


def _picker(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Iterable[Any]]:
    """What takes the values of these names, in their order."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: [given[name] for name in names]


class _Compiled:
    """The text for one dialect, with how each value goes in and comes out."""

    __slots__ = ("converts", "gives", "lists", "names", "outs", "own", "pick", "positional", "text")

    def __init__(self, statement: Any, dialect: Dialect, given: Mapping[str, Any]) -> None:
        made = statement.compile(dialect=dialect)
        state = made.construct_expanded_state(dict(given))
        self.text, self.positional = state.statement, state.positiontup is not None
        # A list becomes as many places as it has values now: ``pools`` as ``pools_1``, ``pools_2``.
        listed = {
            name: (whole, place) for whole, each in state.parameter_expansion.items() for place, name in enumerate(each)
        }
        self.names = tuple(state.positiontup or state.parameters)
        self.lists = [(at, *listed[name]) for at, name in enumerate(self.names) if name in listed]
        self.pick = _picker(self.names)
        # Values of the statement's own, where the caller gives none.
        self.own = {name: state.parameters[name] for name in self.names if name not in given and name not in listed}
        converts = [_into(made.binds[listed.get(name, (name,))[0]].type, dialect) for name in self.names]
        self.converts = [(at, convert) for at, convert in enumerate(converts) if convert]
        self.outs = tuple(_out(column.type, dialect) for column in getattr(statement, "exported_columns", ()))
        self.gives = bool(self.outs)

    def values(self, given: Mapping[str, Any]) -> Any:
        """What the driver gets: by place or by name."""
        if self.own:
            given = self.own | given  # type: ignore[operator]
        if self.lists:
            found = [given.get(name) for name in self.names]
            for at, source, place in self.lists:
                found[at] = given[source][place]
        else:
            found = list(self.pick(given))
        for at, convert in self.converts:
            found[at] = convert(found[at])
        return tuple(found) if self.positional else dict(zip(self.names, found, strict=True))


def send(connection: Connection, text: str, values: Any, *, gives: bool) -> list[tuple[Any, ...]]:
    """The driver's cursor on the connection's transaction; its errors as SQLAlchemy tells them.

    ``gives``: whether the statement returns rows; the driver would have to describe every column to tell.
    """
    # Its ``info`` is two calls away: with nine statements a hold, the time of one.
    cursor = vars(connection).get(_CURSOR) or _cursor(connection)
    try:
        cursor.execute(text, values)
        return cursor.fetchall() if gives else []
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, error, text, values) from error


def _cursor(connection: Connection) -> Any:
    """The cursor of the driver's connection, one for as long as it lives: each is read to its end before the next."""
    kept = connection.info
    cursor = kept.get(_CURSOR)
    if cursor is None:
        cursor = kept[_CURSOR] = connection.connection.cursor()
    vars(connection)[_CURSOR] = cursor
    return cursor


def commit(connection: Connection) -> None:
    """Commit what SQLAlchemy's connection has begun, or else what the driver alone has."""
    _end(connection, "commit")


def rollback(connection: Connection) -> None:
    """As ``commit``, the other way."""
    _end(connection, "rollback")


def _end(connection: Connection, how: str) -> None:
    if connection.in_transaction():
        getattr(connection, how)()
        return
    # A connection that broke has taken its transaction with it.
    if connection.invalidated:
        return
    try:
        getattr(connection.connection, how)()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, error, how, ()) from error


def _told(connection: Connection, error: Exception, text: str, values: Any) -> Exception:
    driver, dialect = connection.connection, connection.dialect
    gone = dialect.is_disconnect(error, driver, None)  # type: ignore[arg-type]
    if gone:
        vars(connection).pop(_CURSOR, None)
        connection.invalidate(error)
    found: Exception = DBAPIError.instance(
        text, values, error, dialect.loaded_dbapi.Error, connection_invalidated=gone, dialect=dialect
    )
    return found


class Ready:
    """A statement with its values named by ``bindparam``; those in ``lists`` are expanding ones."""

    def __init__(self, statement: ClauseElement, *lists: str) -> None:
        self.statement, self._lists = _said(statement), lists
        self._compiled: dict[_Key, _Compiled] = {}
        # By dialect: what turns the values of each column; none where all are as the driver gives them.
        self._outs: dict[str, tuple[Any, ...]] = {}

    def run(self, connection: Connection, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute it; all rows it returns, as the driver gives them (``rows`` gives them typed)."""
        dialect = connection.dialect
        key: _Key = dialect.name
        if self._lists:
            key = (dialect.name, *[len(given[name]) for name in self._lists])
        compiled = self._compiled.get(key) or self._compile(key, dialect, given)
        return send(connection, compiled.text, compiled.values(given), gives=compiled.gives)

    def rows(self, connection: Connection, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows, each value in the type of its column."""
        found = self.run(connection, given)
        outs = self._outs.get(connection.dialect.name)
        if not found or outs is None:
            return found
        return [tuple([out(value) if out else value for out, value in zip(outs, row, strict=True)]) for row in found]

    def _compile(self, key: _Key, dialect: Dialect, given: Mapping[str, Any]) -> _Compiled:
        found = self._compiled[key] = _Compiled(self.statement, dialect, given)
        if any(found.outs):
            self._outs[dialect.name] = found.outs
        return found


__all__ = ["Ready", "commit", "rollback", "send"]
