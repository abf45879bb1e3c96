"""How a resident can be reached: a Japanese mobile number or an e-mail address, in one stored form each.

A number is accepted only if a text message can reach it and costs what the city expects: 060, 070, 080 and 090
with eight more digits, the first of them not 0 (0800 is a free-phone range, not a mobile). Everything else is one
refusal: fixed lines, 050, 020, premium (0990), shared cost (0570), emergency and foreign numbers, satellites.
"""

import re
import unicodedata

from app.domain.errors import InvalidInput

# What people put between digits, on a Japanese keyboard too (ー is the long vowel mark beside the zero).
_BETWEEN = frozenset(" -()./·\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\u3000")
_MOBILE = re.compile(r"(?:0|\+810?)([6-9]0[1-9][0-9]{7})")
# The letters of an atom (RFC 5322). Japanese carriers gave out addresses with two dots in a row or one at the end.
_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_TYPED, _LONGEST_EMAIL = 40, 254


def mobile(typed: str, *, field: str = "phone") -> str:
    """The number as E.164 (``+819012345678``); raises InvalidInput("bad_mobile") with its ``field``."""
    if len(typed) <= _LONGEST_TYPED and not _has_control(typed):
        plain = "".join(sign for sign in unicodedata.normalize("NFKC", typed) if sign not in _BETWEEN)
        found = _MOBILE.fullmatch(plain)
        if found:
            return f"+81{found[1]}"
    raise InvalidInput("bad_mobile", field=field)


def email(typed: str, *, field: str = "email") -> str:
    """The address with its domain in lower case and ASCII; raises InvalidInput("bad_email") with its ``field``."""
    plain = unicodedata.normalize("NFKC", typed.strip())
    local, at, domain = plain.rpartition("@")
    if at and len(typed) <= _LONGEST_EMAIL and not _has_control(typed) and _LOCAL.fullmatch(local):
        named = _domain(domain)
        if named and len(local) + 1 + len(named) <= _LONGEST_EMAIL:
            return f"{local}@{named}"
    raise InvalidInput("bad_email", field=field)


def _domain(text: str) -> str | None:
    """A name of at least two labels, the last not a number; Japanese names in their ASCII form."""
    try:
        named = text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    labels = named.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_LABEL.fullmatch(label) for label in labels):
        return None
    return named


_MOBILE_DIGITS = 11


def _has_control(text: str) -> bool:
    return any(unicodedata.category(sign) in ("Cc", "Cs", "Cf") for sign in text)


def national(e164: str) -> str:
    """``090-1234-5678`` of ``+819012345678``: as it is written in Japan.

    A fixed line in one piece: how long its area code is stands in a table we do not have.
    """
    digits = f"0{e164.removeprefix('+81')}"
    return f"{digits[:3]}-{digits[3:7]}-{digits[7:]}" if len(digits) == _MOBILE_DIGITS else digits


def masked(contact: str) -> str:
    """A stored number or address as its owner recognises it and nobody else does: 090-****-5678, t***@example.jp."""
    if contact.startswith("+81"):
        shown = national(contact)
        return f"{shown[:4]}****{shown[8:]}" if "-" in shown else f"{shown[:2]}****{shown[-4:]}"
    local, _, domain = contact.partition("@")
    return f"{local[:1]}***@{domain}"


def number_block(e164: str) -> str:
    """The block of 10,000 numbers a mobile number belongs to (090-1234): attackers walk through blocks."""
    return e164[:9]


def counted_as(contact: str) -> str:
    """What limits count for a number or address: small letters, without the part after a plus sign."""
    if contact.startswith("+"):
        return contact
    local, _, domain = contact.lower().rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


__all__ = ["counted_as", "email", "masked", "mobile", "national", "number_block"]
