"""The life of a message: THE STATE TABLE of a delivery, its channels and occasions, and the limits it is held to.

queued → claimed → sent → delivered | failed | unknown. A claimed row is one whose sender may have spoken to the
provider: it goes back to the queue only when the provider was asked and knows nothing of it, or when it is sure
that nothing left this machine. ``unknown`` is an end too, and is reported; the provider's own later word may still
turn it into delivered or failed. Delivered and failed never change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.errors import IllegalTransition

TOKYO = ZoneInfo("Asia/Tokyo")


class State(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Turn(StrEnum):
    """What happens to a delivery."""

    CLAIM = "claim"
    ACCEPT = "accept"
    AGAIN = "again"
    DELIVER = "deliver"
    FAIL = "fail"
    GIVE_UP = "give_up"


ENDED = frozenset({State.DELIVERED, State.FAILED, State.UNKNOWN})

TABLE: Mapping[tuple[State, Turn], State] = MappingProxyType(
    {
        (State.QUEUED, Turn.CLAIM): State.CLAIMED,
        (State.QUEUED, Turn.FAIL): State.FAILED,
        # A try that seemed never to have arrived, told of by the provider before it was made again.
        (State.QUEUED, Turn.ACCEPT): State.SENT,
        (State.CLAIMED, Turn.ACCEPT): State.SENT,
        (State.CLAIMED, Turn.AGAIN): State.QUEUED,
        # A receipt can overtake our own mark.
        (State.CLAIMED, Turn.DELIVER): State.DELIVERED,
        (State.CLAIMED, Turn.FAIL): State.FAILED,
        (State.CLAIMED, Turn.GIVE_UP): State.UNKNOWN,
        (State.SENT, Turn.DELIVER): State.DELIVERED,
        (State.SENT, Turn.FAIL): State.FAILED,
        (State.SENT, Turn.GIVE_UP): State.UNKNOWN,
        (State.UNKNOWN, Turn.DELIVER): State.DELIVERED,
        (State.UNKNOWN, Turn.FAIL): State.FAILED,
    }
)


def after(state: State, turn: Turn) -> State:
    """The state that follows, or IllegalTransition."""
    try:
        return TABLE[state, turn]
    except KeyError:
        raise IllegalTransition(state=str(state), action=str(turn)) from None


def befores(turn: Turn) -> tuple[State, ...]:
    """The states in which this can happen: what an UPDATE asks for in its WHERE."""
    return tuple(state for state, each in TABLE if each is turn)


class Channel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    LINE = "line"
    PUSH = "push"


class Occasion(StrEnum):
    """What a message is about; one text in each language."""

    CODE = "code"
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    REMINDER_DAY = "reminder_day"
    REMINDER_HOURS = "reminder_hours"
    SOON = "soon"
    CALLED = "called"
    READY = "ready"
    MISSED = "missed"
    OFFER = "offer"
    RECEIPT = "receipt"


# After this long a message is no longer true, and is not sent.
GOOD_FOR: Mapping[Occasion, timedelta] = MappingProxyType(
    {
        Occasion.CODE: timedelta(minutes=10),
        Occasion.SOON: timedelta(minutes=10),
        Occasion.CALLED: timedelta(minutes=10),
        Occasion.READY: timedelta(hours=1),
        Occasion.MISSED: timedelta(minutes=30),
        Occasion.REMINDER_HOURS: timedelta(hours=1, minutes=30),
        Occasion.REMINDER_DAY: timedelta(hours=14),
        Occasion.OFFER: timedelta(hours=2),
    }
)
_LONGEST = timedelta(hours=24)
# Somebody waits for these this minute; the others keep the quiet hours.
AT_ANY_HOUR = frozenset({Occasion.CODE, Occasion.SOON, Occasion.CALLED, Occasion.READY, Occasion.MISSED})


def expiry(occasion: Occasion, due: datetime) -> datetime:
    """Until when a message that is due at ``due`` may be sent."""
    return due + GOOD_FOR.get(occasion, _LONGEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an office allows itself, in yen and messages; ``office.settings["messages"]`` overrides single fields.

    ``sms_yen``: price of one segment. Limits in yen are of all text messages of an office; ``line_yen``: one push
    message. Quiet hours in minutes from midnight, Asia/Tokyo.
    """

    sms_yen: int = 12
    line_yen: int = 3
    yen_per_day: int = 20_000
    yen_per_hour: int = 5_000
    person_per_day: int = 20
    codes_per_10_minutes: int = 3
    codes_per_day: int = 5
    codes_per_block: int = 20
    codes_per_ticket: int = 5
    codes_per_hour: int = 150
    quiet_from: int = 21 * 60
    quiet_until: int = 8 * 60

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Limits":
        """The limits of an office's settings; what is no whole number from 0 up is left as it is here."""
        given = settings.get("messages")
        known = {
            name: value
            for name, value in (given.items() if isinstance(given, Mapping) else ())
            if name in cls.__slots__ and type(value) is int and value >= 0
        }
        return cls(**known)

    def quiet_end(self, at: datetime) -> datetime | None:
        """When the quiet hours end that ``at`` lies in; None outside of them."""
        here = at.astimezone(TOKYO)
        minute = here.hour * 60 + here.minute
        begins, ends = self.quiet_from, self.quiet_until
        inside = begins <= minute or minute < ends if begins > ends else begins <= minute < ends
        if not inside:
            return None
        morning = datetime.combine(here.date(), time(ends // 60, ends % 60), TOKYO)
        return morning if morning > at else morning + timedelta(days=1)


# A try that surely did not leave this machine is made again after these; then it has failed.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 45, 120, 300))
# How often a message may be handed over whose fate the provider does not know; then a person is told.
MOST_STRIKES = 2
# A provider that cannot be asked is asked again after this, and no longer than ten minutes after the claim.
ASK_AGAIN = timedelta(seconds=20)
SETTLED_WITHIN = timedelta(minutes=9, seconds=30)
# Without a receipt for this long the provider is asked, and after a day nobody will know any more.
RECEIPT_AFTER, RECEIPT_UNTIL = timedelta(minutes=5), timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A message in one language with its values filled in; only ``{link}`` and ``{code}`` are still open.

    They open something, so they stand in no table and are put in as the message leaves. ``calendar``: what an
    e-mail's calendar file says, empty without one.
    """

    short: str
    subject: str = ""
    long: str = ""
    calendar: Mapping[str, str] = field(default_factory=dict)
