"""A stand-in of Stripe: its API, a clickable hosted page, webhooks. ``python -m tests.standins.stripe --port 9012``.

Its ledger is the truth of the tests. No money moves, no card is asked for, and every page says so.
"""

import argparse
import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.standins import stripe_page
from tests.standins.stripe_events import Post, Rates, Webhooks, to
from tests.standins.stripe_ledger import Ledger, Refusal, checked

KEY, SECRET = "sk_test_stand_in_0001", "whsec_stand_in_0001"
# What happens to a call that changes something, after it has been done: an answer that never comes, or a 500.
FAULTS = ("timeout_after", "500_after", "409_before", "429_before", "500_before")


class Dice:
    """Shares of calls that go wrong, thrown with a seed; ``next`` is a script that goes first."""

    def __init__(self, seed: int = 1, **shares: float) -> None:
        assert set(shares) <= set(FAULTS)
        self.shares, self.chance = shares, random.Random(seed)
        self.next: list[str | None] = []
        self.thrown: dict[str, int] = {}

    def throw(self) -> str | None:
        """A fault, or None."""
        if self.next:
            fault = self.next.pop(0)
        else:
            point, fault = self.chance.random(), None
            for name, share in self.shares.items():
                if point < share:
                    fault = name
                    break
                point -= share
        if fault:
            self.thrown[fault] = self.thrown.get(fault, 0) + 1
        return fault


class StripeStandIn:
    """The provider on a port of this machine. ``slow_seconds``: how long an answer that times out takes;
    ``reads_refused``: every question is answered by 400."""

    def __init__(
        self, *, post: Post | None = None, rates: Rates | None = None, dice: Dice | None = None, seed: int = 1,
        slow_seconds: float = 3.0, clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.ledger, self.dice, self.slow_seconds = Ledger(clock), dice or Dice(seed), slow_seconds
        self.webhooks = Webhooks(SECRET, post, rates=rates, seed=seed)
        self.ledger.told = self.webhooks.tell
        self.down = self.reads_refused = False
        self.calls = 0
        # What was asked of the API, as it came over the line: method, path, form or query.
        self.heard: list[tuple[str, str, str]] = []
        self.url = ""
        self._server: ThreadingHTTPServer | None = None

    def start(self, port: int = 0) -> None:
        standin = self

        class Handler(_Handler):
            me = standin

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.webhooks.stop()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def answer(self, method: str, path: str, given: Mapping[str, Any], key: str | None) -> tuple[int, dict[str, Any]]:
        """One call of the API."""
        for (verb, pattern), work in _ROUTES.items():
            match = re.fullmatch(pattern, path)
            if match and verb == method:
                wanted = json.dumps([method, path, given], sort_keys=True)
                return self.ledger.once(key, wanted, partial(work, self, given, *match.groups()))
        raise Refusal("resource_missing", "Unrecognized request URL", status=404)


def _listed(rows: list[dict[str, Any]], given: Mapping[str, Any]) -> dict[str, Any]:
    limit = int(given.get("limit", 10))
    return {"object": "list", "data": rows[:limit], "has_more": len(rows) > limit, "url": "/v1"}


def _retrieve(me: StripeStandIn, given: Mapping[str, Any], name: str) -> dict[str, Any]:
    asked = checked("session.retrieve", given)
    return me.ledger.shown(me.ledger.session(name), tuple(asked.get("expand", ())))


_ROUTES: Mapping[tuple[str, str], Callable[..., dict[str, Any]]] = {
    ("POST", "/v1/checkout/sessions"): lambda me, given: me.ledger.create_session(given, me.url),
    ("GET", "/v1/checkout/sessions"): lambda me, given: _listed(me.ledger.list_sessions(given), given),
    ("GET", r"/v1/checkout/sessions/(\w+)"): _retrieve,
    ("POST", r"/v1/checkout/sessions/(\w+)/expire"): lambda me, given, name: me.ledger.expire(name, given),
    ("POST", "/v1/refunds"): lambda me, given: me.ledger.refund(given),
    ("GET", "/v1/refunds"): lambda me, given: _listed(me.ledger.list_refunds(given), given),
}


def nested(flat: list[tuple[str, str]]) -> dict[str, Any]:
    """``a[b][0]=c`` as Stripe reads it."""
    found: dict[str, Any] = {}
    for name, value in flat:
        path = re.findall(r"[^\[\]]+", name)
        place = found
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return {name: _lists(value) for name, value in found.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(part.isdigit() for part in value):
        return [_lists(value[part]) for part in sorted(value, key=int)]
    return {name: _lists(inner) for name, inner in value.items()}


class _Handler(BaseHTTPRequestHandler):
    me: StripeStandIn
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self._handle("GET", urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._handle("POST", self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())

    def _handle(self, method: str, form: str) -> None:
        path, given = urlsplit(self.path).path, nested(parse_qsl(form, keep_blank_values=True))
        if not path.startswith("/v1/"):
            stripe_page.serve(self, self.me.ledger, method, path, given)
            return
        self.me.calls += 1
        self.me.heard.append((method, path, form))
        if self.me.down:
            self.close_connection = True
            self.connection.close()
            return
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            self.reply(401, Refusal("api_key_invalid", "Invalid API Key").body)
            return
        if self.me.reads_refused and method == "GET":
            self.reply(400, Refusal("parameter_unknown", "Received unknown parameter").body)
            return
        self._api(method, path, given)

    def _api(self, method: str, path: str, given: Mapping[str, Any]) -> None:
        fault = self.me.dice.throw() if method == "POST" else None
        if fault and fault.endswith("_before"):
            status = int(fault[:3])
            self.reply(status, Refusal("lock_timeout" if status == 409 else "rate_limit", fault, kind="api_error").body)
            return
        try:
            status, body = self.me.answer(method, path, given, self.headers.get("Idempotency-Key"))
        except Refusal as refused:
            status, body = refused.status, refused.body
        if fault == "timeout_after":
            time.sleep(self.me.slow_seconds)
        elif fault == "500_after":
            status, body = 500, Refusal("", "after", kind="api_error").body
        self.reply(status, body)

    def reply(self, status: int, body: dict[str, Any] | str, *, location: str = "") -> None:
        """JSON for the API, a page for people."""
        page = isinstance(body, str)
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        try:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Type", "text/html; charset=utf-8" if page else "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)
        except OSError:
            self.close_connection = True


@contextmanager
def running(port: int = 0, **more: Any) -> Iterator[StripeStandIn]:
    """A stand-in on a free port."""
    made = StripeStandIn(**more)
    made.start(port)
    try:
        yield made
    finally:
        made.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9012)
    parser.add_argument("--hooks", default="http://127.0.0.1:8000/api/v1/hooks/stripe", help="where webhooks go")
    asked = parser.parse_args()
    with running(asked.port, post=to(asked.hooks)) as made:
        print(f"stand-in of Stripe (not the real one): {made.url}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
