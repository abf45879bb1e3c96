"""Today beside its forecast: who came so far in each half-hour, and the rest of the day as it is told again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.ticket import Phase
from app.models.arrivals import ForecastInterval, ForecastSeries
from app.models.ticket import Step
from app.services.visit_history import INTERVAL_MIN

LENGTH = timedelta(minutes=INTERVAL_MIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One half-hour of today as told the night before, parties."""

    start: datetime
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """One line today: the half-hours that are over, those to come (the running one among them), and who came in the
    former. ``held_share`` as in ForecastSeries."""

    category_id: str
    over: Sequence[Night]
    coming: Sequence[Night]
    came: int
    held_share: float | None


def came(session: Session, office_id: str, *, at: datetime) -> Mapping[str, Mapping[datetime, int]]:
    """Parties that came for each line today, by the start of their half-hour."""
    found: dict[str, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    rows = session.execute(
        select(Step.category_id, Step.arrived_at).where(
            Step.office_id == office_id, Step.business_date == business_date(at), Step.phase == Phase.ACCEPT,
        )
    )  # fmt: skip
    for line, arrived in rows:
        if arrived is None:
            continue
        seconds = int(arrived.timestamp())
        found[line][arrived - timedelta(seconds=seconds % (INTERVAL_MIN * 60), microseconds=arrived.microsecond)] += 1
    return found


def look(session: Session, office_id: str, *, at: datetime) -> list[Today]:
    """Each line with a forecast for today; whoever came before its first half-hour counts for that one."""
    arrivals = came(session, office_id, at=at)
    rows = session.scalars(
        select(ForecastInterval)
        .where(ForecastInterval.office_id == office_id, ForecastInterval.business_date == business_date(at))
        .order_by(ForecastInterval.category_id, ForecastInterval.start_at)
    ).all()
    lines: dict[str, list[Night]] = defaultdict(list)
    for row in rows:
        lines[row.category_id].append(Night(start=row.start_at, expected=row.expected, low=row.low, high=row.high))
    held = select(ForecastSeries.category_id, ForecastSeries.held_share)
    shares = {
        row.category_id: row.held_share for row in session.execute(held.where(ForecastSeries.office_id == office_id))
    }
    found = []
    for line, nights in lines.items():
        over = [each for each in nights if each.start + LENGTH <= at]
        until = over[-1].start + LENGTH if over else nights[0].start
        count = sum(number for start, number in arrivals.get(line, {}).items() if start < until)
        found.append(Today(category_id=line, over=over, coming=nights[len(over) :], came=count,
                           held_share=shares.get(line)))  # fmt: skip
    return found


def put(session: Session, line: Today, told: Sequence[tuple[float, float, float]], *, at: datetime) -> None:
    """Write ``(expected, low, high)`` of the half-hours to come beside those of the night."""
    values = [
        {"category_id": line.category_id, "start_at": night.start, "now_expected": expected, "now_low": low,
         "now_high": high}
        for night, (expected, low, high) in zip(line.coming, told, strict=True)
    ]  # fmt: skip
    if values:
        session.execute(update(ForecastInterval), values)
    session.execute(
        update(ForecastSeries)
        .where(ForecastSeries.category_id == line.category_id)
        .values(reforecast_at=at)
        .execution_options(synchronize_session=False)
    )
