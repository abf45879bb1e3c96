"""``forecast run``: the lines of an office forecast one after the other in a worker process, and put in their rows."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain import service_rates
from app.domain.calendar import business_date
from app.models.place import Office
from app.services import forecast_inputs, forecast_store, practice, visit_history
from app.services.forecast_inputs import LineInput, OfficeInput
from app.services.forecast_store import Made
from forecasting.cold_start import office_days
from forecasting.process import Failed, Worker
from forecasting.task import Task

RATES_DAYS = 365
# So far back practice data are told as they would have been, so that there is something to judge.
PRACTISED = timedelta(days=28)
LINE_SECONDS = 300.0
# Below forecast_store.RUN_LASTS: whoever takes a run for killed must be right.
RUN_SECONDS = 40 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of an office: lines forecast and their half-hours, rates learned; ``failed``: line → why."""

    office: str
    lines: int
    intervals: int
    rates: int
    failed: dict[str, str]


def of_office(database: Database, office_id: str, *, at: datetime, heard: Callable[[str], None]) -> Run:
    """Forecast an office as of ``at``; ``heard`` is told each line. A line that fails keeps its last forecast."""
    with database.transaction() as session:
        visit_history.learn(session, office_id, at=at)
        practice.outgrow(session, office_id)
    with database.snapshot() as session:
        practised = practice.span(session.get_one(Office, office_id)) and not forecast_store.ever(session, office_id)
    run = _as_of(database, office_id, at=at, heard=heard)
    if practised:
        _as_told_before(database, office_id, at=at, heard=heard)
    return run


def _as_of(database: Database, office_id: str, *, at: datetime, heard: Callable[[str], None]) -> Run:
    with database.snapshot() as session:
        given = forecast_inputs.gather(session, office_id, at=at)
        seen = visit_history.seen(session, office_id, since=given.today - timedelta(days=RATES_DAYS))
        rates = service_rates.learn(forecast_inputs.offered(session, office_id), seen)
    intervals, failed = _lines(
        database, given, heard=heard,
        keep=lambda session, made: forecast_store.put(session, office_id, made, today=given.today, at=at),
    )  # fmt: skip
    with database.transaction() as session:
        for line, error in failed.items():
            forecast_store.fail(session, office_id, line, error=error, at=at)
        stored = forecast_store.put_rates(session, office_id, rates)
        forecast_store.forget(session, office_id, today=given.today)
    return Run(office=office_id, lines=len(given.lines) - len(failed), intervals=intervals, rates=stored, failed=failed)


def _as_told_before(database: Database, office_id: str, *, at: datetime, heard: Callable[[str], None]) -> None:
    """What the last weeks would have been told, from what lay before them only; after what people wait for now."""
    with database.snapshot() as session:
        given = forecast_inputs.gather(session, office_id, at=at - PRACTISED)
    _lines(
        database, given, heard=heard,
        keep=lambda session, made: forecast_store.put_past(
            session, office_id, made, since=given.today, until=business_date(at)
        ),
    )  # fmt: skip


def _lines(
    database: Database, given: OfficeInput, *, heard: Callable[[str], None], keep: Callable[[Session, Made], int]
) -> tuple[int, dict[str, str]]:
    tasks = _tasks(given)
    intervals, failed = 0, {}
    ends = time.monotonic() + RUN_SECONDS
    with Worker() as worker:
        for line in given.lines:
            heard(line.category_id)
            try:
                made = _made(worker, line, given, tasks[line.category_id], seconds=ends - time.monotonic())
            except Failed as error:
                failed[line.category_id] = error.code
                continue
            with database.transaction() as session:
                intervals += keep(session, made)
    return intervals, failed


def _tasks(given: OfficeInput) -> dict[str, Task]:
    """One for each line, each with the days of all lines to lean on."""
    found = {line.category_id: _task(line, given) for line in given.lines}
    series = [task.series() for task in found.values()]
    known = [each for each in series if each.days]
    days = office_days(known).tolist() if known and np.isfinite(known[0].counts).any() else []
    for task in found.values():
        task.office[:] = days
    return found


def _task(line: LineInput, office: OfficeInput) -> Task:
    known = office.bookings
    days = [office.today + timedelta(days=ahead) for ahead in range(len(line.open))]
    booked = [known.ahead.get((line.category_id, day), {}) for day in days]
    return Task(
        first=line.first, interval_min=visit_history.INTERVAL_MIN, counts=[list(row) for row in line.counts],
        open=[list(row) for row in line.open], holidays=list(office.holidays), booked=[list(r) for r in line.booked],
        bookings=[[slots.get(slot, 0) for slot in range(visit_history.SLOTS)] for slots in booked],
        show_rate=known.show_rate, leads=list(known.leads),
    )  # fmt: skip


def _made(worker: Worker, line: LineInput, office: OfficeInput, task: Task, *, seconds: float) -> Made:
    """One line, asked of the worker. Raises Failed."""
    if seconds <= 0:
        raise Failed("timeout")
    found = worker.ask({"kind": "forecast", "task": task.to_json()}, timeout=min(seconds, LINE_SECONDS))
    expected = found.pop("expected")
    bookings: dict[date, dict[int, int]] = {
        day: dict(slots) for (category, day), slots in office.bookings.ahead.items() if category == line.category_id
    }
    shown = [
        [value if is_open else None for value, is_open in zip(values, open_row, strict=True)]
        for values, open_row in zip(expected, line.open, strict=True)
    ]
    return Made(category_id=line.category_id, bookings=bookings, expected=shown, **found)
