"""Learning from past waits: what became of each promise, cases for the nightly fit, the error for managers."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.wait import Range
from app.domain.wait_history import Case, Fit, LineDay, Score, Told, busy_minutes, score
from app.models.forecast import WaitModelRow, WaitSample
from app.models.place import Category
from app.models.ticket import Event, Step
from app.services import events

LEARNED_DAYS = 56
REPORTED_DAYS = 28
KEPT_DAYS = 400


def learn(session: Session, office_id: str, *, at: datetime) -> int:
    """Write down how long the waits of past business dates took until the first call; returns how many."""
    first_call = (
        select(Event.step_id, func.min(Event.at).label("called"))
        .join(WaitSample, WaitSample.step_id == Event.step_id)
        .where(Event.office_id == office_id, Event.action == "call", WaitSample.office_id == office_id)
        .where(WaitSample.actual_minutes.is_(None), WaitSample.business_date < business_date(at))
        .group_by(Event.step_id)
        .subquery()
    )
    rows = session.execute(
        select(WaitSample.step_id, WaitSample.issued_at, first_call.c.called).join(
            first_call, first_call.c.step_id == WaitSample.step_id
        )
    ).all()
    values = [
        {"step_id": step_id, "actual_minutes": max((called - issued).total_seconds() / 60, 0.0)}
        for step_id, issued, called in rows
    ]
    if values:
        session.execute(update(WaitSample), values)
    return len(values)


def forget(session: Session, office_id: str, *, at: datetime) -> int:
    """Erase samples older than ``KEPT_DAYS``; returns how many."""
    oldest = business_date(at) - timedelta(days=KEPT_DAYS)
    result = session.execute(
        delete(WaitSample).where(WaitSample.office_id == office_id, WaitSample.business_date < oldest)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


def cases(session: Session, office_id: str, *, at: datetime) -> list[Case]:
    """The answered waits of the last ``LEARNED_DAYS``, oldest first."""
    rows = session.execute(
        select(
            WaitSample.category_id, WaitSample.business_date, WaitSample.queue_ahead, WaitSample.last_wait_min,
            WaitSample.actual_minutes,
        )
        .where(WaitSample.office_id == office_id, WaitSample.actual_minutes.is_not(None))
        .where(WaitSample.business_date >= business_date(at) - timedelta(days=LEARNED_DAYS))
        .order_by(WaitSample.issued_at, WaitSample.step_id)
    )  # fmt: skip
    return [
        Case(line=line, day=day, queue_ahead=ahead, last_wait_min=last, actual_min=actual)
        for line, day, ahead, last, actual in rows
        if actual is not None
    ]


def line_days(session: Session, office_id: str, *, at: datetime) -> list[LineDay]:
    """The figures of each line on each past business date of the last ``LEARNED_DAYS``, from its calls."""
    today = business_date(at)
    rows = session.execute(
        select(Step.category_id, Step.business_date, Step.waiting_since, Step.called_at)
        .where(Step.office_id == office_id, Step.called_at.is_not(None), Step.business_date < today)
        .where(Step.business_date >= today - timedelta(days=LEARNED_DAYS))
        .order_by(Step.business_date, Step.called_at)
    )
    found: dict[tuple[str, date], list[tuple[float, float]]] = defaultdict(list)
    for line, day, since, called in rows:
        if since is not None and called is not None and called >= since:
            found[line, day].append((since.timestamp() / 60, called.timestamp() / 60))
    return [
        LineDay(line=line, day=day, calls=len(waits), busy_min=busy_minutes(waits), waits=len(waits),
                wait_sum_min=sum(end - begin for begin, end in waits))
        for (line, day), waits in found.items()
    ]  # fmt: skip


def store(session: Session, office_id: str, fitted: Fit, *, at: datetime) -> int:
    """Put the fitted model in the place of the last one, for the office and each line; returns the rows.

    An event marks it: the ranges on every board change with the model, and a board is a function of ``seq``.
    """
    office = events.lock_office(session, office_id)
    session.execute(delete(WaitModelRow).where(WaitModelRow.office_id == office_id))
    lines = session.scalars(select(Category.id).where(Category.office_id == office_id).order_by(Category.id)).all()
    common = {"office_id": office_id, "coefficients": fitted.model.to_json(), "fitted_at": at}
    rows: list[dict[str, Any]] = [
        {**common, "category_id": None, "call_rate_per_min": None, "mean_wait_min": None,
         "sample_size": fitted.samples, "mae": fitted.score.mae, "cover": fitted.score.shown_cover}
    ]  # fmt: skip
    for line in lines:
        usual, error = fitted.usual.get(line), fitted.by_line.get(line)
        rows.append(
            {**common, "category_id": line, "call_rate_per_min": usual.call_rate_per_min if usual else None,
             "mean_wait_min": usual.mean_wait_min if usual else None, "sample_size": error.n if error else 0,
             "mae": error.mae if error else None, "cover": error.shown_cover if error else None}
        )  # fmt: skip
    session.execute(insert(WaitModelRow), rows)
    events.append(session, office, action="refit", actor="system", at=at)
    return len(rows)


def _told(samples: Iterable[WaitSample]) -> list[Told]:
    """What people read and what came of it; the promise was rounded, so both ranges are the one they saw."""
    found = []
    for sample in samples:
        low, median, high = sample.promised_low, sample.promised_median, sample.promised_high
        if low is None or median is None or high is None or sample.actual_minutes is None:
            continue
        found.append(
            Told(queue_ahead=sample.queue_ahead, low=low, median=median, high=high, shown=Range(low, high),
                 actual_min=sample.actual_minutes)
        )  # fmt: skip
    return found


def _published(found: Score) -> dict[str, Any]:
    """What a manager reads: only the range that residents saw."""
    return {
        "n": found.n, "mae": found.mae, "cover": found.shown_cover, "cover_ten": found.shown_cover_ten,
        "longer": found.longer,
    }  # fmt: skip


def report(session: Session, office_id: str, *, at: datetime) -> dict[str, Any]:
    """The error of what residents were told in the last 28 days, of the office and by category.

    ``{office, days, fitted_at, sample_size, n, mae, cover, cover_ten, longer, untold, categories: [{id, name,
    n, …}]}``: minutes off the middle line, shares between 0 and 1 or None, ``untold`` waits that got no range.
    """
    since = business_date(at) - timedelta(days=REPORTED_DAYS)
    samples = session.scalars(
        select(WaitSample).where(
            WaitSample.office_id == office_id, WaitSample.business_date >= since, WaitSample.actual_minutes.is_not(None)
        )
    ).all()
    by_line: dict[str, list[WaitSample]] = defaultdict(list)
    for sample in samples:
        by_line[sample.category_id].append(sample)
    office = session.scalar(
        select(WaitModelRow).where(WaitModelRow.office_id == office_id, WaitModelRow.category_id.is_(None))
    )
    names = session.execute(
        select(Category.id, Category.name).where(Category.office_id == office_id).order_by(Category.position)
    )
    return {
        "office": office_id, "days": REPORTED_DAYS, "fitted_at": office.fitted_at if office else None,
        "sample_size": office.sample_size if office else 0, **_published(score(_told(samples))),
        "untold": sum(sample.promised_low is None for sample in samples),
        "categories": [{"id": line, "name": name, **_published(score(_told(by_line[line])))} for line, name in names],
    }  # fmt: skip
