"""B1: a booking through the service layer against a bare loop of the same statements.

``python -m tests.bench.bookings [--postgres] [--holds 2000]``. The statements of the services are written down as
the driver gets them and played again on an equal database by the driver alone: same text, same values, same
commits. Also: nothing over or under capacity. Prints one JSON object a database.
"""

import argparse
import itertools
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, func, select, text

from app.db import ready
from app.db.session import Database
from app.domain.calendar import business_date
from app.models.booking import Booking, Slot
from app.models.place import Category
from app.services import availability, holds
from tests.bench.calls import prepare

SECRET = b"kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"
LINE, SERVICE, PLACES = "ward-moving", "tenkyo", 8
# Holds before the clock starts, and holds in one stretch of a pair.
WARM, STRETCH = 50, 25
Statements = list[tuple[str, Any]]


def _starts(database: Database, at: datetime, wanted: int) -> list[datetime]:
    with database.snapshot() as session:
        asked = availability.visit(session, office_id="ward", services=[SERVICE])
        first = business_date(at) + timedelta(days=1)
        slots = availability.of_days(
            session, asked, availability.days(first, first + timedelta(days=61)), party=1, at=at
        )
    found = [slot.start for slot in slots for _ in range(slot.free)]
    return found[:wanted]


class Services:
    """Holds through the service layer, a stretch at a time; ``seconds`` is the time taken so far."""

    def __init__(self, database: Database, starts: Sequence[datetime], at: datetime) -> None:
        self.database, self.starts, self.at, self.seconds = database, starts, at, 0.0

    def run(self, first: int, last: int) -> float:
        """Those from ``first`` to before ``last``; returns the seconds."""
        begun = time.perf_counter()
        for number in range(first, last):
            _hold(self.database, number, self.starts[number], self.at)
        return self._took(begun)

    def _took(self, begun: float) -> float:
        took = time.perf_counter() - begun
        self.seconds += took
        return took


def _hold(database: Database, number: int, start: datetime, at: datetime) -> None:
    asked = holds.Asked(office_id="ward", services=[SERVICE], start=start)
    with database.transaction() as session:
        holds.hold(session, asked=asked, seed=f"s{number}", secret=SECRET, actor="bench", at=at)


def written_down(database: Database, starts: Sequence[datetime], at: datetime) -> list[Statements]:
    """The same holds once more, each statement noted as the driver gets it."""
    transactions: list[Statements] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        transactions[-1].append((statement, parameters))

    def noted(connection: Connection, statement: str, parameters: Any, *, gives: bool) -> list[tuple[Any, ...]]:
        transactions[-1].append((statement, parameters))
        return send(connection, statement, parameters, gives=gives)

    send, ready.send = ready.send, noted
    event.listen(database.engine, "before_cursor_execute", note)
    for number, start in enumerate(starts):
        transactions.append([])
        _hold(database, number, start, at)
    event.remove(database.engine, "before_cursor_execute", note)
    ready.send = send
    return transactions


class Bare:
    """The driver alone with the same text, values and commits."""

    def __init__(self, database: Database, transactions: list[Statements]) -> None:
        self.transactions, self.sqlite, self.seconds = transactions, database.is_sqlite, 0.0
        self.raw = database.engine.raw_connection()
        self.cursor = self.raw.cursor()

    def run(self, first: int, last: int) -> float:
        """Those from ``first`` to before ``last``; returns the seconds."""
        begun = time.perf_counter()
        for statements in self.transactions[first:last]:
            self._once(statements)
        took = time.perf_counter() - begun
        self.seconds += took
        return took

    def _once(self, statements: Statements) -> None:
        for statement, parameters in statements:
            self.cursor.execute(statement, parameters)
            if self.cursor.description:
                self.cursor.fetchall()
        if self.sqlite:
            self.cursor.execute("COMMIT")
        else:
            self.raw.commit()


def compare(make: Any, wanted: int) -> dict[str, Any]:
    """Both by turns on equal databases, a stretch of one and then the same stretch of the other.

    A machine that others use is fast now and slow then: only what ran at the same moment is compared. ``ratio``
    is that of all the time taken, ``ratio_median`` the middle one of all stretches.
    """
    at = datetime.now(UTC).replace(microsecond=0)
    with make() as database:
        starts = _starts(database, at, wanted)
        transactions = written_down(database, starts, at)
    with make() as one, make() as other:
        served, plain, ratios = Services(one, starts, at), Bare(other, transactions), list[float]()
        served.run(0, WARM), plain.run(0, WARM)
        served.seconds = plain.seconds = 0.0
        for first in range(WARM, len(starts), STRETCH):
            last = min(first + STRETCH, len(starts))
            # Neither is always the first after the other's commit.
            pair = (served.run, plain.run) if first // STRETCH % 2 else (plain.run, served.run)
            took = {run: run(first, last) for run in pair}
            ratios.append(took[plain.run] / took[served.run])
        plain.raw.close()
        off = _off_capacity(one, len(starts)) + _off_capacity(other, len(starts))
    timed = len(starts) - WARM
    return {
        "holds": len(starts), "statements_each": round(sum(map(len, transactions)) / len(transactions), 1),
        "per_second": {"services": round(timed / served.seconds), "bare": round(timed / plain.seconds)},
        "ratio": round(plain.seconds / served.seconds, 2), "ratio_median": round(statistics.median(ratios), 2),
        "stretches": len(ratios), "off_capacity": off,
    }  # fmt: skip


def _off_capacity(database: Database, wanted: int) -> int:
    """Cells over their capacity, and bookings more or less than were asked for."""
    with database.snapshot() as session:
        over = session.scalar(select(func.count()).where(Slot.used > Slot.capacity)) or 0
        used = session.scalar(select(func.sum(Slot.used))) or 0
        rows = session.scalar(select(func.count()).select_from(Booking)) or 0
    return int(over + abs(used - wanted) + abs(rows - wanted))


def _furnish(url: str) -> None:
    database = prepare(url)
    with database.transaction() as session:
        session.get_one(Category, LINE).booking = {"grid": 15, "capacity": PLACES, "lead_minutes": 0, "window_days": 90}
    database.dispose()


@contextmanager
def sqlite_copies(directory: Path) -> Iterator[Any]:
    """Fresh copies of one furnished SQLite file."""
    template = directory / "template.db"
    _furnish(f"sqlite:///{template}")

    names = itertools.count()

    @contextmanager
    def make() -> Iterator[Database]:
        file = directory / f"hall-{next(names)}.db"
        shutil.copyfile(template, file)
        database = Database(f"sqlite:///{file}")
        yield database
        database.dispose()

    yield make


@contextmanager
def postgres_copies(directory: Path) -> Iterator[Any]:
    """Fresh copies of one furnished PostgreSQL database."""
    from tests.faults.kill import own_postgres

    with own_postgres(directory) as url:
        _furnish(url)
        keeper = create_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", "/template1?"),
            isolation_level="AUTOCOMMIT",
        )
        names = itertools.count()

        @contextmanager
        def make() -> Iterator[Database]:
            name = f"hall{next(names)}"
            with keeper.connect() as connection:
                connection.execute(text(f"CREATE DATABASE {name} TEMPLATE postgres"))
            database = Database(url.replace("/postgres?", f"/{name}?"))
            yield database
            database.dispose()

        yield make
        keeper.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--holds", type=int, default=2_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        copies = postgres_copies(Path(directory) / "pg") if asked.postgres else sqlite_copies(Path(directory))
        with copies as make:
            figures = compare(make, asked.holds)
    print(json.dumps({"database": "postgresql" if asked.postgres else "sqlite"} | figures), flush=True)


if __name__ == "__main__":
    main()
