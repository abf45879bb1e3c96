"""What tests of bookings share: a day, a hold, a booking, the rows as they are."""

import itertools
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain.booking import State
from app.domain.slots import Cell
from app.models.booking import Booking, BookingPlace, Slot
from app.services import bookings, holds

SECRET = b"kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"
SEALER = Sealer(SECRET)
# Wednesday 1 April 2026, noon in Japan; the slots are of Thursday morning.
AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
NEXT_DAY = datetime(2026, 4, 2, 0, 0, tzinfo=UTC)
# A Tuesday: おくやみ has one place in half an hour for 90 minutes at a time; the day is soon full.
FULL_DAY = date(2026, 4, 14)
FULL_STARTS = [
    datetime.fromisoformat("2026-04-14T08:30+09:00") + timedelta(minutes=minutes) for minutes in (0, 90, 270, 360)
]
# With the process: one of its own (tests/races/booking_worker.py) begins to count anew in the same database.
_seeds = itertools.count()


def morning(hour: int, minute: int = 0) -> datetime:
    """A time of Thursday in Japan."""
    return NEXT_DAY + timedelta(hours=hour - 9, minutes=minute)


def hold(
    session: Session,
    *services: str,
    start: datetime | None = None,
    at: datetime = AT,
    office: str = "ward",
    **more: Any,
) -> Booking:
    """Hold a slot of the moving line on Thursday at 10."""
    asked = holds.Asked(office_id=office, services=services or ("tennyu",), start=start or morning(10), **more)
    seed = f"seed-{os.getpid()}-{next(_seeds)}"
    return holds.hold(session, asked=asked, seed=seed, secret=SECRET, actor="test", at=at)


def confirm(session: Session, held: Booking, *, at: datetime = AT, **person: str) -> Booking:
    session.flush()
    return bookings.confirm(
        session, session.get_one(Booking, held.id), person=bookings.person_of(**person), sealer=SEALER, secret=SECRET,
        actor="test", at=at,
    )  # fmt: skip


def book(session: Session, *services: str, **more: Any) -> Booking:
    """A confirmed booking; ``name``, ``phone``, ``email`` as the person types them."""
    person = {name: more.pop(name) for name in ("name", "phone", "email", "notes") if name in more}
    at = more.get("at", AT)
    return confirm(session, hold(session, *services, **more), at=at, **person)


def fill_day(session: Session) -> list[Booking]:
    """Book the day so that no visit fits any more: two of the morning, two of the afternoon."""
    return [book(session, "okuyami", name="山田", start=start) for start in FULL_STARTS]


def used(session: Session, start: datetime | None = None, line: str = "ward-moving") -> int:
    """Places taken in one cell."""
    return session.scalar(select(Slot.used).where(Slot.pool == line, Slot.start_at == (start or morning(10)))) or 0


def counted(session: Session) -> dict[Cell, int]:
    """What the bookings that take places take, cell by cell."""
    rows = session.execute(
        select(BookingPlace.pool, BookingPlace.start_at, func.sum(BookingPlace.places)).group_by(
            BookingPlace.pool, BookingPlace.start_at
        )
    )
    return {Cell(pool, start): int(places) for pool, start, places in rows}


def agreed(session: Session) -> bool:
    """Every cell counts exactly what bookings take, and none holds more than it has."""
    taken = counted(session)
    rows = session.scalars(select(Slot).execution_options(populate_existing=True)).all()
    return all(row.used == taken.get(Cell(row.pool, row.start_at), 0) and row.used <= row.capacity for row in rows)


def states(session: Session) -> Sequence[State]:
    return [State(state) for state in session.scalars(select(Booking.state).order_by(Booking.id))]
