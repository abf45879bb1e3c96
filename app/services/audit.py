"""The audit log: who changed or looked at what, each entry sealed with the one before.

The seal is keyed (HMAC) and the key is not in the database, so whoever can write the table still cannot make a
chain that holds. Cutting off the end is found only against a head that was kept outside: ``verify`` takes one.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.models.people import AuditEntry
from app.models.place import Municipality

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last entry of a chain, to be kept outside the database: its number (0: none yet) and its seal."""

    number: int
    seal: str

    def __str__(self) -> str:
        return f"{self.number}:{self.seal}"


def chain_key(secret: str) -> bytes:
    """The key of the chain, from the installation's secret; a key of its own, good for nothing else."""
    return hmac.digest(secret.encode(), b"audit chain 1", hashlib.sha256)


def lock(session: Session, municipality_id: str) -> None:
    """Hold the municipality's people and log until the end of the transaction; raises NotFound.

    Taken after an office's lock, never before one. On SQLite the writing transaction itself is the lock.
    """
    # Without key_share every insert that names the municipality would wait here too.
    query = select(Municipality.id).where(Municipality.id == municipality_id).with_for_update(key_share=True)
    if session.scalar(query) is None:
        raise NotFound(what="municipality")


def record(
    session: Session, *, municipality_id: str, actor: str, action: str, subject: str,
    details: Mapping[str, Any], at: datetime, key: bytes,
) -> AuditEntry:  # fmt: skip
    """Append one entry; it commits with the act it tells of.

    ``actor`` as ``Principal.actor``; ``action`` a stable word; ``subject`` ``kind:id``; ``details`` JSON without
    secrets and without the personal data of residents, ``office`` in it when the act belongs to one office.
    """
    lock(session, municipality_id)
    before = head(session, municipality_id)
    entry = AuditEntry(
        municipality_id=municipality_id, number=before.number + 1, at=at, actor=_clean(actor), action=action,
        subject=_clean(subject), details=_clean(json.loads(json.dumps(dict(details)))), chain="",
    )  # fmt: skip
    entry.chain = _seal(before.seal, entry, key)
    session.add(entry)
    session.flush()
    return entry


def _clean(value: Any) -> Any:
    """Without what PostgreSQL cannot read back (NUL, lone surrogates): one bad name must not hide the log."""
    match value:
        case str():
            return value.encode(errors="replace").decode().replace("\0", "?")
        case dict():
            return {_clean(name): _clean(item) for name, item in value.items()}
        case list():
            return [_clean(item) for item in value]
        case _:
            return value


def head(session: Session, municipality_id: str) -> Head:
    """The last entry as it stands in the database."""
    last = session.execute(
        select(AuditEntry.number, AuditEntry.chain)
        .where(AuditEntry.municipality_id == municipality_id)
        .order_by(AuditEntry.number.desc())
        .limit(1)
    ).one_or_none()
    return Head(number=last.number, seal=last.chain) if last else Head(number=0, seal="")


def _seal(before: str, entry: AuditEntry, key: bytes) -> str:
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    fields = [entry.municipality_id, entry.number, at, entry.actor, entry.action, entry.subject, entry.details]
    canonical = json.dumps([before, *fields], sort_keys=True, separators=(",", ":"))
    return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def verify(
    session: Session, municipality_id: str, key: bytes, *, anchor: Head | None = None,
    pause: Callable[[], None] = lambda: None,
) -> int | None:  # fmt: skip
    """The first number at which the chain does not hold, or None when every entry is as it was written.

    ``anchor``: a head noted earlier and kept elsewhere; without one a cut-off end goes unseen. ``pause`` is called
    after every 500 entries, for callers who share their thread with others.
    """
    before, expected = "", 1
    for entry in _entries(session, municipality_id):
        if entry.number != expected:
            return min(entry.number, expected)
        if not hmac.compare_digest(entry.chain, _seal(before, entry, key)):
            return expected
        if anchor and anchor.number == expected and anchor.seal != entry.chain:
            return expected
        before, expected = entry.chain, expected + 1
        if expected % _BATCH == 0:
            pause()
    return expected if anchor and anchor.number >= expected else None


def _entries(session: Session, municipality_id: str) -> Iterator[AuditEntry]:
    query = (
        select(AuditEntry)
        .where(AuditEntry.municipality_id == municipality_id)
        .order_by(AuditEntry.number, AuditEntry.id)
        .execution_options(yield_per=_BATCH, populate_existing=True)
    )
    yield from session.scalars(query)


def page(
    session: Session, municipality_id: str, *, office_id: str | None = None, before: int | None = None, limit: int = 50
) -> Sequence[AuditEntry]:
    """Entries from the newest back, those below the number ``before``, of one office or (None) of all."""
    query = select(AuditEntry).where(AuditEntry.municipality_id == municipality_id)
    if office_id is not None:
        query = query.where(AuditEntry.details["office"].as_string() == office_id)
    if before is not None:
        query = query.where(AuditEntry.number < before)
    return session.scalars(query.order_by(AuditEntry.number.desc()).limit(limit)).all()
