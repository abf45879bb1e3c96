"""How each line was forecast last and how far that can be trusted: for managers, beside the figures themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.arrivals import ForecastSeries
from app.models.place import Category
from app.services.forecasts import STALE_AFTER

BASELINE = "sn4"
# Below eight weeks a forecast is a first guess (forecasting/registry.py).
YOUNG_DAYS = 56


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRecord:
    """One line. ``model``: the method chosen; ``better``: how much lower its error was than that of the mean of four
    same weekdays on days before (0 to 1, negative never chosen), None where nothing could be judged.

    ``day_wape``: error of its day totals on those days in percent; ``cover``: share of half-hours inside the 80 % band
    (0 to 1). ``error``: code of the last failure, or empty; ``made_at`` None: never made.
    """

    line: Category
    model: str
    better: float | None
    day_wape: float | None
    cover: float | None
    history_days: int
    made_at: datetime | None
    attempted_at: datetime | None
    reforecast_at: datetime | None
    error: str
    stale: bool
    cpu_seconds: float
    peak_mb: float

    @property
    def young(self) -> bool:
        """Whether too little is on record for more than a first guess."""
        return self.history_days < YOUNG_DAYS


def of_lines(session: Session, office_id: str, *, at: datetime) -> Sequence[LineRecord]:
    """The lines of an office in their order; those never tried have no ``attempted_at``."""
    known = {
        row.category_id: row
        for row in session.scalars(select(ForecastSeries).where(ForecastSeries.office_id == office_id))
    }
    lines = session.scalars(select(Category).where(Category.office_id == office_id).order_by(Category.position)).all()
    return [_record(line, known.get(line.id), at) for line in lines]


def _record(line: Category, row: ForecastSeries | None, at: datetime) -> LineRecord:
    if row is None:
        return LineRecord(
            line=line, model="", better=None, day_wape=None, cover=None, history_days=0, made_at=None,
            attempted_at=None, reforecast_at=None, error="", stale=True, cpu_seconds=0.0, peak_mb=0.0,
        )  # fmt: skip
    return LineRecord(
        line=line, model=row.model, better=_better(row.scores, row.model), day_wape=row.day_wape, cover=row.cover,
        history_days=row.history_days, made_at=row.made_at, attempted_at=row.attempted_at,
        reforecast_at=row.reforecast_at, error=row.error,
        stale=row.made_at is None or at - row.made_at > STALE_AFTER, cpu_seconds=row.cpu_seconds, peak_mb=row.peak_mb,
    )  # fmt: skip


def _better(scores: Mapping[str, float], model: str) -> float | None:
    baseline, chosen = scores.get(BASELINE), scores.get(model)
    return None if not baseline or chosen is None else 1 - chosen / baseline
