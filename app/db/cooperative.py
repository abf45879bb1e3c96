"""PostgreSQL under gevent: a connection that waits on its socket through the loop itself.

psycopg waits by a patched ``poll`` there, which makes a poll object, its watchers and a timer for each statement. One
watcher, kept as long as the connection, does (ADR 10). A dead peer wakes it as an error of the socket
(``tcp_user_timeout``), so nothing has to look now and then.
"""

import sys
from typing import Any

from psycopg import Connection, OperationalError
from psycopg.abc import RV, PQGen
from psycopg.waiting import Ready, Wait

# libev's own words: 1 reads, 2 writes.
_EVENTS = {Wait.R: 1, Wait.W: 2, Wait.RW: 3}
_READY = {Wait.R: Ready.R, Wait.W: Ready.W, Wait.RW: Ready.RW}


def wanted() -> bool:
    """Whether this process waits through gevent: it was patched before anything else was imported."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


class CooperativeConnection(Connection[Any]):
    """A connection whose waits let other greenlets work."""

    _reads: Any = None

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Run ``gen`` to its end, waiting for the socket where it asks for it. A timeout is psycopg's own affair."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            asked = next(gen)
            while True:
                self._until(Wait(asked))
                asked = gen.send(_READY[Wait(asked)])
        except StopIteration as end:
            answer: RV = end.value
            return answer

    def _until(self, asked: Wait) -> None:
        from gevent import get_hub

        hub = get_hub()
        if self.pgconn.socket < 0:
            raise OperationalError("the connection is closed")
        if asked is Wait.R:
            # Each thread has a loop of its own; a connection that came to another is watched there.
            if self._reads is None or self._reads.loop is not hub.loop:
                self._reads = hub.loop.io(self.pgconn.socket, _EVENTS[asked])
            hub.wait(self._reads)
            return
        once = hub.loop.io(self.pgconn.socket, _EVENTS[asked])
        try:
            hub.wait(once)
        finally:
            once.close()

    def close(self) -> None:
        """Close it and stop watching; a watcher that outlives its socket would watch somebody else's."""
        if self._reads is not None:
            self._reads.close()
            self._reads = None
        super().close()
