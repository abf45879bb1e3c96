"""Acts of a desk that are more than one move of the table, each in one transaction: undo, no-show and next,
sit down, get up, give a number back, confirm one taken at home."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.domain.calling import Choice
from app.domain.errors import Conflict, NotFound
from app.domain.refs import normal_number, token_hash
from app.domain.ticket import Action
from app.models.people import StaffSession
from app.models.place import Counter
from app.models.ticket import Step, Ticket
from app.services import access, counters, desk, events, lines, queue, tickets

_BACK = {Action.CALL: Action.UNCALL, Action.START: Action.RETURN, Action.FINISH: Action.REOPEN}


def undo(
    session: Session, *, counter_id: str, step_id: int, action: Action, actor: str, at: datetime,
    request_key: str | None = None,
) -> Step:  # fmt: skip
    """Take back the last ``action`` on a step at this counter, as the screen promised; the step as it is then.

    A missed, parked or transferred party is called to this counter again. Raises Conflict("undo_gone") when
    something has happened since, and what the queue refuses.
    """
    events.lock_office(session, events.office_of(session, Counter, counter_id))
    counter = session.get_one(Counter, counter_id, populate_existing=True)
    step = session.get(Step, step_id, populate_existing=True)
    mine = step if step in desk.held(session, counter, at=at) else None
    known = desk.undo(session, counter, at=at, step=mine)
    if known is None or (known.step_id, known.action) != (step_id, action):
        raise Conflict("undo_gone")
    back = _BACK.get(action)
    if back is not None:
        return queue.act(session, step_id=step_id, action=back, actor=actor, at=at, counter_id=counter_id,
                         request_key=request_key, reason="undo")  # fmt: skip
    called = queue.call_step(
        session, counter_id=counter_id, step_id=step_id, actor=actor, at=at, request_key=request_key
    )
    if action is Action.TRANSFER:
        queue.act(session, step_id=step_id, action=Action.TRANSFER, actor=actor, at=at, counter_id=counter_id,
                  service_id=known.details.get("service_before"), request_key=request_key, reason="undo")  # fmt: skip
        called = queue.call_step(
            session, counter_id=counter_id, step_id=step_id, actor=actor, at=at, request_key=request_key
        )
    return called


def miss_and_next(
    session: Session, *, counter_id: str, step_id: int, actor: str, at: datetime, request_key: str | None = None
) -> tuple[Step, Choice] | None:
    """Somebody did not come: mark it and call whose turn it is. None when nobody waits."""
    queue.act(session, step_id=step_id, action=Action.MISS, actor=actor, at=at, counter_id=counter_id,
              request_key=request_key)  # fmt: skip
    return queue.call_next(session, counter_id=counter_id, actor=actor, at=at, request_key=request_key)


def sit(
    session: Session, who: access.Principal, *, token: str, counter_id: str, profile_id: str | None, at: datetime,
    request_key: str | None = None,
) -> Counter:  # fmt: skip
    """Open a counter and remember it in the session of ``token``; the counter left for it closes.

    Raises NotFound, Conflict("counter_taken"), Conflict("counter_busy") while a party is at the old one.
    """
    if who.counter_id is not None and who.counter_id != counter_id:
        get_up(session, who, token=token, at=at, request_key=request_key)
    opened = counters.open_counter(
        session, counter_id=counter_id, actor=who.actor, at=at, profile_id=profile_id, staff_id=who.id,
        staff_name=who.name, request_key=request_key,
    )  # fmt: skip
    _remember(session, token, counter_id)
    return opened


def get_up(
    session: Session, who: access.Principal, *, token: str, at: datetime, request_key: str | None = None
) -> None:
    """Close the own counter and leave it. Raises Conflict("counter_busy") while a party is at it."""
    counter = session.get(Counter, who.counter_id) if who.counter_id else None
    if counter is not None and counter.staff_id in (None, who.id):
        counters.close_counter(session, counter_id=counter.id, actor=who.actor, at=at, request_key=request_key)
    _remember(session, token, None)


def go_home(session: Session, who: access.Principal, *, token: str, at: datetime) -> None:
    """End the session of ``token``; the own counter closes unless a party is still at it."""
    counter = session.get(Counter, who.counter_id) if who.counter_id else None
    if counter is not None and counter.staff_id == who.id and not desk.held(session, counter, at=at):
        counters.close_counter(session, counter_id=counter.id, actor=who.actor, at=at)
    access.end_session(session, token)


def _remember(session: Session, token: str, counter_id: str | None) -> None:
    session.execute(
        update(StaffSession).where(StaffSession.token_hash == token_hash(token)).values(counter_id=counter_id)
    )


def cancel_number(
    session: Session, *, office_id: str, number: str, actor: str, at: datetime, request_key: str | None = None
) -> Ticket:
    """Give a number back for its party. Raises NotFound("number"), IllegalTransition while it is at a counter."""
    ticket = lines.find_number(session, office_id, normal_number(number), at=at)
    if not queue.cancel_ticket(session, ticket=ticket, actor=actor, at=at, request_key=request_key, reason="staff"):
        raise Conflict("already_cancelled")
    return ticket


def confirm_number(
    session: Session, *, office_id: str, number: str, actor: str, at: datetime, request_key: str | None = None
) -> Ticket:
    """The holder of a number taken at home stands at the counter: it joins its line now.

    Raises NotFound("number"), Conflict("confirm_not_needed") for one that has nothing to confirm,
    Conflict("confirm_too_late").
    """
    ticket = lines.find_number(session, office_id, normal_number(number), at=at)
    return confirm_ticket(session, ticket, actor=actor, at=at, request_key=request_key)


def confirm_ticket(
    session: Session, ticket: Ticket, *, actor: str, at: datetime, request_key: str | None = None
) -> Ticket:
    """The same for a ticket that is at hand; its office is locked. Raises Conflict as ``confirm_number``."""
    if ticket.confirm_by is None:
        raise Conflict("confirm_not_needed")
    return tickets.confirm(session, ticket, actor=actor, at=at, request_key=request_key)


def ticket_at(session: Session, ticket_id: int) -> Ticket:
    """A ticket by its id; raises NotFound."""
    ticket = session.get(Ticket, ticket_id) if 0 < ticket_id < 2**63 else None
    if ticket is None:
        raise NotFound(what="ticket")
    return ticket


def step_at(session: Session, step_id: int, office_id: str) -> Step:
    """A step of this office; raises NotFound for any other, as if it did not exist."""
    step = session.get(Step, step_id) if 0 < step_id < 2**63 else None
    if step is None or step.office_id != office_id:
        raise NotFound(what="step")
    return step
