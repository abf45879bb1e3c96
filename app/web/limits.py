"""Limits for the public: per address and minute, in this process; staff and devices are not held to them."""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, request

from app.domain.errors import TooMany
from app.web import security

View = TypeVar("View", bound=Callable[..., Any])
PER_MINUTE = {"ticket": 20, "look": 240, "sign_in": 30, "write": 120, "pair": 600}
_MOST_KEYS = 50_000


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


def limit_public(name: str) -> Callable[[View], View]:
    """Hold anonymous callers to PER_MINUTE[name]; raises TooMany with Retry-After."""

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(*args: Any, **kwargs: Any) -> Any:
            if security.principal() is None:
                seconds = time.time()
                windows: Windows = current_app.extensions.setdefault("windows", Windows())
                if windows.hit(name, request.remote_addr or "", int(seconds // 60)) > PER_MINUTE[name]:
                    raise TooMany(retry_after=60 - int(seconds % 60))
            return view(*args, **kwargs)

        return limited  # type: ignore[return-value]

    return decorate
