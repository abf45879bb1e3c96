"""The day against its plan: who was expected and who came, how long they waited, who sits where by the roster."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, clock
from app.domain.roster import SLOT_MIN
from app.models.arrivals import ForecastInterval
from app.models.staffing import RosterDay
from app.models.ticket import Step
from app.services import forecast_today
from app.services.forecasts import Interval

LENGTH = timedelta(minutes=SLOT_MIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfHour:
    """A half-hour of the office. ``expected``, ``low``, ``high``: as told the night before; ``again``: as told since.

    ``came``: parties so far, None for one that has not begun; ``wait``: mean minutes of those called in it.
    """

    start: datetime
    expected: float
    low: float
    high: float
    again: float
    came: int | None
    wait: float | None

    @property
    def end(self) -> datetime:
        return self.start + LENGTH


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCourse:
    """A line so far: expected and come up to now, still expected; counters the roster has now (None without one)."""

    category_id: str
    expected: float
    came: int
    coming: float
    rostered: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A day so far; both empty without a forecast for it."""

    half_hours: Sequence[HalfHour]
    lines: Sequence[LineCourse]

    @property
    def expected(self) -> float:
        return sum(line.expected for line in self.lines)

    @property
    def came(self) -> int:
        return sum(line.came for line in self.lines)


def coming(session: Session, office_id: str, *, since: datetime, until: datetime) -> Mapping[str, list[Interval]]:
    """What is expected of each line in a part of today, as last told, in one look."""
    rows = session.scalars(
        select(ForecastInterval).where(
            ForecastInterval.office_id == office_id, ForecastInterval.business_date == business_date(since),
            ForecastInterval.start_at >= since, ForecastInterval.start_at < until,
        ).order_by(ForecastInterval.start_at)
    )  # fmt: skip
    found: dict[str, list[Interval]] = defaultdict(list)
    for row in rows:
        found[row.category_id].append(
            Interval(start=row.start_at, expected=_again(row), low=row.low, high=row.high, bookings=row.bookings)
        )
    return found


def _again(row: ForecastInterval) -> float:
    return row.expected if row.now_expected is None else row.now_expected


def read(session: Session, office_id: str, *, at: datetime) -> Course:
    """The course of the day of ``at``."""
    rows = session.scalars(
        select(ForecastInterval)
        .where(ForecastInterval.office_id == office_id, ForecastInterval.business_date == business_date(at))
        .order_by(ForecastInterval.start_at, ForecastInterval.category_id)
    ).all()
    if not rows:
        return Course(half_hours=(), lines=())
    arrivals = forecast_today.came(session, office_id, at=at)
    return Course(
        half_hours=_half_hours(rows, arrivals, _waits(session, office_id, at), at),
        lines=_lines(rows, arrivals, rostered(session, office_id, at=at), at),
    )


def _half_hours(
    rows: Sequence[ForecastInterval], arrivals: Mapping[str, Mapping[datetime, int]],
    waits: Mapping[datetime, Sequence[float]], at: datetime,
) -> list[HalfHour]:  # fmt: skip
    by_start: dict[datetime, list[ForecastInterval]] = defaultdict(list)
    for row in rows:
        by_start[row.start_at].append(row)
    found = []
    for start, lines in sorted(by_start.items()):
        expected, waited = sum(row.expected for row in lines), waits.get(start, ())
        # Half-widths add as squares: what one line has more another may have less.
        down = sum((row.expected - row.low) ** 2 for row in lines) ** 0.5
        up = sum((row.high - row.expected) ** 2 for row in lines) ** 0.5
        found.append(
            HalfHour(
                start=start, expected=expected, low=max(expected - down, 0.0), high=expected + up,
                again=sum(map(_again, lines)), wait=sum(waited) / len(waited) if waited else None,
                came=sum(each.get(start, 0) for each in arrivals.values()) if start <= at else None,
            )
        )  # fmt: skip
    return found


def _waits(session: Session, office_id: str, at: datetime) -> Mapping[datetime, list[float]]:
    """Minutes waited, by the half-hour of the call; before the slot a booked party does not wait."""
    rows = session.execute(
        select(Step.waiting_since, Step.eligible_at, Step.called_at).where(
            Step.office_id == office_id, Step.business_date == business_date(at), Step.called_at.is_not(None)
        )
    )
    found: dict[datetime, list[float]] = defaultdict(list)
    for since, eligible, called in rows:
        if since is None or called is None:
            continue
        begun = called.replace(minute=called.minute // SLOT_MIN * SLOT_MIN, second=0, microsecond=0)
        found[begun].append(max((called - max(since, eligible or since)).total_seconds() / 60, 0.0))
    return found


def _lines(
    rows: Sequence[ForecastInterval], arrivals: Mapping[str, Mapping[datetime, int]],
    staffed: Mapping[str, int] | None, at: datetime,
) -> list[LineCourse]:  # fmt: skip
    """A half-hour that runs counts by the part of it that is over."""
    so_far: dict[str, float] = defaultdict(float)
    rest: dict[str, float] = defaultdict(float)
    for row in rows:
        over = min(max((at - row.start_at) / LENGTH, 0.0), 1.0)
        so_far[row.category_id] += row.expected * over
        rest[row.category_id] += _again(row) * (1 - over)
    return [
        LineCourse(
            category_id=line, expected=expected, came=sum(arrivals.get(line, {}).values()), coming=rest[line],
            rostered=None if staffed is None else staffed.get(line, 0),
        )
        for line, expected in so_far.items()
    ]  # fmt: skip


def rostered(session: Session, office_id: str, *, at: datetime) -> Mapping[str, int] | None:
    """Counters of each line at an instant by the published roster; None where none is published."""
    row = session.get(RosterDay, (office_id, business_date(at)))
    if row is None or row.published_at is None:
        return None
    local = clock(at)
    minute = str((local.hour * 60 + local.minute) // SLOT_MIN * SLOT_MIN)
    found: dict[str, int] = defaultdict(int)
    for cells in row.published.values():
        found[cells.get(minute, "")] += 1
    return found
