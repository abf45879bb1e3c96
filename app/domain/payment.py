"""Money of a visit: whole yen, what is owed for which copies, and THE STATE TABLE of one attempt to pay.

An attempt learns what happened to it from webhooks that come twice, late, out of order or never. So its table is
monotone: a state never goes back, an event that was known already changes nothing, and whatever order the events
arrive in, the end is the same. ``failed`` is not the end: money can arrive late (a slip paid at a shop after the
session was thought dead), and money that has arrived is the truth.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from app.domain.errors import InvalidInput

CURRENCY = "JPY"
MOST_YEN = 1_000_000
MOST_COPIES = 99
# The provider forgets a key after 24 hours; from then on the same key would charge anew.
KEY_LASTS = timedelta(hours=23)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in the smallest unit of its currency; the yen has no smaller one: 300 is ¥300, never ¥3.00."""

    amount: int
    currency: str = CURRENCY

    def __post_init__(self) -> None:
        if type(self.amount) is not int or not -MOST_YEN * 1_000 <= self.amount <= MOST_YEN * 1_000:
            raise InvalidInput("bad_amount")

    @classmethod
    def told(cls, amount: object, currency: object) -> "Money | None":
        """What a provider says, None when it is no amount of money."""
        if type(amount) is not int or not isinstance(currency, str):
            return None
        return cls(amount, currency.upper())

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise InvalidInput("bad_amount")
        return other.amount


class State(StrEnum):
    """Of one attempt to pay."""

    CREATED = "created"
    PROCESSING = "processing"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    REFUNDED = "refunded"


LIVE = frozenset({State.CREATED, State.PROCESSING})
PAID = frozenset({State.SUCCEEDED, State.REFUNDED})
_C, _P, _F, _S, _R = State.CREATED, State.PROCESSING, State.FAILED, State.SUCCEEDED, State.REFUNDED

# (state now, what was seen at the provider) -> state after. Every pair is a row.
TABLE: Mapping[tuple[State, State], State] = MappingProxyType(
    {
        (_C, _C): _C, (_C, _P): _P, (_C, _F): _F, (_C, _S): _S, (_C, _R): _R,
        (_P, _C): _P, (_P, _P): _P, (_P, _F): _F, (_P, _S): _S, (_P, _R): _R,
        (_F, _C): _F, (_F, _P): _F, (_F, _F): _F, (_F, _S): _S, (_F, _R): _R,
        (_S, _C): _S, (_S, _P): _S, (_S, _F): _S, (_S, _S): _S, (_S, _R): _R,
        (_R, _C): _R, (_R, _P): _R, (_R, _F): _R, (_R, _S): _R, (_R, _R): _R,
    }
)  # fmt: skip


def after(state: State, seen: State) -> State:
    """The state of an attempt once ``seen`` is known too; total, never back."""
    return TABLE[state, seen]


def end_of(history: Iterable[State]) -> State:
    """Where a history of sightings ends, from a fresh attempt."""
    state = State.CREATED
    for seen in history:
        state = after(state, seen)
    return state


class Method(StrEnum):
    """How money came. ``terminal``: the card machine or register of the counter."""

    ONLINE = "online"
    CASH = "cash"
    TERMINAL = "terminal"


class RefundState(StrEnum):
    """``requested`` waits for another person; ``sending`` was approved and is on its way to the provider."""

    REQUESTED = "requested"
    DECLINED = "declined"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"


# Refunds that hold money: it may not be asked back a second time while one of these stands.
HOLDING = frozenset({RefundState.REQUESTED, RefundState.SENDING, RefundState.DONE})

# Why a fee is not asked for; the words are the screens' (app/web/money/words.py).
EXEMPTIONS = frozenset({"public_assistance", "disaster", "law", "official", "reissue"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fee of a visit: ``copies`` of a service at ``unit`` yen; ``exemption``: a key of EXEMPTIONS, nothing due."""

    service: str
    unit: int
    copies: int = 1
    exemption: str | None = None

    def __post_init__(self) -> None:
        if type(self.copies) is not int or not 0 <= self.copies <= MOST_COPIES:
            raise InvalidInput("bad_copies", most=MOST_COPIES)
        if type(self.unit) is not int or not 0 <= self.unit <= MOST_YEN:
            raise InvalidInput("bad_amount")
        if self.exemption is not None and self.exemption not in EXEMPTIONS:
            raise InvalidInput("bad_exemption")

    @property
    def due(self) -> int:
        """Yen."""
        return 0 if self.exemption else self.unit * self.copies


def total(lines: Iterable[Line]) -> Money:
    """What the lines come to."""
    return sum((Money(line.due) for line in lines), start=Money(0))


def owed(due: Sequence[Line], paid: Mapping[str, int]) -> list[Line]:
    """What is still to pay of each fee; ``paid``: copies paid for and not refunded, by service."""
    found = []
    for line in due:
        copies = 0 if line.exemption else line.copies - paid.get(line.service, 0)
        if copies > 0 and line.unit:
            found.append(Line(service=line.service, unit=line.unit, copies=copies))
    return found


def too_much(due: Sequence[Line], paid: Mapping[str, int]) -> dict[str, int]:
    """Copies paid for that are not due (cancelled, exempted, paid twice), by service."""
    wanted = {line.service: 0 if line.exemption else line.copies for line in due}
    surplus = {service: copies - wanted.get(service, 0) for service, copies in paid.items()}
    return {service: copies for service, copies in surplus.items() if copies > 0}


def attempt_key(subject: str, attempt: int) -> str:
    """The key of one attempt, persisted before the provider hears of it. ``subject``: of models.payment.Payment."""
    return f"pay:{subject}:{attempt}"


def key_is_fresh(persisted: datetime, at: datetime) -> bool:
    """Whether the provider surely still knows the key; later a lost attempt is looked for, never repeated."""
    return at - persisted < KEY_LASTS


def online_methods(*, until: datetime, at: datetime) -> tuple[tuple[str, ...], timedelta]:
    """``(payment methods, how long the session stands)`` for a visit that begins at ``until``.

    PayPay is immediate and fits wherever a card does. A konbini slip is paid days later, until 23:59:59 of its last
    day: only when at least three whole days are left, and then the place is held until the slip has run out.
    """
    if until - at >= timedelta(days=3):
        return ("card", "paypay", "konbini"), timedelta(hours=23)
    return ("card", "paypay"), timedelta(minutes=31)


def konbini_days(*, until: datetime, at: datetime) -> int:
    """Whole days a konbini slip may stand so that it runs out at least a day before ``until``; 1 to 3."""
    return max(1, min(3, (until - at).days - 2))


def monotone(history: Iterable[State]) -> bool:
    """Whether states only went forward along the table (the check of a log)."""
    return all(after(before, state) is state for before, state in pairwise(history))


def pay_token(secret: bytes, seed: str) -> str:
    """The 160-bit secret in the address of a payment's pages: derivable, absent from the database (as a ticket's)."""
    digest = hmac.digest(secret, b"payment:" + seed.encode(), hashlib.sha256)
    return base64.b32encode(digest[:20]).decode().lower()
