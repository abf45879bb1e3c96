"""Rows of the lead's screen: a line with who waits in it, and the tile of a counter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.alerts import Alert, Code, Dials
from app.domain.floor import Floor, instant
from app.domain.ticket import AT_COUNTER, Phase, State
from app.models.place import Category, Service, WorkProfile

Row = Mapping[str, Any]
LATE_URGENT = Dials().late_urgent
# So many proposals have a key of their own.
NUMBERED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One line. ``minutes``: of the longest wait, None when nobody waits; ``of``: counters that usually serve it.

    ``level``: the longest wait against the target; ``lamp`` and ``estimate``: what residents are told.
    """

    category: Category
    waiting: int
    minutes: int | None
    target: int
    level: str
    lamp: str
    estimate: Row | None
    open: int
    of: int
    rows: Sequence[Row]
    away: Sequence[Row]
    making: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One counter. ``minutes``: since the call or start, since it is free, or until the end of a break (negative:
    over). ``hot``: the number of the proposal that is about it; ``long``: it serves far over the usual time."""

    counter: Row
    state: str
    party: Row | None
    minutes: int | None
    letters: str
    profile: WorkProfile | None
    hot: int | None
    long: bool


def line_row(
    line: Row, place: Floor, steps: Sequence[Row], categories: Mapping[str, Category],
    services: Mapping[str, Service], at: datetime,
) -> LineRow:  # fmt: skip
    name = line["id"]
    since = place.longest_since(name, at)
    mine = [step for step in steps if step["category"] == name]
    usual = sum(
        (counter.state == "open" and name in counter.primaries) or _usually(place, counter.usual, name)
        for counter in place.counters
    )
    return LineRow(
        category=categories[name], waiting=line["waiting"], minutes=_minutes(since, at), target=line["target_minutes"],
        level=_level(_minutes(since, at), line["target_minutes"]), lamp=line["lamp"], estimate=line["estimate"],
        open=line["open_counters"], of=usual,
        rows=[_row(step, steps, categories, services, at) for step in mine if step["state"] == State.WAITING],
        away=[step for step in mine if step["state"] in (State.PARKED, State.MISSED)],
        making=[s for s in mine if s["state"] == State.PENDING and s["phase"] == Phase.DELIVER and _made(s, steps)],
    )  # fmt: skip


def _usually(place: Floor, profile: str | None, line: str) -> bool:
    return any(
        each.category_id == line and each.after_minutes is None for each in place.profiles.get(profile or "", ())
    )


def _made(step: Row, steps: Sequence[Row]) -> bool:
    """Whether the hearing before this hand-over is over: no step of the visit before it is open."""
    before = [s for s in steps if s["ticket"] == step["ticket"] and s["position"] == step["position"] - 1]
    return all(s["state"] == State.DONE for s in before)


def _level(minutes: int | None, target: int) -> str:
    """The longest wait against the line's target, as an alert judges it: a lamp of parts/staff_marks.html."""
    if minutes is None:
        return "none"
    if minutes < target:
        return "free"
    return "busy" if minutes < target * LATE_URGENT else "crowd"


def _minutes(since: datetime | None, at: datetime) -> int | None:
    return int((at - since).total_seconds() // 60) if since else None


def _row(
    step: Row, steps: Sequence[Row], categories: Mapping[str, Category], services: Mapping[str, Service], at: datetime
) -> Row:
    """One waiting number; a sensitive procedure stays unnamed."""
    service = services.get(step["service"])
    later = [
        s["category"] for s in steps
        if s["ticket"] == step["ticket"] and s["position"] > step["position"] and s["state"] == State.PENDING
        and s["phase"] == Phase.ACCEPT
    ]  # fmt: skip
    return {
        **step, "due": instant(step["due_at"]), "since": instant(step["waiting_since"]),
        "slot": instant(step["slot_at"]), "delivering": step["phase"] == Phase.DELIVER,
        "minutes": _minutes(instant(step["waiting_since"]), at), "early": (instant(step["eligible_at"]) or at) > at,
        "name": None if service is None or service.sensitive else service.name,
        "later": [categories[name].prefix for name in dict.fromkeys(later)],
    }  # fmt: skip


def tile(
    counter: Row, steps: Mapping[int, Row], categories: Mapping[str, Category], profiles: Mapping[str, WorkProfile],
    fresh: Sequence[Alert], found: Sequence[Alert], place: Floor, at: datetime,
) -> Tile:  # fmt: skip
    party = steps[counter["steps"][0]] if counter["steps"] else None
    hot = (n for n, alert in enumerate(fresh[:NUMBERED], 1) if alert.advice and alert.advice.counter == counter["id"])
    letters = [categories[line["category"]].prefix for line in counter["lines"] if line["category"] in categories]
    return Tile(
        counter=counter, state=_tile_state(counter, party), party=party,
        minutes=_tile_minutes(counter, party, place, at),
        letters=" ".join(letters) if counter["state"] != "closed" else "", profile=profiles.get(counter["profile"]),
        hot=next(hot, None),
        long=any(a.code is Code.LONG and a.counter == counter["id"] for a in found),
    )  # fmt: skip


def _tile_state(counter: Row, party: Row | None) -> str:
    if party is not None and party["state"] in AT_COUNTER:
        if party["state"] == State.CALLED:
            return "called"
        return "handing" if party["phase"] == Phase.DELIVER else "serving"
    return {"open": "free", "paused": "paused"}.get(counter["state"], "closed")


def _tile_minutes(counter: Row, party: Row | None, place: Floor, at: datetime) -> int | None:
    if party is not None:
        return _minutes(instant(party["started_at"] if party["state"] == State.SERVING else party["called_at"]), at)
    back = instant(counter["back_at"])
    if counter["state"] == "paused" and back is not None:
        return -int((at - back).total_seconds() // 60)
    if counter["state"] != "open":
        return None
    free = next(each.free_since for each in place.counters if each.id == counter["id"])
    return _minutes(max(filter(None, (free, instant(counter["since"]))), default=None), at)
