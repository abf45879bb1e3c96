"""The day so far in figures, for a lead: numbers given, served, waits, who did not come."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, instant
from app.domain.ticket import Action, State
from app.models.place import Category
from app.models.ticket import Event, Step, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Counts of one business date. ``served``: steps finished; ``missed``: steps that were called in vain.

    ``mean_wait``, ``wait_of_nine`` (nine of ten waited at most so long): minutes to the last call, over ``called``
    steps; ``within``: the share called within their line's target. None where nobody was called.
    """

    issued: int
    served: int
    missed: int
    called: int
    mean_wait: float | None
    wait_of_nine: float | None
    within: float | None


def read(session: Session, office_id: str, *, at: datetime) -> Figures:
    """The figures of the business date of ``at``."""
    day = business_date(at)
    issued = session.scalar(
        select(func.count()).select_from(Ticket).where(Ticket.office_id == office_id, Ticket.business_date == day)
    )
    served = session.scalar(
        select(func.count())
        .select_from(Step)
        .where(Step.office_id == office_id, Step.business_date == day, Step.state == State.DONE)
    )
    missed = session.scalar(
        select(func.count(Event.step_id.distinct())).where(
            Event.office_id == office_id, Event.at >= instant(day, time()), Event.action == Action.MISS
        )
    )
    waits = _waits(session, office_id, at=at)
    minutes = sorted(wait.total_seconds() / 60 for wait, _ in waits)
    return Figures(
        issued=issued or 0, served=served or 0, missed=missed or 0, called=len(waits),
        mean_wait=sum(minutes) / len(minutes) if minutes else None,
        wait_of_nine=minutes[-(-len(minutes) * 9 // 10) - 1] if minutes else None,
        within=sum(wait <= target for wait, target in waits) / len(waits) if waits else None,
    )  # fmt: skip


def _waits(session: Session, office_id: str, *, at: datetime) -> list[tuple[timedelta, timedelta]]:
    """How long each called step waited and its line's target; before the slot a booked party does not wait."""
    lines = select(Category.id, Category.target_minutes).where(Category.office_id == office_id)
    targets = dict(session.execute(lines).all())
    rows = session.execute(
        select(Step.category_id, Step.waiting_since, Step.eligible_at, Step.called_at).where(
            Step.office_id == office_id, Step.business_date == business_date(at), Step.called_at.is_not(None)
        )
    )
    return [
        (max(called - max(since, eligible or since), timedelta()), timedelta(minutes=targets[category]))
        for category, since, eligible, called in rows
        if since is not None and called is not None and called >= since
    ]
