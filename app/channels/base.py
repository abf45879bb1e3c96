"""What every way out has in common: a message, and the three things that can come of handing it over.

Three, not two: it was taken, it surely was not, or nobody knows. Nobody knows after a time-out, after an answer
that broke off, after a 500: the provider may have taken it all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable

from app.domain.delivery import Channel as Name
from app.domain.delivery import Limits, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message ready to leave: ``text`` has no open places any more.

    ``id``: the delivery's; the same message has the same, however often it is handed over. ``since``: when it was
    put into the outbox, ``at``: when it was claimed. ``report_to``: where the provider may tell
    what became of it (empty: nowhere).
    """

    id: int
    to: str
    text: Text
    link: str
    sender: str
    language: str
    since: datetime
    at: datetime
    report_to: str = ""


class Fate(StrEnum):
    """What a provider knows of a message."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The provider has it. ``word``: its own word for the state; ``reason`` where it failed at once."""

    provider_id: str
    fate: Fate = Fate.ACCEPTED
    word: str = ""
    reason: str = ""
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """Nothing left this machine, or it was refused in words. ``permanent``: it would be again."""

    reason: str
    permanent: bool = False
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """It may have been taken: ask before trying again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """The provider was asked and has no such message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked:
    """The provider could not be asked now."""

    reason: str


Outcome = Taken | NotSent | Doubtful
Answer = Taken | Absent | Unasked


class Channel(Protocol):
    """A way out. ``timeout``: longest time one try can take. No method may be called inside a transaction."""

    name: Name
    timeout: timedelta
    # Whether the provider tells later what became of a message; without, taken is the best there is.
    receipts: bool
    # Whether the same message may be handed over again without reaching the person twice.
    repeatable: bool

    def price(self, message: Text, limits: Limits) -> tuple[int, int]:
        """``(parts, yen)`` of one try."""

    def send(self, message: Message) -> Outcome:
        """Hand it over once; never raises for what a network or provider does."""


@runtime_checkable
class Traced(Protocol):
    """A channel whose provider can be asked about messages."""

    def look_up(self, message: Message, *, until: datetime, known: Sequence[str]) -> Answer:
        """Find a message in doubt. ``known``: provider ids that belong to other deliveries."""

    def ask(self, provider_id: str) -> Answer:
        """What became of a message the provider has taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The channels that have their keys; what is not here is off. ``off``: why, by channel."""

    channels: dict[Name, Channel] = field(default_factory=dict)
    off: dict[Name, str] = field(default_factory=dict)

    def get(self, name: str) -> Channel | None:
        """The channel, None while it is off."""
        return self.channels.get(Name(name))
