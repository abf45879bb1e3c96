"""A hall with a sender, for tests of messages: the stand-in of Twilio, a clock that is set by hand."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.base import Channel as Way
from app.channels.base import Ways
from app.channels.sms_twilio import TwilioSms
from app.db.sealed import Sealer
from app.db.session import Database
from app.domain.delivery import Channel, Occasion
from app.models.delivery import Contact, Delivery
from app.models.place import Office
from app.services import contacts, outbox
from app.services.sending import Outfit
from scheduler.sender import Sender
from tests.standins import twilio

SECRET = b"kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"
SEALER = Sealer(SECRET)
# Noon in Japan: no quiet hours.
NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


class Clock:
    """Time that passes only when told to; it starts where the provider's real clock is, so that both agree."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, **more: float) -> None:
        self.at += timedelta(**more)


def sms_of(stand_in: twilio.TwilioStandIn, *, timeout: float = 1.0) -> TwilioSms:
    return TwilioSms(
        account=twilio.ACCOUNT, token=twilio.TOKEN, sender=twilio.NUMBER, base=stand_in.url, timeout=timeout
    )


def sender(database: Database, *channels: Way, clock: Clock, address: str = "http://127.0.0.1:1") -> Sender:
    """A sender with these channels."""
    found = Ways(channels={channel.name: channel for channel in channels})
    outfit = Outfit(ways=found, secret=SECRET, address=address, reveal=contacts.revealer(SEALER))
    return Sender(database, outfit, clock=clock)


def contact(session: Session, value: str = "+819012345678", *, at: datetime, channel: Channel = Channel.SMS) -> Contact:
    return contacts.keep(
        session, sealer=SEALER, municipality_id="aonami", channel=channel, value=value, at=at,
        erase_at=contacts.after_visit(at),
    )  # fmt: skip


def put(
    database: Database, once: str = "1", *, at: datetime, to: str = "+819012345678", channel: Channel = Channel.SMS,
    occasion: Occasion = Occasion.CALLED, target: str = "ticket:1", due_at: datetime | None = None,
) -> int:  # fmt: skip
    """A message in the outbox; its id."""
    with database.transaction() as session:
        person = contact(session, to, at=at, channel=channel)
        outbox.enqueue(
            session, office=session.get_one(Office, "ward"), occasion=occasion, target=target, once=once, at=at,
            to=outbox.Recipient(contact_id=person.id, channel=channel, language="ja"), due_at=due_at,
            values={"番号": f"A{once}", "窓口": "3", "場所": "1階", "日時": "4月1日 10時30分", "予約番号": "R7K"},
        )  # fmt: skip
        row = session.scalars(select(Delivery).where(Delivery.dedupe_key == f"{target}/{occasion}/{once}")).one()
        return row.id


def row(database: Database, number: int) -> Delivery:
    with database.snapshot() as session:
        return session.get_one(Delivery, number)


def work(me: Sender, *, most: int = 200) -> int:
    """Let the sender work until nothing is left to do; returns the steps."""
    for done in range(most):
        if not me.step():
            return done
    return most
