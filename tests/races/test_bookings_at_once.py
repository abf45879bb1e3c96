"""Many want the same place at once: exactly as many get it as there are, whoever else moves, cancels or expires."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.booking import State
from app.domain.errors import Conflict, DomainError, Unavailable
from app.models.booking import Booking, BookingEvent, Slot
from app.services import bookings, holds
from scheduler.jobs import JOBS
from scheduler.run import Scheduler
from tests.services.booking_desk import AT, SECRET, agreed, book, confirm, hold, morning, used

CLIENTS = 8
_seeds = itertools.count()


def at_once(database: Database, works: list[Callable[[Database], None]]) -> list[str]:
    """Run all at the same instant, each with engines of its own as another process has; returns what went wrong."""
    begin, wrong = threading.Barrier(len(works)), list[str]()

    def run(work: Callable[[Database], None]) -> None:
        own = database if database.is_sqlite else Database(database.url)
        begin.wait()
        try:
            work(own)
        except Exception as error:  # told below, with the others
            wrong.append(repr(error))
        finally:
            if own is not database:
                own.dispose()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def take(database: Database, *, guarded: bool = True, seconds: int = 0, minute: int = 0) -> str:
    """Try to hold the slot until it is known; returns ``held`` or why not."""
    asked = holds.Asked(office_id="ward", services=["tenkyo"], start=morning(10, minute))
    while True:
        try:
            with database.transaction() as session:
                session.info["unguarded"] = not guarded
                holds.hold(session, asked=asked, seed=f"race-{next(_seeds)}", secret=SECRET, actor="race",
                           at=AT + timedelta(seconds=seconds))  # fmt: skip
        except Unavailable:
            continue
        except DomainError as refusal:
            return refusal.reason
        return "held"


@pytest.mark.parametrize("guarded", [True, False])
def test_the_public_places_are_given_exactly_once(database: Database, guarded: bool) -> None:
    """Four slots of two public places, eight clients at each; without the guard more are sold than there are."""
    found: list[tuple[int, str]] = []

    def client(own: Database) -> None:
        found.extend((minute, take(own, guarded=guarded, minute=minute)) for minute in (0, 15, 30, 45))

    assert at_once(database, [client] * CLIENTS) == []
    held = [sum(what == "held" for where, what in found if where == minute) for minute in (0, 15, 30, 45)]
    with database.snapshot() as session:
        cells = [used(session, morning(10, minute)) for minute in (0, 15, 30, 45)]
        assert cells == held == ([2] * 4 if guarded else [CLIENTS] * 4)
        assert agreed(session)


def test_whoever_comes_confirms_moves_and_cancels_places_add_up(database: Database) -> None:
    """Random acts of eight clients on two cells and their own bookings, holds running out all the while."""

    def client(number: int) -> Callable[[Database], None]:
        dice, mine = random.Random(number), list[int]()

        def act(own: Database, seconds: int) -> None:
            at = AT + timedelta(seconds=seconds)
            with own.transaction() as session:
                what = dice.choice(("book", "book", "hold", "move", "cancel", "expire"))
                minute = dice.choice((0, 15))
                if what == "expire":
                    holds.expire_due(session, office_id="ward", at=at)
                elif what == "hold":
                    hold(session, "tenkyo", start=morning(10, minute), at=at)
                elif what == "book" or not mine:
                    mine.append(confirm(session, hold(session, "tenkyo", start=morning(10, minute), at=at), at=at).id)
                elif what == "move":
                    bookings.move(session, session.get_one(Booking, dice.choice(mine)), start=morning(10, minute),
                                  actor="race", at=at)  # fmt: skip
                else:
                    bookings.cancel(session, session.get_one(Booking, mine.pop()), actor="race", at=at)

        def work(own: Database) -> None:
            for turn in range(25):
                try:
                    act(own, turn * 30)
                except (Conflict, Unavailable):
                    mine[:] = [each for each in mine if exists(own, each)]

        return work

    assert at_once(database, [client(number) for number in range(CLIENTS)]) == []
    with database.snapshot() as session:
        assert agreed(session)
        twice = select(BookingEvent.booking_id).where(BookingEvent.action.in_(("expire", "cancel")))
        counts = session.execute(twice.add_columns(func.count()).group_by(BookingEvent.booking_id)).all()
        assert all(count == 1 for _, count in counts)


def exists(own: Database, booking_id: int) -> bool:
    with own.snapshot() as session:
        return session.get(Booking, booking_id) is not None


def test_two_schedulers_end_each_hold_once_while_the_places_are_sold_again(database: Database) -> None:
    """Both sweep each minute of half an hour; clients hold whatever comes free."""

    def sweeper(own: Database) -> None:
        now = AT
        me = Scheduler(own, clock=lambda: now, jobs={"booking-holds": JOBS["booking-holds"]}, again_after=0)
        for minute in range(30):
            now = AT + timedelta(minutes=minute)
            me.look()

    def client(own: Database) -> None:
        for minute in range(30):
            take(own, seconds=60 * minute + 1)

    assert at_once(database, [sweeper, sweeper, client, client, client]) == []
    with database.snapshot() as session:
        assert agreed(session)
        ended = session.execute(
            select(BookingEvent.booking_id, func.count())
            .where(BookingEvent.action == "expire")
            .group_by(BookingEvent.booking_id)
        ).all()
        assert ended
        assert all(count == 1 for _, count in ended)
        expired = session.scalar(select(func.count()).where(Booking.state == State.EXPIRED))
        assert expired == len(ended)


@pytest.mark.parametrize(
    "point", ["expiry.before_give_back", "expiry.before_commit", "no_show.before_commit", "book.before_commit",
              "hold.before_commit", "cancel.before_commit", "move.before_commit", "check_in.before_commit"],
)  # fmt: skip
def test_a_process_killed_in_between_leaves_all_or_nothing(database: Database, point: str) -> None:
    """kill -9 before the commit: nothing of it is seen, and the next process does it once."""
    with database.transaction() as session:
        kept = book(session, "tenkyo")
        hold(session, "tenkyo")
    killed = subprocess.run(
        [sys.executable, "-m", "tests.races.booking_worker", point.partition(".")[0], database.url, str(kept.id)],
        env=os.environ | {"MADOGUCHI_FAILPOINT": point}, timeout=200, check=False, capture_output=True,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with database.snapshot() as session:
        assert agreed(session)
        assert [State(row.state) for row in session.scalars(select(Booking).order_by(Booking.id))] == [
            State.BOOKED,
            State.HELD,
        ]
        assert session.scalar(select(func.sum(Slot.used))) == 2
    again = subprocess.run(
        [sys.executable, "-m", "tests.races.booking_worker", point.partition(".")[0], database.url, str(kept.id)],
        timeout=200, check=False, capture_output=True,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    with database.snapshot() as session:
        assert agreed(session)
