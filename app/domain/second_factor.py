"""The second step of a sign-in: six digits that a phone makes from a shared secret and the time (RFC 6238).

Pure: the secret, the instant and what was typed come in. The parameters are those every authenticator app has
(SHA-1, six digits, thirty seconds); SHA-1 is sound inside HMAC.
"""

import base64
import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

SECRET_BYTES = 20
DIGITS, SECONDS = 6, 30
# A phone's clock may be half a minute off in either direction.
_AROUND = (0, -1, 1)
RECOVERY_CODES, RECOVERY_LENGTH = 10, 10
# No signs that are mistaken for others when a code is read from paper.
RECOVERY_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"


def step_of(at: datetime) -> int:
    """The number of the half-minute ``at`` lies in."""
    return int(at.timestamp()) // SECONDS


def code_of(secret: bytes, step: int) -> str:
    """The six digits of one half-minute (RFC 4226, 5.3, with the step as the counter)."""
    digest = hmac.digest(secret, step.to_bytes(8), hashlib.sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def matching_step(secret: bytes, typed: str, *, at: datetime, after: int) -> int | None:
    """The half-minute whose code was typed, or None. ``after``: the last one used, so that no code counts twice."""
    now = step_of(at)
    found = None
    for step in (now + each for each in _AROUND):
        # All are compared, whichever fits: the answer takes the same time.
        if hmac.compare_digest(code_of(secret, step).encode(), typed.encode()) and step > after:
            found = step
    return found


def normal_code(typed: str) -> str:
    """A code as people type it (full width, spaces, hyphens, capitals) in one form."""
    kept = unicodedata.normalize("NFKC", typed[:100]).casefold()
    return "".join(sign for sign in kept if sign.isalnum())[:40]


def is_recovery(code: str) -> bool:
    """Whether a code in its normal form can be one from the paper."""
    return len(code) == RECOVERY_LENGTH and all(sign in RECOVERY_SIGNS for sign in code)


def recovery_text(code: str) -> str:
    """A recovery code as it is shown: two groups."""
    return f"{code[: RECOVERY_LENGTH // 2]}-{code[RECOVERY_LENGTH // 2 :]}"


def recovery_codes(chance: Sequence[int]) -> list[str]:
    """Ten codes of some 49 bits from 100 numbers below the number of ``RECOVERY_SIGNS``."""
    signs = "".join(RECOVERY_SIGNS[number] for number in chance)
    return [signs[n * RECOVERY_LENGTH :][:RECOVERY_LENGTH] for n in range(RECOVERY_CODES)]


def secret_text(secret: bytes) -> str:
    """The secret as it is typed into an app that cannot read a QR code."""
    return base64.b32encode(secret).decode()


def secret_of(text: str) -> bytes:
    """The secret again."""
    return base64.b32decode(text)


def address_for_app(secret: bytes, *, login: str, issuer: str) -> str:
    """What the QR code says to an authenticator app."""
    label = f"{quote(issuer, safe='')}:{quote(login, safe='')}"
    return f"otpauth://totp/{label}?secret={secret_text(secret)}&issuer={quote(issuer, safe='')}"
