"""Limits for the public: per address and minute, and how many write at once, in this process.

Staff and devices are held to neither: a crowd that takes numbers by phone, or one that means harm, waits behind its
own door, and the kiosk and the counters go on.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, request

from app.domain.errors import TooMany, Unavailable
from app.web import security

View = TypeVar("View", bound=Callable[..., Any])
PER_MINUTE = {"ticket": 20, "look": 240, "sign_in": 30, "write": 120, "pair": 600}
_MOST_KEYS = 50_000
# Acts that take the office's lock: so many of the public at once, and how long the next waits at the door (seconds).
THROUGH_THE_DOOR = frozenset({"ticket"})
ROOM, PATIENCE = 3, 5.0


class Windows:
    """Counts in one-minute windows; memory is bounded by starting anew when too many keys are seen."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def hit(self, name: str, who: str, minute: int) -> int:
        """Count one more; returns the count in this minute."""
        with self._lock:
            if len(self._counts) > _MOST_KEYS:
                self._counts.clear()
            started, count = self._counts.get((name, who), (minute, 0))
            count = count + 1 if started == minute else 1
            self._counts[name, who] = (minute, count)
            return count


class Door:
    """Lets ``room`` callers in at once, the others in the order they came."""

    def __init__(self, room: int = ROOM, patience: float = PATIENCE) -> None:
        self._room, self._patience = threading.BoundedSemaphore(room), patience

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Inside, until the end of the block. Raises Unavailable where nobody left in time."""
        if not self._room.acquire(timeout=self._patience):
            raise Unavailable(retry_after=int(self._patience))
        try:
            yield
        finally:
            self._room.release()


def limit_public(name: str) -> Callable[[View], View]:
    """Hold anonymous callers to PER_MINUTE[name] and to the door; raises TooMany, Unavailable with Retry-After."""

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(*args: Any, **kwargs: Any) -> Any:
            if security.principal() is None:
                seconds = time.time()
                windows: Windows = current_app.extensions.setdefault("windows", Windows())
                if windows.hit(name, request.remote_addr or "", int(seconds // 60)) > PER_MINUTE[name]:
                    raise TooMany(retry_after=60 - int(seconds % 60))
                if name in THROUGH_THE_DOOR:
                    door: Door = current_app.extensions.setdefault("door", Door())
                    with door.entered():
                        return view(*args, **kwargs)
            return view(*args, **kwargs)

        return limited  # type: ignore[return-value]

    return decorate
