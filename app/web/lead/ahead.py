"""The next two hours of the lines, played from how they stand now: with the counters they have, and with one more.

Lines whose counters help each other are played together, with the work that each open counter has now. What is said is
the longest wait of that time: half of the times it is longer, and ``low`` to ``high`` holds eight times in ten. The
same standing always gives the same answer, so a proposal does not flicker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy.orm import Session

from app.domain import alerts
from app.domain.advice import Deed
from app.domain.alerts import Alert, Code
from app.domain.floor import Floor, Line
from app.services import day_course, staffing
from app.services.forecasts import INTERVAL_MIN
from app.web import off_loop
from app.web.lead import standing
from app.web.lead.standing import STEP_MIN, Place, Together
from forecasting import hall
from forecasting.hall import Day, Help

AHEAD = timedelta(minutes=120)
_RUNS = 40
# A proposal before its time must be worth the walk.
_OVER_TARGET, _LEAST_GAIN_MIN, _CALM = 1.15, 5, 0.75
_HELPS = frozenset({Deed.OPEN, Deed.LEND})
_LINES = frozenset({Code.LATE, Code.NO_COUNTER, Code.RISING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A counter more from ``begins`` on: the longest wait in minutes without (``now``) and with it (``then``).

    ``now`` is None for a line that nobody would call.
    """

    begins: datetime
    now: int | None
    then: int
    low: int
    high: int


def look(
    session: Session, office_id: str, place: Floor, found: Sequence[Alert], *, at: datetime
) -> tuple[list[Alert], Mapping[str, Effect]]:
    """``found`` with the lines that are about to be late, and what each proposed counter would do, by alert."""
    begins = _grid(at)
    half = begins.replace(minute=begins.minute // INTERVAL_MIN * INTERVAL_MIN)
    expected = day_course.coming(session, office_id, since=half, until=begins + AHEAD)
    if not expected:
        return list(found), {}
    times = staffing.service_times(session, office_id)
    steps = int(AHEAD.total_seconds() // 60) // STEP_MIN
    places = standing.of_floor(place, expected, times, begins=begins, steps=steps, at=at)
    return off_loop.run(_look, place, found, places, begins, at)


def _look(
    place: Floor, found: Sequence[Alert], places: Mapping[str, Place], begins: datetime, at: datetime
) -> tuple[list[Alert], Mapping[str, Effect]]:
    late = {alert.category for alert in found if alert.code in _LINES}
    half = begins.replace(minute=begins.minute // INTERVAL_MIN * INTERVAL_MIN)
    coming = list(found)
    for line in place.lines:
        stands = places.get(line.id)
        if stands is not None and line.id not in late:
            rise = _rising(place, line, stands, coming, at=at, since=half)
            coming += [rise] if rise else []
    effects = {
        alert.key: _effect(places[name], begins)
        for alert in coming
        if (name := alert.category or "") in places
        and alert.code in _LINES
        and alert.advice
        and alert.advice.deed in _HELPS
    }
    return sorted(coming, key=lambda alert: alert.order), effects


def _grid(at: datetime) -> datetime:
    """When somebody can sit there: the next five minutes of the clock, not less than one from now."""
    whole = at.replace(second=0, microsecond=0)
    return whole + timedelta(minutes=STEP_MIN - whole.minute % STEP_MIN)


def _rising(
    place: Floor, line: Line, stands: Place, found: Sequence[Alert], *, at: datetime, since: datetime
) -> Alert | None:
    """The line is about to be late, a counter is there to help, and that would help."""
    target = line.target.total_seconds() / 60
    own = stands.standing
    load = sum(own.arrivals) * own.service_min / (len(own.arrivals) * STEP_MIN)
    # Far from its limits a line needs no playing: this is asked at every change of the floor.
    if not stands.served or (own.counters and load < _CALM * own.counters and len(own.already) <= own.counters):
        return None
    now, then = _maxima(stands, 0), _maxima(stands, 1)
    if _middle(now) < target * _OVER_TARGET or _middle(now) - _middle(then) < _LEAST_GAIN_MIN:
        return None
    alert = alerts.rising(place, line.id, minutes=round(_middle(now)), at=at, since=since, found=found)
    return alert if alert.advice is not None else None


def _effect(stands: Place, begins: datetime) -> Effect:
    now, then = _maxima(stands, 0), _maxima(stands, 1)
    tenth = len(then) // 10
    return Effect(
        begins=begins, now=round(_middle(now)) if stands.served else None, then=round(_middle(then)),
        low=round(then[tenth]), high=round(then[-1 - tenth]),
    )  # fmt: skip


def _middle(sorted_: Sequence[float]) -> float:
    return sorted_[len(sorted_) // 2]


def _maxima(stands: Place, more: int) -> tuple[float, ...]:
    """The longest wait of each played time with so many counters ``more``, ascending."""
    return _played(stands.together, stands.number if more else None)[stands.number]


@lru_cache(maxsize=512)
def _played(lines: Together, more: int | None) -> tuple[tuple[float, ...], ...]:
    """The same of every line of a hall; ``more``: the line that has one counter more, which helps no other."""
    days = [
        Day(
            arrivals=line.arrivals, counters=(line.counters + (number == more),) * len(line.arrivals),
            service_min=line.service_min, spread=line.spread, interval_min=STEP_MIN, already=line.already,
            busy=line.busy,
        )
        for number, line in enumerate(lines.standings)
    ]  # fmt: skip
    helping = [[[Help(line=other, after=after) for other, after in one] for one in line] for line in lines.helping]
    played = hall.together(days, helping, target_min=10, days=_RUNS, seed=1)
    return tuple(each.maxima or (0.0,) for each in played)
