"""Plays a day over HTTP: residents take numbers, clerks call and serve, the back office hands over."""

import heapq
import random
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.commands.arrivals import Arrival

# Minutes of the hall after the last arrival; whoever is left then is settled by the close of day.
AFTER_CLOSING = 120.0


@dataclass(slots=True)
class Tally:
    """What happened, by the clients' own count."""

    issued: int = 0
    refused: int = 0
    served: int = 0
    left: int = 0
    failures: list[str] = field(default_factory=list)


class Player:
    """One office, one speed (minutes of the hall per minute of the wall).

    A clerk serves for as long as the file recorded; else for ``service_minutes`` on average, else for what the
    service usually takes (both log-normal).
    """

    def __init__(
        self, address: str, *, office: str, kiosk: str, staff: str, speed: float, seed: int = 1,
        service_minutes: float | None = None,
    ) -> None:  # fmt: skip
        self.address, self.office, self.speed = address, office, speed
        self.service_minutes = service_minutes
        self._recorded: dict[int, float] = {}
        self.kiosk, self.staff = kiosk, staff
        self.tally, self.chance = Tally(), random.Random(seed)  # noqa: S311 - a simulation
        self.over = threading.Event()
        self.everybody_came = threading.Event()
        self._ready: list[tuple[float, int]] = []
        self._lock = threading.Lock()

    def _client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=f"{self.address}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30)

    def _post(self, client: httpx.Client, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """One act, tried again with its key when the answer is unknown or the house is busy."""
        key = uuid.uuid4().hex
        for attempt in range(5):
            try:
                answer = client.post(path, json=dict(body), headers={"Idempotency-Key": key})
            except httpx.TransportError:
                time.sleep(0.2 * 2**attempt)
                continue
            if answer.status_code != 503:
                return answer
            time.sleep(0.2 * 2**attempt)
        raise RuntimeError(f"no answer for {path}")

    def play(self, arrivals: Sequence[Arrival], services: Mapping[str, str], minutes: Mapping[str, Any]) -> Tally:
        """The whole day; returns when the last party has been served, or AFTER_CLOSING minutes after the last came.

        ``services``: file's name → ours.
        """
        clerks = [threading.Thread(target=self._clerk, args=(c, minutes), daemon=True) for c in self._open()]
        office = threading.Thread(target=self._back_office, daemon=True)
        for thread in (*clerks, office):
            thread.start()
        self._residents(arrivals, services)
        self.everybody_came.set()
        self._until_empty()
        self.over.set()
        for thread in (*clerks, office):
            thread.join(timeout=30)
        return self.tally

    def _open(self) -> list[str]:
        with self._client(self.staff) as client:
            found = client.get(f"/offices/{self.office}").raise_for_status().json()["counters"]
            return [
                counter["id"]
                for counter in found
                if self._post(client, f"/counters/{counter['id']}/open", {}).status_code == 200
            ]

    def _residents(self, arrivals: Sequence[Arrival], services: Mapping[str, str]) -> None:
        begun, first = time.monotonic(), arrivals[0].minute
        with self._client(self.kiosk) as client:
            for arrival in arrivals:
                due = begun + (arrival.minute - first) * 60 / self.speed
                time.sleep(max(due - time.monotonic(), 0))
                answer = self._post(
                    client, f"/offices/{self.office}/tickets", {"services": [services[arrival.service]]}
                )
                if answer.status_code == 201:
                    self.tally.issued += 1
                    if arrival.minutes is not None:
                        self._recorded[answer.json()["id"]] = arrival.minutes
                else:
                    self.tally.refused += 1

    def _clerk(self, counter: str, minutes: Mapping[str, Any]) -> None:
        with self._client(self.staff) as client:
            while not self.over.is_set():
                answer = self._post(client, f"/counters/{counter}/call-next", {})
                if answer.status_code != 200:
                    time.sleep(min(20 / self.speed, 0.5))
                    continue
                self._serve(client, answer.json(), minutes)

    def _serve(self, client: httpx.Client, called: Mapping[str, Any], minutes: Mapping[str, Any]) -> None:
        step = called["step"]
        usual = minutes[step["service"]]
        lasts = self._recorded.get(called["ticket"]["id"]) if step["phase"] == "accept" else None
        if lasts is None:
            lasts = (self.service_minutes or float(usual.get(step["phase"]) or 2)) * self.chance.lognormvariate(
                -0.08, 0.4
            )
        time.sleep(0.3 * 60 / self.speed)
        self._expect(client, step["id"], "start")
        time.sleep(lasts * 60 / self.speed)
        self._expect(client, step["id"], "finish")
        self.tally.served += 1
        if step["phase"] == "accept" and usual.get("back") and usual.get("deliver"):
            ready_at = time.monotonic() + float(usual["back"]) * 60 / self.speed
            with self._lock:
                heapq.heappush(self._ready, (ready_at, step["id"] + 1))

    def _expect(self, client: httpx.Client, step: int, action: str) -> None:
        answer = self._post(client, f"/steps/{step}/{action}", {})
        if answer.status_code != 200:
            self.tally.failures.append(f"{action} of step {step}: {answer.status_code}")

    def _back_office(self) -> None:
        with self._client(self.staff) as client:
            while not self.over.is_set():
                with self._lock:
                    due = self._ready and self._ready[0][0] <= time.monotonic()
                    step = heapq.heappop(self._ready)[1] if due else None
                if step is None:
                    time.sleep(0.02)
                else:
                    self._post(client, f"/steps/{step}/ready", {})

    def _until_empty(self) -> None:
        deadline = time.monotonic() + AFTER_CLOSING * 60 / self.speed
        with self._client(self.staff) as client:
            quiet = 0
            while quiet < 4:
                time.sleep(max(60 / self.speed, 0.25))
                board = client.get(f"/offices/{self.office}/board").json()
                self.tally.left = sum(len(line) for line in board["waiting"].values())
                if time.monotonic() > deadline:
                    return
                with self._lock:
                    quiet = quiet + 1 if not board["waiting"] and not self._ready else 0
