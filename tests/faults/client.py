"""A client that trusts nothing: writes down what it asks before it asks, and asks again with the same key.

Three outcomes, not two: ``ok``, ``fail`` (surely not done) and ``info`` (the line broke, or the server could not
say). What is unknown is asked again with the same Idempotency-Key until it is known.
"""

import http.client
import json
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

PATIENCE_SECONDS = 120.0


@dataclass(slots=True)
class Operation:
    """One wish of a client with the outcomes of each try. ``answer``: the acknowledged one."""

    key: str
    kind: str
    path: str
    body: dict[str, Any]
    outcomes: list[str] = field(default_factory=list)
    status: int = 0
    answer: Any = None

    @property
    def acknowledged(self) -> bool:
        return self.outcomes[-1:] == ["ok"]

    @property
    def was_unknown(self) -> bool:
        return "info" in self.outcomes


class History:
    """All operations of all clients, in the order they were begun."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.operations: list[Operation] = []

    def begin(self, kind: str, path: str, body: dict[str, Any]) -> Operation:
        """Written before anything is sent."""
        operation = Operation(uuid.uuid4().hex, kind, path, body)
        with self._lock:
            self.operations.append(operation)
        return operation


class Talker:
    """One client on one line at a time, as one bearer."""

    def __init__(self, port: int, token: str, history: History) -> None:
        self.port, self.token, self.history = port, token, history
        self._line: http.client.HTTPConnection | None = None

    def once(self, operation: Operation) -> str:
        """Send it once and note the outcome: ``ok``, ``fail`` or ``info``."""
        try:
            status, answer = self._send(operation)
        except (OSError, http.client.HTTPException, ValueError):
            self.hang_up()
            # A line that was refused carried nothing; any other break may have been heard.
            outcome = "info"
        else:
            operation.status = status
            outcome = "ok" if status < 300 else "fail" if status < 500 else "info"
            if outcome == "ok":
                operation.answer = answer
        operation.outcomes.append(outcome)
        return outcome

    def settle(self, kind: str, path: str, body: dict[str, Any] | None = None) -> Operation:
        """Ask until the outcome is known; raises AssertionError when the server does not come back."""
        operation = self.history.begin(kind, path, body or {})
        until = time.monotonic() + PATIENCE_SECONDS
        while self.once(operation) == "info":
            assert time.monotonic() < until, f"{kind} unknown for {PATIENCE_SECONDS} s: {operation.outcomes[-5:]}"
            self.wait_for_server()
        return operation

    def wait_for_server(self) -> None:
        """Until somebody listens again; tries that reach nobody are not operations."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=2).close()
            except OSError:
                time.sleep(0.02)
            else:
                return

    def hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _send(self, operation: Operation) -> tuple[int, Any]:
        if self._line is None:
            self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            self._line.connect()
            self._line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.request(
            "POST", f"/api/v1{operation.path}", json.dumps(operation.body),
            {"Authorization": f"Bearer {self.token}", "Idempotency-Key": operation.key,
             "Content-Type": "application/json"},
        )  # fmt: skip
        answer = self._line.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else None
