"""Freed slots go to those who wait for a full day, one by one, each for a limited time.

An offer is a hold like any other (holds.py): it takes its place at once and gives it back when its time is over.
It is made in the transaction that freed the place, so nobody else is faster, and by a sweep as the net.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import booking as rules
from app.domain.booking import Action, State, WishState
from app.domain.calendar import business_date, clock
from app.domain.errors import DomainError
from app.models.booking import Booking, BookingWish
from app.services import availability, booking_events, holds
from app.services.availability import Slot

OFFER_LASTS = timedelta(hours=2)
# Who let so many offers pass does not seem to wait any more.
MOST_OFFERS = 2
# Nobody is woken by an offer, and none runs out in the night.
_MORNING, _EVENING = 8, 20
_MOST_AT_ONCE = 50


def offer(session: Session, *, office_id: str, at: datetime) -> int:
    """Offer what is free to those who wait, the longest waiting first; returns how many offers were made.

    Those who let one offer pass come after all others.
    """
    if not _MORNING <= clock(at).hour < _EVENING:
        return 0
    return sum(_offer_one(session, wish, at=at) for wish in _waiting(session, office_id))


def _waiting(session: Session, office_id: str) -> Sequence[BookingWish]:
    return session.scalars(
        select(BookingWish)
        .where(BookingWish.office_id == office_id, BookingWish.state == WishState.WAITING)
        .order_by(BookingWish.offers, BookingWish.id)
        .limit(_MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def _offer_one(session: Session, wish: BookingWish, *, at: datetime) -> bool:
    if wish.last_day < business_date(at):
        _set(wish, WishState.LAPSED, at=at)
        return False
    found = _first_free(session, wish, at=at)
    if found is None:
        return False
    asked = holds.Asked(
        office_id=wish.office_id, services=wish.services, start=found.start, party=wish.party, channel="waiting_list",
        language=wish.language, lasts=min(OFFER_LASTS, found.start - at),
    )  # fmt: skip
    # No token opens this hold: it is taken through the link of the wish, which then gives it a seed of its own.
    mark = f"wish:{wish.id}:{wish.offers}"
    held = holds.try_hold(session, asked=asked, seed=mark, hashed=mark, actor="waiting_list", at=at)
    if held is None:
        return False
    wish.booking_id, wish.offers = held.id, wish.offers + 1
    _set(wish, WishState.OFFERED, at=at)
    session.flush()
    booking_events.offered(session, wish, held, at=at)
    return True


def _first_free(session: Session, wish: BookingWish, *, at: datetime) -> Slot | None:
    try:
        asked = availability.visit(session, office_id=wish.office_id, services=wish.services)
        days = availability.days(wish.first_day, wish.last_day)
        slots = availability.of_days(session, asked, days, party=wish.party, at=at)
    except DomainError:
        # The service is no longer offered here; the wish runs out with its days.
        return None
    return next((slot for slot in slots if slot.free > 0), None)


def lapse(session: Session, *, office_id: str, at: datetime) -> int:
    """Those whose offer ran out wait again, behind the others, or no longer; returns how many."""
    rows = session.execute(
        select(BookingWish, Booking.state)
        .join(Booking, Booking.id == BookingWish.booking_id)
        .where(
            BookingWish.office_id == office_id, BookingWish.state == WishState.OFFERED,
            Booking.state.in_((State.EXPIRED, State.CANCELLED)),
        )
        .with_for_update(of=BookingWish, skip_locked=True)
    ).all()  # fmt: skip
    for wish, _ in rows:
        wish.booking_id = None
        _set(wish, WishState.WAITING if wish.offers < MOST_OFFERS else WishState.LAPSED, at=at)
    session.flush()
    return len(rows)


def _set(wish: BookingWish, state: WishState, *, at: datetime) -> None:
    wish.state, wish.changed_at = state, at


def release(session: Session, wish: BookingWish, *, at: datetime) -> None:
    """Give back what is offered to a wish that is withdrawn, if it still is."""
    booking = session.get(Booking, wish.booking_id, with_for_update=True) if wish.booking_id else None
    if booking is not None and booking.state == State.HELD:
        booking.state, booking.changed_at, booking.ended_at = rules.after(State.HELD, Action.CANCEL), at, at
        booking.expires_at = None
        session.flush()
        holds.log(session, booking.id, Action.CANCEL, before=State.HELD, after=State.CANCELLED, actor="resident", at=at)
        holds.give_back(session, booking)


__all__ = ["MOST_OFFERS", "OFFER_LASTS", "lapse", "offer", "release"]
