"""A file of counts, ``ts,count`` at regular times, as a series; what is wrong with it is said in sentences.

Gaps and values that are no counts become unknown, of rows for one time the last one stands, rows from the future are
left out. Local wall time throughout: an offset in the file is dropped. A file with columns ``office`` and ``svc_id``
holds one series for each of them, all over the same days.
"""

import csv
import gzip
import math
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import dropwhile, pairwise
from pathlib import Path

import numpy as np

from app.domain.past_visits import BadHistory, decoded
from forecasting import columns
from forecasting.columns import Columns
from forecasting.series import Floats, Series

DAY_MIN = 24 * 60
# Older rows teach nothing about the next two weeks, and one wrong year would make a table of millennia.
MOST_DAYS = 10 * 366
# Whoever wants no interval named sees half-hours where there are several queues.
_OF_MANY_MIN = 30
# A summed interval of which less was on record says nothing.
_LEAST_PART = 0.5

# Time → count of each line of a file; NaN for what is no count.
Rows = dict[tuple[str, ...], dict[datetime, float]]


class BadFile(ValueError):
    """The file cannot be used; the message is one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The series of a file by their names (one without a name in a file of one), and sentences about what was left
    out or filled in. All series have the same days and intervals."""

    lines: Mapping[tuple[str, ...], Series]
    notes: tuple[str, ...]

    @property
    def series(self) -> Series:
        """The only, or the first, series."""
        return next(iter(self.lines.values()))


def read(
    path: Path, *, interval_min: int | None = None, now: datetime, holiday: Callable[[date], bool] = lambda _: False
) -> Reading:
    """The series of a file, gzip too; ``interval_min`` sums its intervals up. ``now``: local, without an offset.

    Raises BadFile.
    """
    lines, notes = _parsed(_text(path), now)
    step = _step(lines)
    wanted = interval_min or (max(step, _OF_MANY_MIN) if len(lines) > 1 else step)
    if wanted % step or DAY_MIN % wanted:
        raise BadFile(f"intervals of {step} minutes cannot be summed to {wanted}; name a multiple that divides a day")
    first, last = (edge(edge(rows) for rows in lines.values()).date() for edge in (min, max))
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1 + 400)]
    holidays = frozenset(day for day in days if holiday(day))
    found = {
        name: Series(first, wanted, _summed(_table(rows, first, last, step), wanted // step), holidays)
        for name, rows in sorted(lines.items())
    }
    missing, every = sum(int((~each.open).sum()) for each in found.values()), sum(s.counts.size for s in found.values())
    if missing:
        notes.append(f"{missing} of {every} intervals are unknown (gaps)")
    return Reading(lines=found, notes=tuple(notes))


def _text(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return decoded(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (OSError, EOFError, zlib.error):
        raise BadFile("the gzip file is damaged") from None
    except BadHistory as error:
        raise BadFile(str(error)) from None


def _parsed(text: str, now: datetime) -> tuple[Rows, list[str]]:
    """The rows, and what was wrong. Raises BadFile when none is left."""
    found: Rows = defaultdict(dict)
    wrong: Counter[str] = Counter()
    places, rows = _rows(text)
    for row in rows:
        at = places.at(row)
        if at is None:
            wrong["without a time were left out"] += 1
        elif at > now:
            wrong["from the future were left out"] += 1
        else:
            line = found[places.line(row)]
            wrong["for a time already given: the last one stands"] += at in line
            line[at] = places.number(row)
            wrong["whose count is no number from 0 up were taken for unknown"] += math.isnan(line[at])
    kept, old = _recent(found)
    wrong[f"more than {MOST_DAYS} days before the last were left out"] += old
    notes = _ways(places) + [f"{n} {'row' if n == 1 else 'rows'} {what}" for what, n in wrong.items() if n]
    if not kept:
        raise BadFile(f"no row has a time and a count{': ' if notes else ''}{'; '.join(notes)}")
    return kept, notes


def _recent(lines: Rows) -> tuple[Rows, int]:
    """The lines without rows far before the last one, and how many those were."""
    if not lines:
        return {}, 0
    last = max(max(rows) for rows in lines.values())
    kept = {
        name: {at: count for at, count in rows.items() if last - at <= timedelta(days=MOST_DAYS)}
        for name, rows in lines.items()
    }
    old = sum(map(len, lines.values())) - sum(map(len, kept.values()))
    return {name: rows for name, rows in kept.items() if rows}, old


def _ways(places: Columns) -> list[str]:
    """How the file was understood where it could have been meant otherwise."""
    taken = f"more than one column has numbers and none is named count: column {places.count + 1} was taken"
    ways = ((places.guessed, taken), (places.day_first, "days were read before months (31/12)"),
            (places.dotted, "dots were read as thousands (1.234)"))  # fmt: skip
    return [words for applies, words in ways if applies]


def _rows(text: str) -> tuple[Columns, list[list[str]]]:
    """Where things stand, and the rows, as wide as the head. Lines before the head that are blank or begin with #
    are remarks."""
    # Digits and spaces of full width are what Japanese forms are filled in with.
    lines = (text if text.isascii() else unicodedata.normalize("NFKC", text)).splitlines()
    lines = list(dropwhile(lambda line: not line.strip(" ,;\t") or line.startswith("#"), lines))
    head = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=max(",;\t", key=head.count))
    try:
        names, *rest = [values for values in reader if any(values)] or [[]]
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num} is no CSV: {error}") from None
    places = columns.find(names, rest[0] if rest else [])
    if places is None:
        raise BadFile("the first line names no columns ts,count")
    rows = [places.whole(values) for values in ([names, *rest] if places.headless else rest)]
    return places.spelled(rows), rows


def _step(lines: Rows) -> int:
    """Minutes from one row to the next, as most rows have it."""
    steps: Counter[int] = Counter()
    for rows in lines.values():
        steps.update(int((later - earlier).total_seconds()) for earlier, later in pairwise(sorted(rows)))
    if not steps:
        raise BadFile("one row is no series")
    seconds = steps.most_common(1)[0][0]
    if 0 < seconds < 60 and 60 % seconds == 0:
        # Rows of one minute are added up (_table).
        return 1
    if seconds > DAY_MIN * 60:
        raise BadFile(f"rows stand {seconds // (DAY_MIN * 60)} days apart; at least one for each day is needed")
    if not seconds or seconds % 60 or DAY_MIN % (seconds // 60):
        raise BadFile(f"rows every {seconds} seconds do not divide a day; sum them up by minutes first")
    return seconds // 60


def _table(rows: Mapping[datetime, float], first: date, last: date, step: int) -> Floats:
    """Shape (days, intervals of a day); rows that fall into one interval are added up."""
    found = np.full(((last - first).days + 1, DAY_MIN // step), np.nan)
    for at, count in rows.items():
        place = (at.date() - first).days, (at.hour * 60 + at.minute) // step
        found[place] = count if np.isnan(found[place]) else found[place] + count
    return found


def _summed(fine: Floats, parts: int) -> Floats:
    """Sums of so many neighbours; a missing one counts as the mean of the rest."""
    grouped = fine.reshape(len(fine), -1, parts)
    known = np.isfinite(grouped).sum(2)
    with np.errstate(invalid="ignore", divide="ignore"):
        whole = np.nansum(grouped, 2) * parts / known
    return np.where(known >= max(_LEAST_PART * parts, 1), whole, np.nan)
