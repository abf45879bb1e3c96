"""A light HTTP client on one kept connection, so that the client does not become what is measured.

Written on the socket: ``http.client`` reads every header of an answer as a letter's, which costs the processors that
client, server and database share more than the rest of the client.
"""

import json
import socket
import uuid
from typing import IO, Any
from urllib.parse import urlsplit


class Caller:
    """Posts JSON as one bearer; each POST carries a fresh Idempotency-Key unless one is given."""

    def __init__(self, address: str, token: str) -> None:
        place = urlsplit(address)
        self._place = place.hostname or "", place.port or 80
        self._head = (
            f"HTTP/1.1\r\nHost: {place.netloc}\r\nAccept-Encoding: identity\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        )
        self._line, self._answers = self._connected()

    def _connected(self) -> tuple[socket.socket, IO[bytes]]:
        line = socket.create_connection(self._place, timeout=30)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return line, line.makefile("rb")

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> tuple[int, Any]:
        """``(status, answer)``."""
        raw = json.dumps(body or {}).encode()
        head = (
            f"POST /api/v1{path} {self._head}Idempotency-Key: {key or uuid.uuid4().hex}\r\n"
            f"Content-Length: {len(raw)}\r\n\r\n"
        )
        self._line.sendall(head.encode() + raw)
        return self._answer()

    def _answer(self) -> tuple[int, Any]:
        status = int(self._answers.readline().split(None, 2)[1])
        length, ends = 0, False
        while (header := self._answers.readline()) not in (b"\r\n", b""):
            name, _, value = header.partition(b":")
            match name.lower():
                case b"content-length":
                    length = int(value)
                case b"connection":
                    ends = value.strip().lower() == b"close"
                case b"transfer-encoding":
                    raise AssertionError("an answer of the API tells its length")
        raw = self._answers.read(length)
        if ends:
            self._line.close()
            self._line, self._answers = self._connected()
        return status, json.loads(raw) if raw else None
