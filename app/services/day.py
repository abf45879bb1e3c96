"""The close of a business day: what is left is settled along the state table, and counters close."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date as date_of
from app.domain.ticket import FINAL
from app.models.place import Counter
from app.models.ticket import Step
from app.services import events, notes, queue


def close(session: Session, office_id: str, business_date: date, *, at: datetime) -> int:
    """Settle every open step of the business date (and any earlier), erase notes, close the counters opened by then.

    A close made up late, after a night without power, leaves alone who has opened since. Idempotent: a second
    close finds nothing. Returns how many steps were settled.
    """
    office = events.lock_office(session, office_id)
    left = session.scalars(
        select(Step)
        .where(Step.office_id == office_id, Step.business_date <= business_date, Step.state.not_in(FINAL))
        .order_by(Step.id)
    ).all()
    for step in left:
        queue.settle(session, office, step, actor="system", at=at)
    notes.erase(session, office_id, business_date)
    open_counters = session.scalars(
        select(Counter).where(Counter.office_id == office_id, Counter.state != "closed")
    ).all()
    for counter in open_counters:
        if counter.since is not None and date_of(counter.since) > business_date:
            continue
        counter.state, counter.staff_id, counter.staff_name, counter.since = "closed", None, "", at
        counter.help_since = None
        events.append(session, office, action="close", actor="system", at=at, counter_id=counter.id, reason="day_close")
    return len(left)
