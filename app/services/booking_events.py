"""What a booking's changes tell its holder: each occasion of messages is decided here and nowhere else.

The contact is put among the contacts of messages as it is confirmed, while the secret is at hand; from then on the
row's number is enough, and every later change is told within its own transaction.
"""

from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain import contact
from app.domain.booking import Person, spoken_reference
from app.domain.calendar import business_date, instant
from app.domain.delivery import Channel, Occasion
from app.domain.errors import InvalidInput
from app.domain.message_text import when
from app.models.booking import Booking, BookingWish
from app.models.delivery import Contact
from app.models.place import Office
from app.services import contacts, outbox
from app.services.holds import Held
from app.services.outbox import Recipient

# In the evening of the day before, and so long before the visit.
_EVENING, _HOURS_BEFORE = time(17, 0), timedelta(hours=2)
_REMINDERS = (Occasion.REMINDER_DAY, Occasion.REMINDER_HOURS)


def keep_contact(
    session: Session, person: Person, *, municipality_id: str, until: datetime, sealer: Sealer, at: datetime
) -> int | None:
    """The number of the contact messages go to: a mobile before an e-mail; None where there is none of both."""
    found = _channel(person)
    if found is None:
        return None
    channel, value = found
    kept = contacts.keep(
        session, sealer=sealer, municipality_id=municipality_id, channel=channel, value=value, at=at,
        erase_at=contacts.after_visit(until),
    )  # fmt: skip
    return kept.id


def _channel(person: Person) -> tuple[Channel, str] | None:
    try:
        if person.phone:
            return Channel.SMS, contact.mobile(person.phone)
    except InvalidInput:
        # A fixed line is called by a person.
        pass
    return (Channel.EMAIL, person.email) if person.email else None


def confirmed(session: Session, booking: Booking, person: Person, *, sealer: Sealer, at: datetime) -> None:
    """The booking stands: say so with its calendar file, and remind of it."""
    booking.contact_id = keep_contact(
        session, person, municipality_id=booking.municipality_id, until=booking.end_at, sealer=sealer, at=at
    )
    _tell(session, booking, Occasion.BOOKED, at=at)
    _remind(session, booking, at=at)


def moved(session: Session, booking: Booking, *, at: datetime) -> None:
    """Another time: the reminders of the old one are taken back, the calendar file follows."""
    _withdraw(session, booking, at=at)
    to = _recipient(session, booking.contact_id, booking.language)
    if to is not None:
        session.get_one(Contact, to.contact_id).erase_at = contacts.after_visit(booking.end_at)
    _tell(session, booking, Occasion.MOVED, at=at)
    _remind(session, booking, at=at)


def cancelled(session: Session, booking: Booking, *, at: datetime) -> None:
    """It no longer stands."""
    _withdraw(session, booking, at=at)
    _tell(session, booking, Occasion.CANCELLED, at=at)


def offered(session: Session, wish: BookingWish, held: Held, *, at: datetime) -> None:
    """A freed slot is kept for somebody who waits, for a limited time; the link opens the place on the list."""
    to = _recipient(session, wish.contact_id, wish.language)
    if to is None:
        return
    outbox.enqueue(
        session, office=session.get_one(Office, wish.office_id), occasion=Occasion.OFFER, to=to,
        target=f"wish:{wish.id}", once=str(wish.offers), at=at,
        values={"日時": when(held.start_at, wish.language), "予約番号": "",
                "期限": when(held.expires_at, wish.language)},
    )  # fmt: skip


def _recipient(session: Session, contact_id: int | None, language: str) -> Recipient | None:
    found = session.get(Contact, contact_id) if contact_id is not None else None
    return Recipient(contact_id=found.id, channel=found.channel, language=language) if found else None


def _tell(
    session: Session, booking: Booking, occasion: Occasion, *, at: datetime, due_at: datetime | None = None
) -> None:
    to = _recipient(session, booking.contact_id, booking.language)
    if to is None:
        return
    office = session.get_one(Office, booking.office_id)
    outbox.enqueue(
        session, office=office, occasion=occasion, to=to, target=f"booking:{booking.id}", at=at, due_at=due_at,
        once=f"{booking.moves}:{booking.start_at.isoformat()}",
        values={"日時": when(booking.start_at, booking.language),
                "予約番号": spoken_reference(booking.reference or "")},
        calendar=_calendar(booking, office) if occasion in (Occasion.BOOKED, Occasion.MOVED) else {},
    )  # fmt: skip


def _calendar(booking: Booking, office: Office) -> dict[str, str]:
    """The calendar file names the office, never what the visit is for: others see a calendar."""
    place = outbox.name_in(office.name, booking.language)
    return {
        "begins": booking.start_at.isoformat(), "ends": booking.end_at.isoformat(), "uid": f"booking-{booking.id}",
        "summary": place, "place": place, "sequence": str(booking.moves),
    }  # fmt: skip


def _remind(session: Session, booking: Booking, *, at: datetime) -> None:
    evening = instant(business_date(booking.start_at) - timedelta(days=1), _EVENING)
    for occasion, due in (
        (Occasion.REMINDER_DAY, evening),
        (Occasion.REMINDER_HOURS, booking.start_at - _HOURS_BEFORE),
    ):
        if due > at + timedelta(hours=1):
            _tell(session, booking, occasion, at=at, due_at=due)


def _withdraw(session: Session, booking: Booking, *, at: datetime) -> None:
    outbox.withdraw(session, target=f"booking:{booking.id}", occasions=_REMINDERS, at=at)


__all__ = ["cancelled", "confirmed", "keep_contact", "moved", "offered"]
