"""The lead's screen from one staff snapshot: alerts first, then lines, counters and the figures of the day.

Figures and rows only; sentences are in app/web/lead/says.py, markup in templates/lead/.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import alerts
from app.domain.alerts import Alert, Seen, Severity, still_seen
from app.domain.calendar import business_date
from app.models.place import Category, Office, Service, WorkProfile
from app.services import advice_record, day_course, day_figures, floor, hours, own_roster, seen
from app.services.advice_record import Taken
from app.services.day_course import Course, HalfHour, LineCourse
from app.services.day_figures import Figures
from app.services.own_roster import Sits
from app.web import security
from app.web.lead import ahead
from app.web.lead.ahead import Effect
from app.web.lead.rows import LineRow, Look, Row, Tile, line_row, tile


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Everything the templates draw. ``state``: alert, calm (nothing, or only what is worth knowing), empty (no number
    yet today) or rest (out of hours).

    ``planned``: who sits at which counter (its number) now by the published roster.
    ``advised``: proposals that were taken today, with what came of them.
    ``effects``: what a proposed counter would do, by the alert's key.
    ``taken``: alerts somebody takes care of, with who; ``steps``, ``counters``: the snapshot's, by id.
    """

    office: Office
    at: datetime
    version: tuple[str, int]
    state: str
    alerts: Sequence[Alert]
    taken: Sequence[tuple[Alert, Seen]]
    lines: Sequence[LineRow]
    tiles: Sequence[Tile]
    figures: Figures
    opens_at: datetime | None
    categories: Mapping[str, Category]
    services: Mapping[str, Service]
    profiles: Mapping[str, WorkProfile]
    steps: Mapping[int, Row]
    counters: Mapping[str, Row]
    effects: Mapping[str, Effect]
    course: Course
    planned: Mapping[str, Sits]
    advised: Sequence[Taken]

    @property
    def course_top(self) -> float:
        """The top of the drawing of the day's course, in parties."""
        return max([5.0, *(max(each.high, each.came or 0) for each in self.course.half_hours)])

    @property
    def course_lines(self) -> list[LineCourse]:
        """The day's course of each line, in the order of the lines."""
        known = {each.category_id: each for each in self.course.lines}
        return [known[each.category.id] for each in self.lines if each.category.id in known]

    @property
    def peak(self) -> HalfHour | None:
        """The half-hour still to come for which the most are expected."""
        ahead = [each for each in self.course.half_hours if each.came is None]
        return max(ahead, key=lambda each: each.expected, default=None)

    def open_of(self, line: str) -> int:
        """Counters that serve a line first now."""
        return next((each.open for each in self.lines if each.category.id == line), 0)

    @property
    def waiting(self) -> int:
        return sum(line.waiting for line in self.lines)

    @property
    def longest(self) -> int | None:
        """Minutes of the longest wait in the house."""
        return max((line.minutes for line in self.lines if line.minutes is not None), default=None)

    @property
    def open(self) -> int:
        return sum(each.counter["state"] == "open" for each in self.tiles)

    @property
    def within(self) -> bool:
        """Every line is within its target."""
        return all(line.level in ("free", "none") for line in self.lines)


def snapshot(office_id: str, at: datetime) -> dict[str, Any]:
    """The staff's view of the office, read once for all screens (services/staff_queue.py)."""
    found: dict[str, Any] = orjson.loads(security.kept_snapshots().read("queue", office_id, at=at).body)
    return found


def read(session: Session, office: Office, *, at: datetime) -> Screen:
    """The screen of an office now."""
    view = snapshot(office.id, at)
    place = floor.of_snapshot(session, view, at=at)
    found, effects = ahead.look(session, office.id, place, alerts.find(place, at), at=at)
    marks = seen.marks(session, office.id, at=at)
    taken = [(each, marks[each.key]) for each in found if each.key in marks and still_seen(each, marks[each.key], at)]
    fresh = [each for each in found if each.key not in {key.key for key, _ in taken}]
    categories = {c.id: c for c in session.scalars(select(Category).where(Category.office_id == office.id))}
    services = {s.id: s for s in session.scalars(select(Service).where(Service.id.in_(list(view["services"]))))}
    mine = select(WorkProfile).where(WorkProfile.office_id == office.id).order_by(WorkProfile.position)
    profiles = {p.id: p for p in session.scalars(mine)}
    visits: dict[int, list[Row]] = defaultdict(list)
    for step in view["steps"]:
        visits[step["ticket"]].append(step)
    look = Look(place=place, steps=view["steps"], visits=visits, categories=categories, services=services,
                profiles=profiles, at=at)  # fmt: skip
    figures = day_figures.read(session, office.id, at=at)
    return Screen(
        office=office, at=at, version=(view["epoch"], view["seq"]), alerts=fresh, taken=taken,
        lines=[line_row(each, look) for each in view["categories"]],
        tiles=[tile(each, look, fresh=fresh, found=found) for each in view["counters"]],
        figures=figures, state=_state(session, office, fresh, figures, at),
        opens_at=hours.next_opening(session, office.id, at), categories=categories, services=services,
        profiles=profiles, steps={step["id"]: step for step in view["steps"]},
        counters={c["id"]: c for c in view["counters"]}, effects=effects,
        course=day_course.read(session, office.id, at=at),
        planned=own_roster.sitting(session, office.id, at=at),
        advised=advice_record.of_days(session, office.id, business_date(at), business_date(at), at=at),
    )  # fmt: skip


def _state(session: Session, office: Office, fresh: Sequence[Alert], figures: Figures, at: datetime) -> str:
    if any(alert.severity is not Severity.NOTE for alert in fresh):
        return "alert"
    if not office.training and not hours.is_open(session, office.id, at):
        return "rest"
    return "calm" if figures.issued else "empty"
