"""Messages on the console, for development: nothing leaves the machine, and the log shows that something would."""

import logging
from datetime import timedelta

from app.channels.base import Message, Outcome, Taken
from app.domain import sms
from app.domain.delivery import Channel, Limits, Text

log = logging.getLogger(__name__)


class Console:
    """Stands in for one channel. The recipient is not written: logs are kept longer than contacts."""

    timeout = timedelta(seconds=1)
    receipts, repeatable = False, True

    def __init__(self, name: Channel) -> None:
        self.name = name

    def price(self, message: Text, _limits: Limits) -> tuple[int, int]:
        """As many parts as a text message would have, for nothing."""
        return sms.length(message.short).parts, 0

    def send(self, message: Message) -> Outcome:
        """Write the words to the log."""
        log.warning("%s message %s, not sent anywhere: %s", self.name, message.id, message.text.short)
        return Taken(provider_id=f"console-{message.id}", word="console")
