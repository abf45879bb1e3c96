"""The queue: call next, call a number, and every other action on a step.

``_apply`` is the only door to a step's state. Each function takes the office's lock first, so that the
order people are called in is the order the rule gives, also when a counter fails half way.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.db import later, objects
from app.db.ready import Ready
from app.domain.calling import Choice, Entry, choose
from app.domain.errors import Closed, Conflict, IllegalTransition, InvalidInput, NotFound
from app.domain.refs import normal_number
from app.domain.ticket import AT_COUNTER, FINAL, Action, State, after
from app.models.place import Counter, Offering, Office
from app.models.ticket import Step, Ticket
from app.services import events, handover, journeys, lines, notices

REOPEN_WITHIN = timedelta(minutes=10)
_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _apply(
    session: Session,
    office: Office,
    step: Step,
    action: Action,
    *,
    actor: str,
    at: datetime,
    counter: Counter | None = None,
    request_key: str | None = None,
    reason: str | None = None,
    details: Mapping[str, Any] = _NOTHING,
    fresh: Sequence[Step] = (),
) -> None:
    """Move one step by the table, stamp its instants, append its event. Nothing else sets ``state``.

    ``fresh``: the steps of a new ticket, this one among them, written as they are from here on.
    """
    before, state = State(step.state), after(State(step.state), action)
    at_counter = counter.id if action is Action.CALL and counter is not None else step.counter_id
    later.set_later(session, step, _columns(step, action, state, counter, at=at))
    if fresh:
        objects.put(session, fresh, apart="position")
    if state is State.WAITING:
        details = {**details, **lines.place_of(step)}
    notices.after_step(session, office, step, action, at=at)
    events.append(
        session, office, action=action, actor=actor, at=at, step=step, before=before,
        counter_id=at_counter, request_key=request_key, reason=reason, details=details,
    )  # fmt: skip


def _columns(step: Step, action: Action, state: State, counter: Counter | None, *, at: datetime) -> dict[str, Any]:
    """What an action sets: the state and its instants, and the counter while the party is at one."""
    found: dict[str, Any] = {"state": state, "changed_at": at}
    if action is Action.CALL and counter is not None:
        found |= {"counter_id": counter.id, "exclusive": counter.capacity == 1, "called_at": at, "recalls": 0}
    elif action is Action.RECALL:
        found["recalls"] = step.recalls + 1
    elif action is Action.START:
        found["started_at"] = at
    elif action is Action.REOPEN:
        found["ended_at"] = None
    if state in FINAL:
        found["ended_at"] = at
    if state in (State.WAITING, State.PARKED, State.MISSED):
        found["counter_id"] = None
    return found


def _open_counter(session: Session, counter_id: str) -> tuple[Office, Counter]:
    office, counter = events.lock_counter(session, counter_id)
    if counter.state != "open":
        raise Closed("counter_closed")
    return office, counter


_HELD = Ready(select(Step.id).where(Step.counter_id == bindparam("counter"), Step.state.in_(sorted(AT_COUNTER))))


def _refuse_if_full(session: Session, counter: Counter) -> None:
    if len(_HELD.run(later.seen(session, Step), {"counter": counter.id})) >= counter.capacity:
        raise Conflict("counter_busy")


def call_next(
    session: Session, *, counter_id: str, actor: str, at: datetime, request_key: str | None = None
) -> tuple[Step, Choice] | None:
    """Call the step whose turn it is at an open counter; None when nobody waits.

    Raises NotFound, Closed("counter_closed"), Conflict("counter_busy").
    """
    office, counter = _open_counter(session, counter_id)
    _refuse_if_full(session, counter)
    profile = lines.profile(counter)
    choice = choose(lines.heads(session, profile, at=at), profile, at)
    if choice is None:
        return None
    step = session.get_one(Step, choice.head.step_id)
    _apply(session, office, step, Action.CALL, actor=actor, at=at, counter=counter,
           request_key=request_key, reason=choice.reason.code)  # fmt: skip
    return step, choice


def call_number(
    session: Session, *, counter_id: str, number: str, actor: str, at: datetime, request_key: str | None = None
) -> Step:
    """Call a number out of turn; the event's reason says so. Missed and parked numbers rejoin first.

    Raises NotFound("number"), Conflict("counter_busy"), IllegalTransition when it does not wait.
    """
    office, counter = _open_counter(session, counter_id)
    _refuse_if_full(session, counter)
    ticket = lines.find_number(session, office.id, normal_number(number), at=at)
    steps = lines.steps_of(session, ticket.id)
    wanted = (State.WAITING, State.MISSED, State.PARKED)
    step = next((s for state in wanted for s in steps if s.state == state), None)
    if step is None:
        raise IllegalTransition(state=str(steps[0].state), action=str(Action.CALL))
    _call_picked(session, office, counter, step, actor=actor, at=at, request_key=request_key)
    return step


def call_step(
    session: Session, *, counter_id: str, step_id: int, actor: str, at: datetime, request_key: str | None = None
) -> Step:
    """Call one step of a ticket out of turn, as ``call_number`` does; raises the same."""
    office, counter = _open_counter(session, counter_id)
    _refuse_if_full(session, counter)
    step = session.get(Step, step_id, populate_existing=True)
    if step is None or step.office_id != office.id:
        raise NotFound(what="step")
    if step.state not in (State.WAITING, State.MISSED, State.PARKED):
        raise IllegalTransition(state=step.state, action=str(Action.CALL))
    _call_picked(session, office, counter, step, actor=actor, at=at, request_key=request_key)
    return step


def _call_picked(
    session: Session, office: Office, counter: Counter, step: Step, *, actor: str, at: datetime,
    request_key: str | None,
) -> None:  # fmt: skip
    if step.state != State.WAITING:
        lines.join(session, step, entry=Entry.REJOINED, at=at)
        _apply(session, office, step, Action.REJOIN, actor=actor, at=at, request_key=request_key)
    _apply(session, office, step, Action.CALL, actor=actor, at=at, counter=counter,
           request_key=request_key, reason="picked")  # fmt: skip


def act(
    session: Session,
    *,
    step_id: int,
    action: Action,
    actor: str,
    at: datetime,
    counter_id: str | None = None,
    service_id: str | None = None,
    request_key: str | None = None,
    reason: str | None = None,
) -> Step:
    """Any action but ``call`` on one step.

    ``counter_id``: the actor's own counter; a party at another one is refused with
    Conflict("other_counter"). ``service_id``: where ``transfer`` goes. Raises NotFound, IllegalTransition.
    """
    office, step = events.lock_step(session, step_id)
    if action is Action.CALL:
        raise InvalidInput("use_call")
    after(State(step.state), action)
    if counter_id is not None and step.counter_id not in (None, counter_id):
        raise Conflict("other_counter")
    handover.refuse_unpaid(session, step, action)
    details = _prepare(session, step, action, service_id=service_id, at=at)
    _apply(session, office, step, action, actor=actor, at=at, request_key=request_key, reason=reason, details=details)
    if step.state in FINAL:
        _advance(session, office, step, actor=actor, at=at)
    return step


def _prepare(
    session: Session, step: Step, action: Action, *, service_id: str | None, at: datetime
) -> Mapping[str, Any]:
    """What an action needs before the state moves: a place in line, another line, permission to go back."""
    if action is Action.REJOIN:
        lines.join(session, step, entry=Entry.REJOINED, at=at)
    elif action is Action.READY:
        lines.join(session, step, entry=journeys.entry_of(step), at=at)
    elif action is Action.TRANSFER:
        return _transfer(session, step, service_id, at=at)
    elif action is Action.REOPEN:
        journeys.refuse_late_reopen(session, step, within=REOPEN_WITHIN, at=at)
        _refuse_if_full(session, _open_counter(session, step.counter_id or "")[1])
    return _NOTHING


def _transfer(session: Session, step: Step, service_id: str | None, *, at: datetime) -> Mapping[str, Any]:
    offering = session.get(Offering, (step.office_id, service_id)) if service_id else None
    if offering is None or not offering.active:
        raise NotFound(what="service")
    details = {"from": step.category_id, "to": offering.category_id, "service_before": step.service_id}
    later.set_later(session, step, {"service_id": offering.service_id, "category_id": offering.category_id})
    # The arrival is kept, so the other line does not cost a second wait.
    kept = Entry.BOOKED if step.slot_at is not None else Entry.JOURNEY
    lines.join(session, step, entry=kept, at=at)
    return details


def _advance(session: Session, office: Office, ended: Step, *, actor: str, at: datetime) -> None:
    """The next step of the journey becomes ready by itself; a hearing that falls away takes its hand-over along."""
    if ended.state == State.CANCELLED:
        for orphan in journeys.orphans(session, ended):
            _apply(session, office, orphan, Action.CANCEL, actor=actor, at=at, reason="hearing_cancelled")
    following = journeys.next_ready(session, ended, at=at)
    if following is not None:
        lines.join(session, following, entry=journeys.entry_of(following), at=at)
        _apply(session, office, following, Action.READY, actor=actor, at=at, reason="journey")


def cancel_ticket(
    session: Session, *, ticket: Ticket, actor: str, at: datetime, request_key: str | None = None, reason: str = ""
) -> bool:
    """Cancel all that is still open on a ticket; False when it was cancelled already.

    Raises IllegalTransition while a step is at a counter, and when the visit is done.
    """
    office = events.lock_office(session, ticket.office_id)
    open_steps = to_cancel(session, ticket)
    for step in open_steps:
        _apply(session, office, step, Action.CANCEL, actor=actor, at=at, request_key=request_key, reason=reason or None)
    return bool(open_steps)


def to_cancel(session: Session, ticket: Ticket) -> list[Step]:
    """What is still open on a ticket, empty when it was cancelled already; raises what ``cancel_ticket`` raises."""
    steps = lines.steps_of(session, ticket.id)
    open_steps = [step for step in steps if State(step.state) not in FINAL]
    if not open_steps and any(step.state == State.DONE for step in steps):
        raise IllegalTransition(state=str(State.DONE), action=str(Action.CANCEL))
    for step in open_steps:
        after(State(step.state), Action.CANCEL)
    return open_steps


def settle(session: Session, office: Office, step: Step, *, actor: str, at: datetime) -> None:
    """End a step left over at the close of day, along the table."""
    path = {
        State.SERVING: (Action.FINISH,),
        State.CALLED: (Action.MISS, Action.CANCEL),
    }.get(State(step.state), (Action.CANCEL,))
    for action in path:
        _apply(session, office, step, action, actor=actor, at=at, reason="day_close")


def start_waiting(session: Session, office: Office, step: Step, *, entry: Entry, actor: str, at: datetime,
                  request_key: str | None = None) -> None:  # fmt: skip
    """A step takes its place in line (confirmation on arrival)."""
    lines.join(session, step, entry=entry, at=at)
    _apply(session, office, step, Action.READY, actor=actor, at=at, request_key=request_key, reason="confirmed")


def enter(session: Session, office: Office, steps: Sequence[Step], *, actor: str, at: datetime,
          request_key: str | None = None) -> None:  # fmt: skip
    """The steps of a new ticket are written; the first, whose place is fixed, begins to wait."""
    _apply(session, office, steps[0], Action.READY, actor=actor, at=at, request_key=request_key, fresh=steps)
