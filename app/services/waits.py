"""Waits as people are told them: the four figures of a line, its range, its lamp, and the promise kept on record.

The usual figures come from the nightly fit (services/wait_learning.py); a line without history is told from
today's last calls, and below ``LEAST_CALLS`` of them only people ahead are told.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from app.db import later
from app.db.ready import Ready
from app.domain import wait
from app.domain.wait import Lamp, Range, WaitInputs, WaitModel
from app.models.forecast import WaitModelRow, WaitSample
from app.models.place import Counter
from app.models.ticket import Step

_LAST_CALLS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LineWait:
    """What is known of one line now; ``inputs`` None: too little. Their ``queue_ahead`` is 0."""

    inputs: WaitInputs | None
    model: WaitModel


# Built once: the board asks these for every line, and every ticket once more as it is issued.
_LAST = Ready(
    select(Step.called_at, Step.waiting_since)
    .where(Step.category_id == bindparam("category"), Step.business_date == bindparam("day"))
    .where(Step.called_at.is_not(None))
    .order_by(Step.called_at.desc())
    .limit(bindparam("most"))
)
_FITTED = select(
    WaitModelRow.category_id, WaitModelRow.coefficients, WaitModelRow.call_rate_per_min, WaitModelRow.mean_wait_min
).where(WaitModelRow.office_id == bindparam("office"))
_MODELS = Ready(_FITTED)
_MODEL = Ready(_FITTED.where((WaitModelRow.category_id == bindparam("category")) | WaitModelRow.category_id.is_(None)))
_OPEN = Ready(select(Counter.lines).where(Counter.office_id == bindparam("office"), Counter.state == "open"))


class _Fitted(NamedTuple):
    """What the nightly fit left for a line; ``category_id`` None: for its whole office."""

    category_id: str | None
    coefficients: dict[str, Any]
    call_rate_per_min: float | None
    mean_wait_min: float | None


def _last_calls(session: Session, category_id: str, *, day: date, most: int) -> list[tuple[datetime, float]]:
    """``(called at, minutes waited)`` of today's last calls, newest first; a rejoined step's old call is not one."""
    rows = _LAST.rows(later.seen(session, Step), {"category": category_id, "day": day, "most": most})
    return [
        (called, (called - since).total_seconds() / 60)
        for called, since in rows
        if called is not None and since is not None and called >= since
    ]


def _from_today(calls: list[tuple[datetime, float]], at: datetime) -> WaitInputs | None:
    if len(calls) < wait.LEAST_CALLS:
        return None
    span = max((at - calls[-1][0]).total_seconds() / 60, 1.0)
    return WaitInputs(
        queue_ahead=0, call_rate_per_min=len(calls) / span,
        mean_wait_min=sum(minutes for _, minutes in calls) / len(calls), last_wait_min=calls[0][1],
    )  # fmt: skip


def _model(row: _Fitted | None) -> WaitModel:
    """The stored model; the default where there is none or what is stored is not one."""
    if row is None:
        return wait.DEFAULT
    try:
        return WaitModel.from_json(row.coefficients)
    except (KeyError, TypeError, ValueError):
        return wait.DEFAULT


def _rows(session: Session, office_id: str, category_id: str | None = None) -> dict[str | None, _Fitted]:
    """What was fitted for an office, or for one line of it, by category; None is the office itself."""
    asked = {"office": office_id, "category": category_id}
    rows = (_MODELS if category_id is None else _MODEL).rows(session.connection(), asked)
    return {row[0]: _Fitted._make(row) for row in rows}


def model_for(session: Session, office_id: str, category_id: str) -> WaitModel:
    """The model of a line: its own, else its office's, else the default."""
    rows = _rows(session, office_id, category_id)
    return _model(rows.get(category_id) or rows.get(None))


def _line(session: Session, rows: Mapping[str | None, _Fitted], category: str, day: date, at: datetime) -> LineWait:
    row = rows.get(category)
    model = _model(row or rows.get(None))
    if row is None or row.call_rate_per_min is None or row.mean_wait_min is None:
        return LineWait(inputs=_from_today(_last_calls(session, category, day=day, most=_LAST_CALLS), at), model=model)
    last = _last_calls(session, category, day=day, most=1)
    inputs = WaitInputs(
        queue_ahead=0, call_rate_per_min=row.call_rate_per_min, mean_wait_min=row.mean_wait_min,
        last_wait_min=last[0][1] if last else row.mean_wait_min,
    )  # fmt: skip
    return LineWait(inputs=inputs, model=model)


def of_lines(
    session: Session, office_id: str, categories: Sequence[str], *, day: date, at: datetime
) -> dict[str, LineWait]:
    """The figures and the model of each line of an office at an instant."""
    rows = _rows(session, office_id)
    return {category: _line(session, rows, category, day, at) for category in categories}


def _of_step(session: Session, step: Step, *, at: datetime) -> LineWait:
    rows = _rows(session, step.office_id, step.category_id)
    return _line(session, rows, step.category_id, step.business_date, at)


def ranges(line: LineWait, positions: Iterable[int]) -> list[Range] | None:
    """The range for each number of people ahead; None below enough data. 200 positions cost under 2 ms."""
    return wait.ranges(line.inputs, positions, line.model)


def _staffed(session: Session, step: Step) -> bool:
    rows = _OPEN.rows(session.connection(), {"office": step.office_id})
    return step.category_id in staffed(lines for (lines,) in rows)


def estimate(session: Session, step: Step, *, ahead: int, at: datetime) -> dict[str, int] | None:
    """The range of one waiting step, ``{low, high}`` in minutes; None below enough data, or while no counter is open.

    ``ahead``: how many wait before it.
    """
    if not _staffed(session, step):
        return None
    line = _of_step(session, step, at=at)
    found = ranges(line, (ahead,))
    return found[0]._asdict() if found else None


def record(session: Session, step: Step, *, ahead: int, at: datetime) -> Range | None:
    """Keep what is known and told as a walk-in's wait begins; returns the promise, None when nothing is told."""
    line = _of_step(session, step, at=at)
    inputs = replace(line.inputs, queue_ahead=ahead) if line.inputs else None
    promised = wait.estimate(inputs, line.model) if _staffed(session, step) else None
    kept: dict[str, Any] = {
        "step_id": step.id, "office_id": step.office_id, "category_id": step.category_id,
        "business_date": step.business_date, "issued_at": at, "queue_ahead": ahead,
    }  # fmt: skip
    for name in ("call_rate_per_min", "mean_wait_min", "last_wait_min"):
        kept[name] = getattr(inputs, name) if inputs else None
    kept["promised_low"], kept["promised_high"] = promised or (None, None)
    kept["promised_median"] = wait.minutes(inputs, (ahead,), line.model)[0][1] if inputs and promised else None
    later.insert_later(session, WaitSample, kept)
    return promised


def lamp(estimated: tuple[int, int] | None, waiting: int, *, staffed: bool) -> Lamp:
    """The lamp of a line; unknown where no counter is open for it, also when nobody waits."""
    return wait.lamp(estimated, waiting) if staffed else Lamp.UNKNOWN


def staffed(open_lines: Iterable[Sequence[Mapping[str, Any]]]) -> set[str]:
    """The categories that some open counter calls, be it as a secondary one: of the others no time is known."""
    return {line["category"] for lines in open_lines for line in lines}
