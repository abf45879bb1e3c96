"""Booked people and walk-ins in one line: a simulated week through the real services on a virtual clock.

``python -m tests.bench.blend FILE [--office NAME] [--days 5]``: FILE holds recorded arrivals
(``office,svc_id,day,min,arrivals``, gzip too). Each day is thinned to the load asked for (5 counters, 8 minutes
log-normal), the same people with the same service times in every run; half of them are booked into even slots of
the day, or nobody is. Holding, confirming, checking in, calling and serving are the services' own. Prints JSON with a
verdict for the widest allowance: of those booked at least 95 % are called within ten minutes of their slot, and the
others wait no longer, in the mean and for nine of ten, than all would if nobody had booked.
"""

import argparse
import csv
import gzip
import heapq
import io
import itertools
import json
import random
import statistics
import sys
import tempfile
from collections import Counter as Counts
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from app.db.sealed import Sealer
from app.db.session import Database
from app.domain.booking import Person
from app.domain.calendar import instant
from app.domain.ticket import Action
from app.models.booking import Booking
from app.models.place import Category
from app.models.ticket import Step
from app.services import bookings, counters, holds, queue, tickets
from tests.bench.calls import prepare

SECRET = b"kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"
SEALER = Sealer(SECRET)
LINE, SERVICE, PLACES = "ward-moving", "tenkyo", ("ward-4", "ward-5", "ward-6", "ward-7", "ward-8")
OPEN, CLOSE, GRID = 510, 1020, 15
MEAN_MINUTES, SIGMA = 8.0, 0.5
PROMISE, WANTED_SHARE = timedelta(minutes=10), 95.0
# Mondays to Fridays far from every holiday; the shape of the days is the file's.
FIRST = date(2026, 6, 1)
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody of a day: when they would come by themselves (minute of the day), how long they are served."""

    minute: float
    serves: float
    booked: bool


@dataclass(slots=True)
class Outcome:
    """Waits in minutes: walk-ins from their number, booked people from the later of slot and check-in."""

    walk_in: list[float] = field(default_factory=list)
    booked: list[float] = field(default_factory=list)
    kept: int = 0


def recorded(path: Path, office: str | None, days: int) -> list[list[float]]:
    """Minutes at which people came, for each of the last full weeks' days of an office (the busiest by default)."""
    raw = path.read_bytes()
    text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    dice = random.Random(1)
    for row in csv.DictReader(io.StringIO(text.decode())):
        minute = float(row["min"])
        found[row["office"], row["day"]] += [minute - dice.uniform(0, 5) for _ in range(int(float(row["arrivals"])))]
    wanted = office or Counts({key[0]: len(each) for key, each in found.items()}).most_common(1)[0][0]
    chosen = sorted(day for name, day in found if name == wanted and date.fromisoformat(day).weekday() < 5)[-days:]
    return [sorted(m for m in found[wanted, day] if OPEN <= m < CLOSE) for day in chosen]


def people(minutes: Sequence[float], load: float, dice: random.Random) -> list[Party]:
    """The day's people: thinned to the load, every second one booked where somebody is."""
    wanted = round(load * len(PLACES) * (CLOSE - OPEN) / MEAN_MINUTES)
    kept = sorted(dice.sample(list(minutes), min(wanted, len(minutes))))
    mu = -SIGMA * SIGMA / 2
    return [
        Party(minute, MEAN_MINUTES * dice.lognormvariate(mu, SIGMA), number % 2 == 1)
        for number, minute in enumerate(kept)
    ]


class Day:
    """One day through the services. ``booking``: whether those who are booked have booked at all."""

    def __init__(self, database: Database, day: date, parties: Sequence[Party], *, booking: bool) -> None:
        self.database, self.day, self.parties, self.booking = database, day, parties, booking
        self.midnight = instant(day, datetime.min.time())
        self.outcome = Outcome()
        self._order = itertools.count()
        self._events: list[tuple[datetime, int, str, Any]] = []
        self._idle, self._of_ticket = list(PLACES), dict[int, tuple[Party, datetime]]()

    def at(self, minute: float) -> datetime:
        return self.midnight + timedelta(minutes=minute)

    def _push(self, at: datetime, what: str, value: Any) -> None:
        heapq.heappush(self._events, (at, next(self._order), what, value))

    def play(self, dice: random.Random) -> Outcome:
        """Everybody is served; nobody is left."""
        with self.database.transaction() as session:
            for place in PLACES:
                counters.open_counter(
                    session, counter_id=place, actor="bench", at=self.at(OPEN - 10), categories=[LINE]
                )
        booked = [party for party in self.parties if party.booked and self.booking]
        cells = (CLOSE - OPEN) // GRID
        for number, party in enumerate(booked):
            slot = self.at(OPEN + GRID * (number * cells // len(booked)))
            self._push(slot - timedelta(minutes=dice.uniform(0, 15)), "check_in", (party, slot, self._book(slot)))
        for party in self.parties:
            if not (party.booked and self.booking):
                self._push(self.at(party.minute), "come", party)
        while self._events:
            now, _, what, value = heapq.heappop(self._events)
            getattr(self, f"_{what}")(now, value)
            self._call(now)
        assert len(self.outcome.walk_in) + len(self.outcome.booked) == len(self.parties)
        return self.outcome

    def _book(self, slot: datetime) -> int:
        """The evening before, by the web's own way."""
        at = self.midnight - timedelta(hours=4)
        asked = holds.Asked(office_id="ward", services=[SERVICE], start=slot)
        seed = f"{self.day}-{next(self._order)}"
        with self.database.transaction() as session:
            held = holds.hold(session, asked=asked, seed=seed, secret=SECRET, actor="bench", at=at)
        with self.database.transaction() as session:
            bookings.confirm(session, held, person=Person(), sealer=SEALER, secret=SECRET, actor="bench", at=at)
        return held.id

    def _check_in(self, now: datetime, value: tuple[Party, datetime, int]) -> None:
        party, slot, booking_id = value
        with self.database.transaction() as session:
            ticket, _ = bookings.check_in(session, session.get_one(Booking, booking_id), seed=f"b{booking_id}",
                                          secret=SECRET, actor="bench", at=now)  # fmt: skip
        self._of_ticket[ticket.id] = party, max(slot, now)

    def _come(self, now: datetime, party: Party) -> None:
        wish = tickets.Wish(services=[SERVICE], channel="kiosk")
        with self.database.transaction() as session:
            ticket = tickets.issue(session, office_id="ward", wish=wish, seed=f"{self.day}-{next(self._order)}",
                                   secret=SECRET, actor="bench", at=now)  # fmt: skip
        self._of_ticket[ticket.id] = party, now

    def _finish(self, now: datetime, value: tuple[str, int]) -> None:
        place, step_id = value
        with self.database.transaction() as session:
            queue.act(session, step_id=step_id, action=Action.FINISH, actor="bench", at=now)
        self._idle.append(place)

    def _call(self, now: datetime) -> None:
        """Each free counter calls whose turn it is, until nobody waits."""
        while self._idle:
            with self.database.transaction() as session:
                called = queue.call_next(session, counter_id=self._idle[0], actor="bench", at=now)
                if called is None:
                    return
                step: Step = called[0]
                queue.act(session, step_id=step.id, action=Action.START, actor="bench", at=now)
            party, since = self._of_ticket[step.ticket_id]
            self._push(now + timedelta(minutes=party.serves), "finish", (self._idle.pop(0), step.id))
            self._count(party, since, now)

    def _count(self, party: Party, since: datetime, now: datetime) -> None:
        wait = max(0.0, (now - since).total_seconds() / 60)
        if party.booked and self.booking:
            self.outcome.booked.append(wait)
            self.outcome.kept += now - since <= PROMISE
        else:
            self.outcome.walk_in.append(wait)


def week(days: Sequence[Sequence[Party]], *, allowance: float | None) -> dict[str, Any]:
    """All days under one allowance (minutes); None: the same people, nobody booked."""
    total = Outcome()
    # What is simulated need not survive a power cut: in memory where the machine has such a directory.
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory:
        database = prepare(f"sqlite:///{directory}/hall.db")
        with database.transaction() as session:
            line = session.get_one(Category, LINE)
            line.booking = {"grid": GRID, "capacity": 12, "window_days": 100, "lead_minutes": 0}
            line.policy = line.policy | {"allowance": allowance if allowance is not None else 30.0, "early_window": 5}
        for number, parties in enumerate(days):
            day = FIRST + timedelta(days=number + 2 * (number // 5))
            found = Day(database, day, parties, booking=allowance is not None).play(random.Random(number))
            total.walk_in += found.walk_in
            total.booked += found.booked
            total.kept += found.kept
        database.dispose()
    return _figures(total, allowance)


def _figures(total: Outcome, allowance: float | None) -> dict[str, Any]:
    every, walk_in, booked = total.walk_in + total.booked, sorted(total.walk_in), total.booked
    return {
        "allowance": allowance, "people": len(every), "mean_all": round(statistics.fmean(every), 1),
        "walk_in_mean": round(statistics.fmean(walk_in), 1), "walk_in_p90": round(walk_in[int(len(walk_in) * 0.9)], 1),
        "booked_mean": round(statistics.fmean(booked), 1) if booked else None,
        "booked_within_10": round(100 * total.kept / len(booked), 1) if booked else None,
    }  # fmt: skip


def kept(nobody: dict[str, Any], wide: dict[str, Any]) -> dict[str, bool]:
    """Whether booking keeps its promise, and whether it costs those who did not book."""
    return {
        "booked_within_10_of_95": wide["booked_within_10"] >= WANTED_SHARE,
        "walk_in_mean_no_worse": wide["walk_in_mean"] <= nobody["walk_in_mean"],
        "walk_in_p90_no_worse": wide["walk_in_p90"] <= nobody["walk_in_p90"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--office")
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--load", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    dice = random.Random(asked.seed)
    days = [people(minutes, asked.load, dice) for minutes in recorded(asked.file, asked.office, asked.days)]
    offered = statistics.fmean(sum(p.serves for p in day) / len(PLACES) / (CLOSE - OPEN) for day in days)
    begun, rows = datetime.now(UTC), []
    for allowance in (None, 0.0, 30.0, 90.0):
        rows.append(week(days, allowance=allowance))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    verdict = kept(rows[0], rows[-1])
    seconds = round((datetime.now(UTC) - begun).total_seconds())
    figures = {"load": round(offered, 3), "promise": verdict, "days": len(days), "seed": asked.seed,
               "seconds": seconds, "runs": rows}  # fmt: skip
    print(json.dumps(figures, indent=None if asked.json else 1))
    sys.exit(0 if all(verdict.values()) else 1)


if __name__ == "__main__":
    main()
