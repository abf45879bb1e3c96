"""Freed slots go to those who wait for a full day, one by one, each for a limited time.

An offer is a hold like any other (holds.py): it takes its place at once and gives it back when its time is over.
It is made in the transaction that freed the place, so nobody else is faster, and by a sweep as the net.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, literal, select
from sqlalchemy.orm import Session

from app.domain import booking as rules
from app.domain.booking import Action, Half, State, WishState
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
# A day looked through takes some milliseconds, and others wait for the writer meanwhile.
_DAYS_A_PASS = 10


def offer(session: Session, *, office_id: str, at: datetime, day: date | None = None) -> int:
    """Offer what is free to those who wait, to each the first that suits; returns how many offers were made.

    The longest waiting first; those who let one offer pass come after all others. Who waits for the other half of the
    day, or another day, keeps nobody from a place. ``day``: only to those who wait for it, as a place of it has just
    been given back; else days have their turn by the minute, so that no pass is long however many are waited for.
    """
    if not _MORNING <= clock(at).hour < _EVENING:
        return 0
    if day is None:
        whose = BookingWish.first_day.in_(_turn(session, office_id, at=at))
    else:
        whose = literal(day).between(BookingWish.first_day, BookingWish.last_day)
    free = _Free(session, office_id, at=at)
    return sum(_offer_one(session, wish, free, at=at) for wish in _waiting(session, office_id, whose))


def _turn(session: Session, office_id: str, *, at: datetime) -> list[date]:
    """The days of this minute among those somebody waits for; of a few all."""
    days = session.scalars(
        select(BookingWish.first_day)
        .where(BookingWish.office_id == office_id, BookingWish.state == WishState.WAITING)
        .distinct()
        .order_by(BookingWish.first_day)
    ).all()
    passes = max(1, -(-len(days) // _DAYS_A_PASS))
    turn = int(at.timestamp() // 60) % passes
    return list(days[turn * _DAYS_A_PASS : (turn + 1) * _DAYS_A_PASS])


class _Waiting(NamedTuple):
    """Who waits for what, as read without a lock."""

    id: int
    services: Sequence[str]
    first_day: date
    last_day: date
    half: str
    party: int


def _waiting(session: Session, office_id: str, whose: ColumnElement[bool]) -> list[_Waiting]:
    rows = session.execute(
        select(
            BookingWish.id, BookingWish.services, BookingWish.first_day, BookingWish.last_day, BookingWish.half,
            BookingWish.party,
        )
        .where(BookingWish.office_id == office_id, BookingWish.state == WishState.WAITING, whose)
        .order_by(BookingWish.offers, BookingWish.id)
    )  # fmt: skip
    return [_Waiting(*row) for row in rows]


class _Free:
    """What is free for those who wait. Many wait for the same: it is looked up once, until a place of it goes."""

    def __init__(self, session: Session, office_id: str, *, at: datetime) -> None:
        self._session, self._office_id, self._at = session, office_id, at
        self._seen: dict[tuple[object, ...], list[Slot]] = {}

    def first(self, wish: _Waiting) -> Slot | None:
        """The first free slot that suits."""
        key = (*wish.services, wish.first_day, wish.last_day, wish.party)
        if key not in self._seen:
            self._seen[key] = self._look(wish)
        return next((slot for slot in self._seen[key] if Half(wish.half).suits(slot.start)), None)

    def _look(self, wish: _Waiting) -> list[Slot]:
        try:
            asked = availability.visit(self._session, office_id=self._office_id, services=wish.services)
            days = availability.days(wish.first_day, wish.last_day)
            slots = availability.of_days(self._session, asked, days, party=wish.party, at=self._at)
        except DomainError:
            # The service is no longer offered here; the wish runs out with its days.
            return []
        return [slot for slot in slots if slot.free > 0]

    def forget(self) -> None:
        """A place has gone."""
        self._seen.clear()


def _offer_one(session: Session, waiting: _Waiting, free: _Free, *, at: datetime) -> bool:
    over = waiting.last_day < business_date(at)
    found = None if over else free.first(waiting)
    wish = _locked(session, waiting.id) if over or found is not None else None
    if wish is not None and over:
        _set(wish, WishState.LAPSED, at=at)
    if wish is None or found is None:
        return False
    asked = holds.Asked(
        office_id=wish.office_id, services=wish.services, start=found.start, party=wish.party, channel="waiting_list",
        language=wish.language, lasts=min(OFFER_LASTS, found.start - at),
    )  # fmt: skip
    # No token opens this hold: it is taken through the link of the wish, which then gives it a seed of its own.
    mark = f"wish:{wish.id}:{wish.offers}"
    held = holds.try_hold(session, asked=asked, seed=mark, hashed=mark, actor="waiting_list", at=at)
    free.forget()
    if held is None:
        return False
    wish.booking_id, wish.offers = held.id, wish.offers + 1
    _set(wish, WishState.OFFERED, at=at)
    session.flush()
    booking_events.offered(session, wish, held, at=at)
    return True


def _locked(session: Session, wish_id: int) -> BookingWish | None:
    """Who still waits; None where somebody else is at it or it has ended."""
    return session.scalars(
        select(BookingWish)
        .where(BookingWish.id == wish_id, BookingWish.state == WishState.WAITING)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


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


def release(session: Session, wish: BookingWish, *, at: datetime) -> date | None:
    """Give back what is offered to a wish that is withdrawn, if it still is; the day of it."""
    booking = session.get(Booking, wish.booking_id, with_for_update=True) if wish.booking_id else None
    if booking is None or booking.state != State.HELD:
        return None
    booking.state, booking.changed_at, booking.ended_at = rules.after(State.HELD, Action.CANCEL), at, at
    booking.expires_at = None
    session.flush()
    holds.log(session, booking.id, Action.CANCEL, before=State.HELD, after=State.CANCELLED, actor="resident", at=at)
    holds.give_back(session, booking)
    return booking.business_date


__all__ = ["MOST_OFFERS", "OFFER_LASTS", "lapse", "offer", "release"]
