"""Who is at work at once in the campaign of sweeps, each in a process of its own: schedulers, buyers, a late comer.

Instants are virtual: one run of the campaign is one moment of some day. An actor hears over a pipe what to do and
answers; one that was told a place to die at does not.
"""

import random
import time
import uuid
from contextlib import suppress
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from app.db.session import Database
from app.domain.booking import Person
from app.domain.errors import Conflict, Unavailable
from app.models.booking import Booking
from app.services import bookings, holds
from config import failpoints
from scheduler.run import Scheduler
from tests.services.booking_desk import SEALER, SECRET

LINE, SERVICE, PLACES = "ward-moving", "tenkyo", 3
BUYER_TRIES = 6


def arm(database: Database, job: str, at: datetime, point: str) -> None:
    """Be told where to die, and be as warm as a scheduler that has run for hours."""
    me = Scheduler(database, clock=lambda: at - timedelta(minutes=5))
    me.lead()
    me.due([job])
    failpoints.arm(point)


def sweep(database: Database, job: str, at: datetime, turns: int) -> None:
    """Look so many times at one job at this instant."""
    me = Scheduler(database, clock=lambda: at, again_after=0)
    for _ in range(turns):
        me.look([job])
        time.sleep(0.005)


def buy(database: Database, start: datetime, at: datetime, unguarded: bool) -> list[int]:
    """Ask for the slot again and again while it is being released; what was acknowledged."""
    found = list[int]()
    time.sleep(random.uniform(0, 0.04))
    for _ in range(BUYER_TRIES):
        with suppress(Conflict, Unavailable):
            found.append(one(database, start, at, unguarded=unguarded))
        time.sleep(0.005)
    return found


def one(database: Database, start: datetime, at: datetime, *, unguarded: bool = False) -> int:
    """Hold a place and confirm it; the booking's id. Raises Conflict when the slot is full."""
    with database.transaction() as session:
        session.info["unguarded"] = unguarded
        asked = holds.Asked(office_id="ward", services=[SERVICE], start=start)
        held = holds.hold(session, asked=asked, seed=uuid.uuid4().hex, secret=SECRET, actor="buyer", at=at)
    with database.transaction() as session:
        bookings.confirm(session, held, person=Person(), sealer=SEALER, secret=SECRET, actor="buyer", at=at)
    return held.id


def arrive(database: Database, booking_id: int, at: datetime) -> None:
    """Check in at the very moment at which the place is given up."""
    time.sleep(random.uniform(0, 0.04))
    with database.transaction() as session:
        bookings.check_in(session, session.get_one(Booking, booking_id), seed=uuid.uuid4().hex, secret=SECRET,
                          actor="late", at=at)  # fmt: skip


def hold_all(database: Database, start: datetime, at: datetime) -> list[int]:
    """Every place of a slot held by somebody who will not come back; for the usual five minutes."""
    found = []
    for _ in range(PLACES):
        with database.transaction() as session:
            asked = holds.Asked(office_id="ward", services=[SERVICE], start=start)
            found.append(holds.hold(session, asked=asked, seed=uuid.uuid4().hex, secret=SECRET, actor="gone", at=at).id)
    return found


def sold_out(database: Database, start: datetime, at: datetime) -> list[int]:
    """Buy what is left of a slot, and one too many."""
    found = list[int]()
    with suppress(Conflict):
        for _ in range(PLACES + 1):
            found.append(one(database, start, at))
    return found


_ACTS: dict[str, Any] = {"arm": arm, "sweep": sweep, "buy": buy, "arrive": arrive}


def main(url: str, pipe: Connection) -> None:
    """Do what is heard until nothing is."""
    database = Database(url)
    with suppress(EOFError):
        while True:
            act, *given = pipe.recv()
            pipe.send(_ACTS[act](database, *given))
    database.dispose()
