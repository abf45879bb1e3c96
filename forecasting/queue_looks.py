"""Waits read from looks at a queue: every few minutes, how many wait and which number was called last.

At a look with ``waiting`` people and the last called number ``num``, the last in line holds number
``num + waiting``; the wait is the time until a later look shows that number called. So a wait is known to
the step between two looks and never shorter than one.
"""

import csv
import gzip
import io
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path

from app.domain.wait_history import Case, LineDay

COLUMNS = frozenset({"ts", "office", "svc_id", "waiting", "num"})
_LONGEST_GAP = 15.0


class BadFile(ValueError):
    """The file cannot be read; the message is one sentence with the line."""


@dataclass(frozen=True, slots=True)
class Look:
    """Minute of the day, people waiting, the highest number called so far."""

    minute: float
    waiting: int
    num: int


def read(path: Path) -> dict[str, tuple[list[Case], list[LineDay]]]:
    """Cases and day figures by office; raises BadFile. Looks without a called number yet are left out."""
    series: dict[tuple[str, str, date], list[Look]] = defaultdict(list)
    for line, row in enumerate(_rows(path), 2):
        if not row["num"] or not row["waiting"]:
            continue
        try:
            stamp = row["ts"]
            look = Look(
                int(stamp[11:13]) * 60.0 + int(stamp[14:16]), int(float(row["waiting"])), int(float(row["num"]))
            )
            series[row["office"], row["svc_id"], date.fromisoformat(stamp[:10])].append(look)
        except (ValueError, OverflowError):
            raise BadFile(f"{path.name} line {line}: not a time or a figure") from None
    found: dict[str, tuple[list[Case], list[LineDay]]] = {}
    for (office, line_id, day), looks in sorted(series.items()):
        cases, days = found.setdefault(office, ([], []))
        for part in parts(sorted(looks, key=lambda look: look.minute)):
            known = list(waits(part, line_id, day))
            cases += known
            days.append(figures(part, known, line_id, day))
    return found


def _rows(path: Path) -> Iterator[dict[str, str]]:
    raw = path.read_bytes()
    try:
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError):
        raise BadFile(f"{path.name} is neither UTF-8 text nor a whole gzip file") from None
    reader = csv.DictReader(io.StringIO(text), restval="")
    missing = COLUMNS - set(reader.fieldnames or ())
    if missing:
        raise BadFile(f"{path.name} line 1: no column {', '.join(sorted(missing))}")
    return iter(reader)


def parts(looks: Sequence[Look]) -> Iterator[list[Look]]:
    """Stretches of rising numbers. An old number called again is not news; a new count begins a new stretch."""
    part: list[Look] = []
    for look in looks:
        top = part[-1].num if part else look.num
        if look.num < top / 2 and top - look.num > 20:
            yield part
            part, top = [], look.num
        part.append(Look(look.minute, look.waiting, max(top, look.num)))
    if part:
        yield part


def waits(looks: Sequence[Look], line: str, day: date) -> Iterator[Case]:
    """The wait of the last in line at each look that found somebody waiting and whose number was called."""
    called, issued, top = [look.num for look in looks], list[int](), 0
    for look in looks:
        top = max(top, look.num + look.waiting)
        issued.append(top)
    for look in looks:
        end = bisect_left(called, look.num + look.waiting)
        if look.waiting < 1 or end >= len(looks):
            continue
        last = looks[bisect_left(called, look.num)].minute - looks[bisect_left(issued, look.num)].minute
        yield Case(
            line=line, day=day, queue_ahead=look.waiting - 1, last_wait_min=max(last, 0.0),
            actual_min=looks[end].minute - look.minute,
        )  # fmt: skip


def figures(looks: Sequence[Look], known: Sequence[Case], line: str, day: date) -> LineDay:
    """Calls and minutes between looks that began with somebody waiting; gaps in the record do not count."""
    calls, busy = 0, 0.0
    for before, after in pairwise(looks):
        length = after.minute - before.minute
        if before.waiting > 0 and length <= _LONGEST_GAP:
            calls, busy = calls + after.num - before.num, busy + length
    return LineDay(line=line, day=day, calls=calls, busy_min=busy, waits=len(known),
                   wait_sum_min=sum(case.actual_min for case in known))  # fmt: skip
