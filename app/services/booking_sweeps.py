"""What time does to bookings: holds expire, people do not come, offers run out, names are erased.

Each does all that is due and finds nothing the second time; each row is done by whoever locks it first.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.domain.booking import Action, State, WishState
from app.domain.calendar import business_date
from app.models.booking import Booking, BookingWish, Slot
from app.models.place import Municipality, Office
from app.services import holds, waiting_offers
from config.failpoints import fail_at

_MOST_AT_ONCE = 500
# Cells hold no person: for the figures of the year.
_CELLS_KEPT = timedelta(days=400)
_PERSONAL = ("sealed_name", "sealed_phone", "sealed_email", "sealed_notes", "name_index", "phone_index", "email_index",
             "holder", "contact_id")  # fmt: skip


def expire_holds(session: Session, *, office_id: str, at: datetime) -> int:
    """End holds whose time is over, and offer what is free to those who wait; returns how many holds."""
    ended = holds.expire_due(session, office_id=office_id, at=at)
    waiting_offers.lapse(session, office_id=office_id, at=at)
    waiting_offers.offer(session, office_id=office_id, at=at)
    return ended


def mark_no_shows(session: Session, *, office_id: str, at: datetime) -> int:
    """Those who did not come by the end of their line's patience; their places stay spent. Returns how many."""
    due = session.scalars(
        select(Booking)
        .where(Booking.office_id == office_id, Booking.state == State.BOOKED, Booking.no_show_at < at)
        .order_by(Booking.id)
        .limit(_MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for booking in due:
        booking.state, booking.changed_at, booking.ended_at = State.NO_SHOW, at, at
        holds.log(session, booking.id, Action.MISS, before=State.BOOKED, after=State.NO_SHOW, actor="system", at=at)
    session.flush()
    fail_at("no_show.before_commit")
    return len(due)


def kept(session: Session, office_id: str) -> timedelta:
    """How long after the visit the city keeps what was told."""
    city = session.scalars(
        select(Municipality).join(Office, Office.municipality_id == Municipality.id).where(Office.id == office_id)
    ).one()
    days = city.settings.get("booking_kept_days")
    return timedelta(days=days) if isinstance(days, int) else holds.KEPT


def erase(session: Session, *, office_id: str, at: datetime) -> int:
    """Erase what people told of visits that are long over, and of what never became one; returns of how many."""
    long_ago = at - kept(session, office_id)
    never = (State.EXPIRED, State.CANCELLED)
    erased = session.execute(
        update(Booking)
        .where(
            Booking.office_id == office_id, Booking.erased_at.is_(None),
            or_(Booking.end_at < long_ago, Booking.state.in_(never) & (Booking.changed_at < long_ago)),
        )
        .values(dict.fromkeys(_PERSONAL) | {"erased_at": at})
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    _erase_wishes(session, office_id, long_ago=long_ago, at=at)
    session.execute(delete(Slot).where(Slot.office_id == office_id, Slot.start_at < at - _CELLS_KEPT))
    return erased.rowcount if isinstance(erased, CursorResult) else 0


def _erase_wishes(session: Session, office_id: str, *, long_ago: datetime, at: datetime) -> None:
    ended = (WishState.TAKEN, WishState.LAPSED, WishState.WITHDRAWN)
    session.execute(
        update(BookingWish)
        .where(BookingWish.office_id == office_id, BookingWish.last_day < business_date(long_ago))
        .where(BookingWish.state.not_in(ended))
        .values(state=WishState.LAPSED, booking_id=None, changed_at=at)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(BookingWish)
        .where(BookingWish.office_id == office_id, BookingWish.state.in_(ended))
        .where(BookingWish.changed_at < long_ago, BookingWish.contact_id.is_not(None))
        .values(contact_id=None, contact_index=None)
        .execution_options(synchronize_session=False)
    )
