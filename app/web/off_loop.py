"""Slow arithmetic (password hashes) beside the event loop, a bounded amount at a time.

Under gevent a hash of 50 ms would hold every request of the process; in threads of the operating system it
holds none. Without gevent (tests, commands) the work is done in place.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPool

from app.domain.errors import Unavailable

Result = TypeVar("Result")
_AT_ONCE, _MOST_WAITING = 2, 40
_pool: list[Any] = []


def run(work: Callable[..., Result], *args: object) -> Result:
    """``work(*args)`` off the loop. Raises Unavailable when too many wait already, and whatever ``work`` raises."""
    if not monkey.is_module_patched("threading"):
        return work(*args)
    if not _pool:
        # Made here, not at import: threads do not survive the fork of the web process.
        _pool.append(ThreadPool(_AT_ONCE))
    pool = _pool[0]
    if len(pool) >= _MOST_WAITING:
        raise Unavailable(retry_after=2)
    found: Result = pool.apply(work, args)
    return found
