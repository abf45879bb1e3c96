"""A ticket from the first touch to its page: issue, confirm on arrival, look up, describe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Date, bindparam, select
from sqlalchemy.orm import Session

from app.db import later, objects
from app.db.objects import Look
from app.domain.calendar import business_date
from app.domain.calling import Entry
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.refs import NumberFormat, normal_number, ticket_token, token_hash
from app.domain.ticket import Phase, State, status
from app.models.place import Category, Counter, Offering, Office, Service
from app.models.ticket import NumberLine, Step, Ticket
from app.services import events, hours, lines, queue, waits

# One more than the longest life event asks for when nothing is known (config/sample/life).
MOST_SERVICES = 16
# How long a number taken at home waits for its holder where the office has it confirmed on arrival.
CONFIRM_WITHIN = timedelta(hours=1)
# One look for all that a number needs; the session keeps the category, its line of today and the service for later.
_OFFERED = Look(
    select(Offering, Category, Service, NumberLine)
    .join(Category, Category.id == Offering.category_id)
    .join(Service, Service.id == Offering.service_id)
    .outerjoin(
        NumberLine, (NumberLine.category_id == Category.id) & (NumberLine.business_date == bindparam("day", type_=Date))
    )
    .where(Offering.office_id == bindparam("office"), Offering.service_id.in_(bindparam("services", expanding=True))),
    "services",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a party asks for at the kiosk, on the web or through staff.

    ``slots``: the start it has booked of each service; then each waits in its place.
    """

    services: Sequence[str]
    channel: str
    language: str = "ja"
    priority: bool = False
    party: int = 1
    confirm_by: datetime | None = None
    slots: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A fresh ticket with what its holder is told: people ahead (None: not in line yet) and the range promised."""

    ticket: Ticket
    token: str
    steps: Sequence[Step]
    ahead: int | None
    told: dict[str, int] | None


def _offerings(session: Session, office: Office, wish: Wish, *, at: datetime) -> list[Offering]:
    if not 1 <= len(wish.services) <= MOST_SERVICES or len(set(wish.services)) != len(wish.services):
        raise InvalidInput("bad_services")
    asked = {"office": office.id, "services": list(wish.services), "day": business_date(at)}
    # Who was promised a time comes to the line it was promised in, whatever the catalogue has become since.
    kept = wish.channel == "booking"
    rows = _OFFERED.rows(session, asked)
    found = {offering.service_id: offering for offering, *_ in rows if offering.active or kept}
    if len(found) != len(wish.services):
        raise NotFound(what="service")
    return [found[service] for service in wish.services]


def _refuse_elsewhere(session: Session, offerings: Sequence[Offering], wish: Wish) -> None:
    """Lines that give numbers by booking or in the building only; staff may give one of any line."""
    if wish.channel not in ("kiosk", "web"):
        return
    for each in offerings:
        category = session.get_one(Category, each.category_id)
        if category.booking_only:
            raise Conflict("booking_only")
        if wish.channel == "web" and not category.web_ticket:
            raise Conflict("not_on_the_web")


def _refuse_closed(
    session: Session, office: Office, offerings: Sequence[Offering], wish: Wish, *, at: datetime
) -> None:
    """Training mode is always open: its numbers call nobody."""
    if not office.training:
        # A booked party begins in its first line; the others were promised for their own time.
        asked = offerings[:1] if wish.channel == "booking" else offerings
        hours.require_reception(session, office.id, asked, at=at, staff=wish.channel in ("staff", "booking"))


def _number(session: Session, category: Category, *, at: datetime) -> tuple[int, str]:
    shape = category.numbers
    numbers = NumberFormat(
        prefix=category.prefix, digits=shape.get("digits", 3), first=shape.get("first", 1),
        skip=frozenset(shape.get("skip", ())),
    )  # fmt: skip
    line = lines.number_line(session, category.id, business_date(at))
    serial = numbers.following(line.last_serial)
    later.set_later(session, line, {"last_serial": serial})
    return serial, numbers.text(serial)


def _steps(session: Session, ticket: Ticket, offerings: Sequence[Offering], *, at: datetime) -> list[Step]:
    steps: list[Step] = []
    for offering in offerings:
        service = session.get_one(Service, offering.service_id)
        for phase in service.phases:
            steps.append(
                Step(
                    ticket_id=ticket.id, office_id=ticket.office_id, business_date=ticket.business_date,
                    position=len(steps), service_id=service.id, category_id=offering.category_id, phase=phase,
                    state=State.PENDING, serial=ticket.serial, priority=ticket.priority, changed_at=at,
                )
            )  # fmt: skip
    return steps


def refuse(session: Session, *, office_id: str, wish: Wish, at: datetime) -> None:
    """Raise what ``issue_told`` would as things stand, from a read and without the office's lock; it decides."""
    office = session.get(Office, office_id)
    if office is None:
        raise NotFound(what="office")
    offerings = _offerings(session, office, wish, at=at)
    _refuse_closed(session, office, offerings, wish, at=at)
    _refuse_elsewhere(session, offerings, wish)


def issue(session: Session, **asked: Any) -> Ticket:
    """``issue_told`` for callers who need the ticket alone."""
    return issue_told(session, **asked).ticket


def issue_told(
    session: Session,
    *,
    office_id: str,
    wish: Wish,
    seed: str,
    secret: bytes,
    actor: str,
    at: datetime,
    request_key: str | None = None,
) -> Issued:
    """Give the next number of the first service's category; the first step begins to wait.

    ``seed`` is fresh chance, ``secret`` derives the token. Raises NotFound, Closed, InvalidInput,
    Conflict("booking_only"), Conflict("not_on_the_web").
    """
    office = events.lock_office(session, office_id)
    offerings = _offerings(session, office, wish, at=at)
    _refuse_closed(session, office, offerings, wish, at=at)
    category = session.get_one(Category, offerings[0].category_id)
    _refuse_elsewhere(session, offerings, wish)
    serial, number = _number(session, category, at=at)
    token = ticket_token(secret, seed)
    ticket = Ticket(
        office_id=office.id, business_date=business_date(at), category_id=category.id, number=number, serial=serial,
        seed=seed, token_hash=token_hash(token), language=wish.language, priority=wish.priority,
        party=wish.party, channel=wish.channel, issued_at=at, confirm_by=wish.confirm_by,
    )  # fmt: skip
    objects.put(session, [ticket], apart="seed")
    steps = _steps(session, ticket, offerings, at=at)
    for step in steps:
        step.slot_at = wish.slots.get(step.service_id) if step.phase == Phase.ACCEPT else None
    if wish.confirm_by is None:
        lines.join(session, steps[0], entry=Entry.BOOKED if steps[0].slot_at else Entry.WALK_IN, at=at)
    if wish.confirm_by is not None:
        objects.put(session, steps, apart="position")
        events.append(session, office, action="issue", actor=actor, at=at, step=steps[0], request_key=request_key)
        return Issued(ticket=ticket, token=token, steps=steps, ahead=None, told=None)
    queue.enter(session, office, steps, actor=actor, at=at, request_key=request_key)
    ahead = lines.ahead(session, steps[0])
    if steps[0].slot_at is not None:
        # A booked party's wait is its slot's, and teaches nothing of a walk-in's.
        told = waits.estimate(session, steps[0], ahead=ahead, at=at)
    else:
        promised = waits.record(session, steps[0], ahead=ahead, at=at)
        told = promised._asdict() if promised else None
    return Issued(ticket=ticket, token=token, steps=steps, ahead=ahead, told=told)


def confirm(
    session: Session, ticket: Ticket, *, actor: str, at: datetime, request_key: str | None = None
) -> Ticket:  # fmt: skip
    """A web ticket confirmed on arrival joins the line now. Raises Conflict when too late or cancelled."""
    office = events.lock_office(session, ticket.office_id)
    ticket = session.get_one(Ticket, ticket.id, populate_existing=True)
    steps = lines.steps_of(session, ticket.id)
    if ticket.confirm_by is None:
        return ticket
    if at > ticket.confirm_by or steps[0].state != State.PENDING:
        raise Conflict("confirm_too_late")
    ticket.confirm_by = None
    queue.start_waiting(session, office, steps[0], entry=Entry.WALK_IN, actor=actor, at=at, request_key=request_key)
    waits.record(session, steps[0], ahead=lines.ahead(session, steps[0]), at=at)
    return ticket


def expire_unconfirmed(session: Session, *, office_id: str, at: datetime) -> int:
    """Cancel web tickets that were not confirmed in time; returns how many."""
    overdue = session.scalars(select(Ticket).where(Ticket.office_id == office_id, Ticket.confirm_by < at)).all()
    for ticket in overdue:
        # One that staff have called or begun all the same is as good as confirmed.
        if lines.steps_of(session, ticket.id)[0].state == State.PENDING:
            queue.cancel_ticket(session, ticket=ticket, actor="system", at=at, reason="unconfirmed")
        ticket.confirm_by = None
    return len(overdue)


def brought(session: Session, office_id: str, code: str, *, at: datetime) -> tuple[Ticket, bool] | None:
    """Today's ticket of a code read in the office, and whether it was its link's token; None when it is nobody's.

    A token proves the holder; a number is on every board and proves nothing.
    """
    ticket = session.scalar(select(Ticket).where(Ticket.token_hash == token_hash(code)))
    if ticket is not None:
        return (ticket, True) if (ticket.office_id, ticket.business_date) == (office_id, business_date(at)) else None
    try:
        return lines.find_number(session, office_id, normal_number(code), at=at), False
    except NotFound:
        return None


def by_token(session: Session, token: str) -> Ticket:
    """The ticket of a link; raises NotFound, the same for a wrong, foreign or erased token."""
    ticket = session.scalar(select(Ticket).where(Ticket.token_hash == token_hash(token)))
    if ticket is None:
        raise NotFound(what="ticket")
    return ticket


def spent(session: Session, ticket_id: int) -> dict[str, int]:
    """Whole minutes a visit took so far: ``waited`` in lines until each call, ``served`` at counters."""
    steps = lines.steps_of(session, ticket_id)
    waits = [(each.waiting_since, each.called_at) for each in steps]
    serving = [(each.started_at, each.ended_at) for each in steps]
    return {"waited": _minutes(waits), "served": _minutes(serving)}


def _minutes(spans: Sequence[tuple[datetime | None, datetime | None]]) -> int:
    whole = sum((end - start).total_seconds() for start, end in spans if start and end and end > start)
    return round(whole / 60)


def _step_view(session: Session, step: Step) -> dict[str, Any]:
    service = session.get_one(Service, step.service_id)
    counter = session.get(Counter, step.counter_id) if step.counter_id else None
    return {
        "id": step.id, "service": step.service_id, "name": service.name, "phase": step.phase, "state": step.state,
        "category": step.category_id, "counter": counter.number if counter else None,
        "hall": counter.hall_id if counter else None, "called_at": step.called_at, "recalls": step.recalls,
        "ended_at": step.ended_at,
    }  # fmt: skip


def describe(session: Session, ticket: Ticket, *, at: datetime) -> dict[str, Any]:
    """The ticket as its page and the API tell it: steps, people ahead, a range or None, the counter when called.

    Instants stay datetimes, names stay dictionaries by language; no secret is among the values.
    """
    steps = lines.steps_of(session, ticket.id)
    waiting = next((step for step in steps if step.state == State.WAITING), None)
    ahead = lines.ahead(session, waiting) if waiting else None
    told = waits.estimate(session, waiting, ahead=ahead or 0, at=at) if waiting else None
    return _view(session, ticket, steps, ahead=ahead, told=told)


def describe_issued(session: Session, issued: Issued) -> dict[str, Any]:
    """What ``describe`` tells of a ticket in the transaction that issued it, without asking anything twice."""
    return _view(session, issued.ticket, issued.steps, ahead=issued.ahead, told=issued.told)


def _view(
    session: Session, ticket: Ticket, steps: Sequence[Step], *, ahead: int | None, told: dict[str, int] | None
) -> dict[str, Any]:
    at_counter = next((step for step in steps if step.state in (State.CALLED, State.SERVING)), None)
    counter = session.get_one(Counter, at_counter.counter_id) if at_counter and at_counter.counter_id else None
    category = session.get_one(Category, ticket.category_id)
    return {
        "id": ticket.id, "number": ticket.number, "office": ticket.office_id, "business_date": ticket.business_date,
        "category": category.id, "prefix": category.prefix, "status": status(State(step.state) for step in steps),
        "language": ticket.language, "priority": ticket.priority, "party": ticket.party, "issued_at": ticket.issued_at,
        "confirm_by": ticket.confirm_by, "steps": [_step_view(session, step) for step in steps], "ahead": ahead,
        "estimate": told,
        "counter": counter.number if counter else None, "hall": counter.hall_id if counter else None,
        "delivering": bool(at_counter and at_counter.phase == Phase.DELIVER),
    }  # fmt: skip


def view(session: Session, *, token: str, at: datetime) -> dict[str, Any]:
    """``describe`` for the holder of a link; raises NotFound."""
    return describe(session, by_token(session, token), at=at)
