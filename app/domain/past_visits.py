"""Years before us: rows of an old ticket machine read one by one, each good or bad with its reason.

``service,issued_at[,called_at,finished_at,counter,booked]``; a time without an offset is Japanese time.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.domain.calendar import JST, business_date

NEEDED = ("service", "issued_at")
OPTIONAL = ("called_at", "finished_at", "counter", "booked")
_OLDEST_YEAR = 1990
_LONGEST_COUNTER = 20
_SEPARATORS = ",\t;"
_TIME = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ]+(\d{1,2}):(\d{2})(.*)")
_YES = {"1", "true", "yes", "y", "t", "はい", "有", "あり", "○", "予約"}
_NO = {"", "0", "false", "no", "n", "f", "いいえ", "無", "なし", "×", "-"}


class BadHistory(ValueError):
    """The file as a whole cannot be read; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One visit of the file; ``line`` as an editor counts.

    ``no_show``: called, and no end on record in a file that records ends.
    """

    line: int
    service: str
    issued_at: datetime
    called_at: datetime | None
    finished_at: datetime | None
    counter: str
    booked: bool
    no_show: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A row that was left out, and why."""

    line: int
    reason: str


def decoded(raw: bytes) -> str:
    """The text of a file as Japanese machines and Excel write them: UTF-8 (with or without a mark), UTF-16 with a
    mark, Shift_JIS. Raises BadHistory."""
    for encoding in ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp932"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadHistory("the file is neither UTF-8 nor Shift_JIS text")


def read(text: str, *, services: Mapping[str, str], now: datetime) -> Iterator[Row | Bad]:
    """Each row in order. ``services``: every name a service goes by → its id. Raises BadHistory for a missing column.

    A time after ``now`` is bad: the future has not happened.
    """
    lines = text.splitlines(keepends=True)
    head = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=max(_SEPARATORS, key=head.count))
    columns = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        raise BadHistory(f"no column {', '.join(missing)} in the first line")
    line = reader.line_num + 1
    for values in _rows(reader):
        if isinstance(values, Bad):
            yield Bad(line=line, reason=values.reason)
        elif any(value.strip() for value in values):
            yield _row(line, columns, values, services, now)
        line = reader.line_num + 1


def _rows(reader: Iterable[list[str]]) -> Iterator[list[str] | Bad]:
    rows = iter(reader)
    while True:
        try:
            yield next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Bad(line=0, reason=f"not a CSV row: {error}")


def _row(line: int, columns: list[str], values: list[str], services: Mapping[str, str], now: datetime) -> Row | Bad:
    if len(values) > len(columns):
        return Bad(line=line, reason=f"{len(values)} values under {len(columns)} columns")
    given = {name: value.strip() for name, value in zip(columns, values, strict=False)}
    try:
        return _checked(line, given, services, now)
    except ValueError as error:
        return Bad(line=line, reason=str(error))


def _checked(line: int, given: Mapping[str, str], services: Mapping[str, str], now: datetime) -> Row:
    name = given["service"]
    if name not in services:
        raise ValueError(f"service “{name[:40]}” is not offered here" if name else "no service")
    issued = _time("issued_at", given.get("issued_at", ""))
    if issued is None:
        raise ValueError("no issued_at")
    called, finished = (_time(column, given.get(column, "")) for column in ("called_at", "finished_at"))
    _in_order(issued, called, finished, now)
    counter = given.get("counter", "")
    if len(counter) > _LONGEST_COUNTER:
        raise ValueError("counter is longer than a number or name of a counter")
    return Row(line=line, service=services[name], issued_at=issued, called_at=called, finished_at=finished,
               counter=counter, booked=_booked(given.get("booked", "")),
               no_show=called is not None and finished is None and "finished_at" in given)  # fmt: skip


def _time(column: str, text: str) -> datetime | None:
    if not text:
        return None
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            found = datetime.fromisoformat(text)
            if len(text) < len("20250401T0900"):
                raise ValueError
        else:
            year, month, day, hour, minute, rest = match.groups()
            found = datetime.fromisoformat(f"{year}-{int(month):02}-{int(day):02}T{int(hour):02}:{minute}{rest}")
    except ValueError:
        raise ValueError(f"{column} “{text[:40]}” is not a time") from None
    return found.replace(tzinfo=JST) if found.tzinfo is None else found


def _in_order(issued: datetime, called: datetime | None, finished: datetime | None, now: datetime) -> None:
    if issued.year < _OLDEST_YEAR:
        raise ValueError(f"issued_at is before {_OLDEST_YEAR}")
    if max(each for each in (issued, called, finished) if each is not None) > now:
        raise ValueError("a time lies in the future")
    if called is not None and called < issued:
        raise ValueError("called before the number was issued")
    if finished is not None and finished < (called or issued):
        raise ValueError("finished before it was called")
    if business_date(finished or called or issued) != business_date(issued):
        raise ValueError("ended on another day than it began")


def _booked(text: str) -> bool:
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise ValueError(f"booked “{text[:20]}” is neither yes (1) nor no (0)")
