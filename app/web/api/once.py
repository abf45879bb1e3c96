"""One effect for one Idempotency-Key where no office is locked: the key's own row decides."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.domain.errors import Conflict
from app.services import requests
from app.web import security

_TRIES = 3


def once(scope: str, work: Callable[[Session], dict[str, Any]], *, at: datetime) -> tuple[dict[str, Any], bool]:
    """``(answer, replayed)``; ``scope`` is whose keys they are when nobody is signed in.

    Two equal requests at the same instant both work; the database lets one commit, and the other, asked again,
    finds its answer. Raises what ``work`` and ``requests.once`` raise, and 400 without a key.
    """
    request_ = security.idempotency(scope)
    for left in reversed(range(_TRIES)):
        try:
            with security.database().transaction() as session:
                return requests.once(session, request_, at=at, work=partial(work, session))
        except Conflict as refusal:
            if refusal.reason != "request_in_flight" or not left:
                raise
    raise AssertionError("the last try returns or raises")
