"""F3: kill −9 of a scheduler inside and just after each sweep's commit, while a second one and buyers are at work.

``python -m tests.faults.sweeps [--database sqlite] [--kills 30]``: so many kills at each place of hold expiry,
no-show and day close. A held place must expire once, be sold again up to its capacity and not once more; a booking is
missed once, and who checks in at that moment has one number; a day is closed once. The twin sells without the guard
and must be found out. (Messages and reminders: tests.faults.messages.) Prints one JSON object for each database.
"""

import argparse
import json
import multiprocessing
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.booking import Action, State
from app.domain.calendar import instant
from app.models.booking import Booking, BookingEvent, Slot
from app.models.place import Category
from app.models.ticket import Event, Step, Ticket
from app.services import availability, hours, tickets
from tests.bench.calls import prepare
from tests.faults import sweep_worker as worker
from tests.faults.bookings import databases
from tests.faults.sweep_worker import LINE, PLACES, SERVICE
from tests.services.booking_desk import SECRET, agreed

PLACES_TO_DIE = {
    "booking-holds": ("expiry.before_give_back", "expiry.before_commit", "booking-holds.before_commit",
                      "booking-holds.committed"),
    "booking-no-shows": ("no_show.before_commit", "booking-no-shows.before_commit", "booking-no-shows.committed"),
    "day-close": ("day-close.before_commit", "day-close.committed"),
}  # fmt: skip
FIRST = date(2026, 6, 1)
# One dies, the other finds the lease free after it ran out.
TURNS, BUYERS, LATER = 3, 2, timedelta(seconds=61)
TOO_LATE = timedelta(minutes=31)


@dataclass(slots=True)
class Found:
    """What the runs of one database came to."""

    killed: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    acknowledged: int = 0
    contended: int = 0
    problems: list[str] = field(default_factory=list)


class Actor:
    """A process that does what it is told; ``end`` is None while it lives and how it ended then."""

    def __init__(self, context: Any, url: str) -> None:
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=worker.main, args=(url, other), daemon=True)
        self._process.start()
        other.close()

    def tell(self, act: str, *given: Any) -> None:
        self._pipe.send((act, *given))

    def hear(self) -> Any:
        """The answer; None also of one that was killed."""
        try:
            return self._pipe.recv()
        except EOFError:
            self._process.join(10)
            return None

    @property
    def end(self) -> int | None:
        code: int | None = self._process.exitcode
        return code

    def leave(self) -> None:
        self._pipe.close()
        self._process.join(10)


class Campaign:
    """One database; each run is a moment of its own, later than all before."""

    def __init__(self, url: str, *, seed: int, unguarded: bool = False) -> None:
        self.url, self.unguarded, self.dice, self.numbers = url, unguarded, random.Random(seed), 0
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.faults.sweep_worker"])
        self.found, self.database = Found(), prepare(url)
        with self.database.transaction() as session:
            session.get_one(Category, LINE).booking = {"grid": 15, "capacity": PLACES, "lead_minutes": 0,
                                                       "window_days": 100}  # fmt: skip
        with self.database.snapshot() as session:
            asked = availability.visit(session, office_id="ward", services=[SERVICE])
            days = availability.days(FIRST + timedelta(days=7), FIRST + timedelta(days=67))
            slots = availability.of_days(session, asked, days, party=1, at=_noon(FIRST))
            self.slots = iter([slot.start for slot in slots])
            later = [FIRST + timedelta(days=68 + number) for number in range(500)]
            self.days = iter([day for day in later if hours.opening(session, "ward", day)])
        self.survivor, *self.others = [Actor(self.context, url) for _ in range(1 + BUYERS)]

    def leave(self) -> None:
        """End all that was started."""
        for actor in (self.survivor, *self.others):
            actor.leave()
        self.database.dispose()

    def at_once(self, job: str, at: datetime, point: str, *acts: tuple[Any, ...]) -> list[Any]:
        """Two schedulers, of which one is to die, and so many others with their acts; the answers of the others.

        Who begins is drawn by lot. In the end the survivor looks again, when the dead one's lease has run out.
        """
        victim = Actor(self.context, self.url)
        victim.tell("arm", job, at, point)
        victim.hear()
        begins = [(victim, ("sweep", job, at, TURNS)), (self.survivor, ("sweep", job, at, TURNS))]
        begins += list(zip(self.others, acts, strict=False))
        # The one that dies has just been made and is slow: mostly it begins.
        order = self.dice.sample(begins, len(begins))
        if self.dice.random() < 0.8:
            order = begins[:1] + self.dice.sample(begins[1:], len(begins) - 1)
        for actor, act in order:
            actor.tell(*act)
            time.sleep(self.dice.uniform(0, 0.04))
        answers = [actor.hear() for actor, _ in begins]
        self.found.runs += 1
        self.found.killed[point.partition(":")[0]] += victim.end == -9
        victim.leave()
        self.survivor.tell("sweep", job, at + LATER, 1)
        self.survivor.hear()
        if any(actor.end is not None for actor in (self.survivor, *self.others)):
            raise RuntimeError(f"{point}: an actor that was not to die is dead")
        return answers[2:]

    def holds(self, point: str) -> None:
        """Three held places run out while two buyers want them."""
        start = next(self.slots)
        at = start - timedelta(hours=20)
        gone = worker.hold_all(self.database, start, at - timedelta(minutes=6))
        acts = [("buy", start, at, self.unguarded)] * BUYERS
        bought = self.at_once("booking-holds", at, point, *acts)
        acknowledged = sum(bought, worker.sold_out(self.database, start, at + LATER))
        self.found.acknowledged += len(acknowledged)
        self.found.contended += BUYERS * worker.BUYER_TRIES
        with self.database.snapshot() as session:
            ended = _events(session, gone, Action.EXPIRE)
            query = select(Booking.id).where(Booking.start_at == start, Booking.state == State.BOOKED)
            live = set(session.scalars(query))
            used = session.scalar(select(Slot.used).where(Slot.pool == LINE, Slot.start_at == start))
        self._expect(point, "each hold expired once", ended, dict.fromkeys(gone, 1))
        self._expect(point, "sold to capacity", len(live), PLACES)
        self._expect(point, "the cell says so", used, PLACES)
        self._expect(point, "what was acknowledged stands", live, set(acknowledged))

    def _open_after(self, slot: datetime) -> bool:
        """Who comes too late for it still finds the line open, also on a day that ends at noon."""
        with self.database.snapshot() as session:
            return hours.is_open(session, "ward", slot + TOO_LATE, LINE)

    def no_shows(self, point: str) -> None:
        """Three did not come; one of them comes at the moment the place is given up."""
        start = next(slot for slot in self.slots if self._open_after(slot))
        at = start + TOO_LATE
        missing = worker.sold_out(self.database, start, start - timedelta(days=1))
        self.at_once("booking-no-shows", at, point, ("arrive", missing[0], at))
        self.found.acknowledged += 1
        self.found.contended += 1
        self.numbers += 1
        with self.database.snapshot() as session:
            missed = _events(session, missing, Action.MISS)
            states = list(session.scalars(select(Booking.state).where(Booking.id.in_(missing)).order_by(Booking.id)))
            numbers = session.scalar(select(func.count()).select_from(Ticket)) or 0
        self._expect(point, "missed once", [missed.get(each, 0) for each in missing[1:]], [1, 1])
        self._expect(point, "missed at most once", missed.get(missing[0], 0) <= 1, True)
        self._expect(point, "states", states, [State.ARRIVED, State.NO_SHOW, State.NO_SHOW])
        self._expect(point, "one number each", numbers, self.numbers)

    def day_close(self, point: str) -> None:
        """Three still wait when the day ends."""
        day = next(self.days)
        wish = tickets.Wish(services=[SERVICE], channel="kiosk")
        for number in range(3):
            with self.database.transaction() as session:
                tickets.issue(session, office_id="ward", wish=wish, seed=f"{day}-{number}", secret=SECRET,
                              actor="campaign", at=_noon(day))  # fmt: skip
        at = _noon(day) + timedelta(hours=12, seconds=6)
        self.at_once("day-close", at, f"{point}:{self.dice.randrange(1, 3)}")
        late = Event.at >= at
        with self.database.snapshot() as session:
            closed = _counts(session, select(Event.office_id, func.count()).where(Event.action == "day", late))
            waits = Step.business_date == day
            left = session.scalar(select(func.count()).select_from(Step).where(waits, Step.ended_at.is_(None)))
            query = select(Event.step_id, func.count()).join(Step, Step.id == Event.step_id).where(waits, late)
            settled = sorted(_counts(session, query).values())
        self._expect(point, "the day closed once in each office", closed, {"ward": 1, "branch": 1})
        self._expect(point, "nobody left waiting", left, 0)
        self._expect(point, "each settled once", settled, [1, 1, 1])

    def _expect(self, point: str, what: str, seen: object, wanted: object) -> None:
        if seen != wanted:
            self.found.problems.append(f"{point}, {what}: {seen!r} instead of {wanted!r}")

    def run(self, kills: int) -> None:
        """Until each place has seen so many kills; a scheduler that did not get to lead was not killed."""
        acts = {"booking-holds": self.holds, "booking-no-shows": self.no_shows, "day-close": self.day_close}
        for job, points in PLACES_TO_DIE.items():
            for point in points:
                for _ in range(4 * kills):
                    if self.found.killed[point] < kills:
                        acts[job](point)


def _noon(day: date) -> datetime:
    return instant(day, clock(12))


def _counts(session: Session, query: Any) -> dict[Any, int]:
    """Rows by the first column of a query that counts them."""
    return dict(session.execute(query.group_by(query.selected_columns[0])).all())


def _events(session: Session, ids: list[int], action: Action) -> dict[int, int]:
    wanted = BookingEvent.booking_id.in_(ids), BookingEvent.action == action
    return _counts(session, select(BookingEvent.booking_id, func.count()).where(*wanted))


def campaign(name: str, kills: int, seed: int) -> dict[str, Any]:
    """The figures of one database."""
    begun = time.monotonic()
    with databases(name)() as url:
        runs = Campaign(url, seed=seed)
        runs.run(kills)
        with runs.database.snapshot() as session:
            adds_up = agreed(session)
        runs.leave()
    with databases(name)() as url:
        twin = Campaign(url, seed=seed, unguarded=True)
        for _ in range(3):
            twin.holds("expiry.before_commit")
        twin.leave()
    found = runs.found
    violations = len(found.problems) + (not adds_up)
    return {
        "database": name, "seed": seed, "runs": found.runs, "kills": found.killed.total(),
        "kills_by_place": dict(found.killed), "acknowledged": found.acknowledged, "contended_tries": found.contended,
        "cells_add_up": adds_up, "seconds": round(time.monotonic() - begun), "violations": violations,
        "bound_per_kill_95": round(3 / max(1, found.killed.total()), 4), "first": found.problems[:5],
        "twin_without_guard": {"runs": twin.found.runs, "found_out": len(twin.found.problems)},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="both without it")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked, failed = parser.parse_args(), False
    for name in [asked.database] if asked.database else ["sqlite", "postgresql"]:
        figures = campaign(name, asked.kills, asked.seed)
        print(json.dumps(figures, indent=1), flush=True)
        failed |= bool(figures["violations"]) or not figures["twin_without_guard"]["found_out"]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
