"""Finding a booking for the person at the counter or on the telephone, and looking at who it is: both are logged.

Only exact values find anything (a reference, a number of today, a whole telephone number, e-mail address or name):
names and contacts are sealed, and the blind index knows equal from unequal and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain import booking as rules
from app.domain.calendar import business_date, instant
from app.domain.errors import Forbidden, InvalidInput, NotFound, TooMany
from app.domain.refs import normal_number
from app.domain.roles import Function, may
from app.domain.ticket import AT_COUNTER
from app.models.booking import Booking
from app.models.people import AuditEntry
from app.models.ticket import Step, Ticket
from app.services import audit, booking_view
from app.services.access import Principal
from app.services.booking_view import Shown

# Beyond this many searches a day somebody looks up neighbours: it is marked in the log, and then it ends.
UNUSUAL, MOST_SEARCHES = 50, 200
LEAST_NAME = 2
_NEWEST = 50


class By(StrEnum):
    """What is typed into the search."""

    REFERENCE = "reference"
    NUMBER = "number"
    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"


class Reason(StrEnum):
    """Why somebody looks; ``OTHER`` needs words."""

    AT_COUNTER = "at_counter"
    CALLED_US = "called_us"
    WE_CALL = "we_call"
    MISTAKE = "mistake"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Who looks, why, and the key of the audit chain. ``words``: why, where the reason is OTHER (20 to 200 signs)."""

    who: Principal
    reason: Reason
    audit_key: bytes
    words: str = ""

    def __post_init__(self) -> None:
        if self.reason is Reason.OTHER and not 20 <= len(self.words.strip()) <= 200:
            raise InvalidInput("reason_needed", field="words")


def find(
    session: Session, *, office_id: str, by: By, typed: str, look: Look, sealer: Sealer, at: datetime
) -> Sequence[Booking]:
    """Bookings of the office with exactly this value, the nearest to today first.

    Written down whether or not something was found; what was typed is not. Raises InvalidInput("search_too_short")
    and for values that are none, TooMany("too_many_searches").
    """
    wanted = _condition(by, typed, sealer, at=at)
    today = _refuse_digging(session, look.who, at=at)
    rows = session.scalars(
        select(Booking)
        .where(Booking.office_id == office_id, Booking.reference.is_not(None), wanted)
        .order_by(Booking.start_at.desc())
        .limit(_NEWEST)
    ).all()
    details = {"office": office_id, "by": str(by), "found": len(rows), "reason": str(look.reason),
               "words": look.words.strip(), "unusual": today >= UNUSUAL}  # fmt: skip
    audit.record(
        session, municipality_id=look.who.municipality_id, actor=look.who.actor, action="booking.search",
        subject=f"office:{office_id}", details=details, at=at, key=look.audit_key,
    )  # fmt: skip
    return sorted(rows, key=lambda row: abs(row.start_at - at))


def _condition(by: By, typed: str, sealer: Sealer, *, at: datetime) -> ColumnElement[bool]:
    match by:
        case By.REFERENCE:
            return Booking.reference == rules.normal_reference(typed)
        case By.NUMBER:
            number = normal_number(typed)
            if not number.isascii() or not number.isalnum():
                raise InvalidInput("search_too_short", field="typed")
            tickets = select(Ticket.id).where(Ticket.business_date == business_date(at), Ticket.number == number)
            return Booking.ticket_id.in_(tickets)
        case By.PHONE:
            return Booking.phone_index.in_(sealer.indexes("phone", rules.telephone(typed)))
        case By.EMAIL:
            return Booking.email_index.in_(sealer.indexes("email", rules.counted(rules.email(typed))))
        case By.NAME:
            key = rules.name_key(rules.person_name(typed))
            if len(key) < LEAST_NAME:
                raise InvalidInput("search_too_short", field="typed")
            return Booking.name_index.in_(sealer.indexes("name", key))


def _refuse_digging(session: Session, who: Principal, *, at: datetime) -> int:
    """How often this person has searched today; raises TooMany."""
    begun = instant(business_date(at), time(0))
    count = session.scalar(
        select(func.count()).where(
            AuditEntry.municipality_id == who.municipality_id, AuditEntry.actor == who.actor,
            AuditEntry.action == "booking.search", AuditEntry.at >= begun,
        )
    ) or 0  # fmt: skip
    if count >= MOST_SEARCHES:
        raise TooMany("too_many_searches", retry_after=int(timedelta(hours=1).total_seconds()))
    return count


def reveal(session: Session, booking_id: int, *, look: Look, sealer: Sealer, at: datetime) -> Shown:
    """Who comes, in full, and that it was looked at.

    A clerk sees the party at the own counter, who leads the floor sees all of the office. Raises NotFound for
    another office's booking, Forbidden.
    """
    booking = own(session, booking_id, look.who)
    if not may(look.who.role, Function.SEE_PERSON) and not _at_counter_of(session, booking, look.who):
        raise Forbidden()
    audit.record(
        session, municipality_id=look.who.municipality_id, actor=look.who.actor, action="booking.reveal",
        subject=f"booking:{booking.id}", at=at, key=look.audit_key,
        details={"office": booking.office_id, "reason": str(look.reason), "words": look.words.strip()},
    )  # fmt: skip
    return booking_view.person(booking, sealer, full=True)


def own(session: Session, booking_id: int, who: Principal) -> Booking:
    """A booking of the caller's city and office; raises NotFound for every other."""
    found = session.get(Booking, booking_id)
    if found is None or found.municipality_id != who.municipality_id or who.office_id not in (None, found.office_id):
        raise NotFound(what="booking")
    return found


def _at_counter_of(session: Session, booking: Booking, who: Principal) -> bool:
    if booking.ticket_id is None or who.counter_id is None:
        return False
    here = select(Step.id).where(
        Step.ticket_id == booking.ticket_id, Step.counter_id == who.counter_id, Step.state.in_(sorted(AT_COUNTER))
    )
    return session.scalar(here.limit(1)) is not None
