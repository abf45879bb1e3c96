"""Who a token or session belongs to, remembered for two seconds: a counter's clicks ask the database once.

A right that ends elsewhere ends here within ``LASTS`` (five seconds are promised). One that ends in this process
ends at once: whatever writes to the tables of rights empties the memory, and for a while nothing is put in it, so
that nobody remembers what a transaction is just taking away.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

from app.db.session import Database
from app.services.access import Principal

LASTS, BLOCKED = 2.0, 2.0
_MOST = 5_000
_TABLES = ("access_token", "staff_session", "account", "second_factor")
# That a device was heard of changes nobody's rights.
_SEEN = "UPDATE access_token SET seen_at="


class KnownCallers:
    """One per web process."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._known: dict[str, tuple[float, Principal]] = {}
        self._clock, self._blocked_until = clock, 0.0
        for engine in {database.engine, database.read_engine}:
            self._listen(engine)

    def _listen(self, engine: Engine) -> None:
        @event.listens_for(engine, "before_cursor_execute")
        def written(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            changes = statement[:6] in ("INSERT", "UPDATE", "DELETE") and not statement.startswith(_SEEN)
            if changes and any(name in statement[:40] for name in _TABLES):
                self.forget()

    def forget(self) -> None:
        """Remember nobody, and nobody new for a while."""
        self._known.clear()
        self._blocked_until = self._clock() + BLOCKED

    def find(self, secret: str, ask: Callable[[], Principal | None]) -> Principal | None:
        """The caller of a token or session, asked of the database at most every ``LASTS`` seconds."""
        now = self._clock()
        known = self._known.get(secret)
        if known is not None and now < known[0]:
            return known[1]
        found = ask()
        if found is not None and now >= self._blocked_until:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[secret] = (now + LASTS, found)
        return found
