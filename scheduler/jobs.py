"""The jobs: a literal table of name, trigger, period key and sweep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy.orm import Session

from scheduler.clock import cron, day_of, minute_of
from scheduler.tasks import day_close, erasure


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A sweep, when it runs, and the key of the period that it does once."""

    trigger: BaseTrigger
    period: Callable[[datetime], str]
    sweep: Callable[[Session, datetime], int]


JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "day-close": Job(trigger=cron(hour="0", minute="0", second="5"), period=day_of, sweep=day_close.sweep),
        "unconfirmed-tickets": Job(trigger=cron(minute="*"), period=minute_of, sweep=erasure.unconfirmed),
        "erase-old-rows": Job(trigger=cron(hour="3", minute="30"), period=day_of, sweep=erasure.old_rows),
    }
)
