"""A light HTTP client on one kept connection, so that the client does not become what is measured."""

import http.client
import json
import socket
import uuid
from typing import Any
from urllib.parse import urlsplit


class Caller:
    """Posts JSON as one bearer; each POST carries a fresh Idempotency-Key unless one is given."""

    def __init__(self, address: str, token: str) -> None:
        place = urlsplit(address)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._token = token

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> tuple[int, Any]:
        """``(status, answer)``."""
        self._connection.request(
            "POST", f"/api/v1{path}", json.dumps(body or {}),
            {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key or uuid.uuid4().hex,
             "Content-Type": "application/json"},
        )  # fmt: skip
        answer = self._connection.getresponse()
        raw = answer.read()
        return answer.status, json.loads(raw) if raw else None
