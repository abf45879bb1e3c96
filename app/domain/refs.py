"""Numbers and tokens: what is printed, and what a link carries."""

import base64
import hashlib
import hmac
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFormat:
    """Category letter and digits (``A042``), or a number band: ``first``..``last`` wrap, ``skip`` is left out."""

    prefix: str
    digits: int = 3
    first: int = 1
    last: int = 999
    skip: frozenset[int] = frozenset()

    def text(self, serial: int) -> str:
        """The number as printed; past ``last`` it grows a digit rather than repeat a number of today."""
        return f"{self.prefix}{serial:0{self.digits}d}"

    def following(self, serial: int | None) -> int:
        """The serial after ``serial`` (None: none given today), leaving out what the office skips."""
        following = self.first if serial is None else serial + 1
        while following in self.skip:
            following += 1
        return following


def normal_number(text: str) -> str:
    """A number as people type it (full width, lower case, spaces) in the one stored form."""
    return unicodedata.normalize("NFKC", text).strip().replace(" ", "").replace("-", "").upper()


def ticket_token(secret: bytes, seed: str) -> str:
    """The 160-bit secret of a ticket's link: derivable for a reprint, absent from the database.

    ``seed`` is stored with the ticket, ``secret`` is not in the database; a stolen copy opens no link.
    """
    digest = hmac.digest(secret, b"ticket:" + seed.encode(), hashlib.sha256)
    return base64.b32encode(digest[:20]).decode().lower()


def token_hash(token: str) -> str:
    """What is stored and looked up instead of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def feedback_key(token: str) -> str:
    """Under which a visit's feedback is kept: found with the link alone, from no row of the database."""
    return hashlib.sha256(b"feedback:" + token.encode()).hexdigest()
