"""The waiting list (キャンセル待ち) of full days, as the person who waits sees it: ask, look, take the offer, leave."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain import booking as rules
from app.domain.booking import Half, Person, State, WishState
from app.domain.calendar import JST
from app.domain.errors import Conflict, InvalidInput, NotFound, TooMany
from app.domain.refs import token_hash
from app.models.booking import Booking, BookingWish
from app.services import availability, booking_events, bookings, holds, waiting_offers
from app.services.visits import Visit

MOST_WISHES = 3
OPEN = (WishState.WAITING, WishState.OFFERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody waits for: any start in this half of these days, both included."""

    office_id: str
    services: tuple[str, ...]
    first_day: date
    last_day: date
    half: Half = Half.EITHER
    party: int = 1
    language: str = "ja"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place on the list. ``ahead``: who wait for some of the same times before; ``offered``: the start on offer."""

    wish: BookingWish
    state: WishState
    ahead: int
    offered: datetime | None
    until: datetime | None


def token_of(wish: BookingWish, secret: bytes) -> str:
    """The token of the wish's link."""
    return rules.token(secret, "wish", wish.seed)


def ask(
    session: Session, *, wanted: Wanted, person: Person, seed: str, secret: bytes, sealer: Sealer, at: datetime
) -> BookingWish:
    """Put somebody on the list.

    Raises InvalidInput("contact_needed"), Conflict("day_not_full", "nothing_to_wait_for"), TooMany("too_many_wishes")
    and what asking for slots raises.
    """
    asked = _refuse_free(session, wanted, at=at)
    until = datetime.combine(wanted.last_day, datetime.max.time(), JST)
    contact_id = booking_events.keep_contact(
        session, person, municipality_id=asked.municipality_id, until=until, sealer=sealer, at=at
    )
    if contact_id is None:
        raise InvalidInput("contact_needed", fields=["contact"])
    index = _index(sealer, person)
    holds.queue_for(session, f"wish:{index}")
    _refuse_many(session, index)
    wish = BookingWish(
        office_id=wanted.office_id, state=WishState.WAITING, seed=seed,
        token_hash=token_hash(rules.token(secret, "wish", seed)), services=list(asked.services), party=wanted.party,
        first_day=wanted.first_day, last_day=wanted.last_day, half=wanted.half, language=wanted.language,
        contact_id=contact_id, contact_index=index, created_at=at, changed_at=at, offers=0, booking_id=None,
    )  # fmt: skip
    session.add(wish)
    session.flush()
    return wish


def refuse(session: Session, *, wanted: Wanted, person: Person, sealer: Sealer, at: datetime) -> None:
    """Raise what ``ask`` would as things stand, from a read: a shortcut, ``ask`` decides."""
    _refuse_free(session, wanted, at=at)
    _refuse_many(session, _index(sealer, person))


def _refuse_free(session: Session, wanted: Wanted, *, at: datetime) -> Visit:
    asked = availability.visit(session, office_id=wanted.office_id, services=wanted.services)
    days = availability.days(wanted.first_day, wanted.last_day)
    slots = availability.of_days(session, asked, days, party=wanted.party, at=at)
    suiting = [slot for slot in slots if wanted.half.suits(slot.start)]
    if not suiting:
        # Nobody is left waiting for a time that there is not.
        raise Conflict("nothing_to_wait_for")
    if any(slot.free for slot in suiting):
        raise Conflict("day_not_full")
    return asked


def _index(sealer: Sealer, person: Person) -> str:
    return sealer.index("wish", person.phone or rules.counted(person.email))


def _refuse_many(session: Session, index: str) -> None:
    open_wishes = select(func.count()).where(BookingWish.contact_index == index, BookingWish.state.in_(OPEN))
    if (session.scalar(open_wishes) or 0) >= MOST_WISHES:
        raise TooMany("too_many_wishes", retry_after=3600)


def by_token(session: Session, token: str) -> BookingWish:
    """The wish of a link; raises NotFound."""
    found = session.scalar(select(BookingWish).where(BookingWish.token_hash == token_hash(token)))
    if found is None:
        raise NotFound(what="wish")
    return found


def place(session: Session, wish: BookingWish, *, at: datetime) -> Place:
    """Where somebody stands on the list, and what is offered."""
    ahead = select(func.count()).where(
        BookingWish.office_id == wish.office_id, BookingWish.state == WishState.WAITING, BookingWish.id != wish.id,
        BookingWish.first_day <= wish.last_day, BookingWish.last_day >= wish.first_day,
        BookingWish.half.in_(Half(wish.half).rivals),
        (BookingWish.offers < wish.offers) | ((BookingWish.offers == wish.offers) & (BookingWish.id < wish.id)),
    )  # fmt: skip
    held = session.get(Booking, wish.booking_id) if wish.state == WishState.OFFERED and wish.booking_id else None
    stands = held is not None and held.state == State.HELD and held.expires_at is not None and held.expires_at > at
    return Place(
        wish=wish, state=WishState(wish.state),
        ahead=(session.scalar(ahead) or 0) if wish.state == WishState.WAITING else 0,
        offered=held.start_at if held and stands else None, until=held.expires_at if held and stands else None,
    )  # fmt: skip


def accept(
    session: Session, wish: BookingWish, *, person: Person, seed: str, secret: bytes, sealer: Sealer, at: datetime
) -> Booking:
    """Take the offer: it becomes a booking with a link of its own (from ``seed``); again: the same booking.

    Raises Conflict("wish_ended", "hold_expired") and what confirming raises.
    """
    wish = session.get_one(BookingWish, wish.id, with_for_update=True, populate_existing=True)
    if wish.state == WishState.TAKEN and wish.booking_id is not None:
        return session.get_one(Booking, wish.booking_id)
    if wish.state != WishState.OFFERED or wish.booking_id is None:
        raise Conflict("wish_ended")
    booking = bookings.lock(session, wish.booking_id)
    booking.seed, booking.token_hash = seed, token_hash(rules.token(secret, "booking", seed))
    booking = bookings.confirm(session, booking, person=person, sealer=sealer, secret=secret, actor="resident", at=at,
                               language=wish.language)  # fmt: skip
    wish.state, wish.changed_at, wish.contact_index = WishState.TAKEN, at, None
    return booking


def withdraw(session: Session, wish: BookingWish, *, at: datetime) -> bool:
    """Leave the list; what was offered goes to the next. False when it had ended already."""
    wish = session.get_one(BookingWish, wish.id, with_for_update=True, populate_existing=True)
    if wish.state not in OPEN:
        return False
    freed = waiting_offers.release(session, wish, at=at)
    wish.state, wish.changed_at, wish.contact_index = WishState.WITHDRAWN, at, None
    session.flush()
    if freed is not None:
        waiting_offers.offer(session, office_id=wish.office_id, at=at, day=freed)
    return True
