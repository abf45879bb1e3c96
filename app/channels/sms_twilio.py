"""Text messages by Twilio. Its create call has no idempotency key: a doubtful one is looked up before any retry."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from app.channels.base import Absent, Answer, Doubtful, Fate, Message, NotSent, Outcome, Taken, Unasked
from app.domain import sms
from app.domain.delivery import Channel, Limits, Text

API = "https://api.twilio.com"
# Twilio's word for a message's state, and what it means for us.
WORDS: Mapping[str, Fate] = MappingProxyType(
    {
        "accepted": Fate.ACCEPTED, "scheduled": Fate.ACCEPTED, "queued": Fate.ACCEPTED, "sending": Fate.ACCEPTED,
        "sent": Fate.ACCEPTED, "delivered": Fate.DELIVERED, "read": Fate.DELIVERED, "undelivered": Fate.FAILED,
        "failed": Fate.FAILED, "canceled": Fate.FAILED,
    }
)  # fmt: skip
# Twilio's error codes that come up with one recipient, by what the person on our side can do about them.
REASONS: Mapping[int, str] = MappingProxyType(
    {
        21211: "bad_number", 21214: "bad_number", 21217: "bad_number", 21421: "bad_number", 21614: "bad_number",
        21610: "opted_out", 21408: "country_closed", 21612: "unreachable", 21617: "too_long", 30002: "account",
        30003: "switched_off", 30004: "blocked", 30005: "bad_number", 30006: "landline", 30007: "filtered",
        30008: "carrier", 30032: "sender_not_verified", 30034: "sender_not_verified",
    }
)  # fmt: skip
# Our account's trouble, not the message's: it is tried again until somebody has put it right.
_ACCOUNT = frozenset({401, 402, 403})
# How far the provider's clock and ours may differ, and how many messages to one number are looked through.
_CLOCKS, _MOST_LISTED = timedelta(minutes=2), 100
_TRY_LATER = frozenset({429, 20429, 20003, 30001, 30002})


def reason_of(code: int | str | None) -> str:
    """Our word for a Twilio error code; the code itself where we have none."""
    number = int(code) if code and str(code).isdigit() else 0
    return REASONS.get(number, f"twilio_{number}" if number else "failed")


class TwilioSms:
    """``sender``: a number in E.164, or the SID of a messaging service (``MG…``)."""

    name = Channel.SMS
    timeout = timedelta(seconds=20)
    receipts, repeatable = True, False

    def __init__(self, *, account: str, token: str, sender: str, base: str = "", timeout: float = 10.0) -> None:
        self._account, self._token, self._sender, self._base = account, token, sender, base.rstrip("/") or API
        # One limit for connecting and one for reading.
        self.timeout = timedelta(seconds=2 * timeout)
        self._seconds = timeout
        self._made: Any = None

    def _client(self) -> Any:
        """Twilio's client, imported when the first message leaves; its addresses moved to ``base``."""
        if self._made is None:
            from twilio.http.http_client import TwilioHttpClient
            from twilio.rest import Client

            base = self._base

            class Moved(TwilioHttpClient):  # type: ignore[misc]
                def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
                    """The same request to the configured address."""
                    return super().request(method, url.replace(API, base, 1), *args, **more)

            self._made = Client(self._account, self._token, http_client=Moved(timeout=self._seconds))
        return self._made

    def price(self, message: Text, limits: Limits) -> tuple[int, int]:
        """Parts of the text, each at the office's price."""
        parts = sms.length(message.short).parts
        return parts, parts * limits.sms_yen

    def send(self, message: Message) -> Outcome:
        """One create call."""
        asked: dict[str, Any] = {"to": message.to, "body": message.text.short}
        asked["messaging_service_sid" if self._sender.startswith("MG") else "from_"] = self._sender
        if message.report_to:
            asked["status_callback"] = message.report_to
        try:
            made = self._client().messages.create(**asked)
        except Exception as error:
            return _outcome(error)
        return _taken(made)

    def look_up(self, message: Message, *, until: datetime, known: Sequence[str]) -> Answer:
        """Messages to this number in the time of our tries, with our very words, that no other delivery owns."""
        begins, ends = message.since - _CLOCKS, until + _CLOCKS
        try:
            # Without Twilio's own filter by day of sending: what is still queued there has none.
            found = self._client().messages.list(to=message.to, limit=_MOST_LISTED)
        except Exception as error:
            return Unasked(reason=type(error).__name__)
        ours = [each for each in found if each.body == message.text.short and each.sid not in known]
        ours = [each for each in ours if each.date_created is None or begins <= each.date_created <= ends]
        return _taken(min(ours, key=lambda each: str(each.date_created))) if ours else Absent()

    def ask(self, provider_id: str) -> Answer:
        """Fetch one message."""
        from twilio.base.exceptions import TwilioRestException

        try:
            return _taken(self._client().messages(provider_id).fetch())
        except TwilioRestException as error:
            return Absent() if error.status == 404 else Unasked(reason=str(error.code))
        except Exception as error:
            return Unasked(reason=type(error).__name__)


def _taken(made: Any) -> Taken:
    word = str(getattr(made.status, "value", made.status))
    fate = WORDS.get(word, Fate.ACCEPTED)
    parts = int(made.num_segments or 0)
    reason = reason_of(made.error_code) if fate is Fate.FAILED else ""
    return Taken(provider_id=str(made.sid), fate=fate, word=word, reason=reason, parts=parts)


def _outcome(error: Exception) -> Outcome:
    """What an exception of the client means; everything that is not surely a refusal is a doubt."""
    import requests
    from twilio.base.exceptions import TwilioRestException
    from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

    if isinstance(error, TwilioRestException):
        return _refused(error)
    if isinstance(error, requests.ConnectTimeout):
        return NotSent(reason="no_connection")
    if isinstance(error, requests.ConnectionError):
        inner = error.args[0] if error.args else None
        cause = inner.reason if isinstance(inner, MaxRetryError) else inner
        if isinstance(cause, NewConnectionError | NameResolutionError):
            return NotSent(reason="no_connection")
    return Doubtful(reason=type(error).__name__)


def _refused(error: Any) -> Outcome:
    status, code = int(error.status), int(error.code or 0)
    if status == 429 or code in _TRY_LATER:
        return NotSent(reason="too_many", retry_after=timedelta(seconds=10))
    if status in _ACCOUNT and code not in REASONS:
        return NotSent(reason="account", retry_after=timedelta(seconds=60))
    if 400 <= status < 500:
        return NotSent(reason=reason_of(code), permanent=True)
    # A 500 after the message was accepted has been seen: it is a doubt, not a refusal.
    return Doubtful(reason=f"http_{status}")
