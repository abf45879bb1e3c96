"""Places taken and given back: the database decides, by one conditional statement a cell.

A cell's row counts what is taken and its CHECK refuses one too many. Cells are touched in one order (pool, time)
and each once, so that two visits never wait for each other in a circle.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Integer, bindparam, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from app.db.base import UtcDateTime
from app.db.ready import Ready
from app.domain.errors import Conflict
from app.domain.slots import Cell
from app.models.booking import BookingPlace, Slot

_N: BindParameter[int] = bindparam("n", type_=Integer())
_S: BindParameter[int] = bindparam("s", type_=Integer())
_CELL = (
    Slot.pool == bindparam("cell_pool"),
    Slot.start_at == bindparam("cell_start", type_=UtcDateTime()),
)
_GIVE = Ready(
    update(Slot)
    .where(*_CELL)
    .values(used=Slot.used - _N, staff_used=Slot.staff_used - _S)
    .execution_options(synchronize_session=False)
)


class Claim(NamedTuple):
    """Places asked for in one cell, with what the rules say it has while staff have not set it otherwise."""

    line: str
    places: int
    capacity: int
    staff_only: int


def _take(dialect: str, *, staff: bool, guarded: bool = True) -> Ready:
    """One statement: make the cell's row or count more in it, if there is room; a row comes back if there was."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    new = insert(Slot).values(
        pool=bindparam("pool"), start_at=bindparam("start"), office_id=bindparam("office"),
        category_id=bindparam("line"), capacity=bindparam("capacity"), staff_only=bindparam("staff_only"),
        used=_N, staff_used=_S, set_capacity=None,
    )  # fmt: skip
    wanted: ColumnElement[int] = Slot.used + _N
    capacity: ColumnElement[int] = func.coalesce(Slot.set_capacity, new.excluded.capacity)
    kept = case((new.excluded.staff_only > Slot.staff_used, new.excluded.staff_only - Slot.staff_used), else_=0)
    if not guarded:
        capacity = wanted
    return Ready(new.on_conflict_do_update(
        index_elements=[Slot.pool, Slot.start_at],
        set_={
            "used": wanted, "staff_used": Slot.staff_used + _S, "capacity": capacity,
            "staff_only": new.excluded.staff_only,
        },
        where=None if not guarded else wanted + (0 if staff else kept) <= capacity,
    ).returning(Slot.used))  # fmt: skip


# Built once: every hold takes by one of these.
_TAKE = {
    (dialect, staff): _take(dialect, staff=staff) for dialect in ("sqlite", "postgresql") for staff in (False, True)
}
_TAKE_BLINDLY = {dialect: _take(dialect, staff=False, guarded=False) for dialect in ("sqlite", "postgresql")}


class Given(NamedTuple):
    """Places given back in one cell; ``of_staff`` of them were taken as staff's."""

    places: int
    of_staff: int


def change(
    session: Session, *, office_id: str, take: Mapping[Cell, Claim], give: Mapping[Cell, Given], staff: bool
) -> None:
    """Take and give back in one go, each cell once; raises Conflict("slot_full"), and the transaction must then end.

    ``staff``: what is taken may be in places kept for staff. ``session.info["unguarded"]`` is set only by the
    negative control of the race tests, which must then overbook.
    """
    connection, nothing = session.connection(), Given(places=0, of_staff=0)
    for cell in sorted({*take, *give}):
        claim, back = take.get(cell), give.get(cell, nothing)
        if claim is None:
            _give(connection, cell, back)
            continue
        more, of_staff = claim.places - back.places, claim.places * staff - back.of_staff
        if more > 0:
            _claim(session, connection, cell, claim, office_id=office_id, more=more, of_staff=of_staff, staff=staff)
        elif more or of_staff:
            _give(connection, cell, Given(places=-more, of_staff=-of_staff))


def _claim(
    session: Session, connection: Connection, cell: Cell, claim: Claim, *, office_id: str, more: int, of_staff: int,
    staff: bool,
) -> None:  # fmt: skip
    dialect = connection.dialect.name
    statement = _TAKE_BLINDLY[dialect] if session.info.get("unguarded") else _TAKE[dialect, staff]
    values = {
        "pool": cell.pool, "start": cell.start, "office": office_id, "line": claim.line, "capacity": claim.capacity,
        "staff_only": claim.staff_only, "n": more, "s": of_staff,
    }  # fmt: skip
    if not statement.run(connection, values):
        raise Conflict("slot_full")


def _give(connection: Connection, cell: Cell, back: Given) -> None:
    values = {"cell_pool": cell.pool, "cell_start": cell.start, "n": back.places, "s": back.of_staff}
    _GIVE.run(connection, values)


_OF_BOOKING = select(BookingPlace.pool, BookingPlace.start_at, BookingPlace.places).where(
    BookingPlace.booking_id == bindparam("booking")
)
_FORGET = delete(BookingPlace).where(BookingPlace.booking_id == bindparam("booking"))


def of_booking(session: Session, booking_id: int, *, staff: bool) -> dict[Cell, Given]:
    """What a booking takes; ``staff``: it took in places that only staff give."""
    rows = session.execute(_OF_BOOKING, {"booking": booking_id})
    return {Cell(row.pool, row.start_at): Given(places=row.places, of_staff=row.places if staff else 0) for row in rows}


def strike(session: Session, bookings: Iterable[tuple[int, bool]]) -> dict[Cell, Given]:
    """Strike what bookings ``(id, staff)`` take, for ``change`` to give it back; their rows are locked.

    Cells shared by several are summed up.
    """
    totals: dict[Cell, Given] = {}
    for booking_id, staff in bookings:
        for cell, one in of_booking(session, booking_id, staff=staff).items():
            known = totals.get(cell)
            totals[cell] = (
                one
                if known is None
                else Given(places=known.places + one.places, of_staff=known.of_staff + one.of_staff)
            )
        session.connection().execute(_FORGET, {"booking": booking_id})
    return totals


def give_back(session: Session, office_id: str, bookings: Iterable[tuple[int, bool]]) -> int:
    """Give back all that bookings ``(id, staff)`` take, whose states have just been moved; returns how many places."""
    totals = strike(session, bookings)
    change(session, office_id=office_id, take={}, give=totals, staff=False)
    return sum(each.places for each in totals.values())


def set_capacity(
    session: Session, *, office_id: str, cells: Mapping[Cell, Claim], capacity: int | None
) -> list[Cell]:  # fmt: skip
    """Fix the places of cells by hand (0: blocked), or leave them to the rules again (None).

    Returns the cells that hold more bookings than that: nothing is changed in those.
    """
    connection = session.connection()
    refused: list[Cell] = []
    for cell, claim in sorted(cells.items()):
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        wanted = claim.capacity if capacity is None else capacity
        statement = (
            insert(Slot)
            .values(pool=cell.pool, start_at=cell.start, office_id=office_id, category_id=claim.line, capacity=wanted,
                    staff_only=claim.staff_only, used=0, staff_used=0, set_capacity=capacity)
            .on_conflict_do_update(
                index_elements=[Slot.pool, Slot.start_at], set_={"capacity": wanted, "set_capacity": capacity},
                where=Slot.used <= wanted,
            )
            .returning(Slot.used)
        )  # fmt: skip
        if connection.execute(statement).first() is None:
            refused.append(cell)
    return refused


def shut(session: Session, *, office_id: str, cells: Mapping[Cell, Claim]) -> None:
    """Let nobody take a place in cells any more; what is taken stays, and what is given back is not offered again."""
    connection = session.connection()
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    for cell, claim in sorted(cells.items()):
        connection.execute(
            insert(Slot)
            .values(pool=cell.pool, start_at=cell.start, office_id=office_id, category_id=claim.line, capacity=0,
                    staff_only=claim.staff_only, used=0, staff_used=0, set_capacity=0)
            .on_conflict_do_update(
                index_elements=[Slot.pool, Slot.start_at], set_={"capacity": Slot.used, "set_capacity": 0}
            )
        )  # fmt: skip


def rooms(
    session: Session, pools: Iterable[str], first: datetime, last: datetime
) -> dict[Cell, tuple[int, int, int | None]]:
    """``(used, staff_used, set_capacity)`` of the cells of some pools that have been touched; ``last`` excluded."""
    rows = _ROOMS.rows(session.connection(), {"pools": list(pools), "first": first, "last": last})
    return {Cell(pool, start): (used, staff_used, fixed) for pool, start, used, staff_used, fixed in rows}


_ROOMS = Ready(
    select(Slot.pool, Slot.start_at, Slot.used, Slot.staff_used, Slot.set_capacity).where(
        Slot.pool.in_(bindparam("pools", expanding=True)),
        Slot.start_at >= bindparam("first", type_=UtcDateTime()),
        Slot.start_at < bindparam("last", type_=UtcDateTime()),
    ),
    "pools",
)
