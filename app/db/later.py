"""Rows that nothing reads before the commit travel together: one statement at the end of a transaction.

An event, an idempotency record, the office's new ``seq``: each alone costs a round trip while the office's
lock is held. PostgreSQL takes them as one statement of several CTEs; SQLite, which has no way to be far,
takes them one by one. Whoever reads through the session before the commit finds them written.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, insert, inspect, literal_column, select, update
from sqlalchemy.orm import ORMExecuteState, Session
from sqlalchemy.orm.attributes import set_committed_value

from app.db.base import Base
from app.db.ready import Ready

# table, names of the key's columns (none: an insert), names of the values' columns
# At the close of a day hundreds wait: a statement of its own for each number of them would be made and kept.
_MOST_TOGETHER = 12
_Shape = tuple[str, tuple[str, ...], tuple[str, ...]]
_STATEMENTS: dict[tuple[_Shape, ...], Ready] = {}
_READY: dict[_Shape, Ready] = {}
_ALONE: dict[tuple[_Shape, str], Any] = {}


class _Write:
    __slots__ = ("key", "table", "values")

    def __init__(self, table: Table, values: Mapping[str, Any], key: Mapping[str, Any]) -> None:
        self.table, self.values, self.key = table, dict(values), dict(key)

    @property
    def shape(self) -> _Shape:
        return self.table.name, tuple(self.key), tuple(self.values)


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - every model of ours is one table
    return table


def insert_later(session: Session, model: type[Base], values: Mapping[str, Any]) -> None:
    """Insert a row with the commit. Every column without a default of the database must be among ``values``."""
    _pending(session).append(_Write(_table(model), values, {}))


def update_later(session: Session, model: type[Base], key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Set columns of the row with this primary key with the commit; again for the same row: the last values count."""
    pending, table = _pending(session), _table(model)
    for known in pending:
        if known.table is table and known.key == key:
            known.values |= values
            return
    pending.append(_Write(table, values, key))


def set_later(session: Session, row: Base, values: Mapping[str, Any]) -> None:
    """Set columns of a row: of a loaded one with the commit, of a fresh one as it is inserted."""
    identity = inspect(row).identity
    if identity is None:
        for name, value in values.items():
            setattr(row, name, value)
        return
    for name, value in values.items():
        set_committed_value(row, name, value)
    keys = [column.key for column in _table(type(row)).primary_key]
    update_later(session, type(row), dict(zip(keys, identity, strict=True)), values)


def seen(session: Session, model: type[Base]) -> Connection:
    """The connection for a statement past the session, once what waits for this model's table is written."""
    table = _table(model)
    if any(each.table is table for each in session.info.get("later", ())):
        write(session)
    return session.connection()


def all_seen(session: Session) -> Connection:
    """The connection for a statement past the session, once all is written that a read through it would find."""
    session.flush()
    write(session)
    return session.connection()


def write(session: Session) -> None:
    """Write what waits. Called before every read through the session, and before the commit.

    What the session holds itself goes first: a step's place in line before the state that demands one.
    """
    pending: list[_Write] | None = session.info.pop("later", None)
    if not pending:
        return
    session.flush()
    connection = session.connection()
    if connection.dialect.name == "sqlite" or len(pending) > _MOST_TOGETHER:
        for each in pending:
            _ready(each).run(connection, _named(each, ""))
        return
    shapes = tuple(each.shape for each in pending)
    if shapes not in _STATEMENTS:
        writes = [_alone(each, f"w{place}_").cte(f"w{place}") for place, each in enumerate(pending)]
        _STATEMENTS[shapes] = Ready(select(literal_column("1")).add_cte(*writes))
    values: dict[str, Any] = {}
    for place, each in enumerate(pending):
        values |= _named(each, f"w{place}_")
    _STATEMENTS[shapes].run(connection, values)


def before_reading(state: ORMExecuteState) -> None:
    """Listener of ``do_orm_execute``: a read through the session sees what waits."""
    if state.session.info.get("later"):
        write(state.session)


def _pending(session: Session) -> list[_Write]:
    found: list[_Write] = session.info.setdefault("later", [])
    return found


def _ready(each: _Write) -> Ready:
    known = _READY.get(each.shape)
    if known is None:
        known = _READY[each.shape] = Ready(_alone(each, ""))
    return known


def _alone(each: _Write, mark: str) -> Any:
    """The statement of one write; built once for each shape."""
    known = (each.shape, mark)
    if known not in _ALONE:
        _ALONE[known] = _built(each, mark)
    return _ALONE[known]


def _built(each: _Write, mark: str) -> Any:
    columns = each.table.c
    values = {name: bindparam(f"{mark}{name}", type_=columns[name].type) for name in each.values}
    if not each.key:
        return insert(each.table).values(values)
    wanted = [columns[name] == bindparam(f"{mark}key_{name}", type_=columns[name].type) for name in each.key]
    return update(each.table).where(and_(*wanted)).values(values)


def _named(each: _Write, mark: str) -> dict[str, Any]:
    if not mark and not each.key:
        return each.values
    values = {f"{mark}{name}": value for name, value in each.values.items()}
    return values | {f"{mark}key_{name}": value for name, value in each.key.items()}
