"""Arrivals from files: our own history format, interval counts, and snapshots of queues."""

import csv
import gzip
import io
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import click

_MOST_CALLS_A_MINUTE, _FARTHEST = 3, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One party: minute of the day, what it wants (the file's own name), minutes served if recorded."""

    minute: float
    service: str
    minutes: float | None = None


def read(path: Path, *, pick: str | None, day: str | None, seed: int = 1) -> list[Arrival]:
    """One day of arrivals, in order of time.

    Knows ``service,issued_at[,called_at,finished_at…]``, ``office,svc_id,day,min,arrivals`` and
    ``ts,office,svc_id,…,waiting,called,num``. ``pick``: the office of a file with several; ``day``: the date
    (the busiest by default). Raises click.ClickException with the line of a bad row.
    """
    rows = list(_rows(path))
    if not rows:
        raise click.ClickException(f"{path.name} has no rows")
    fields = set(rows[0][1])
    if {"service", "issued_at"} <= fields:
        found = _own(rows, day)
    elif {"svc_id", "min", "arrivals"} <= fields:
        found = _intervals(rows, pick, day, random.Random(seed))
    elif {"ts", "svc_id", "waiting", "num"} <= fields:
        found = _snapshots(rows, pick, day, random.Random(seed))
    else:
        raise click.ClickException(f"{path.name}: columns {', '.join(sorted(fields))} are not known")
    if not found:
        raise click.ClickException(f"{path.name}: nobody arrives on the day asked for")
    return sorted(found, key=lambda arrival: arrival.minute)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    raw = path.read_bytes()
    text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    reader = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
    yield from enumerate(reader, 2)


def _own(rows: Sequence[tuple[int, dict[str, str]]], day: str | None) -> list[Arrival]:
    found: dict[str, list[Arrival]] = defaultdict(list)
    for line, row in rows:
        try:
            at = datetime.fromisoformat(row["issued_at"])
            served = None
            if row.get("called_at") and row.get("finished_at"):
                begun, ended = (datetime.fromisoformat(row[name]) for name in ("called_at", "finished_at"))
                served = (ended - begun).total_seconds() / 60
        except ValueError:
            raise click.ClickException(f"line {line}: not a time") from None
        minute = at.hour * 60 + at.minute + at.second / 60
        found[at.date().isoformat()].append(Arrival(minute=minute, service=row["service"], minutes=served))
    return _day(found, day)


def _day(found: dict[str, list[Arrival]], day: str | None) -> list[Arrival]:
    return found.get(day or max(found, key=lambda each: len(found[each]), default=""), [])


def _office(rows: Sequence[tuple[int, dict[str, str]]], pick: str | None) -> str:
    return pick or Counter(row["office"] for _, row in rows).most_common(1)[0][0]


def _intervals(
    rows: Sequence[tuple[int, dict[str, str]]], pick: str | None, day: str | None, chance: random.Random
) -> list[Arrival]:
    office = _office(rows, pick)
    found: dict[str, list[Arrival]] = defaultdict(list)
    for line, row in rows:
        if row["office"] != office:
            continue
        try:
            count, minute = int(float(row["arrivals"])), float(row["min"])
        except ValueError:
            raise click.ClickException(f"line {line}: not a figure") from None
        found[row["day"]] += [
            Arrival(minute=minute - chance.uniform(0, 5), service=row["svc_id"]) for _ in range(max(count, 0))
        ]
    return _day(found, day)


@dataclass(slots=True)
class _Row:
    """One row of numbers of a queue (walk-ins, or those with a booking): the highest called and when it was seen."""

    number: float
    at: datetime


@dataclass(slots=True)
class _Queue:
    """What the looks at one queue on one day have told. ``called``, ``arrived``: so far."""

    rows: list[_Row] = field(default_factory=list)
    called: float = 0.0
    arrived: float = 0.0

    def look(self, waiting: float, number: float | None, *, at: datetime, counters: float) -> int:
        """How many have come since the last look.

        Who has come is waiting or was called. Only a new height of that sum counts: a queue that shrinks before the
        display shows the next number, and is as long as before after it, has had no visitor.
        """
        self.called += self._called(number, at=at, counters=counters)
        new = max(int(waiting + self.called - self.arrived), 0)
        self.arrived += new
        return new

    def _called(self, number: float | None, *, at: datetime, counters: float) -> float:
        """How many numbers were called since the last look; 0 where the display shows another row for the first time.

        An empty display tells nothing. A number belongs to the row it can have come from: a counter calls three a
        minute at most, and that only when nobody comes forward.
        """
        if number is None:
            return 0.0
        for row in self.rows:
            minutes = (at - row.at).total_seconds() / 60
            reach = min(_MOST_CALLS_A_MINUTE * max(counters, 1) * minutes, _FARTHEST)
            if abs(number - row.number) <= reach:
                step = max(number - row.number, 0)
                row.number, row.at = row.number + step, at
                return step
        self.rows.append(_Row(number, at))
        return 0.0


def _snapshots(
    rows: Sequence[tuple[int, dict[str, str]]], pick: str | None, day: str | None, chance: random.Random
) -> list[Arrival]:
    """Arrivals between two looks: people who wait more than before, and numbers called meanwhile."""
    office = _office(rows, pick)
    found: dict[str, list[Arrival]] = defaultdict(list)
    queues: dict[tuple[str, str], _Queue] = defaultdict(_Queue)
    for line, row in sorted((r for r in rows if r[1]["office"] == office), key=lambda r: r[1]["ts"]):
        try:
            at = datetime.fromisoformat(row["ts"])
            waiting, counters = float(row["waiting"] or 0), float(row.get("counters") or 1)
            number = float(row["num"]) if row["num"] else None
        except ValueError:
            raise click.ClickException(f"line {line}: not a figure or a time") from None
        queue = queues[at.date().isoformat(), row["svc_id"]]
        count = queue.look(waiting, number, at=at, counters=counters)
        minute = at.hour * 60 + at.minute
        found[at.date().isoformat()] += [
            Arrival(minute=minute - chance.uniform(0, 5), service=row["svc_id"]) for _ in range(count)
        ]
    return _day(found, day)


def synthetic(services: Sequence[str], *, people: int, seed: int = 1) -> list[Arrival]:
    """A busy day from half past eight to five with a noon peak (domain.md), for the demonstration."""
    chance = random.Random(seed)
    hours = ((510, 600, 1.0), (600, 720, 2.0), (720, 840, 3.0), (840, 960, 1.2), (960, 1020, 0.6))
    weights = [share * (end - start) for start, end, share in hours]
    found = []
    for start, end, _ in chance.choices(hours, weights=weights, k=people):
        found.append(Arrival(minute=chance.uniform(start, end), service=chance.choice(services)))
    return sorted(found, key=lambda arrival: arrival.minute)
