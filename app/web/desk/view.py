"""The desk's screen from one look at the office and one at the own counter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.floor import minutes_since
from app.domain.ticket import Phase, State
from app.models.place import Category, Counter, Hall, WorkProfile
from app.models.ticket import Step
from app.services import desk, notes
from app.web import security

Row = Mapping[str, Any]
CALLS_BEFORE_MISS = 3
MOST_NEIGHBOURS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Everything the templates draw. ``state``: break, called, nocome, serving, ready or idle."""

    counter: Counter
    hall: Hall
    profile: WorkProfile | None
    state: str
    at: datetime
    version: tuple[str, int]
    held: Sequence[Step]
    numbers: Mapping[int, str]
    party: desk.Party | None
    next: desk.Next | None
    undo: desk.Undo | None
    making: Sequence[desk.Making]
    lines: Sequence[Row]
    queue: Sequence[Row]
    away: Sequence[Row]
    neighbours: Sequence[Row]
    crowded: Row | None
    done: tuple[int, timedelta | None]
    expected: desk.Expected | None
    note: str
    categories: Mapping[str, Category]
    office_view: Row

    @property
    def free(self) -> bool:
        """Whether one more party may be called."""
        return self.counter.state == "open" and len(self.held) < self.counter.capacity

    @property
    def keys(self) -> dict[str, bool]:
        """Which keys act on the party at the counter now."""
        state = self.party.step.state if self.party else None
        called, serving = state == State.CALLED, state == State.SERVING
        return {
            "start": called, "recall": called, "finish": serving, "park": serving, "transfer": called or serving,
            "ready": bool(self.making),
        }  # fmt: skip

    def counters_of(self, category: str) -> list[str]:
        """Numbers of the open counters that serve a line first."""
        return counters_of(self.office_view, category)

    def line_of(self, category: str) -> Row | None:
        """The office's figures of a line."""
        return next((line for line in self.office_view["categories"] if line["id"] == category), None)


def counters_of(seen: Row, category: str) -> list[str]:
    """Numbers of the open counters of the office's view that serve a line first."""
    return [
        found["number"]
        for found in seen["counters"]
        if found["state"] == "open" and any(_primary(line, category) for line in found["lines"])
    ]


def _primary(line: Row, category: str) -> bool:
    return bool(line["category"] == category and line.get("after_minutes") is None)


def instant(value: str | None) -> datetime | None:
    """An instant of the office's view."""
    return datetime.fromisoformat(value) if value else None


def office_view(office_id: str, at: datetime) -> dict[str, Any]:
    """The staff's view of the office, read once for all desks (services/staff_queue.py)."""
    found: dict[str, Any] = orjson.loads(security.kept_snapshots().read("queue", office_id, at=at).body)
    return found


def read(session: Session, counter: Counter, *, at: datetime, chosen: int | None = None) -> Screen:
    """The screen of a counter; ``chosen``: the step to show where several parties are at it."""
    seen = office_view(counter.office_id, at)
    held = desk.held(session, counter, at=at)
    step = next((s for s in held if s.id == chosen), held[0] if held else None)
    party = desk.party(session, step) if step else None
    turn = desk.next_up(session, counter, at=at)
    categories = {c.id: c for c in session.scalars(select(Category).where(Category.office_id == counter.office_id))}
    rows = _queue(seen["steps"], counter.lines, turn, at)
    state = _state(counter, step, turn)
    return Screen(
        counter=counter, hall=session.get_one(Hall, counter.hall_id),
        profile=session.get(WorkProfile, counter.profile_id) if counter.profile_id else None,
        state=state, at=at, version=(seen["epoch"], seen["seq"]), held=held,
        numbers={s["id"]: s["number"] for s in seen["steps"]}, party=party, next=turn,
        undo=desk.undo(session, counter, at=at, step=step), making=desk.making(session, counter, at=at),
        lines=_lines(seen["categories"], counter.lines), queue=rows, away=_away(seen["steps"], counter.lines),
        neighbours=_neighbours(seen, counter), crowded=_crowded(seen["categories"], counter.lines, at),
        done=desk.done_today(session, counter, at=at),
        expected=desk.expected(session, counter, at=at) if state == "idle" else None,
        note=notes.of(session, party.ticket.id) if party else "", categories=categories, office_view=seen,
    )  # fmt: skip


def _state(counter: Counter, step: Step | None, turn: desk.Next | None) -> str:
    if counter.state == "paused":
        return "break"
    if step is None:
        return "ready" if turn else "idle"
    if step.state == State.SERVING:
        return "serving"
    return "nocome" if step.recalls + 1 >= CALLS_BEFORE_MISS else "called"


def _lines(categories: Iterable[Row], own: Sequence[Row]) -> list[Row]:
    known = {line["id"]: line for line in categories}
    return [
        {**known[line["category"]], "after": line.get("after_minutes"),
         "longest": instant(known[line["category"]]["longest_since"])}
        for line in own
        if line["category"] in known
    ]  # fmt: skip


def _queue(steps: Sequence[Row], own: Sequence[Row], turn: desk.Next | None, at: datetime) -> Sequence[Row]:
    """Who waits in the own lines, in the order they will be called; a secondary line while it counts."""
    waiting = [step for step in steps if step["state"] == State.WAITING]
    counted: set[str] = set()
    for line in own:
        head = next((s for s in waiting if s["category"] == line["category"]), None)
        limit = line.get("after_minutes")
        if head is not None and (limit is None or _waited(head, at) > timedelta(minutes=limit)):
            counted.add(line["category"])
    rows = [_row(step) for step in waiting if step["category"] in counted]
    head_id = turn.step.id if turn else None
    return sorted(rows, key=lambda row: (row["id"] != head_id, row["eligible"] > at, row["due"]))


def _waited(step: Row, at: datetime) -> timedelta:
    since = instant(step["waiting_since"])
    return at - since if since else timedelta()


def _row(step: Row) -> dict[str, Any]:
    return {
        **step, "due": instant(step["due_at"]), "since": instant(step["waiting_since"]),
        "slot": instant(step["slot_at"]), "eligible": instant(step["eligible_at"]),
        "delivering": step["phase"] == Phase.DELIVER,
    }  # fmt: skip


def _away(steps: Sequence[Row], own: Sequence[Row]) -> list[Row]:
    """Numbers of the own lines that were parked or did not come."""
    mine = {line["category"] for line in own}
    return [s for s in steps if s["state"] in (State.PARKED, State.MISSED) and s["category"] in mine]


def _neighbours(seen: Row, counter: Counter) -> list[Row]:
    """Counters that serve the same lines, then others of the hall; what each is doing."""
    mine = {line["category"] for line in counter.lines}
    steps = {step["id"]: step for step in seen["steps"]}
    others = [c for c in seen["counters"] if c["id"] != counter.id and c["state"] != "closed"]
    near = [c for c in others if c["hall"] == counter.hall_id or mine & {line["category"] for line in c["lines"]}]
    near.sort(key=lambda c: not mine & {line["category"] for line in c["lines"]})
    return [
        {**c, "party": steps[c["steps"][0]] if c["steps"] else None, "back": instant(c["back_at"]),
         "from": instant(steps[c["steps"][0]]["started_at"] or steps[c["steps"][0]]["called_at"])
         if c["steps"] else None}
        for c in near[:MOST_NEIGHBOURS]
    ]  # fmt: skip


def _crowded(categories: Iterable[Row], own: Sequence[Row], at: datetime) -> Row | None:
    """The other line whose longest wait is furthest past its target; a clerk without work may offer help."""
    mine = {line["category"] for line in own}
    late = [
        {**line, "minutes": minutes_since(since, at)}
        for line in categories
        if line["id"] not in mine and (since := instant(line["longest_since"])) is not None
        and at - since > timedelta(minutes=line["target_minutes"])
    ]  # fmt: skip
    return max(late, key=lambda line: line["minutes"] - line["target_minutes"], default=None)
