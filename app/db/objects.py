"""Objects of hot paths: read and inserted by statements compiled once, and the session's own all the same.

Loading through the session compiles, types and tracks each row anew, and a flush sorts a unit of work for a single
number: together a third of what a number or call cost (ADR 12). What is read or put here is the session's afterwards
as if it had loaded it: found by ``get``, changed by attribute, written at the commit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, insert
from sqlalchemy.orm import Mapper, Session, class_mapper, make_transient_to_detached, object_mapper
from sqlalchemy.orm.attributes import instance_dict, set_committed_value

from app.db import later
from app.db.base import Base
from app.db.ready import Ready


class _Kind:
    """One model among the columns of a row."""

    __slots__ = ("keys", "mapper", "names", "until")

    def __init__(self, model: type[Base], begins: int) -> None:
        self.mapper: Mapper[Any] = class_mapper(model)
        columns = list(self.mapper.columns)
        self.names = [str(column.key) for column in columns]
        self.keys = [begins + place for place, column in enumerate(columns) if column in self.mapper.primary_key]
        self.until = begins + len(self.names)


class Look:
    """A query of whole models: a list of objects for each row, None where an outer join found nothing."""

    def __init__(self, query: Select[*tuple[Any, ...]], *lists: str, anew: bool = False) -> None:
        """``anew``: what the session knows already takes the values that were read, as under a lock."""
        self._ready, self._anew = Ready(query, *lists), anew
        self._kinds: list[_Kind] = []
        begins = 0
        for each in query.column_descriptions:
            self._kinds.append(_Kind(each["entity"], begins))
            begins = self._kinds[-1].until

    def rows(self, session: Session, given: Mapping[str, Any]) -> list[list[Any]]:
        """The objects of each row. Whatever waits to be written is written before."""
        found = []
        for row in self._ready.rows(later.all_seen(session), given):
            begins, objects = 0, []
            for kind in self._kinds:
                objects.append(self._object(session, kind, row, begins))
                begins = kind.until
            found.append(objects)
        return found

    def one(self, session: Session, given: Mapping[str, Any]) -> Any:
        """The first object of the first row, or None."""
        found = self.rows(session, given)
        return found[0][0] if found else None

    def _object(self, session: Session, kind: _Kind, row: tuple[Any, ...], begins: int) -> Any:
        identity = tuple(row[place] for place in kind.keys)
        if None in identity:
            return None
        known = session.identity_map.get(kind.mapper.identity_key_from_primary_key(identity))
        values = zip(kind.names, row[begins : kind.until], strict=True)
        if known is None:
            return _kept(session, kind.mapper.class_manager.new_instance(), dict(values))
        if self._anew:
            for name, value in values:
                set_committed_value(known, name, value)
        return known


def _kept(session: Session, fresh: Any, values: Mapping[str, Any]) -> Any:
    """``fresh`` as an object the session has loaded."""
    instance_dict(fresh).update(values)
    make_transient_to_detached(fresh)
    session.add(fresh)
    return fresh


_PUT: dict[tuple[Mapper[Any], int], Ready] = {}


def put(session: Session, rows: Sequence[Base], *, apart: str) -> None:
    """Insert fresh rows of one model in one statement; each has its id then. ``apart``: the column that tells them.

    The rows an INSERT returns have no promised order, so each says which it is.
    """
    session.flush()
    mapper = object_mapper(rows[0])
    [key] = mapper.primary_key
    columns = [column for column in mapper.columns if column is not key]
    statement = _PUT.get((mapper, len(rows)))
    if statement is None:
        places = [
            {column.key: bindparam(f"{column.key}_{place}", type_=column.type) for column in columns}
            for place in range(len(rows))
        ]
        table = mapper.local_table
        made = insert(table).values(places).returning(key, table.c[apart])  # type: ignore[arg-type]
        statement = _PUT[mapper, len(rows)] = Ready(made)
    whole = [{str(column.key): _value(row, column) for column in columns} for row in rows]
    given = {f"{name}_{place}": value for place, values in enumerate(whole) for name, value in values.items()}
    ids = {told: found for found, told in statement.rows(session.connection(), given)}
    for row, values in zip(rows, whole, strict=True):
        _kept(session, row, {**values, str(key.key): ids[values[apart]]})


def _value(row: Base, column: Any) -> Any:
    """What a row says, else the column's default."""
    said = instance_dict(row).get(column.key)
    if said is not None or column.default is None:
        return said
    return column.default.arg(None) if column.default.is_callable else column.default.arg
