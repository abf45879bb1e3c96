"""Where the time, the count and the names of lines stand in a file of counts: by the words of its head, or its rows."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_TIMES = ("ts", "time", "timestamp", "datetime", "date", "ds", "start", "interval_start", "時刻", "日時", "日付")
_COUNTS = (
    "count", "counts", "calls", "arrivals", "n", "y", "value", "visits", "visitors", "people", "tickets", "件数",
    "人数",
)  # fmt: skip
# A file of several queues: a day and the minutes from midnight instead of one time, and whose row it is.
_DAYS, _MINUTES = ("day", "business_date"), ("min", "minute")
_HOURS = ("hour", "hour_of_day", "hh", "時", "時間")
# Seconds since 1970 stand for a time from 1979 to 2030; 2026040109 is a day and an hour, which nobody means here.
_FIRST_SECOND, _LAST_SECOND = 3e8, 1.9e9
_MILLI = 1000
_OFFICES, _LINES = ("office", "branch", "store"), ("svc_id", "service", "line", "category", "queue", "series")
_SPELLINGS = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%d.%m.%Y %H:%M", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日",
    "%Y%m%d%H%M", "%Y%m%d%H%M%S",
)  # fmt: skip
# With the day or the month first, as the file has it.
_SLASHED = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
_DAY_AND_MONTH = re.compile(r"(\d{1,2})/(\d{1,2})/\d{4}\b")
_REIWA, _REIWA_BEGAN = re.compile(r"令和(\d{1,2}|元)年"), 2018
_THOUSANDS = re.compile(r"\d{1,3}([, ']\d{3})+(\.\d+)?")
_DOTTED = re.compile(r"[1-9]\d{0,2}(\.\d{3})+")
# More in one interval than there are people is a broken meter.
MOST = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Places in a row; ``minute`` where the time is a day and minutes, ``of_hour`` of them to one of its numbers (60:
    it counts hours); ``names``: office and line of the row.

    ``width``: columns of the head. ``headless``: the first row is data. ``guessed``: more than one column has numbers,
    and none is named a count. ``day_first``: 31/12, not 12/31; ``dotted``: 1.234 are thousands.
    """

    time: int
    count: int
    width: int
    minute: int | None = None
    of_hour: int = 1
    names: tuple[int, ...] = ()
    headless: bool = False
    guessed: bool = False
    day_first: bool = False
    dotted: bool = False

    def spelled(self, rows: Sequence[Sequence[str]]) -> "Columns":
        """As the rows of the file write days and thousands; no single row could tell."""
        days = (_DAY_AND_MONTH.match(row[self.time].strip()) for row in rows)
        counts = [row[self.count].strip() for row in rows]
        dotted = [count for count in counts if "." in count]
        # All of three decimals would look the same, but then no count is a whole number.
        whole = any(count.isdigit() for count in counts)
        return replace(
            self, day_first=any(int(found[1]) > 12 for found in days if found),
            dotted=whole and bool(dotted) and all(map(_DOTTED.fullmatch, dotted)),
        )  # fmt: skip

    def whole(self, row: Sequence[str]) -> list[str]:
        """The row as wide as the head: a count of thousands without quotes is put together again, and of what cannot
        be, the count is blank."""
        found = list(row)
        while len(found) > self.width and not found[-1].strip():
            found.pop()
        if len(found) > self.width:
            last = self.count == self.width - 1
            found[self.count] = ",".join(found[self.count :]) if last else ""
        return [*found[: self.width], *[""] * (self.width - len(found))]

    def number(self, row: Sequence[str]) -> float:
        """The count of a row, NaN for what is none."""
        return number(row[self.count].replace(".", "") if self.dotted else row[self.count])

    def at(self, row: Sequence[str]) -> datetime | None:
        """The wall time of a row; None for what is none."""
        found = when(row[self.time], day_first=self.day_first)
        if found is None or self.minute is None:
            return found
        minutes = number(row[self.minute]) * self.of_hour
        return found + timedelta(minutes=minutes) if 0 <= minutes < 24 * 60 else None

    def line(self, row: Sequence[str]) -> tuple[str, ...]:
        """Whose row it is; empty in a file of one series."""
        return tuple(row[place].strip() for place in self.names)


def find(head: Sequence[str], first: Sequence[str]) -> Columns | None:
    """From the head of a file and its first row; None where no column has times or counts."""
    if _place(head) is not None:
        return _bare([""] * len(head), head, headless=True)
    names = [name.strip().strip('"').lower() for name in head]
    time, minute = _named(names, _TIMES), None
    if time is None and _named(names, _DAYS) is not None:
        time, minute = _named(names, _DAYS), _named(names, _MINUTES)
    hour = _named(names, _HOURS)
    by_hour = minute is None and time is not None and hour is not None and _is_day(first, time)
    minute = hour if by_hour else minute
    count = _named(names, _COUNTS)
    if time is not None and count is not None:
        lines = [_named(names, words) for words in (_OFFICES, _LINES)]
        return Columns(
            time=time, count=count, width=len(head), minute=minute, of_hour=60 if by_hour else 1,
            names=tuple(place for place in lines if place not in (None, time, count)),
        )  # fmt: skip
    return _bare(names, first, headless=False) if len(first) == len(head) else None


def _is_day(row: Sequence[str], place: int) -> bool:
    """Whether the row's time is a day without a clock."""
    found = when(row[place]) if place < len(row) else None
    return found is not None and ":" not in row[place] and (found.hour, found.minute) == (0, 0)


def _named(names: Sequence[str], words: Sequence[str]) -> int | None:
    return next((names.index(word) for word in words if word in names), None)


def _place(row: Sequence[str]) -> int | None:
    """The column that holds a time."""
    return next((place for place, text in enumerate(row) if when(text) is not None), None)


def _bare(names: Sequence[str], row: Sequence[str], *, headless: bool) -> Columns | None:
    """By what stands in the row: a time, and the first number beside it; one that only counts the rows has no name."""
    time = _place(row)
    rest = [place for place, text in enumerate(row) if place != time]
    numbers = [place for place in rest if not math.isnan(number(row[place]))]
    if time is None or not (numbers or len(rest) == 1):
        return None
    named = [place for place in numbers if names[place]] or numbers
    return Columns(
        time=time, count=(named or rest)[0], width=len(row), headless=headless, guessed=len(named) > 1,
    )  # fmt: skip


def when(text: str, *, day_first: bool = False) -> datetime | None:
    """A time as files spell it, as wall time: an offset is dropped. None for what is none."""
    text = text.strip()
    if not 7 < len(text) < 40:
        return None
    if text.isascii() and text.isdigit() and len(text) > 8:
        seconds = int(text) / (_MILLI if len(text) == 13 else 1)
        if _FIRST_SECOND <= seconds < _LAST_SECOND:
            return datetime(1970, 1, 1) + timedelta(seconds=int(seconds))  # noqa: DTZ001 - wall time
        return _spelled(text, _SPELLINGS[-2:]) if len(text) in (12, 14) else None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        text = _REIWA.sub(lambda era: f"{_REIWA_BEGAN + int(era[1].replace('元', '1'))}年", text)
    date = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    return _spelled(text, (*_SPELLINGS[:-2], date, *(f"{date} {clock}" for clock in _SLASHED)))


def _spelled(text: str, spellings: Sequence[str]) -> datetime | None:
    for spelling in spellings:
        try:
            return datetime.strptime(text, spelling)  # noqa: DTZ007 - wall time
        except ValueError:
            continue
    return None


def number(text: str) -> float:
    """A count, NaN for what is none: below zero, not finite, or more than ``MOST``."""
    text = text.strip()
    # 1,234 and 1 234 are thousands; 3,5 is how half the world writes three and a half.
    text = re.sub("[, ']", "", text) if _THOUSANDS.fullmatch(text) else text.replace(",", ".")
    try:
        found = float(text or "nan")
    except ValueError:
        return math.nan
    return found if 0 <= found <= MOST else math.nan
