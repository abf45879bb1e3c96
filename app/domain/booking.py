"""The life of a booking: THE STATE TABLE, its rules of time, its reference and what it asks of people.

HELD is a place taken from everyone else for a few minutes; it becomes BOOKED or EXPIRED, never both. ARRIVED
bookings are tickets in the line. Whatever is not in ``TABLE`` is refused with ``IllegalTransition``.
"""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from app.domain import contact
from app.domain.calendar import clock
from app.domain.errors import IllegalTransition, InvalidInput
from app.domain.slots import LineRules

HOLD_LASTS = timedelta(minutes=5)
# What one browser or address may hold at once, and one phone or address may have booked ahead.
MOST_HOLDS, MOST_BOOKINGS = 5, 5
MOST_PARTY, MOST_SERVICES = 8, 16
NOON = time(12, 0)
# No 0 O, 1 I L, 2 Z, 5 S, 8 B, U V, nor vowels that make words.
REFERENCE_LETTERS = "34679CDFGHJKMNPQRTWXY"
_LONGEST_NAME, _LONGEST_NOTES = 60, 200


class State(StrEnum):
    HELD = "held"
    BOOKED = "booked"
    ARRIVED = "arrived"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NO_SHOW = "no_show"


class Action(StrEnum):
    """``HOLD`` begins a booking, so it is in no row of the table."""

    HOLD = "hold"
    CONFIRM = "confirm"
    EXPIRE = "expire"
    MOVE = "move"
    CANCEL = "cancel"
    CHECK_IN = "check_in"
    MISS = "miss"


TABLE: Mapping[tuple[State, Action], State] = MappingProxyType(
    {
        (State.HELD, Action.CONFIRM): State.BOOKED,
        (State.HELD, Action.EXPIRE): State.EXPIRED,
        (State.HELD, Action.CANCEL): State.CANCELLED,
        (State.BOOKED, Action.MOVE): State.BOOKED,
        (State.BOOKED, Action.CANCEL): State.CANCELLED,
        (State.BOOKED, Action.CHECK_IN): State.ARRIVED,
        (State.BOOKED, Action.MISS): State.NO_SHOW,
        # Came after all, the same day: into the line as one who came without a booking.
        (State.NO_SHOW, Action.CHECK_IN): State.ARRIVED,
    }
)
# States in which a booking takes its places from everyone else.
TAKING = frozenset({State.HELD, State.BOOKED, State.ARRIVED})
# Not yet come and still promised.
LIVE = frozenset({State.HELD, State.BOOKED})


def after(state: State, action: Action) -> State:
    """The state that follows, or IllegalTransition."""
    try:
        return TABLE[state, action]
    except KeyError:
        raise IllegalTransition(state=str(state), action=str(action)) from None


class WishState(StrEnum):
    """A place on the waiting list."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class Half(StrEnum):
    """Which half of a day somebody can come in: before noon in Japan, from noon on, or either."""

    EITHER = "either"
    MORNING = "morning"
    AFTERNOON = "afternoon"

    def suits(self, start: datetime) -> bool:
        """Whether a visit that begins then lies in it."""
        return self is Half.EITHER or self is (Half.MORNING if clock(start) < NOON else Half.AFTERNOON)

    @property
    def rivals(self) -> tuple["Half", ...]:
        """The halves that some start suits together with this one."""
        return tuple(Half) if self is Half.EITHER else (Half.EITHER, self)


class Asked(StrEnum):
    """Whether a name or contact is asked for at all."""

    NO = "no"
    MAY = "may"
    MUST = "must"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What confirming asks: of several services the strictest."""

    name: Asked = Asked.MAY
    contact: Asked = Asked.MAY

    @classmethod
    def of(cls, each: Iterable["Asks"]) -> "Asks":
        order, found = list(Asked), list(each)
        strictest = {
            field: max((getattr(asks, field) for asks in found), key=order.index, default=Asked.MAY)
            for field in ("name", "contact")
        }
        return cls(**strictest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who comes, in normal form; every field may be empty. Lives in memory only: rows hold it sealed."""

    name: str = ""
    phone: str = ""
    email: str = ""
    notes: str = ""

    def missing(self, asks: Asks) -> list[str]:
        """Fields that must be given and are not."""
        contact = self.phone or self.email
        return [
            field
            for field, asked, given in (("name", asks.name, self.name), ("contact", asks.contact, contact))
            if asked is Asked.MUST and not given
        ]

    def kept(self, asks: Asks) -> "Person":
        """Without what nobody asked for: what is not kept cannot leak."""
        return Person(
            name=self.name if asks.name is not Asked.NO else "",
            phone=self.phone if asks.contact is not Asked.NO else "",
            email=self.email if asks.contact is not Asked.NO else "",
            notes=self.notes,
        )


def person_name(typed: str) -> str:
    """A name as it is kept: NFKC, single spaces, no control or direction signs; raises InvalidInput("bad_name")."""
    return _line(typed, "bad_name", "name", _LONGEST_NAME)


def notes(typed: str) -> str:
    """A few words for the counter; raises InvalidInput("bad_notes")."""
    return _line(typed.replace("\n", " ").replace("\r", " "), "bad_notes", "notes", _LONGEST_NOTES)


def _line(typed: str, code: str, field: str, longest: int) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", typed).split())
    if len(plain) > longest or any(unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn") for sign in plain):
        raise InvalidInput(code, field=field)
    return plain


def name_key(name: str) -> str:
    """What equal names share: without spaces, small letters, katakana as hiragana. 山田 花子 is 山田花子."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(_hiragana(sign) for sign in plain if not sign.isspace() and sign not in "・･.-,")


def _hiragana(sign: str) -> str:
    return chr(ord(sign) - 0x60) if "ァ" <= sign <= "ヶ" else sign


_FIXED = re.compile(r"(?:0|\+810?)([1-9][0-9]{8})")
# Free, shared cost, premium, pagers, data: no person is called back there.
_NO_PERSON = ("120", "800", "570", "990", "180", "170", "200", "600", "700")


def fixed_line(typed: str) -> str:
    """A Japanese fixed line as E.164, for those who have no mobile; raises InvalidInput("bad_phone")."""
    normal = unicodedata.normalize("NFKC", typed)
    plain = "".join(sign for sign in normal if sign not in " -()./·‐‑‒–—―−ー")
    found = _FIXED.fullmatch(plain)
    if len(typed) > 40 or found is None or found[1].startswith(_NO_PERSON):
        raise InvalidInput("bad_phone", field="phone")
    return f"+81{found[1]}"


def telephone(typed: str) -> str:
    """A mobile number (app/domain/contact.py) or a fixed line; raises InvalidInput("bad_phone")."""
    try:
        return contact.mobile(typed)
    except InvalidInput:
        return fixed_line(typed)


def email(typed: str) -> str:
    """An e-mail address as it is stored; raises InvalidInput("bad_email")."""
    return contact.email(typed)


def counted(address: str) -> str:
    """What limits count for a contact."""
    return contact.counted_as(address) if address else ""


def reference(secret: bytes, seed: str, attempt: int = 0) -> str:
    """Six letters to read aloud (``R7K-2Q4``) of a booking's seed; ``attempt`` counts those that were taken."""
    digest = hmac.digest(secret, f"reference:{attempt}:{seed}".encode(), hashlib.sha256)
    number, letters = int.from_bytes(digest[:16]), []
    for _ in range(6):
        number, place = divmod(number, len(REFERENCE_LETTERS))
        letters.append(REFERENCE_LETTERS[place])
    return "".join(letters)


def spoken_reference(stored: str) -> str:
    """``R7K-2Q4``."""
    return f"{stored[:3]}-{stored[3:]}"


def normal_reference(typed: str) -> str:
    """A reference as people type it, in the stored form; anything else becomes one that no booking has."""
    plain = unicodedata.normalize("NFKC", typed).upper()
    return "".join(sign for sign in plain if sign.isalnum())[:12]


def token(secret: bytes, purpose: str, seed: str) -> str:
    """The 160-bit secret of a hold's or booking's link, derived as a ticket's is (docs/adr/0001)."""
    digest = hmac.digest(secret, f"{purpose}:{seed}".encode(), hashlib.sha256)
    return digest[:20].hex()


def place_of(place: str, field: str) -> str:
    """What a sealed field of a booking is bound to: it opens in this row and column only."""
    return f"booking.{field}:{place}"


class Timing(StrEnum):
    """How a check-in at an instant is taken."""

    TOO_EARLY = "too_early"
    ON_TIME = "on_time"
    LATE = "late"
    MISSED = "missed"
    OVER = "over"


def timing(start: datetime, rules: LineRules, *, grace: float, at: datetime, day_ends: datetime) -> Timing:
    """``grace``: minutes of the line's policy. MISSED still gets a number, as without a booking; OVER gets none."""
    if at < start - timedelta(minutes=rules.check_in_early):
        return Timing.TOO_EARLY
    if at >= day_ends:
        return Timing.OVER
    if at > no_show_at(start, rules):
        return Timing.MISSED
    return Timing.LATE if at > start + timedelta(minutes=grace) else Timing.ON_TIME


def no_show_at(start: datetime, rules: LineRules) -> datetime:
    """From then on the place is no longer kept."""
    return start + timedelta(minutes=rules.no_show_after)


def masked_name(name: str) -> str:
    """``山●●``: the first sign, then as many dots as signs, at least one; never the length of a long name."""
    return name[:1] + "●" * min(3, max(1, len(name) - 1)) if name else ""


def masked_phone(phone: str) -> str:
    """The last four digits."""
    return f"●●● {phone[-4:]}" if phone else ""


def masked_email(email: str) -> str:
    """``t●●●@…``: nobody's provider either."""
    return f"{email[:1]}●●●@…" if email else ""


def described(plan: Iterable[Mapping[str, Any]]) -> list[str]:
    """The services of a stored plan, each once, in order."""
    return list(dict.fromkeys(str(stage["service"]) for stage in plan))
