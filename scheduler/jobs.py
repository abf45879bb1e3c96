"""The jobs: a literal table of name, schedule and sweep, in the order in which a late start makes them up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlalchemy.orm import Session

from scheduler.clock import Schedule
from scheduler.tasks import bookings, day_close, erasure, forecasts, settlement, wait_learning

# (session, office, at) -> how much was done. Everything due is done; a second sweep finds nothing.
Sweep = Callable[[Session, str, datetime], int]
# Long reading and reckoning before the writing transaction; the answer is the sweep that writes.
Plan = Callable[[Session, str, datetime], Sweep]
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A sweep, once in each period for each office, or once for the database (``by_office`` false: ``*``).

    Exactly one of ``sweep`` and ``plan`` is given.
    """

    schedule: Schedule
    sweep: Sweep | None = None
    plan: Plan | None = None
    by_office: bool = True

    def planned(self, session: Session, office: str, at: datetime) -> Sweep:
        """The sweep to write with, from a snapshot."""
        found = self.sweep or (self.plan and self.plan(session, office, at))
        assert found, "a job has a sweep or a plan"  # noqa: S101 - the table is literal
        return found


JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "day-close": Job(schedule=Schedule(0, 0, 5), sweep=day_close.sweep),
        "booking-holds": Job(schedule=Schedule(), sweep=bookings.expire),
        "booking-no-shows": Job(schedule=Schedule(), sweep=bookings.no_shows),
        "booking-erase": Job(schedule=Schedule(3, 10), sweep=bookings.erase),
        "money-close": Job(schedule=Schedule(0, 20), sweep=settlement.sweep),
        "unconfirmed-tickets": Job(schedule=Schedule(), sweep=erasure.unconfirmed),
        "waits-learn": Job(schedule=Schedule(2, 10), sweep=wait_learning.learn),
        "visits-learn": Job(schedule=Schedule(2, 20), sweep=forecasts.learn),
        "waits-refit": Job(schedule=Schedule(2, 30), plan=wait_learning.refit),
        "forecast-night": Job(schedule=Schedule(every=5, second=20), sweep=forecasts.night),
        "forecast-today": Job(schedule=Schedule(every=15, second=40), sweep=forecasts.today),
        "erase-old-rows": Job(schedule=Schedule(3, 30), sweep=erasure.old_rows, by_office=False),
    }
)
