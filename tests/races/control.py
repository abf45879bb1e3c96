"""The race of eight counters, run on the real hall and on a twin without its guards, in turn.

``python -m tests.races.control [--database sqlite] [--pairs 20]``: asked is that the checker finds the twin out in 19
of 20 runs and the hall in none. The twin on PostgreSQL takes no lock; on SQLite, where a writing transaction is the
lock, it chooses in one transaction and writes in the next what it chose. Neither has the constraints.
"""

import argparse
import itertools
import json
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text

from app.db.session import Database
from app.domain.calling import choose
from app.domain.errors import DomainError
from app.domain.ticket import Action, State
from app.models.place import Counter
from app.models.ticket import Step
from app.services import counters, events, lines, proof, queue, tickets
from tests.conftest import copy_of, filled, template_of
from tests.faults.kill import own_postgres

START = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
PEOPLE, PLACES = 48, 8


def fill(database: Database) -> list[str]:
    with database.transaction() as session:
        places = list(session.scalars(select(Counter.id).where(Counter.office_id == "ward").limit(PLACES)))
        for place in places:
            counters.open_counter(session, counter_id=place, actor="test", at=START, categories=["ward-certificates"])
    wish = tickets.Wish(services=["juminhyo"], channel="kiosk")
    for number in range(PEOPLE):
        with database.transaction() as session:
            tickets.issue(session, office_id="ward", wish=wish, seed=f"s{number}", secret=b"test", actor="test",
                          at=START + timedelta(seconds=number))  # fmt: skip
    return places


def _guarded(own: Database, place: str, at: datetime) -> int | None:
    with own.transaction() as session:
        called = queue.call_next(session, counter_id=place, actor="test", at=at)
        return called[0].id if called else None


def _unlocked(own: Database, place: str, at: datetime) -> int | None:
    with own.transaction() as session:
        session.info["unguarded"] = True
        called = queue.call_next(session, counter_id=place, actor="test", at=at)
        return called[0].id if called else None


def _chosen_before(own: Database, place: str, at: datetime) -> int | None:
    """Chooses by one transaction and believes it in the next: what a hall without the office's lock would do."""
    with own.snapshot() as session:
        profile = lines.profile(session.get_one(Counter, place))
        choice = choose(lines.heads(session, profile, at=at), profile, at)
    if choice is None:
        return None
    with own.transaction() as session:
        office, counter = events.lock_counter(session, place)
        step = session.get_one(Step, choice.head.step_id)
        step.state = State.WAITING
        queue._apply(session, office, step, Action.CALL, actor="test", at=at, counter=counter, reason="turn")
        return step.id


def call_all(database: Database, places: list[str], *, guarded: bool) -> None:
    """Each counter, with engines of its own as another web process has them, calls until nobody waits."""
    call = _guarded if guarded else _chosen_before if database.is_sqlite else _unlocked
    ticks = itertools.count(PEOPLE)
    begin = threading.Barrier(len(places))

    def work(place: str) -> None:
        # A process queues for itself (Database); what is proven here is what holds between processes.
        own = database if database.is_sqlite else Database(database.url)
        begin.wait()
        try:
            call_until_nobody_waits(own, place)
        finally:
            if own is not database:
                own.dispose()

    def call_until_nobody_waits(own: Database, place: str) -> None:
        for _ in range(3 * PEOPLE if guarded else 12):
            try:
                called = call(own, place, START + timedelta(seconds=next(ticks)))
                if called is None:
                    return
                with own.transaction() as session:
                    at = START + timedelta(seconds=next(ticks))
                    queue.act(session, step_id=called, action=Action.MISS, actor="test", at=at)
            except DomainError:
                continue

    threads = [threading.Thread(target=work, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def take_guards_away(database: Database) -> None:
    """Drop the constraints that would refuse what the missing lock lets happen."""
    statements = ["DROP INDEX uq_step_counter_busy", "DROP INDEX uq_step_ticket_busy"]
    if not database.is_sqlite:
        statements.append("ALTER TABLE event DROP CONSTRAINT pk_event")
    with database.transaction() as session:
        for statement in statements:
            session.execute(text(statement))


def found_out(database: Database, *, guarded: bool) -> list[str]:
    """One race; what the checker says of its log."""
    places = fill(database)
    if not guarded:
        take_guards_away(database)
    call_all(database, places, guarded=guarded)
    with database.snapshot() as session:
        return list(proof.check(session, "ward").violations)


def lost_its_promise(violations: list[str]) -> bool:
    """Not any complaint: dropping the key alone leaves gaps in seq. The promise lost is one party, one counter."""
    return any("is at another counter" in each for each in violations)


@contextmanager
def _places(kind: str, directory: Path) -> Iterator[Callable[[], Database]]:
    """A maker of fresh halls on one kind of database."""
    if kind == "sqlite":
        template, count = directory / "template.db", itertools.count()
        filled(f"sqlite:///{template}")

        def copied() -> Database:
            file = directory / f"hall{next(count)}.db"
            shutil.copyfile(template, file)
            return Database(f"sqlite:///{file}")

        yield copied
        return
    with own_postgres(directory / "pg") as server:
        name = template_of(server)
        copies = []

        def copy() -> Database:
            made = copy_of(server, name)
            copies.append(made)
            return Database(made.__enter__())

        yield copy
        for made in copies:
            made.__exit__(None, None, None)


def campaign(kind: str, pairs: int) -> dict[str, object]:
    """So many races of each, in turn."""
    figures = {"database": kind, "pairs": pairs, "twin_found_out": 0, "hall_found_out": 0}
    with tempfile.TemporaryDirectory() as directory, _places(kind, Path(directory)) as fresh:
        for _ in range(pairs):
            for guarded in (True, False):
                database = fresh()
                violations = found_out(database, guarded=guarded)
                database.dispose()
                figures["hall_found_out"] += bool(guarded and violations)
                figures["twin_found_out"] += bool(not guarded and lost_its_promise(violations))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="both without it")
    parser.add_argument("--pairs", type=int, default=20)
    asked, failed = parser.parse_args(), False
    for kind in [asked.database] if asked.database else ["sqlite", "postgresql"]:
        figures = campaign(kind, asked.pairs)
        print(json.dumps(figures, indent=1), flush=True)
        failed |= bool(figures["hall_found_out"]) or figures["twin_found_out"] < 0.95 * asked.pairs
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
