"""Who watches: the sockets of this process, their credentials and their rooms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.domain.errors import TooMany
from app.services.access import Principal

MOST_ROOMS = 8
Recheck = Callable[[Any], Principal | None]


@dataclass(slots=True, kw_only=True)
class Watcher:
    """One socket. ``recheck`` asks the database whether its credential still stands; None: anonymous."""

    sid: str
    namespace: str
    who: Principal | None
    recheck: Recheck | None
    rooms: set[str] = field(default_factory=set)
    _second: int = 0
    _events: int = 0

    def count(self, second: int) -> int:
        """Count an event; returns how many came in this second."""
        self._events = self._events + 1 if second == self._second else 1
        self._second = second
        return self._events


class Watchers:
    """An index by socket and by room, so that nothing here grows with the number of all sockets."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Watcher] = {}
        self._rooms: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self._all)

    def add(self, watcher: Watcher) -> None:
        self._all[watcher.sid, watcher.namespace] = watcher

    def get(self, sid: str, namespace: str) -> Watcher | None:
        return self._all.get((sid, namespace))

    def join(self, watcher: Watcher, room: str) -> None:
        """Raises TooMany past MOST_ROOMS of one socket."""
        if room in watcher.rooms:
            return
        if len(watcher.rooms) >= MOST_ROOMS:
            raise TooMany()
        watcher.rooms.add(room)
        key = (watcher.namespace, room)
        self._rooms[key] = self._rooms.get(key, 0) + 1

    def remove(self, sid: str, namespace: str) -> None:
        watcher = self._all.pop((sid, namespace), None)
        for room in watcher.rooms if watcher else ():
            left = self._rooms.get((namespace, room), 0) - 1
            if left > 0:
                self._rooms[namespace, room] = left
            else:
                self._rooms.pop((namespace, room), None)

    def rooms(self) -> list[tuple[str, str]]:
        """``(namespace, room)`` of every room somebody is in."""
        return list(self._rooms)

    def with_credentials(self) -> list[Watcher]:
        """The sockets whose right to be here may end."""
        return [watcher for watcher in self._all.values() if watcher.recheck is not None]
