"""Dates and times as people read them, in the office's zone."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Flask

from app.domain.calendar import business_date, japanese_date
from app.web.locale import language

TOKYO = ZoneInfo("Asia/Tokyo")


def local_clock(at: datetime) -> str:
    """10時28分 in Japanese, 午後3時05分 in easy Japanese, 10:28 elsewhere."""
    here = at.astimezone(TOKYO)
    if language() == "ja":
        return f"{here.hour}時{here.minute:02d}分"
    if language() == "ja-Hira":
        half = "午前《ごぜん》" if here.hour < 12 else "午後《ごご》"
        return f"{half}{here.hour % 12 or 12}時《じ》{here.minute:02d}分《ふん》"
    return f"{here:%H:%M}"


def local_date(at: datetime) -> str:
    """令和8年4月1日(水) in Japanese, 2026-04-01 elsewhere."""
    day = business_date(at)
    return japanese_date(day) if language() in ("ja", "ja-Hira") else day.isoformat()


def local_time(at: datetime) -> str:
    """Date and clock."""
    return f"{local_date(at)} {local_clock(at)}"


def local_short(at: datetime) -> str:
    """11:55, for a clock on a wall."""
    here = at.astimezone(TOKYO)
    return f"{here.hour}:{here.minute:02d}"


def local_day(at: datetime) -> str:
    """4月1日(水), Wed 1 Apr elsewhere: the day beside a clock."""
    return day_words(at.astimezone(TOKYO).date())


def day_words(day: date) -> str:
    """4月1日(水), Wed 1 Apr elsewhere, of a date."""
    if language() in ("ja", "ja-Hira"):
        return f"{day.month}月{day.day}日({'月火水木金土日'[day.weekday()]})"
    return f"{day:%a} {day.day} {day:%b}"


def install(app: Flask) -> None:
    """Offer them to templates."""
    app.jinja_env.globals.update(
        local_clock=local_clock,
        local_date=local_date,
        local_time=local_time,
        local_short=local_short,
        local_day=local_day,
        day_words=day_words,
    )
