"""A stand-in of a mail server (SMTP by aiosmtpd): keeps what it takes, refuses and breaks off on request."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from tests.hall_server import free_port


class Mailbox:
    """``faults``: for each message "refuse" (550), "later" (451), "cut" (taken, then no answer) or None."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.faults: deque[str | None] = deque()
        self.url = ""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if self.faults and self.faults[0] in ("refuse", "later"):
            return {"refuse": "550 5.1.1 No such user", "later": "451 4.7.1 Try again later"}[
                self.faults.popleft() or ""
            ]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        made = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(made, EmailMessage)
        self.messages.append(made)
        self.recipients += envelope.rcpt_tos
        if self.faults and self.faults.popleft() == "cut":
            server.transport.abort()
        return "250 OK"


@contextmanager
def running() -> Iterator[Mailbox]:
    """A mail server on a free port of this machine."""
    box, port = Mailbox(), free_port()
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    box.url = f"smtp://127.0.0.1:{port}/?from=noreply%40aonami.example.jp"
    try:
        yield box
    finally:
        server.stop()
