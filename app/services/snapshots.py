"""Snapshots as they are sent: read once for a version of an office, encoded once, the same bytes for everyone.

A version is ``(epoch, seq, business date)``. What is kept here is a cache of the database: it is looked up by
the version just read, so it cannot be older than what the caller saw.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.models.place import Hall, Office
from app.services import board, counter_board, staff_queue


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a snapshot is a snapshot of. ``begun``: the business date has had an event of its own."""

    epoch: str
    seq: int
    day: date
    begun: bool

    @property
    def etag(self) -> str:
        return f"{self.epoch}.{self.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """``body`` is JSON in UTF-8."""

    version: Version
    body: bytes


Key = tuple[str, str, str | None]
_READERS: Mapping[str, Callable[..., dict[str, Any]]] = MappingProxyType(
    {
        "board": lambda session, office, hall, at: board.lean(
            board.read(session, office_id=office, hall_id=hall, at=at)
        ),
        "counters": lambda session, office, hall, at: counter_board.read(
            session, office_id=office, hall_id=hall, at=at
        ),
        "queue": lambda session, office, _, at: staff_queue.read(session, office_id=office, at=at),
    }
)


def version(session: Session, office_id: str, *, at: datetime) -> Version:
    """The version of an office now, by one look at its row; raises NotFound."""
    row = session.execute(select(Office.epoch, Office.seq, Office.changed_at).where(Office.id == office_id)).first()
    if row is None:
        raise NotFound(what="office")
    day = business_date(at)
    begun = row.changed_at is not None and business_date(row.changed_at) == day
    return Version(epoch=row.epoch, seq=row.seq, day=day, begun=begun)


def versions(session: Session, offices: set[str], *, at: datetime) -> dict[str, Version]:
    """The versions of several offices in one query; those that are not there are left out."""
    day = business_date(at)
    rows = session.execute(select(Office.id, Office.epoch, Office.seq, Office.changed_at).where(Office.id.in_(offices)))
    return {
        row.id: Version(
            epoch=row.epoch, seq=row.seq, day=day,
            begun=row.changed_at is not None and business_date(row.changed_at) == day,
        )
        for row in rows
    }  # fmt: skip


def require_hall(session: Session, office_id: str, hall_id: str | None) -> None:
    """Raise NotFound for a hall that is not one of the office's."""
    if hall_id is not None and session.scalar(select(Hall.office_id).where(Hall.id == hall_id)) != office_id:
        raise NotFound(what="hall")


class Snapshots:
    """The newest snapshot of each board and staff view of one process; one entry a hall, so it stays small."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[Key, Snapshot] = {}
        self._lock = threading.Lock()

    def read(self, kind: str, office_id: str, hall_id: str | None = None, *, at: datetime) -> Snapshot:
        """The newest snapshot of ``kind`` ("board", "counters" or "queue"); raises NotFound."""
        key = (kind, office_id, hall_id)
        with self._database.snapshot() as session:
            now = version(session, office_id, at=at)
            require_hall(session, office_id, hall_id)
            # One reader at a time: the others find what it kept instead of reading the same rows again.
            with self._lock:
                kept = self._kept.get(key)
                if kept is not None and kept.version == now:
                    return kept
                found = Snapshot(version=now, body=orjson.dumps(_READERS[kind](session, office_id, hall_id, at)))
                self._kept[key] = found
                return found
