"""A booking from the held slot to the arrival: confirm, move, cancel, check in.

Every change takes the booking's row first and moves its state along the table (domain/booking.py); places are given
and taken in the same transaction, so a slot is never both released and sold twice.
"""

from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.sealed import Sealer
from app.domain import booking as rules
from app.domain.booking import MOST_BOOKINGS, Action, Person, State, Timing
from app.domain.calendar import JST, business_date, instant
from app.domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound, TooMany
from app.domain.refs import token_hash
from app.domain.slots import LineRules
from app.models.booking import Booking
from app.models.ticket import Ticket
from app.services import availability, booking_events, events, holds, hours, places, tickets, waiting_offers
from app.services.availability import Visit
from app.services.holds import Held
from config.failpoints import fail_at

_SAID = {
    State.HELD: "booking_not_confirmed", State.BOOKED: "booking_not_held", State.ARRIVED: "booking_arrived",
    State.CANCELLED: "booking_cancelled", State.EXPIRED: "hold_expired", State.NO_SHOW: "booking_lapsed",
}  # fmt: skip
# How a line is arrived at whose own rules are gone.
_USUAL, _USUAL_GRACE = LineRules(grid=15, capacity=1), 5.0


def by_token(session: Session, token: str) -> Booking:
    """The booking of a link; raises NotFound, the same for a wrong, foreign or erased token."""
    found = session.scalar(select(Booking).where(Booking.token_hash == token_hash(token)))
    if found is None:
        raise NotFound(what="booking")
    return found


def token_of(booking: Booking, secret: bytes) -> str:
    """The token of the booking's link, derived anew."""
    return rules.token(secret, "booking", booking.seed)


def lock(session: Session, booking_id: int) -> Booking:
    """The booking's row, held until the end of the transaction; raises NotFound."""
    query = select(Booking).where(Booking.id == booking_id).with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound(what="booking")
    return found


def _move_state(
    session: Session, booking: Booking, action: Action, *, actor: str, at: datetime, reason: str | None = None,
    details: dict[str, object] | None = None,
) -> None:  # fmt: skip
    """The only door to the state of a booking that exists, besides the expiry of holds (holds.py)."""
    before = State(booking.state)
    try:
        booking.state = rules.after(before, action)
    except IllegalTransition:
        raise Conflict(_SAID[before]) from None
    booking.changed_at = at
    if booking.state in (State.CANCELLED, State.EXPIRED, State.NO_SHOW):
        booking.ended_at = at
    holds.log(session, booking.id, action, before=before, after=State(booking.state), actor=actor, at=at,
              reason=reason, details=details)  # fmt: skip


def visit_of(session: Session, booking: Booking) -> Visit:
    """What the booking is for, as the rules stand now; what had no slot when it was booked gets none later.

    The promise outlives the catalogue: what is offered no more (``withdrawn``) is still looked at, come for and
    cancelled; only another time cannot be promised for it.
    """
    return availability.visit(
        session, office_id=booking.office_id, services=booking.services, staff=True, along=frozenset(along(booking)),
        bookable_only=False,
    )  # fmt: skip


def to_move(session: Session, booking: Booking, *, staff: bool = False) -> Visit:
    """The visit another time is looked for. Raises Conflict("booking_withdrawn"); staff move whatever has slots."""
    found = visit_of(session, booking)
    if found.withdrawn and not (staff and found.bookable):
        raise Conflict("booking_withdrawn")
    return found


def along(booking: Booking) -> list[str]:
    """The services that follow on the same number without a slot of their own."""
    planned = rules.described(booking.plan)
    return [name for name in booking.services if name not in planned]


def confirm(
    session: Session, held: Booking | Held, *, person: Person, sealer: Sealer, secret: bytes, actor: str, at: datetime,
    language: str | None = None,
) -> Booking:  # fmt: skip
    """Make a hold a booking with a reference; what nobody asks for is not kept.

    ``person`` in normal form (``person_of``). Raises Conflict("hold_expired", "booking_not_held",
    "booking_overlaps"), InvalidInput("booking_incomplete"), TooMany("too_many_bookings").
    """
    booking = lock(session, held.id)
    if booking.state == State.HELD and booking.expires_at is not None and booking.expires_at <= at:
        raise Conflict("hold_expired")
    asks = visit_of(session, booking).asks
    missing = person.missing(asks)
    if missing and booking.state == State.HELD:
        raise InvalidInput("booking_incomplete", fields=missing)
    reference = _free_reference(session, secret, booking.seed)
    _move_state(session, booking, Action.CONFIRM, actor=actor, at=at)
    person, booking.reference = person.kept(asks), reference
    _seal(session, booking, person, sealer, at=at)
    booking.expires_at, booking.holder, booking.confirmed_at = None, None, at
    booking.language = language or booking.language
    session.flush()
    booking_events.confirmed(session, booking, person, sealer=sealer, at=at)
    fail_at("book.before_commit")
    return booking


def person_of(*, name: str = "", phone: str = "", email: str = "", notes: str = "") -> Person:
    """What a person typed, in normal form; raises InvalidInput with the field ("bad_name", "bad_phone", …)."""
    return Person(
        name=rules.person_name(name) if name.strip() else "", phone=rules.telephone(phone) if phone.strip() else "",
        email=rules.email(email) if email.strip() else "", notes=rules.notes(notes) if notes.strip() else "",
    )  # fmt: skip


def _seal(session: Session, booking: Booking, person: Person, sealer: Sealer, *, at: datetime) -> None:
    """Put what the person told into the row, sealed; refuse a contact that has too much booked already."""
    for field in ("name", "phone", "email", "notes"):
        value: str = getattr(person, field)
        if value:
            setattr(booking, f"sealed_{field}", sealer.seal(value, rules.place_of(booking.seed, field)))
    if person.name:
        booking.name_index = sealer.index("name", rules.name_key(person.name))
    for field, value in (("phone", person.phone), ("email", rules.counted(person.email))):
        if value:
            index = sealer.index(field, value)
            setattr(booking, f"{field}_index", index)
            _refuse_too_many(session, booking, getattr(Booking, f"{field}_index"), index, at=at)


def _refuse_too_many(session: Session, booking: Booking, column: Any, index: str, *, at: datetime) -> None:
    """Staff may book for a family that shares one number, and a care home's; the public may not hoard."""
    if booking.staff or booking.channel == "staff":
        return
    holds.queue_for(session, f"contact:{index}")
    live = session.execute(
        select(Booking.start_at, Booking.end_at).where(
            column == index, Booking.id != booking.id, Booking.state == State.BOOKED, Booking.end_at > at
        )
    ).all()
    if any(row.start_at < booking.end_at and booking.start_at < row.end_at for row in live):
        raise Conflict("booking_overlaps")
    if len(live) >= MOST_BOOKINGS:
        raise TooMany("too_many_bookings", retry_after=3600)


def _free_reference(session: Session, secret: bytes, seed: str) -> str:
    """The first reference of this seed that no booking has; the unique constraint has the last word."""
    for attempt in range(20):
        found = rules.reference(secret, seed, attempt)
        if session.scalar(select(Booking.id).where(Booking.reference == found)) is None:
            return found
    raise Conflict("constraint")


def move(
    session: Session, booking: Booking, *, start: datetime, actor: str, at: datetime, staff: bool = False,
    reason: str | None = None,
) -> Booking:  # fmt: skip
    """Another start for the same booking: the new places and the old ones change in one transaction, or neither.

    The same start again changes nothing. Raises what holding a slot raises; the old slot stays then.
    """
    booking = lock(session, booking.id)
    if booking.start_at == start and booking.state == State.BOOKED:
        return booking
    if State(booking.state) is not State.BOOKED:
        raise Conflict(_SAID[State(booking.state)])
    _refuse_begun(booking, at=at, staff=staff)
    asked, before = to_move(session, booking, staff=staff), booking.start_at
    availability.refuse_out_of_reach(asked, start, at=at, staff=staff)
    own = places.of_booking(session, booking.id, staff=booking.staff)
    fit = availability.fit(session, asked, start, party=booking.party, at=at, staff=booking.staff or staff, own=own)
    old = places.strike(session, [(booking.id, booking.staff)])
    booking.staff = booking.staff or staff
    places.change(session, office_id=booking.office_id, take=fit.claims, give=old, staff=booking.staff)
    holds.put_places(session, booking.id, fit)
    _settle(booking, asked, fit)
    _move_state(session, booking, Action.MOVE, actor=actor, at=at, reason=reason,
                details={"from": before.isoformat(), "to": start.isoformat()})  # fmt: skip
    session.flush()
    fail_at("move.before_commit")
    booking_events.moved(session, booking, at=at)
    waiting_offers.offer(session, office_id=booking.office_id, at=at, day=business_date(before))
    return booking


def _settle(booking: Booking, asked: Visit, fit: availability.Fit) -> None:
    """Write a plan into the row of its booking."""
    plan = fit.plan
    booking.start_at, booking.end_at, booking.business_date = plan.start, plan.end, business_date(plan.start)
    booking.category_id, booking.plan = plan.stages[0].line, holds.stored(fit)
    booking.no_show_at = rules.no_show_at(plan.start, asked.rules[plan.stages[0].line])
    booking.moves += 1


def _refuse_begun(booking: Booking, *, at: datetime, staff: bool) -> None:
    """Whoever is late checks in or is missed; the place has been spent."""
    if at >= booking.start_at and not staff:
        raise Conflict("booking_lapsed")


def cancel(
    session: Session, booking: Booking, *, actor: str, at: datetime, reason: str | None = None
) -> bool:  # fmt: skip
    """Give the slot back to everyone; False when it was cancelled or had expired already.

    Raises Conflict("booking_arrived", "booking_lapsed") after the arrival and for one who did not come.
    """
    booking = lock(session, booking.id)
    if booking.state in (State.CANCELLED, State.EXPIRED):
        return False
    was = State(booking.state)
    _move_state(session, booking, Action.CANCEL, actor=actor, at=at, reason=reason)
    booking.expires_at = None
    session.flush()
    holds.give_back(session, booking)
    fail_at("cancel.before_commit")
    if was is State.BOOKED:
        booking_events.cancelled(session, booking, at=at)
    waiting_offers.offer(session, office_id=booking.office_id, at=at, day=booking.business_date)
    return True


def check_in(
    session: Session, booking: Booking, *, seed: str, secret: bytes, actor: str, at: datetime, priority: bool = False,
    request_key: str | None = None,
) -> tuple[Ticket, tickets.Issued | None]:  # fmt: skip
    """The party has come: one number for the whole visit, each step at its slot; again: the same number, None.

    What has no slot follows: its place is as if the party had come into that line now (journeys.py).
    ``seed`` derives the ticket's link. Who comes after the place was given up gets a number as without a booking.
    Raises Conflict("check_in_early", "check_in_over", "check_in_other_day") and what the booking is instead.
    """
    office = events.lock_office(session, booking.office_id)
    booking = lock(session, booking.id)
    if booking.state == State.ARRIVED and booking.ticket_id is not None:
        return session.get_one(Ticket, booking.ticket_id), None
    if (State(booking.state), Action.CHECK_IN) not in rules.TABLE:
        raise Conflict(_SAID[State(booking.state)])
    came = arrival(session, booking, at=at)
    if came is Timing.TOO_EARLY:
        raise Conflict("check_in_early", opens_at=check_in_opens(session, booking).isoformat())
    if came is Timing.OVER:
        raise Conflict("check_in_over")
    kept = came is not Timing.MISSED
    issued = tickets.issue_told(
        session, office_id=office.id, seed=seed, secret=secret, actor=actor, at=at, request_key=request_key,
        wish=tickets.Wish(
            services=rules.described(booking.plan) + along(booking), channel="booking", language=booking.language,
            priority=priority, party=booking.party, slots=_slots(booking) if kept else {},
        ),
    )  # fmt: skip
    booking.ticket_id = issued.ticket.id
    _move_state(session, booking, Action.CHECK_IN, actor=actor, at=at,
                details={"number": issued.ticket.number, "timing": str(came)})  # fmt: skip
    session.flush()
    fail_at("check_in.before_commit")
    return issued.ticket, issued


def _slots(booking: Booking) -> dict[str, datetime]:
    return {str(stage["service"]): datetime.fromisoformat(str(stage["start"])) for stage in booking.plan}


def check_in_opens(session: Session, booking: Booking) -> datetime:
    """From then on it may be checked in."""
    first, _ = _first_line(session, booking)
    return booking.start_at - timedelta(minutes=first.check_in_early)


def _first_line(session: Session, booking: Booking) -> tuple[LineRules, float]:
    """The rules of the line the visit begins in, and its grace (minutes); usual ones where it is booked no more."""
    asked = visit_of(session, booking)
    line = booking.category_id if booking.category_id in asked.rules else next(iter(asked.rules), booking.category_id)
    return asked.rules.get(line, _USUAL), asked.graces.get(line, _USUAL_GRACE)


def arrival(session: Session, booking: Booking, *, at: datetime) -> Timing:
    """How a check-in at this instant would be taken."""
    first, grace = _first_line(session, booking)
    return rules.timing(booking.start_at, first, grace=grace, at=at, day_ends=_day_ends(session, booking))


def _day_ends(session: Session, booking: Booking) -> datetime:
    """When the line closes on the day of the booking; midnight where its hours are no longer known."""
    opening = hours.opening(session, booking.office_id, booking.business_date, booking.category_id)
    midnight = datetime.combine(booking.business_date + timedelta(days=1), time(0), JST)
    return max((instant(booking.business_date, each.closes) for each in opening), default=midnight)
