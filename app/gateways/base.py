"""What every way of taking money has in common: an order, what was seen of it, and three kinds of answer.

Three, not two: it is so (``Sight``, ``Returned``), it surely is not (``Refused``, ``Absent``), or nobody knows
(``Unknown``: a time-out, a 500, an answer that broke off). Nobody knows is asked again under the same key, as long as
the provider keeps keys, and looked for afterwards; it is never taken for a no.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.domain.payment import Money, RefundState, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One attempt to pay, complete before anything is sent: the same attempt is asked for in the same words.

    ``what``: how the provider names it to the payer (never the procedure). ``back_to``: our page to come back to.
    ``methods``: of domain/payment.online_methods; ``konbini_days``: whole days a slip stands. ``slip``: at a counter.
    """

    key: str
    subject: str
    reference: str
    office: str
    amount: Money
    what: str
    back_to: str
    language: str
    expires_at: datetime
    methods: tuple[str, ...] = ("card",)
    konbini_days: int = 1
    slip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An attempt as we know it, to ask about it."""

    key: str
    provider_id: str
    amount: Money
    state: State
    since: datetime
    provider_payment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What the provider says of an attempt now. ``amount`` None: it says no amount of money."""

    provider_id: str
    key: str
    state: State
    amount: Money | None
    url: str = ""
    provider_payment: str = ""
    paid_with: str = ""
    refunded: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Money to give back: ``key`` of the refund, the charge it comes from."""

    key: str
    provider_payment: str
    provider_id: str
    amount: Money
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What the provider says of a refund: done, sending or failed."""

    provider_id: str
    state: RefundState
    amount: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It surely did not happen. ``reason``: the provider's word, for the log and staff.

    ``at_the_door``: refused before anything was read (our key): it says nothing of an earlier try.
    """

    reason: str
    at_the_door: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """The provider was asked and has no such thing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may have happened: ask again with the same key."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What a webhook speaks of: ``kind`` session, payment or refund, and its id at the provider."""

    kind: str
    id: str


class Gateway(Protocol):
    """A way of taking money. No method may be called inside a transaction; none raises for what a network does."""

    name: str
    # Whether the payer is sent to a page of the provider; ``origin`` is that page's, for our content policy.
    online: bool
    origin: str

    def open(self, order: Order) -> Sight | Refused | Unknown:
        """Begin an attempt; the same order again is the same attempt."""

    def look(self, known: Known) -> Sight | Absent | Unknown:
        """What became of an attempt whose provider id is known."""

    def find(self, known: Known, /) -> Sight | Absent | Unknown:
        """Look for an attempt by its key alone: the answer to ``open`` was lost and the key is too old to repeat."""

    def stop(self, known: Known) -> Sight | Absent | Unknown:
        """End an attempt that nobody paid; one that was paid stays paid, and says so."""

    def give_back(self, wish: Return) -> Returned | Refused | Unknown:
        """Pay back; the same wish again is the same refund."""

    def look_back(self, wish: Return, /) -> Returned | Absent | Unknown:
        """Look for a refund by its key."""

    def recent(self, since: datetime, /) -> Sequence[Sight] | Unknown:
        """The provider's own ledger: every attempt made since then, as it is now."""

    def attempt_of(self, thing: Thing, /) -> Sight | Absent | Unknown:
        """The attempt that a thing named by a webhook belongs to, as it is now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateways:
    """Those that have what they need. ``off``: the settings that the others lack, by name."""

    ready: dict[str, Gateway] = field(default_factory=dict)
    off: dict[str, str] = field(default_factory=dict)

    @property
    def online(self) -> Gateway | None:
        """The one that payers are sent to, None while online payment is off."""
        return next((each for each in self.ready.values() if each.online), None)
