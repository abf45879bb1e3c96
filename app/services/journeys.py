"""回らない窓口: which step of a ticket comes next, and when a finished one may be taken back."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import later
from app.domain import visit
from app.domain.calling import Arrival, Entry, Policy, due_at
from app.domain.errors import Conflict
from app.domain.ticket import AT_COUNTER, FINAL, Phase, State
from app.models.place import Category, Counter, Service
from app.models.ticket import Step
from app.services import lines


def _steps(session: Session, ticket_id: int) -> list[Step]:
    return list(session.scalars(select(Step).where(Step.ticket_id == ticket_id).order_by(Step.position)))


def entry_of(step: Step) -> Entry:
    """How a PENDING step begins to wait: a certificate to hand over, a later step, or the arrival itself."""
    if step.phase == Phase.DELIVER:
        return Entry.DELIVERY
    if step.slot_at is not None:
        return Entry.BOOKED
    if step.arrived_at is not None:
        return Entry.JOURNEY
    return Entry.WALK_IN


def next_ready(session: Session, ended: Step, *, at: datetime) -> Step | None:
    """The PENDING step that becomes ready because ``ended`` ended; None when nothing does.

    A hand-over follows its own hearing at once only where no back-office work lies between; the next
    hearing follows when no other hearing of the ticket is still open: the one whose turn comes soonest.
    """
    steps = _steps(session, ended.ticket_id)
    if ended.state == State.DONE and ended.phase == Phase.ACCEPT:
        deliver = next((s for s in steps if s.position == ended.position + 1 and s.phase == Phase.DELIVER), None)
        service = session.get_one(Service, ended.service_id)
        if deliver is not None and deliver.state == State.PENDING and not service.minutes.get("back"):
            return deliver
    hearings = [step for step in steps if step.phase == Phase.ACCEPT]
    if any(State(step.state) not in FINAL and step.state != State.PENDING for step in hearings):
        return None
    pending = [step for step in hearings if step.state == State.PENDING]
    arrived = min((s.arrived_at for s in steps if s.arrived_at), default=None)
    following = _soonest(session, pending, arrived or at, at=at)
    if following is not None and following.arrived_at is None:
        later.set_later(session, following, {"arrived_at": arrived})
    return following


def _soonest(session: Session, pending: list[Step], arrived: datetime, *, at: datetime) -> Step | None:
    """The order of a visit follows the lines, except where times were promised: those are kept as given.

    What was booked without a time goes between two of them where it is sure to be over before the next, else last.
    """
    promised = next((step for step in pending if step.slot_at is not None), None)
    free = [step for step in pending if step.slot_at is None]
    if len(pending) < 2 or not free:
        return pending[0] if pending else None
    open_ = list(session.scalars(select(Counter.lines).where(
        Counter.office_id == pending[0].office_id, Counter.state == "open"
    )))  # fmt: skip
    choices = [_choice(session, step, open_, arrived, at=at) for step in free]
    if promised is not None and promised.slot_at is not None:
        minutes = (promised.slot_at - at).total_seconds() / 60
        choices = [choice for choice in choices if visit.fits(choice, minutes)]
    best = visit.next_stop(choices)
    return promised if best is None else next(step for step in free if step.position == best.position)


def _choice(session: Session, step: Step, open_: list[list[Any]], arrived: datetime, *, at: datetime) -> visit.Choice:
    """A hearing as it would stand in its line if it became ready now; nothing is written."""
    category = session.get_one(Category, step.category_id)
    service = session.get_one(Service, step.service_id)
    place = due_at(
        Arrival(entry=Entry.JOURNEY, arrived_at=arrived, now=at, priority=step.priority), Policy(**category.policy)
    )
    would = Step(
        category_id=step.category_id, business_date=step.business_date, due_at=place.due_at, arrived_at=arrived,
        serial=step.serial,
    )  # fmt: skip
    return visit.Choice(
        ahead=lines.ahead(session, would),
        counters=sum(any(line["category"] == step.category_id for line in served) for served in open_),
        accept=service.minutes.get("accept") or 1,
        position=step.position,
    )


def orphans(session: Session, cancelled: Step) -> list[Step]:
    """The hand-over that can no longer come because its hearing was cancelled."""
    if cancelled.phase != Phase.ACCEPT:
        return []
    return [
        step
        for step in _steps(session, cancelled.ticket_id)
        if step.position == cancelled.position + 1 and step.phase == Phase.DELIVER and step.state == State.PENDING
    ]


def refuse_late_reopen(session: Session, step: Step, *, within: timedelta, at: datetime) -> None:
    """Raise Conflict("reopen_too_late" or "later_step_begun") when a finished step may not be taken back."""
    if step.ended_at is None or at - step.ended_at > within:
        raise Conflict("reopen_too_late", minutes=int(within.total_seconds() // 60))
    begun = [
        s for s in _steps(session, step.ticket_id) if State(s.state) in AT_COUNTER | {State.DONE} and s is not step
    ]
    # The order follows the lines, so "later" is by time; the place decides only within the same instant.
    if any(s.called_at and (s.called_at, s.position) > (step.ended_at, step.position) for s in begun):
        raise Conflict("later_step_begun")
