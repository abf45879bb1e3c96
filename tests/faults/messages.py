"""F3, F18: kill −9 of the sender at S0–S3 and at random, against a provider that fails in every way.

``python -m tests.faults.messages --database sqlite --messages 1000 --kills 100``. The provider's ledger is the truth:
no message twice in it, none of ours without an end. Time passes ten times faster for sender and provider.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.channels.base import Taken
from app.channels.sms_twilio import WORDS
from app.db.session import Database
from app.domain.delivery import ENDED, Channel, Occasion, State
from app.models.delivery import Delivery
from app.models.place import Office
from app.services import outbox, receipts
from app.services.sending import link_code
from config import failpoints
from tests.bench.calls import prepare
from tests.faults.kill import own_postgres
from tests.faults.messages_worker import Fast
from tests.services.messages import SECRET, contact
from tests.standins import twilio

POINTS = ("send.before_claim", "send.claimed", "send.accepted", "send.marked")
# Faster, and the seconds a killed sender takes to start again would be minutes.
SPEED = 10.0
# Of 100 create calls: 500 after it was taken, an answer cut off, too many, 500 before it was taken.
_DICE = ((8, "500_after"), (13, "cut_after"), (18, "429"), (20, "500_before"))
_LINK = re.compile(r"/s/([a-z2-7]{10})")


def enqueue(database: Database, messages: int, clock: Fast) -> list[int]:
    """So many messages to a hundred people, due at once."""
    at = clock()
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"messages": {"yen_per_day": 10**9, "yen_per_hour": 10**9,
                                                          "person_per_day": 10**6}}  # fmt: skip
        people = [contact(session, f"+8190123{place:05d}", at=at).id for place in range(100)]
        for place in range(messages):
            outbox.enqueue(
                session, office=office, occasion=Occasion.BOOKED, target=f"booking:{place}", once="1", at=at,
                to=outbox.Recipient(contact_id=people[place % 100], channel=Channel.SMS, language="ja"),
                values={"日時": "4月8日(水) 10時30分", "予約番号": f"R{place}"},
            )  # fmt: skip
        session.flush()
        return list(session.scalars(select(Delivery.id)))


class Campaign:
    """One database, one provider, one sender after the other."""

    def __init__(self, url: str, *, seed: int, blind: bool = False, speed: float = SPEED) -> None:
        self.url, self.database, self.dice, self.blind = url, prepare(url), random.Random(seed), blind
        self.clock = Fast(time.time(), speed)
        self.provider = twilio.TwilioStandIn()
        self.provider.ledger.clock = self.clock
        self.provider.dice = self.fault
        self.calm = False
        self.kills: Counter[str] = Counter()

    def fault(self) -> str | None:
        drawn = self.dice.randrange(100)
        return None if self.calm else next((name for below, name in _DICE if drawn < below), None)

    def worker(self, point: str = "") -> subprocess.Popen[bytes]:
        environment = os.environ | ({failpoints.NAME: point} if point else {})
        command = [sys.executable, "-m", "tests.faults.messages_worker", self.url, self.provider.url,
                   str(self.clock.begun), str(self.clock.speed)]  # fmt: skip
        return subprocess.Popen(command + ["--blind"] * self.blind, env=environment)

    def kill(self, kills: int) -> None:
        """Each point in turn at a passing drawn by lot; every fifth kill at any instant."""
        for turn in range(kills):
            point = "random" if turn % 5 == 4 else POINTS[turn % 5]
            passing = self.dice.randrange(1, 12)
            process = self.worker("" if point == "random" else f"{point}:{passing}")
            try:
                process.wait(timeout=self.dice.uniform(0.7, 2.5) if point == "random" else 12)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.kills[point] += 1

    def strike(self, kills: int) -> None:
        """Nothing by lot: each sender dies when the provider has its first message and our row does not say so."""
        for _ in range(kills):
            self.calm, process = True, self.worker("send.accepted:1")
            assert process.wait(timeout=120) == -signal.SIGKILL
            self.kills["send.accepted"] += 1

    def carrier(self, stop: threading.Event) -> None:
        """Tells what became of most messages: twice, in the wrong order, and of some never."""
        told, dice = 0, random.Random(7)
        while not stop.wait(0.2):
            with self.provider.ledger.lock:
                fresh = self.provider.ledger.messages[told:]
            told += len(fresh)
            for kept in fresh:
                kept.status = "delivered"
                words = [] if dice.random() < 0.3 else ["sent", "delivered", "delivered"]
                dice.shuffle(words)
                for word in words:
                    with self.database.transaction() as session:
                        receipts.learn(session, Taken(provider_id=kept.sid, fate=WORDS[word], word=word),
                                       at=self.clock())  # fmt: skip

    def open_rows(self) -> int:
        with self.database.snapshot() as session:
            return session.scalar(select(func.count()).where(Delivery.state.not_in(ENDED))) or 0

    def finish(self, seconds: float) -> None:
        """A sender that nobody kills, until every message has its end."""
        process, until = self.worker(), time.monotonic() + seconds
        while self.open_rows() and time.monotonic() < until:
            time.sleep(0.5)
        process.kill()
        process.wait()

    def run(self, messages: int, kills: int, *, certain: bool = False) -> dict[str, Any]:
        self.provider.start()
        stop, begun = threading.Event(), time.monotonic()
        teller = threading.Thread(target=self.carrier, args=(stop,))
        try:
            numbers = enqueue(self.database, messages, self.clock)
            teller.start()
            (self.strike if certain else self.kill)(kills)
            self.calm = True
            self.finish(60 + messages * 0.5)
        finally:
            stop.set()
            teller.join()
            self.provider.stop()
        figures = {"messages": messages, "kills": dict(self.kills), "seconds": round(time.monotonic() - begun)}
        found = figures | self.truth(numbers)
        self.database.dispose()
        return found

    def truth(self, numbers: list[int]) -> dict[str, Any]:
        """The ledger beside our rows."""
        codes = Counter(match[1] for kept in self.provider.ledger.messages if (match := _LINK.search(kept.body)))
        with self.database.snapshot() as session:
            rows = {row.id: row for row in session.scalars(select(Delivery).where(Delivery.id.in_(numbers)))}
        taken = {number: codes[link_code(SECRET, number)] for number in numbers}
        ended = {number for number, row in rows.items() if State(row.state) in ENDED}
        broken = {
            "doubled": [n for n in numbers if taken[n] > 1],
            "without_an_end": [n for n in numbers if n not in ended],
            "said_sent_but_is_not": [n for n in numbers if rows[n].state == State.DELIVERED and not taken[n]],
            "said_failed_but_arrived": [n for n in numbers if rows[n].state == State.FAILED and taken[n]],
            "settled_after_ten_minutes": [n for n, row in rows.items() if _settling(row) > timedelta(minutes=10)],
        }
        states = Counter(row.state for row in rows.values())
        return {
            "states": dict(states), "reasons": dict(Counter(r.reason for r in rows.values() if r.reason)),
            "ledger": len(self.provider.ledger.messages),
            "in_doubt": sum(row.claim > row.attempts for row in rows.values()),
            "longest_settling_s": round(max((_settling(row).total_seconds() for row in rows.values()), default=0)),
            "complaints": self.provider.ledger.complaints[:3],
            "violations": sum(map(len, broken.values())), "by_promise": {k: len(v) for k, v in broken.items()},
            "bound_95": 3 / max(1, sum(self.kills.values())),
        }  # fmt: skip


def _settling(row: Delivery) -> timedelta:
    """From the last claim until it was known whether the provider has it."""
    known = row.sent_at or row.ended_at
    return known - row.claimed_at if known and row.claimed_at and known > row.claimed_at else timedelta()


def campaign(
    url: str, *, messages: int, kills: int, seed: int, blind: bool = False, certain: bool = False, speed: float = SPEED
) -> dict[str, Any]:
    """Returns the figures of one campaign. ``certain``: every kill between the provider's yes and our mark."""
    figures = Campaign(url, seed=seed, blind=blind, speed=speed).run(messages, kills, certain=certain)
    return figures | {"seed": seed, "blind": blind}


@contextmanager
def fresh(database: str) -> Iterator[str]:
    """URL of an empty database of a kind."""
    with tempfile.TemporaryDirectory() as directory:
        if database == "sqlite":
            yield f"sqlite:///{directory}/hall.db"
        else:
            with own_postgres(Path(directory) / "pg") as url:
                yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), required=True)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blind", action="store_true", help="the negative control: no look-up before a retry")
    asked = parser.parse_args()
    with fresh(asked.database) as url:
        figures = campaign(url, messages=asked.messages, kills=asked.kills, seed=asked.seed, blind=asked.blind)
    print(json.dumps(figures | {"database": asked.database}, indent=1), flush=True)
    sys.exit(1 if figures["violations"] and not asked.blind else 0)


if __name__ == "__main__":
    main()
