"""Waits as people are told them: the four figures read from today's calls, the range, the lamp."""

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import wait
from app.models.ticket import Step

_LAST_CALLS = 20


def _history(session: Session, category_id: str, *, day: date, at: datetime) -> tuple[float, float, float] | None:
    """(calls per minute, mean wait, last wait) of the last calls of the line today; None below enough data."""
    rows = session.execute(
        select(Step.called_at, Step.waiting_since)
        .where(Step.category_id == category_id, Step.business_date == day, Step.called_at.is_not(None))
        .order_by(Step.called_at.desc())
        .limit(_LAST_CALLS)
    ).all()
    if len(rows) < wait.LEAST_CALLS:
        return None
    waits = [
        max((called - since).total_seconds() / 60, 0.0)
        for called, since in rows
        if called and since and called >= since
    ] or [0.0]
    span = max((at - (rows[-1].called_at or at)).total_seconds() / 60, 1.0)
    return len(rows) / span, sum(waits) / len(waits), waits[0]


def line_ranges(
    session: Session, category_id: str, waiting: int, *, day: date, at: datetime
) -> list[tuple[int, int]] | None:
    """Ranges for 0, 1, … ``waiting`` people ahead (the last one: a person who came now); None: not known."""
    history = _history(session, category_id, day=day, at=at)
    if history is None:
        return None
    rate, mean, last = history
    inputs = wait.WaitInputs(queue_ahead=0, call_rate_per_min=rate, mean_wait_min=mean, last_wait_min=last)
    found = wait.ranges(inputs, range(waiting + 1))
    return None if found is None else [(each.low, each.high) for each in found]


def estimate(session: Session, step: Step, *, ahead: int, at: datetime) -> dict[str, int] | None:
    """The range of one waiting step, ``{low, high}`` in minutes; None below enough data."""
    history = _history(session, step.category_id, day=step.business_date, at=at)
    if history is None:
        return None
    rate, mean, last = history
    found = wait.estimate(
        wait.WaitInputs(queue_ahead=ahead, call_rate_per_min=rate, mean_wait_min=mean, last_wait_min=last)
    )
    return None if found is None else {"low": found.low, "high": found.high}


def lamp(estimated: tuple[int, int] | None, waiting: int) -> str:
    """The lamp of a line."""
    return wait.lamp(estimated, waiting)
