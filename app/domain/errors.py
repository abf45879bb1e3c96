"""Every refusal of the domain, with a stable code and the values that explain it.

    DomainError
    ├── InvalidInput        422  a field has a value that cannot be accepted
    ├── NotFound            404  absent, or not visible to this caller: one answer for both
    ├── Forbidden           403  a known caller without this function
    ├── Unauthenticated     401  nobody is signed in
    ├── Conflict            409  the state does not allow it now
    │   ├── IllegalTransition    the state table has no such row
    │   ├── KeyReused            an idempotency key came back with another request
    │   └── Closed               the office, category or counter is closed
    ├── TooMany             429  a limit was reached; ``retry_after`` in seconds
    └── Unavailable         503  the database is busy or away; ``retry_after`` in seconds

Codes are words, never prose and never HTTP; the sentence and the status are made in app/web/errors.py.
"""

from typing import ClassVar


class DomainError(Exception):
    """A refusal: ``code`` is stable and public, ``values`` fill the translated sentence."""

    code: ClassVar[str] = "error"

    def __init__(self, code: str | None = None, /, **values: object) -> None:
        self.reason = code or type(self).code
        self.values = values
        super().__init__(self.reason, values)


class InvalidInput(DomainError):
    code = "invalid_input"


class NotFound(DomainError):
    code = "not_found"


class Forbidden(DomainError):
    code = "forbidden"


class Unauthenticated(DomainError):
    code = "unauthenticated"


class Conflict(DomainError):
    code = "conflict"


class IllegalTransition(Conflict):
    code = "illegal_transition"


class KeyReused(Conflict):
    code = "idempotency_key_reused"


class Closed(Conflict):
    code = "closed"


class TooMany(DomainError):
    code = "too_many"


class Unavailable(DomainError):
    code = "unavailable"
