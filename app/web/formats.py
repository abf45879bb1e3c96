"""Dates and times as people read them, in the office's zone."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from flask import Flask
from markupsafe import Markup

from app.domain.calendar import business_date, easy_date, easy_date_of_era, japanese_date
from app.web.locale import LANGUAGES, language, ruby, t

_WEEK = "月火水木金土日"
TOKYO = ZoneInfo("Asia/Tokyo")
_STEP = 300


def local_clock(at: datetime) -> str:
    """10時28分 in Japanese, 午後3時05分 in easy Japanese, 10:28 elsewhere."""
    here = at.astimezone(TOKYO)
    if language() == "ja":
        return f"{here.hour}時{here.minute:02d}分"
    if language() == "ja-Hira":
        return f"{hour_name(here.hour)}時《じ》{here.minute:02d}分《ふん》"
    return f"{here:%H:%M}"


def hour_name(hour: int) -> str:
    """15; 午後3 in easy Japanese, for sentences that say an hour."""
    if language() != "ja-Hira":
        return str(hour)
    return f"{'午前《ごぜん》' if hour < 12 else '午後《ごご》'}{hour % 12 or 12}"


def clock_words(at: datetime) -> str:
    """16時, 8時30分, 午後4時; 16:00 elsewhere."""
    return local_clock(at).replace("00分《ふん》", "").replace("00分", "")


def local_date(at: datetime) -> str:
    """令和8年4月1日(水) (with readings in easy Japanese), Wednesday 1 April 2026, quarta-feira, 1 de abril de 2026."""
    day, code = business_date(at), language()
    if code == "ja":
        return japanese_date(day)
    if code == "ja-Hira":
        return easy_date_of_era(day)
    if code == "en":
        return f"{day:%A} {day.day} {day:%B} {day.year}"
    return str(format_date(day, "full", locale=LANGUAGES[code][0]))


def local_time(at: datetime) -> str:
    """Date and clock."""
    return f"{local_date(at)} {local_clock(at)}"


def local_short(at: datetime) -> str:
    """11:55, for a clock on a wall."""
    here = at.astimezone(TOKYO)
    return f"{here.hour}:{here.minute:02d}"


def local_day(at: datetime) -> str:
    """The day beside a clock: 4月1日(水), Wed 1 Apr."""
    return day_words(at.astimezone(TOKYO).date())


def day_words(day: date) -> str:
    """4月1日(水), Wed 1 Apr, 4月1日周三, 4월 1일 (수): a date in the reader's language, without readings."""
    code = language()
    if code in ("ja", "ja-Hira"):
        return f"{day.month}月{day.day}日({_WEEK[day.weekday()]})"
    if code == "en":
        return f"{day:%a} {day.day} {day:%b}"
    return str(format_skeleton("MMMEd", day, locale=LANGUAGES[code][0]))


def weekdays() -> list[str]:
    """Sunday to Saturday, as short as the language has them."""
    code = language()
    if code in ("ja", "ja-Hira"):
        return [_WEEK[-1], *_WEEK[:-1]]
    # 4 to 10 January 2026 are Sunday to Saturday.
    return [str(format_skeleton("E", date(2026, 1, day), locale=LANGUAGES[code][0])) for day in range(4, 11)]


def month_name(month: date) -> str:
    """12月 (with its reading in easy Japanese), December, 12월, dezembro: a month without its year."""
    code = language()
    if code in ("ja", "ja-Hira"):
        return f"{month.month}月" if code == "ja" else f"{month.month}月《がつ》"
    # The Chinese of the long form counts in characters, as nobody writes a calendar.
    return str(format_date(month, "LLL" if code.startswith("zh") else "LLLL", locale=LANGUAGES[code][0]))


def day_name(day: date) -> str:
    """The same with readings where the reader wants them, as in a catalogue's text."""
    return easy_date(day) if language() == "ja-Hira" else day_words(day)


def soon(at: datetime, now: datetime) -> Markup:
    """An instant to come, as a person says it: the hour today, 明日 and the hour, or the day and the hour."""
    days = (business_date(at) - business_date(now)).days
    if days == 0:
        return ruby(clock_words(at))
    if days == 1:
        return t("明日 %(clock)s", clock=clock_words(at))
    return ruby(f"{day_name(business_date(at))} {clock_words(at)}")


def runs(counters: Sequence[tuple[str, str]]) -> str:
    """Rows of counters: 4〜7・9, 4–7, 9 elsewhere."""
    japanese = language() in ("ja", "ja-Hira")
    to, beside = ("〜", "・") if japanese else ("–", ", ")
    return beside.join(first if first == last else f"{first}{to}{last}" for first, last in counters)


def around(at: datetime, estimate: Mapping[str, int]) -> datetime:
    """The middle of a range as a time of day, in steps of five minutes and never too early."""
    middle = at + timedelta(seconds=30 * (estimate["low"] + estimate["high"]))
    return datetime.fromtimestamp(-(-middle.timestamp() // _STEP) * _STEP, UTC)


def install(app: Flask) -> None:
    """Offer them to templates."""
    app.jinja_env.globals.update(
        around=around,
        local_clock=local_clock,
        hour_name=hour_name,
        clock_words=clock_words,
        runs=runs,
        tokyo=TOKYO,
        soon=soon,
        local_date=local_date,
        local_time=local_time,
        local_short=local_short,
        local_day=local_day,
        day_words=day_words,
        day_name=day_name,
        month_name=month_name,
    )
