"""The relay: what was committed reaches every room. Reads the newest snapshot once, sends the same bytes to all.

A commit of this process wakes it at once; commits of other processes (scheduler, further web processes) are
found by a look at the offices' rows a few times a second. Boards in between may be skipped: the newest one
wins. While the database cannot be read there is no beat, so every screen tells that it stands still.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from flask_socketio import SocketIO
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import Database
from app.domain.errors import DomainError
from app.services import snapshots
from app.services.snapshots import Snapshots, Version
from displays.watchers import Watchers

log = logging.getLogger(__name__)
POLL_SECONDS = 0.25
BEAT_SECONDS = 5.0
RECHECK_SECONDS = 3.0
# After a push the relay rests for as long as several pushes take, so that calls keep most of the processor.
REST_TIMES, LEAST_REST_SECONDS = 2.0, 0.01

Emit = Callable[[str, str, bytes, str], None]
Drop = Callable[[str, str], None]


class Relay:
    """One per web process, started with its first socket."""

    def __init__(
        self, database: Database, kept: Snapshots, watchers: Watchers, emit: Emit, drop: Drop,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self._database, self._kept, self._watchers = database, kept, watchers
        self._emit, self._drop, self._clock = emit, drop, clock
        self._bell = threading.Event()
        self._sent: dict[tuple[str, str], Version] = {}
        self._next_beat = self._next_recheck = 0.0
        self._started = False
        self._starting = threading.Lock()

    def start(self, sockets: SocketIO) -> None:
        """Run in the background; again: nothing."""
        with self._starting:
            if not self._started:
                self._started = True
                sockets.start_background_task(self._forever)

    def wake(self, _offices: set[str]) -> None:
        """Something was committed here."""
        self._bell.set()

    def _forever(self) -> None:
        while True:
            self._bell.wait(POLL_SECONDS)
            self._bell.clear()
            begun = time.monotonic()
            try:
                self.round(begun)
            except (DomainError, SQLAlchemyError):
                log.exception("the relay could not read")
            except Exception:
                log.exception("the relay failed")
            time.sleep(max(LEAST_REST_SECONDS, REST_TIMES * (time.monotonic() - begun)))

    def round(self, monotonic: float) -> None:
        """Push what changed, beat when it is time, end the sockets whose right has ended."""
        rooms = self._watchers.rooms()
        at = self._clock()
        if monotonic >= self._next_recheck:
            self._next_recheck = monotonic + RECHECK_SECONDS
            self._drop_revoked()
        if not rooms:
            self._sent.clear()
            return
        beat = monotonic >= self._next_beat
        if beat:
            self._next_beat = monotonic + BEAT_SECONDS
        with self._database.snapshot() as session:
            now = snapshots.versions(session, {room.split("|")[1] for _, room in rooms}, at=at)
        for namespace, room in rooms:
            self._serve(namespace, room, now, at=at, beat=beat)
        self._sent = {key: version for key, version in self._sent.items() if key in set(rooms)}

    def _serve(self, namespace: str, room: str, now: dict[str, Version], *, at: datetime, beat: bool) -> None:
        kind, office, hall = room.split("|")
        version = now.get(office)
        if version is None:
            return
        if self._sent.get((namespace, room)) != version:
            found = self._kept.read(kind, office, hall or None, at=at)
            self._emit(namespace, kind, found.body, room)
            self._sent[namespace, room] = version = found.version
        if beat:
            self._emit(namespace, "beat", orjson.dumps({"epoch": version.epoch, "seq": version.seq}), room)

    def _drop_revoked(self) -> None:
        watched = self._watchers.with_credentials()
        if not watched:
            return
        with self._database.snapshot() as session:
            for watcher in watched:
                who = watcher.recheck(session) if watcher.recheck else None
                if who is None or watcher.who is None or who.role != watcher.who.role:
                    self._drop(watcher.sid, watcher.namespace)
