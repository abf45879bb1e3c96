"""When each device was last heard: kept in this process, written down every few seconds in one transaction."""

import threading
import time
from datetime import datetime

from flask import current_app

from app.domain.errors import DomainError
from app.services import devices
from app.web import security

_EVERY_SECONDS = 5.0


class LastHeard:
    """Device id → instant, for all threads of the process."""

    def __init__(self) -> None:
        self._seen: dict[int, datetime] = {}
        self._written = 0.0
        self._lock = threading.Lock()

    def note(self, token_id: int, at: datetime) -> dict[int, datetime]:
        """Remember; returns what is due to be written now, else nothing."""
        with self._lock:
            self._seen[token_id] = at
            if time.monotonic() - self._written < _EVERY_SECONDS:
                return {}
            self._written = time.monotonic()
            due, self._seen = self._seen, {}
            return due


def note(token_id: int) -> None:
    """A device or program was heard now. A database that is busy may miss one word of it, never a request."""
    kept: LastHeard = current_app.extensions.setdefault("last_heard", LastHeard())
    due = kept.note(token_id, security.now())
    if not due:
        return
    try:
        with security.database().transaction() as session:
            devices.heard(session, due)
    except DomainError as error:
        current_app.logger.warning("last heard not written: %s", error.reason)
