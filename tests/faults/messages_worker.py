"""The process that tests/faults/messages.py kills: one real sender, on time that passes faster.

``python -m tests.faults.messages_worker URL PROVIDER BEGUN SPEED [--blind]``: BEGUN in seconds since 1970.
"""

import sys
import threading
import time
from datetime import UTC, datetime, timedelta

from app.channels.base import Absent, Ways
from app.channels.sms_twilio import TwilioSms
from app.db.sealed import Sealer
from app.db.session import Database
from app.domain.delivery import Channel
from app.services import contacts
from app.services.sending import Outfit
from scheduler.sender import Sender
from tests.services.messages import NOON, SECRET
from tests.standins import twilio


class Fast:
    """Noon in Japan when the campaign began, and from then on ``speed`` times faster."""

    def __init__(self, begun: float, speed: float) -> None:
        self.begun, self.speed = begun, speed

    def __call__(self) -> datetime:
        return NOON.astimezone(UTC) + timedelta(seconds=(time.time() - self.begun) * self.speed)


def made(url: str, provider: str, clock: Fast) -> Sender:
    """A sender with one channel, whose time-out is as long as the others wait for it."""
    sms = TwilioSms(account=twilio.ACCOUNT, token=twilio.TOKEN, sender=twilio.NUMBER, base=provider, timeout=1.0)
    # Ten real seconds of the longest try are more on a faster clock.
    sms.timeout = timedelta(seconds=2 * clock.speed)
    outfit = Outfit(
        ways=Ways(channels={Channel.SMS: sms}), secret=SECRET, address="https://m.example.jp",
        reveal=contacts.revealer(Sealer(SECRET)),
    )  # fmt: skip
    return Sender(Database(url), outfit, clock=clock)


def main() -> None:
    url, provider, begun, speed = sys.argv[1:5]
    me = made(url, provider, Fast(float(begun), float(speed)))
    if "--blind" in sys.argv:
        # The negative control: a sender that does not ask before it tries again.
        TwilioSms.look_up = lambda *_, **__: Absent()  # type: ignore[method-assign]
    me.run(threading.Event())


if __name__ == "__main__":
    main()
