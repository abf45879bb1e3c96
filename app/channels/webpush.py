"""Notices of a browser (Web Push, RFC 8030). The tag makes a second one take the place of the first."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from app.channels.base import Doubtful, Message, NotSent, Outcome, Taken
from app.domain.delivery import Channel, Limits, Text

# The push services of the browsers there are. An address of a browser is given by whoever asks: no other is called.
SERVICES = ("fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com")
_BELOW = (".push.apple.com", ".notify.windows.com", ".push.services.mozilla.com")
# Order of the group of P-256 (FIPS 186-4).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def is_push_service(endpoint: str) -> bool:
    """Whether an address belongs to a browser's push service, by https and its usual port."""
    found = urlsplit(endpoint)
    host = (found.hostname or "").lower()
    try:
        usual = found.port in (None, 443)
    except ValueError:
        return False
    plain = found.scheme == "https" and usual and not (found.username or found.password) and len(endpoint) <= 1000
    return plain and (host in SERVICES or host.endswith(_BELOW))


def signing_key(secret: bytes) -> Any:
    """The installation's key for push services (VAPID), derived from its secret: nothing more to keep."""
    from cryptography.hazmat.primitives.asymmetric import ec

    number = int.from_bytes(hashlib.sha512(b"web push:" + secret).digest(), "big") % (_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def public_key(secret: bytes) -> str:
    """What a browser subscribes with: the uncompressed point in base64url."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point = signing_key(secret).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


class WebPush:
    """``contact``: whom a push service may write to about us (``mailto:`` or the public address)."""

    name = Channel.PUSH
    receipts, repeatable = False, True

    def __init__(self, *, secret: bytes, contact: str, timeout: float = 10.0) -> None:
        self._secret, self._contact, self._seconds = secret, contact, timeout
        self.timeout = timedelta(seconds=2 * timeout)

    def price(self, _message: Text, _limits: Limits) -> tuple[int, int]:
        """Nothing."""
        return 1, 0

    def send(self, message: Message) -> Outcome:
        """Encrypt for the browser and hand over; ``message.to`` is its subscription as JSON."""
        import requests
        from py_vapid import Vapid02
        from pywebpush import WebPushException, webpush

        subscription = json.loads(message.to)
        if not is_push_service(str(subscription.get("endpoint", ""))):
            return NotSent(reason="bad_address", permanent=True)
        data = {"title": message.text.subject, "body": message.text.short, "url": message.link, "tag": message.id}
        try:
            answer = webpush(
                subscription, json.dumps(data, ensure_ascii=False), ttl=600, timeout=self._seconds,
                vapid_private_key=Vapid02(signing_key(self._secret)), vapid_claims={"sub": self._contact},
                headers={"Urgency": "high"},
            )  # fmt: skip
        except WebPushException as error:
            status = getattr(error.response, "status_code", 0)
            return _refused(int(status or 0))
        except requests.ConnectTimeout:
            return NotSent(reason="no_connection")
        except (requests.RequestException, ValueError) as error:
            return Doubtful(reason=type(error).__name__)
        return Taken(provider_id=f"push-{message.id}", word=str(getattr(answer, "status_code", "")))


def _refused(status: int) -> Outcome:
    if status in (404, 410):
        return NotSent(reason="gone", permanent=True)
    if status == 429:
        return NotSent(reason="too_many", retry_after=timedelta(seconds=30))
    if 400 <= status < 500:
        return NotSent(reason=f"push_{status}", permanent=True)
    return Doubtful(reason=f"http_{status}")
