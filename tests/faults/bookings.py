"""P5: slots at eight-fold demand over HTTP. ``python -m tests.faults.bookings --slots 2000 [--database sqlite]``.

64 clients hold and confirm at a real server, all of them at the same slot at a time; slots have 1, 3 and 8 places.
What was acknowledged must be the capacity, slot by slot: not one over, not one under. Then the twin: the same rush at
a few slots of a server without the guard (unguarded.py), which must overbook, or the rush proves nothing. Prints one
JSON object for each database.
"""

import argparse
import json
import queue
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.db.session import Database
from app.domain.booking import State
from app.domain.calendar import business_date
from app.domain.roles import Role
from app.models.booking import Booking, Slot
from app.models.place import Category
from app.services import access, availability
from tests.bench.calls import prepare
from tests.faults.client import History, Talker
from tests.faults.kill import own_postgres
from tests.hall_server import REAL, serving
from tests.services.booking_desk import agreed

# Line, a service that takes one cell of it, places in each cell.
LINES = (("ward-moving", "tenkyo", 1), ("ward-register", "birth", 3), ("ward-insurance", "kokuho_leave", 8))
CLIENTS, DEMAND = 64, 8
TWIN_SLOTS = 15


@dataclass(frozen=True, slots=True)
class Wanted:
    """One slot and how many places it has."""

    line: str
    service: str
    start: datetime
    places: int


def furnish(url: str, count: int) -> tuple[Database, str, list[Wanted]]:
    """A hall whose three lines have 1, 3 and 8 places each quarter of an hour; its kiosk's token; ``count`` slots."""
    database, token = prepare(url), secrets.token_urlsafe(32)
    at = datetime.now(UTC)
    with database.transaction() as session:
        access.issue_token(session, token=token, role=Role.KIOSK, municipality_id="aonami", office_id="ward", at=at)
        for line, _, places in LINES:
            rules = {"grid": 20, "capacity": places, "lead_minutes": 0, "window_days": 100}
            session.get_one(Category, line).booking = rules
    return database, token, _slots(database, count, at)


def _slots(database: Database, count: int, at: datetime) -> list[Wanted]:
    found: list[Wanted] = []
    first = business_date(at) + timedelta(days=1)
    with database.snapshot() as session:
        for number, (line, service, places) in enumerate(LINES):
            asked = availability.visit(session, office_id="ward", services=[service])
            days = availability.days(first, first + timedelta(days=61))
            slots = availability.of_days(session, asked, days, party=1, at=at)
            wanted = count // len(LINES) + (number < count % len(LINES))
            assert len(slots) >= wanted, f"only {len(slots)} slots"
            assert {slot.capacity for slot in slots} == {places}
            found += [Wanted(line, service, slot.start, places) for slot in slots[:wanted]]
    return found


def rush(port: int, token: str, wanted: Sequence[Wanted]) -> tuple[History, Counter[Wanted], list[str]]:
    """Every slot is asked for by its ``DEMAND``-fold; returns what was booked of each, and what nobody can explain."""
    history, booked, problems = History(), Counter[Wanted](), list[str]()
    todo: queue.SimpleQueue[Wanted] = queue.SimpleQueue()
    for slot in wanted:
        for _ in range(slot.places * DEMAND):
            todo.put(slot)
    lock = threading.Lock()

    def client() -> None:
        talker = Talker(port, token, history)
        while True:
            try:
                slot = todo.get_nowait()
            except queue.Empty:
                return talker.hang_up()
            body = {"services": [slot.service], "start": slot.start.isoformat(), "party": 1}
            held = talker.settle("hold", "/offices/ward/holds", body)
            if held.status == 409 and not held.acknowledged:
                continue
            done = talker.settle("book", "/bookings", {"hold": (held.answer or {}).get("token", "none")})
            with lock:
                booked[slot] += done.acknowledged
                if not done.acknowledged:
                    problems.append(f"{slot.start}: hold {held.status}, booking {done.status}")

    threads = [threading.Thread(target=client, daemon=True) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return history, booked, problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """What one rush left: acknowledged and stored bookings of each slot, and what the database says of itself."""

    wanted: Sequence[Wanted]
    history: History
    booked: Counter[Wanted]
    stored: dict[tuple[str, datetime], int]
    problems: list[str]
    over_cells: int
    adds_up: bool
    seconds: float

    def _counts(self, slot: Wanted) -> tuple[int, int]:
        return self.booked[slot], self.stored.get(_key(slot), 0)

    @property
    def over(self) -> int:
        """Slots with more bookings, told or stored, than places."""
        return sum(max(self._counts(slot)) > slot.places for slot in self.wanted) + self.over_cells

    @property
    def under(self) -> int:
        """Slots that could have been sold."""
        return sum(min(self._counts(slot)) < slot.places for slot in self.wanted)


def play(url: str, count: int, program: Sequence[str] = REAL) -> Rush:
    """Furnish a hall, serve it, rush at it, and look at what is stored."""
    database, token, wanted = furnish(url, count)
    with serving(url, program) as address:
        begun = time.monotonic()
        history, booked, problems = rush(int(address.rpartition(":")[2]), token, wanted)
        seconds = time.monotonic() - begun
    with database.snapshot() as session:
        rows = session.execute(
            select(Booking.category_id, Booking.start_at, func.count())
            .where(Booking.state == State.BOOKED)
            .group_by(Booking.category_id, Booking.start_at)
        )
        stored = {(line, start): number for line, start, number in rows}
        over_cells = session.scalar(select(func.count()).where(Slot.used > Slot.capacity)) or 0
        adds_up = agreed(session)
    database.dispose()
    return Rush(
        wanted=wanted, history=history, booked=booked, stored=stored, problems=problems, over_cells=over_cells,
        adds_up=adds_up, seconds=seconds,
    )  # fmt: skip


def campaign(urls: Callable[[], AbstractContextManager[str]], count: int) -> dict[str, Any]:
    """The figures of one rush and of its twin; ``urls`` gives an empty database each time."""
    with urls() as url:
        done = play(url, count)
    with urls() as url:
        twin = play(url, TWIN_SLOTS, ("tests.faults.unguarded",))
    holds = [operation for operation in done.history.operations if operation.kind == "hold"]
    unknown = sum(operation.was_unknown for operation in done.history.operations)
    violations = done.over + done.under + len(done.problems) + (not done.adds_up)
    return {
        "clients": CLIENTS, "slots": len(done.wanted), "demand": DEMAND, "attempts": len(holds),
        "capacity": sum(slot.places for slot in done.wanted), "accepted": sum(done.booked.values()),
        "refused": sum(operation.status == 409 for operation in holds), "overbooked_slots": done.over,
        "undersold_slots": done.under, "cells_add_up": done.adds_up, "unexplained": len(done.problems),
        "first": done.problems[:3], "unknown_share": round(unknown / max(1, len(done.history.operations)), 4),
        "seconds": round(done.seconds, 1), "attempts_per_second": round(len(holds) / done.seconds),
        "bound_per_attempt_95": 3 / len(holds), "violations": violations,
        "twin_without_guard": {
            "slots": len(twin.wanted), "capacity": sum(slot.places for slot in twin.wanted),
            "accepted": sum(twin.booked.values()), "overbooked_slots": twin.over, "fails_as_it_must": twin.over > 0,
        },
    }  # fmt: skip


def _key(slot: Wanted) -> tuple[str, datetime]:
    return slot.line, slot.start


def databases(name: str) -> Callable[[], AbstractContextManager[str]]:
    """A way to an empty database of this kind, with all that is around it."""

    @contextmanager
    def fresh() -> Iterator[str]:
        with tempfile.TemporaryDirectory() as directory:
            if name == "sqlite":
                yield f"sqlite:///{directory}/hall.db"
            else:
                with own_postgres(Path(directory) / "pg") as url:
                    yield url

    return fresh


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="both without it")
    parser.add_argument("--slots", type=int, default=2_000)
    asked, failed = parser.parse_args(), False
    for name in [asked.database] if asked.database else ["sqlite", "postgresql"]:
        figures = campaign(databases(name), asked.slots)
        print(json.dumps({"database": name} | figures, indent=1), flush=True)
        failed |= bool(figures["violations"]) or not figures["twin_without_guard"]["fails_as_it_must"]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
