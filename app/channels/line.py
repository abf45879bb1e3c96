"""LINE messages: the number and the link, never a person's data. LINE takes the same retry key only once."""

import uuid
from datetime import datetime, timedelta

import httpx

from app.channels.base import Doubtful, Message, NotSent, Outcome, Taken
from app.domain.delivery import Channel, Limits, Text

API = "https://api.line.me"
_KEYS = uuid.UUID("6f1a3c52-2d0c-4a53-9f0e-3b1f5a7f0c11")


def retry_key(delivery_id: int, since: datetime) -> str:
    """The same for every try of one message, another for every other message."""
    return str(uuid.uuid5(_KEYS, f"{delivery_id} {since.isoformat()}"))


class LinePush:
    """Push messages of the Messaging API."""

    name = Channel.LINE
    receipts, repeatable = False, True

    def __init__(self, *, token: str, base: str = "", timeout: float = 10.0) -> None:
        self._token, self._base, self._seconds = token, base.rstrip("/") or API, timeout
        self.timeout = timedelta(seconds=3 * timeout)

    def price(self, _message: Text, limits: Limits) -> tuple[int, int]:
        """One message."""
        return 1, limits.line_yen

    def send(self, message: Message) -> Outcome:
        """One push; a 409 says that LINE has had it before."""
        body = {"to": message.to, "messages": [{"type": "text", "text": message.text.short}]}
        headers = {
            "Authorization": f"Bearer {self._token}", "X-Line-Retry-Key": retry_key(message.id, message.since),
        }  # fmt: skip
        try:
            answer = httpx.post(
                f"{self._base}/v2/bot/message/push", json=body, headers=headers, timeout=self._seconds, trust_env=False
            )
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return NotSent(reason="no_connection")
        except httpx.HTTPError as error:
            return Doubtful(reason=type(error).__name__)
        return _outcome(answer, message)


def _outcome(answer: httpx.Response, message: Message) -> Outcome:
    status = answer.status_code
    if status in (200, 409):
        given = answer.headers.get("x-line-accepted-request-id") or answer.headers.get("x-line-request-id") or ""
        return Taken(provider_id=f"line-{given or message.id}", word="accepted")
    if status == 429:
        return NotSent(reason="too_many", retry_after=timedelta(seconds=30))
    if status in (401, 403):
        return NotSent(reason="account", retry_after=timedelta(seconds=60))
    if 400 <= status < 500:
        return NotSent(reason="blocked" if status == 400 else f"line_{status}", permanent=True)
    return Doubtful(reason=f"http_{status}")
