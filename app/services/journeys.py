"""回らない窓口: which step of a ticket comes next, and when a finished one may be taken back."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calling import Entry
from app.domain.errors import Conflict
from app.domain.ticket import AT_COUNTER, FINAL, Phase, State
from app.models.place import Service
from app.models.ticket import Step


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


def next_ready(session: Session, ended: Step) -> Step | None:
    """The PENDING step that becomes ready because ``ended`` ended; None when nothing does.

    A hand-over follows its own hearing at once only where no back-office work lies between; the next
    hearing follows when no other hearing of the ticket is still open.
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
    following = next((step for step in hearings if step.state == State.PENDING), None)
    if following is not None and following.arrived_at is None:
        following.arrived_at = min((s.arrived_at for s in steps if s.arrived_at), default=None)
    return following


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
    begun = AT_COUNTER | {State.DONE}
    if any(s.position > step.position and State(s.state) in begun for s in _steps(session, step.ticket_id)):
        raise Conflict("later_step_begun")
