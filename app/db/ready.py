"""Statements of hot paths, compiled once: the driver gets their text and values, as it would from SQLAlchemy.

``Connection.execute`` looks up the compiled text, makes a context and a result of typed rows at every use: about
60 µs each on the machine that books, where a hold is eight statements and the driver needs 15. What is asked for
here uses the connection's own transaction, and its errors are the same; its events do not hear of it, so writes to
the tables of rights, to which app/web/known_callers.py listens, never go this way.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, Float
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import ClauseElement, visitors
from sqlalchemy.types import TypeEngine

# What a statement may say in its own text; of anything else the driver knows better how it is written.
_CONSTANTS = (str, int, list)
_Key = str | tuple[str, tuple[tuple[str, int], ...]]


def _out(kind: TypeEngine[Any], dialect: Dialect) -> Any:
    """What turns the driver's value into the column's; None where it is that already, as a float always is.

    A float's processor would ask for the driver's own code of the column, which is known only with a row.
    """
    return None if isinstance(kind, Float) else kind.dialect_impl(dialect).result_processor(dialect, None)


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

    __slots__ = ("converts", "gives", "lists", "names", "outs", "own", "pick", "positional", "text", "typed")

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
        converts = [
            made.binds[listed.get(name, (name,))[0]].type.dialect_impl(dialect).bind_processor(dialect)
            for name in self.names
        ]
        self.converts = [(at, convert) for at, convert in enumerate(converts) if convert]
        self.outs = tuple(_out(column.type, dialect) for column in getattr(statement, "exported_columns", ()))
        self.gives, self.typed = bool(self.outs), any(self.outs)

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
    driver, kept = connection.connection, connection.info
    cursor = kept.get("ready")
    if cursor is None:
        # One for as long as the connection lives: each is read to its end before the next.
        cursor = kept["ready"] = driver.cursor()
    try:
        cursor.execute(text, values)
        return cursor.fetchall() if gives else []  # type: ignore[return-value]
    except connection.dialect.loaded_dbapi.Error as error:
        gone = connection.dialect.is_disconnect(error, driver, cursor)
        if gone:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text, values, error, connection.dialect.loaded_dbapi.Error, connection_invalidated=gone,
            dialect=connection.dialect,
        ) from error  # fmt: skip


class Ready:
    """A statement with its values named by ``bindparam``; those in ``lists`` are expanding ones."""

    def __init__(self, statement: ClauseElement, *lists: str) -> None:
        self.statement, self._lists = _said(statement), lists
        self._compiled: dict[_Key, _Compiled] = {}

    def run(self, connection: Connection, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Execute it; all rows it returns, as the driver gives them (``rows`` gives them typed)."""
        compiled = self._for(connection.dialect, given)
        return send(connection, compiled.text, compiled.values(given), gives=compiled.gives)

    def rows(self, connection: Connection, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """All rows, each value in the type of its column."""
        compiled = self._for(connection.dialect, given)
        found = send(connection, compiled.text, compiled.values(given), gives=compiled.gives)
        if not found or not compiled.typed:
            return found
        return [
            tuple([out(value) if out else value for out, value in zip(compiled.outs, row, strict=True)])
            for row in found
        ]

    def _for(self, dialect: Dialect, given: Mapping[str, Any]) -> _Compiled:
        key: _Key = (
            dialect.name if not self._lists else (dialect.name, tuple((name, len(given[name])) for name in self._lists))
        )
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = _Compiled(self.statement, dialect, given)
        return found


__all__ = ["Ready", "send"]
