"""The stand-in's webhooks: signed as Stripe signs, sent from a queue, and lost, doubled or out of order on request."""

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.gateways.stripe_signature import signature

# (status) of one delivery; anything but 2xx is tried again, as Stripe does.
Post = Callable[[bytes, str], int]
TRIES = 4


@dataclass(kw_only=True)
class Rates:
    """Shares of webhooks that are doubled, overtaken by later ones, or never sent."""

    duplicate: float = 0.0
    reorder: float = 0.0
    loss: float = 0.0


@dataclass
class Counted:
    """What was done to the webhooks, for a report."""

    made: int = 0
    sent: int = 0
    duplicated: int = 0
    reordered: int = 0
    lost: int = 0
    answers: dict[int, int] = field(default_factory=dict)


def to(url: str) -> Post:
    """Posts to an address of this machine; 0 when nobody answered."""

    def post(raw: bytes, header: str) -> int:
        try:
            headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
            return httpx.post(url, content=raw, headers=headers, timeout=10, trust_env=False).status_code
        except httpx.TransportError:
            return 0

    return post


class Webhooks:
    """A queue with a thread that empties it; ``post`` None: kept for a test that sends them by hand."""

    def __init__(self, secret: str, post: Post | None = None, *, rates: Rates | None = None, seed: int = 1) -> None:
        self.secret, self.post, self.rates, self.counted = secret, post, rates or Rates(), Counted()
        self.kept: list[dict[str, Any]] = []
        self.chance = random.Random(seed)
        self._waiting: list[tuple[float, int, dict[str, Any], int]] = []
        self._wake, self._stop, self._busy = threading.Condition(), False, 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def event(self, kind: str, about: dict[str, Any]) -> dict[str, Any]:
        """An event as Stripe words it."""
        self.counted.made += 1
        return {
            "id": f"evt_test_{self.counted.made:08d}", "object": "event", "type": kind, "livemode": False,
            "created": int(time.time()), "api_version": "stand-in", "data": {"object": about},
        }  # fmt: skip

    def tell(self, kind: str, about: dict[str, Any]) -> None:
        """Make an event and put it on its way, or not, as the rates say."""
        made = self.event(kind, about)
        self.kept.append(made)
        if self.chance.random() < self.rates.loss:
            self.counted.lost += 1
            return
        late = self.chance.random() < self.rates.reorder
        self.counted.reordered += late
        twice = self.chance.random() < self.rates.duplicate
        self.counted.duplicated += twice
        for _ in range(2 if twice else 1):
            self._put(made, self.chance.uniform(0.05, 0.6) if late else 0.0)

    def _put(self, made: dict[str, Any], wait: float, tries: int = 0) -> None:
        with self._wake:
            self._waiting.append((time.monotonic() + wait, len(self._waiting), made, tries))
            self._wake.notify()

    def send(self, made: dict[str, Any]) -> int:
        """Sign and post one event now; the status that came back."""
        raw = json.dumps(made).encode()
        assert self.post is not None
        status = self.post(raw, signature(raw, secret=self.secret, at=int(time.time())))
        self.counted.sent += 1
        self.counted.answers[status] = self.counted.answers.get(status, 0) + 1
        return status

    def _run(self) -> None:
        while not self._stop:
            with self._wake:
                self._waiting.sort(key=lambda each: each[:2])
                wait = self._waiting[0][0] - time.monotonic() if self._waiting else 0.5
                if not self._waiting or wait > 0 or self.post is None:
                    self._wake.wait(min(max(wait, 0.01), 0.5))
                    continue
                _, _, made, tries = self._waiting.pop(0)
                self._busy += 1
            if self.send(made) // 100 != 2 and tries < TRIES:
                self._put(made, 0.2 * 2**tries, tries + 1)
            self._busy -= 1

    def settle(self, seconds: float = 30) -> None:
        """Until nothing is on its way."""
        deadline = time.monotonic() + seconds
        while (self._waiting or self._busy) and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self) -> None:
        self._stop = True
        with self._wake:
            self._wake.notify()
        self._thread.join(timeout=5)
