"""The calendar file of a booking (RFC 5545): a visit to the office, without the procedure's name."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar

from app.models.booking import Booking
from app.models.place import Office
from app.web.locale import pick, plain, t

TOKYO = ZoneInfo("Asia/Tokyo")
REMIND_BEFORE = timedelta(days=1)


def event_file(booking: Booking, office: Office, *, reference: str, address: str) -> bytes:
    """One event with a reminder on the day before; the same booking keeps its ``UID`` when it is moved.

    A calendar is often shared with family or colleagues, so nothing in it tells what the visit is for.
    """
    event = icalendar.Event()
    event.add("uid", f"{booking.token_hash[:32]}@madoguchi")
    event.add("dtstamp", booking.changed_at.astimezone(UTC))
    event.add("last-modified", booking.changed_at.astimezone(UTC))
    event.add("sequence", _sequence(booking))
    event.add("dtstart", booking.start_at.astimezone(TOKYO))
    event.add("dtend", booking.end_at.astimezone(TOKYO))
    event.add("summary", plain(t("%(office)s 予約 %(reference)s", office=pick(office.name), reference=reference)))
    if office.settings.get("address"):
        event.add("location", plain(pick(office.settings["address"])))
    event.add("url", address)
    event.add("description", f"{plain(t('受付機へ 予約のQRコードをかざしてください。'))}\n{address}")
    alarm = icalendar.Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", plain(t("あす、予約があります。")))
    alarm.add("trigger", -REMIND_BEFORE)
    event.add_component(alarm)
    body: bytes = _calendar(event).to_ical()
    return body


def _sequence(booking: Booking) -> int:
    """Rises with every change: seconds since the booking was made."""
    return int((booking.changed_at - booking.created_at).total_seconds())


def _calendar(event: icalendar.Event) -> icalendar.Calendar:
    found = icalendar.Calendar()
    found.add("prodid", "-//Madoguchi//booking//")
    found.add("version", "2.0")
    found.add("method", "PUBLISH")
    found.add_component(event)
    found.add_component(icalendar.Timezone.from_tzinfo(TOKYO, "Asia/Tokyo", *_years(event)))
    return found


def _years(event: icalendar.Event) -> tuple[datetime, datetime]:
    start = event.decoded("dtstart")
    return start - timedelta(days=365), start + timedelta(days=365)
