"""One effect for one Idempotency-Key: the key, the request's hash and the answer commit together."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.db import later
from app.db.ready import Ready
from app.domain.errors import Conflict, InvalidInput, KeyReused
from app.models.ticket import RequestKey

PUBLIC = "public"
KEPT = timedelta(days=2)
# A retry comes within minutes; a key of yesterday is a program's mistake, and its old answer would mislead.
REPLAYED_WITHIN = timedelta(hours=12)
# Built once: every change asks and keeps.
_FIND = Ready(
    select(RequestKey.fingerprint, RequestKey.answer, RequestKey.at).where(
        RequestKey.scope == bindparam("scope"), RequestKey.key == bindparam("key")
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asked (``scope``), with which key, for what (``fingerprint`` of method, path and body)."""

    scope: str
    key: str
    fingerprint: str

    def __post_init__(self) -> None:
        # Strangers share a scope: a key that another draws by chance would show the other's answer.
        shortest = 8 if self.scope.startswith(PUBLIC) else 1
        if not shortest <= len(self.key) <= 200 or not self.key.isascii() or not self.key.isprintable():
            raise InvalidInput("bad_idempotency_key")


def fingerprint(*parts: str | bytes) -> str:
    """A hash that two equal requests share."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8) + raw)
    return digest.hexdigest()


def once(
    session: Session, request: Request, *, at: datetime, work: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """``(answer, replayed)``: do ``work`` once for the key.

    Raises KeyReused for another request, Conflict("idempotency_key_old") for a key of half a day ago.

    Call it after the office's lock is held, so that equal keys queue behind each other; where no lock is
    held, the primary key refuses the second as Conflict("request_in_flight") and the caller asks again.
    Answers must be JSON and carry no secret.
    """
    kept = _kept(session, request)
    if kept is not None:
        found, answered_at = kept
        if answered_at < at - REPLAYED_WITHIN:
            raise Conflict("idempotency_key_old")
        return found, True
    answer = work()
    row = {"scope": request.scope, "key": request.key, "fingerprint": request.fingerprint, "answer": answer, "at": at}
    later.insert_later(session, RequestKey, row)
    return answer, False


def _kept(session: Session, request: Request) -> tuple[dict[str, Any], datetime] | None:
    """The answer kept for a key, and when it was given. Raises KeyReused."""
    rows = _FIND.rows(later.seen(session, RequestKey), {"scope": request.scope, "key": request.key})
    if not rows:
        return None
    seen, answer, at = rows[0]
    if seen != request.fingerprint:
        raise KeyReused()
    return answer, at


def forget_old(session: Session, *, at: datetime) -> int:
    """Erase keys past their time; returns how many."""
    result = session.execute(delete(RequestKey).where(RequestKey.at < at - KEPT))
    return result.rowcount if isinstance(result, CursorResult) else 0


def known(session: Session, scope: str, key: str) -> bool:
    """Whether the key has had its effect."""
    return session.scalar(select(RequestKey.key).filter_by(scope=scope, key=key)) is not None


def answer_of(session: Session, request: Request) -> dict[str, Any] | None:
    """The answer kept for a key, None when there is none. Raises KeyReused for another request."""
    kept = _kept(session, request)
    return kept[0] if kept is not None else None
