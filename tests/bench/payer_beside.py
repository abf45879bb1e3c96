"""Numbers and calls while the payment provider hangs: ``python -m tests.bench.payer_beside [--postgres]``.

The provider takes connections and never answers; payers keep asking for its page. Issue and call-next go on through
the same web process. Prints JSON: successes, p50 and p99 in milliseconds, and what the payers were told.
"""

import argparse
import json
import os
import socket
import sys
import threading
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from typing import Any

import httpx

from app.domain.roles import Role
from tests import hall_server
from tests.displays.test_live import token
from tests.faults.payments import database_of

PAYERS, ROUNDS = 4, 300


@contextmanager
def hanging() -> Any:
    """An address that takes a connection and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> tuple[httpx.Response, float]:
    begun = time.perf_counter()
    answer = client.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})
    return answer, (time.perf_counter() - begun) * 1_000


def measure(url: str, rounds: int) -> dict[str, Any]:
    """Figures of one run."""
    kiosk, lead = token(url, Role.KIOSK), token(url, Role.FLOOR_LEAD)
    told, stop = Counter[str](), threading.Event()
    times: list[float] = []
    failed = 0
    with hall_server.serving(url) as address:
        base = f"{address}/api/v1"

        def client(bearer: str) -> httpx.Client:
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
            return httpx.Client(base_url=base, timeout=40, trust_env=False, headers=headers)

        def pay(ticket: str) -> None:
            with client(kiosk) as mine:
                while not stop.is_set():
                    answer, _ = _post(mine, "/payments", {"ticket": ticket})
                    told[str(answer.status_code)] += 1

        with client(kiosk) as hall, client(lead) as desk:
            desk.post("/counters/ward-2/open", json={"categories": ["ward-certificates"]},
                      headers={"Idempotency-Key": uuid.uuid4().hex})  # fmt: skip
            tickets = [_post(hall, "/offices/ward/tickets", {"services": ["koseki_cert"]})[0] for _ in range(PAYERS)]
            threads = [threading.Thread(target=pay, args=(each.json()["token"],), daemon=True) for each in tickets]
            for thread in threads:
                thread.start()
            time.sleep(1.0)
            for _ in range(rounds):
                answer, took = _post(hall, "/offices/ward/tickets", {"services": ["juminhyo"]})
                times.append(took)
                failed += answer.status_code != 201
                called, took = _post(desk, "/counters/ward-2/call-next", {})
                times.append(took)
                failed += called.status_code != 200
                for action in ("start", "finish"):
                    _post(desk, f"/steps/{called.json()['step']['id']}/{action}", {})
            stop.set()
    times.sort()
    return {
        "issues_and_calls": len(times), "failed": failed, "p50_ms": round(times[len(times) // 2], 1),
        "p99_ms": round(times[int(len(times) * 0.99)], 1), "most_ms": round(times[-1], 1), "payers_told": dict(told),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    asked = parser.parse_args()
    with hanging() as address, database_of("postgresql" if asked.postgres else "sqlite") as url:
        os.environ.update(MADOGUCHI_STRIPE_API_KEY="sk_test_hanging", MADOGUCHI_STRIPE_WEBHOOK_SECRET="whsec_hanging",
                          MADOGUCHI_STRIPE_API_BASE=address)  # fmt: skip
        found = measure(url, asked.rounds)
    print(json.dumps(found, indent=1))
    sys.exit(0 if not found["failed"] and found["p99_ms"] < 300 else 1)


if __name__ == "__main__":
    main()
