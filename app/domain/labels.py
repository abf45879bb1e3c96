"""A short text somebody types to name a thing: a member of staff, a section, a device."""

import unicodedata

from app.domain.errors import InvalidInput

# Besides control characters: what turns the reading order of the words beside it.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def label(text: str, *, field: str, limit: int, required: bool = True) -> str:
    """The text in its one stored form (composed, single spaces, trimmed).

    Raises InvalidInput ``empty``, ``too_long`` (``limit``, ``length`` in characters) or ``bad_text``, each with
    its ``field``.
    """
    if any(unicodedata.category(sign) in ("Cs", "Cc", "Cn", "Co") or sign in _TURNING for sign in text):
        raise InvalidInput("bad_text", field=field)
    words = " ".join(unicodedata.normalize("NFC", text).split())
    if required and not words:
        raise InvalidInput("empty", field=field)
    if len(words) > limit:
        raise InvalidInput("too_long", field=field, limit=limit, length=len(words))
    return words
