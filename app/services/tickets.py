"""A ticket from the first touch to its page: issue, confirm on arrival, look up, describe."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.calling import Entry
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.refs import NumberFormat, ticket_token, token_hash
from app.domain.ticket import Phase, State, status
from app.models.place import Category, Counter, Offering, Office, Service
from app.models.ticket import Step, Ticket
from app.services import events, hours, lines, queue, waits

MOST_SERVICES = 12
# One look for all that a number needs of the catalogue; the session keeps the category and the service for later.
_OFFERED = (
    select(Offering, Category, Service)
    .join(Category, Category.id == Offering.category_id)
    .join(Service, Service.id == Offering.service_id)
    .where(Offering.office_id == bindparam("office"), Offering.service_id.in_(bindparam("services", expanding=True)))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a party asks for at the kiosk, on the web or through staff."""

    services: Sequence[str]
    channel: str
    language: str = "ja"
    priority: bool = False
    party: int = 1
    confirm_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A fresh ticket with what its holder is told: people ahead (None: not in line yet) and the range promised."""

    ticket: Ticket
    steps: Sequence[Step]
    ahead: int | None
    told: dict[str, int] | None


def _offerings(session: Session, office: Office, wish: Wish) -> list[Offering]:
    if not 1 <= len(wish.services) <= MOST_SERVICES or len(set(wish.services)) != len(wish.services):
        raise InvalidInput("bad_services")
    found = {
        offering.service_id: offering
        for offering, *_ in session.execute(_OFFERED, {"office": office.id, "services": list(wish.services)})
        if offering.active
    }
    if len(found) != len(wish.services):
        raise NotFound(what="service")
    return [found[service] for service in wish.services]


def _refuse_closed(
    session: Session, office: Office, offerings: Sequence[Offering], wish: Wish, *, at: datetime
) -> None:
    """Training mode is always open: its numbers call nobody."""
    if not office.settings.get("training"):
        hours.require_reception(session, office.id, offerings, at=at, staff=wish.channel == "staff")


def _number(session: Session, category: Category, *, at: datetime) -> tuple[int, str]:
    shape = category.numbers
    numbers = NumberFormat(
        prefix=category.prefix, digits=shape.get("digits", 3), first=shape.get("first", 1),
        skip=frozenset(shape.get("skip", ())),
    )  # fmt: skip
    line = lines.number_line(session, category.id, business_date(at))
    line.last_serial = numbers.following(line.last_serial)
    return line.last_serial, numbers.text(line.last_serial)


def _steps(session: Session, ticket: Ticket, offerings: Sequence[Offering], *, at: datetime) -> list[Step]:
    steps: list[Step] = []
    for offering in offerings:
        service = session.get_one(Service, offering.service_id)
        for phase in service.phases:
            steps.append(
                Step(
                    office_id=ticket.office_id, business_date=ticket.business_date,
                    position=len(steps), service_id=service.id, category_id=offering.category_id, phase=phase,
                    state=State.PENDING, serial=ticket.serial, priority=ticket.priority, changed_at=at,
                )
            )  # fmt: skip
    return steps


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

    ``seed`` is fresh chance, ``secret`` derives the token. Raises NotFound, Closed, InvalidInput.
    """
    office = events.lock_office(session, office_id)
    offerings = _offerings(session, office, wish)
    _refuse_closed(session, office, offerings, wish, at=at)
    category = session.get_one(Category, offerings[0].category_id)
    if category.booking_only and wish.channel in ("kiosk", "web"):
        raise Conflict("booking_only")
    serial, number = _number(session, category, at=at)
    ticket = Ticket(
        office_id=office.id, business_date=business_date(at), category_id=category.id, number=number, serial=serial,
        seed=seed, token_hash=token_hash(ticket_token(secret, seed)), language=wish.language, priority=wish.priority,
        party=wish.party, channel=wish.channel, issued_at=at, confirm_by=wish.confirm_by,
    )  # fmt: skip
    steps = _steps(session, ticket, offerings, at=at)
    if wish.confirm_by is None:
        lines.join(session, steps[0], entry=Entry.WALK_IN, at=at)
    session.add(ticket)
    session.flush()
    for step in steps:
        step.ticket_id = ticket.id
    session.add_all(steps)
    if wish.confirm_by is not None:
        session.flush()
        events.append(session, office, action="issue", actor=actor, at=at, step=steps[0], request_key=request_key)
        return Issued(ticket=ticket, steps=steps, ahead=None, told=None)
    queue.enter(session, office, steps[0], actor=actor, at=at, request_key=request_key)
    ahead = lines.ahead(session, steps[0])
    told = waits.record(session, steps[0], ahead=ahead, at=at)
    return Issued(ticket=ticket, steps=steps, ahead=ahead, told=told._asdict() if told else None)


def confirm(session: Session, ticket: Ticket, *, actor: str, at: datetime) -> Ticket:
    """A web ticket confirmed on arrival joins the line now. Raises Conflict when too late or cancelled."""
    office = events.lock_office(session, ticket.office_id)
    ticket = session.get_one(Ticket, ticket.id, populate_existing=True)
    steps = lines.steps_of(session, ticket.id)
    if ticket.confirm_by is None:
        return ticket
    if at > ticket.confirm_by or steps[0].state != State.PENDING:
        raise Conflict("confirm_too_late")
    ticket.confirm_by = None
    queue.start_waiting(session, office, steps[0], entry=Entry.WALK_IN, actor=actor, at=at)
    waits.record(session, steps[0], ahead=lines.ahead(session, steps[0]), at=at)
    return ticket


def expire_unconfirmed(session: Session, *, office_id: str, at: datetime) -> int:
    """Cancel web tickets that were not confirmed in time; returns how many."""
    overdue = session.scalars(select(Ticket).where(Ticket.office_id == office_id, Ticket.confirm_by < at)).all()
    for ticket in overdue:
        queue.cancel_ticket(session, ticket=ticket, actor="system", at=at, reason="unconfirmed")
        ticket.confirm_by = None
    return len(overdue)


def by_token(session: Session, token: str) -> Ticket:
    """The ticket of a link; raises NotFound, the same for a wrong, foreign or erased token."""
    ticket = session.scalar(select(Ticket).where(Ticket.token_hash == token_hash(token)))
    if ticket is None:
        raise NotFound(what="ticket")
    return ticket


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
