"""Triggers and periods in Asia/Tokyo: a trigger built by hand would use the machine's zone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

TOKYO = ZoneInfo("Asia/Tokyo")
# A wall clock that runs this far from the monotonic one was set, not slow.
STEP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job runs, in Japanese time; ``minute`` empty: each ``every`` minutes (a part of an hour) at ``second``."""

    hour: int = 0
    minute: int | None = None
    second: int = 0
    every: int = 1

    @property
    def trigger(self) -> CronTrigger:
        """APScheduler's trigger. The only place where one is made, so that none misses its zone."""
        if self.minute is None:
            return CronTrigger(minute=f"*/{self.every}", second=self.second, timezone=TOKYO)
        return CronTrigger(hour=self.hour, minute=self.minute, second=self.second, timezone=TOKYO)

    def period(self, at: datetime) -> str:
        """Key of the period that began last: a date, or a minute. Japan has no summer time to fall over."""
        local = at.astimezone(TOKYO) - timedelta(seconds=self.second)
        if self.minute is None:
            return local.replace(minute=local.minute - local.minute % self.every).strftime("%Y-%m-%dT%H:%M")
        return (local - timedelta(hours=self.hour, minutes=self.minute)).date().isoformat()


class Watch:
    """Notices when the wall clock is set, by the monotonic clock beside it."""

    def __init__(self, wall: float, monotonic: float) -> None:
        self._offset = wall - monotonic

    def stepped(self, wall: float, monotonic: float) -> float | None:
        """Seconds the wall clock was set by since the last look (backwards: negative); None when it was not."""
        step, self._offset = wall - monotonic - self._offset, wall - monotonic
        return step if abs(step) > STEP_SECONDS else None
