"""Rows of the lead's screen: a line with who waits in it, and the tile of a counter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.alerts import Alert, Code, Dials
from app.domain.floor import Floor, instant, minutes_since
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What every row is drawn from. ``visits``: the steps of a ticket, by its id."""

    place: Floor
    steps: Sequence[Row]
    visits: Mapping[int, Sequence[Row]]
    categories: Mapping[str, Category]
    services: Mapping[str, Service]
    profiles: Mapping[str, WorkProfile]
    at: datetime


def line_row(line: Row, look: Look) -> LineRow:
    """One line of the table, with the numbers in it."""
    name, place = line["id"], look.place
    minutes = _minutes(place.longest_since(name, look.at), look.at)
    mine = [step for step in look.steps if step["category"] == name]
    usual = sum(
        (counter.state == "open" and name in counter.primaries) or _usually(place, counter.usual, name)
        for counter in place.counters
    )
    return LineRow(
        category=look.categories[name], waiting=line["waiting"], minutes=minutes, target=line["target_minutes"],
        level=_level(minutes, line["target_minutes"]), lamp=line["lamp"], estimate=line["estimate"],
        open=line["open_counters"], of=usual,
        rows=[_row(step, look) for step in mine if step["state"] == State.WAITING],
        away=[step for step in mine if step["state"] in (State.PARKED, State.MISSED)],
        making=[s for s in mine if s["state"] == State.PENDING and s["phase"] == Phase.DELIVER and _made(s, look)],
    )  # fmt: skip


def _usually(place: Floor, profile: str | None, line: str) -> bool:
    return any(
        each.category_id == line and each.after_minutes is None for each in place.profiles.get(profile or "", ())
    )


def _made(step: Row, look: Look) -> bool:
    """Whether the hearing before this hand-over is over; one that ended a while ago is not among the steps."""
    before = [s for s in look.visits[step["ticket"]] if s["position"] == step["position"] - 1]
    return all(s["state"] == State.DONE for s in before)


def _level(minutes: int | None, target: int) -> str:
    """The longest wait against the line's target, as an alert judges it: a lamp of parts/staff_marks.html."""
    if minutes is None:
        return "none"
    if minutes < target:
        return "free"
    return "busy" if minutes < target * LATE_URGENT else "crowd"


def _minutes(since: datetime | None, at: datetime) -> int | None:
    return minutes_since(since, at) if since else None


def _row(step: Row, look: Look) -> Row:
    """One waiting number; a sensitive procedure stays unnamed."""
    service, at = look.services.get(step["service"]), look.at
    later = [
        s["category"]
        for s in look.visits[step["ticket"]]
        if s["position"] > step["position"] and s["state"] == State.PENDING and s["phase"] == Phase.ACCEPT
    ]
    return {
        **step, "due": instant(step["due_at"]), "slot": instant(step["slot_at"]),
        "delivering": step["phase"] == Phase.DELIVER, "early": (instant(step["eligible_at"]) or at) > at,
        "minutes": _minutes(instant(step["waiting_since"]), at),
        "name": None if service is None or service.sensitive else service.name,
        "later": [look.categories[name].prefix for name in dict.fromkeys(later)],
    }  # fmt: skip


def tile(counter: Row, look: Look, *, fresh: Sequence[Alert], found: Sequence[Alert]) -> Tile:
    """One counter. ``fresh``: the alerts shown as proposals, in their order; ``found``: all."""
    party = next((step for step in look.steps if step["id"] in counter["steps"][:1]), None)
    hot = (n for n, alert in enumerate(fresh[:NUMBERED], 1) if alert.advice and alert.advice.counter == counter["id"])
    lines = [line["category"] for line in counter["lines"] if counter["state"] != "closed"]
    return Tile(
        counter=counter, state=_tile_state(counter, party), party=party,
        minutes=_tile_minutes(counter, party, look.place, look.at),
        letters="".join(look.categories[name].prefix for name in lines if name in look.categories),
        profile=look.profiles.get(counter["profile"]), hot=next(hot, None),
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
