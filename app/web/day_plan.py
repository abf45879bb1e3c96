"""Counters each line needs on a day: Erlang C on what services/staffing.py knows; ``played`` verifies it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from app.domain.calendar import clock
from app.services import staffing as known
from app.services.forecasts import INTERVAL_MIN, Interval
from app.services.staffing import LineFacts
from forecasting import staffing
from forecasting.staffing import Need, Target

# The 80th of the band whose ends are the 10th and the 90th percentile, taking it for a normal one.
_EIGHTY_OF_BAND = 0.8416 / 1.2816


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePlan:
    """One line's day. ``needs`` at what is expected, ``high`` at the 80th percentile of it, both by half-hours."""

    facts: LineFacts
    needs: tuple[Need, ...]
    high: tuple[Need, ...]

    @property
    def category_id(self) -> str:
        return self.facts.category_id

    @property
    def expected(self) -> Sequence[Interval]:
        return self.facts.expected

    @property
    def starts(self) -> list[datetime]:
        return [each.start for each in self.facts.expected]

    @property
    def people(self) -> float:
        return sum(each.expected for each in self.facts.expected)

    @property
    def short(self) -> tuple[int, ...]:
        """Counters that are missing in each half-hour when all usual ones are open."""
        return tuple(max(need.counters - self.facts.usual, 0) for need in self.needs)


def of_day(
    session: Session, *, office_id: str, day: date, at: datetime, target: Target | None = None
) -> list[LinePlan]:
    """The plan of every line that has a forecast for the day; raises NotFound for an office that is none."""
    return [_plan(facts, target) for facts in known.of_day(session, office_id=office_id, day=day, at=at)]


def of_days(session: Session, *, office_id: str, since: date, days: int, at: datetime) -> dict[date, list[LinePlan]]:
    """The same of so many days from ``since`` on, with one look at the database."""
    told = known.of_days(session, office_id=office_id, since=since, days=days, at=at)
    return {day: [_plan(facts, None) for facts in lines] for day, lines in told.items()}


def _plan(facts: LineFacts, target: Target | None) -> LinePlan:
    plain = _after_the_door(facts, [each.expected for each in facts.expected])
    high = _after_the_door(
        facts, [each.expected + (each.high - each.expected) * _EIGHTY_OF_BAND for each in facts.expected]
    )
    needs = [
        staffing.needs(arrivals, service_min=facts.service_min, interval_min=INTERVAL_MIN, before=facts.door,
                       target=target)
        for arrivals in (plain, high)
    ]  # fmt: skip
    return LinePlan(facts=facts, needs=tuple(needs[0]), high=tuple(needs[1]))


def _after_the_door(facts: LineFacts, arrivals: list[float]) -> list[float]:
    return [arrivals[0] - facts.door, *arrivals[1:]]


def needs(plans: Sequence[LinePlan]) -> dict[str, dict[int, int]]:
    """Counters needed at what is expected, by line and minute from midnight."""
    return {
        plan.category_id: {
            minute_of_day(start): need.counters for start, need in zip(plan.starts, plan.needs, strict=True)
        }
        for plan in plans
    }


def minute_of_day(at: datetime) -> int:
    """Minutes from midnight in Japan."""
    local = clock(at)
    return local.hour * 60 + local.minute
