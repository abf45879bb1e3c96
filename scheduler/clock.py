"""Triggers and periods in Asia/Tokyo: a trigger built by hand would use the machine's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

TOKYO = ZoneInfo("Asia/Tokyo")


def cron(**fields: str) -> CronTrigger:
    """A cron trigger in Japanese time: cron(hour="0", minute="1")."""
    return CronTrigger(timezone=TOKYO, **fields)


def day_of(at: datetime) -> str:
    """The Japanese date as a period key."""
    return at.astimezone(TOKYO).date().isoformat()


def minute_of(at: datetime) -> str:
    """The minute as a period key."""
    return at.astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M")
