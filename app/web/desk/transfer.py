"""Where a party could be transferred to: every line of the office, and the place it would have there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.calling import Arrival, Entry, Policy, due_at
from app.domain.ticket import State
from app.domain.wait import Range
from app.models.place import Category
from app.models.ticket import Step
from app.services import catalogue, waits
from app.web.desk import view


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """One line. ``ahead``: people before the party there; ``range``: minutes, None where nothing can be told."""

    category: Category
    figures: Mapping[str, Any]
    services: list[catalogue.Offered]
    counters: list[str]
    ahead: int
    range: Range | None
    longest: datetime | None


def destinations(session: Session, step: Step, *, at: datetime) -> dict[str, list[Destination]]:
    """Every line with its procedures; the arrival is kept, so the place is not the end of the line."""
    offered: dict[str, list[catalogue.Offered]] = {}
    for each in catalogue.services(session, step.office_id, at=at):
        offered.setdefault(each.category.id, []).append(each)
    seen = view.office_view(step.office_id, at)
    known = waits.of_lines(session, step.office_id, list(offered), day=business_date(at), at=at)
    return {
        "destinations": [
            _destination(seen, figures, offered[figures["id"]], known[figures["id"]], step, at)
            for figures in seen["categories"]
            if figures["id"] in offered
        ]
    }


def _destination(
    seen: Mapping[str, Any], figures: Mapping[str, Any], services: list[catalogue.Offered], known: waits.LineWait,
    step: Step, at: datetime,
) -> Destination:  # fmt: skip
    category = services[0].category
    due = _due(step, category, at)
    dues = [
        view.instant(s["due_at"]) for s in seen["steps"] if s["state"] == State.WAITING and s["category"] == category.id
    ]
    ahead = sum(1 for each in dues if each is not None and each <= due)
    ranges = waits.ranges(known, (ahead,)) if figures["open_counters"] else None
    return Destination(
        category=category, figures=figures, services=services, counters=view.counters_of(seen, category.id),
        ahead=ahead, range=ranges[0] if ranges else None, longest=view.instant(figures["longest_since"]),
    )  # fmt: skip


def _due(step: Step, category: Category, at: datetime) -> datetime:
    entry = Entry.BOOKED if step.slot_at is not None else Entry.JOURNEY
    arrival = Arrival(entry=entry, arrived_at=step.arrived_at or at, now=at, slot=step.slot_at, priority=step.priority)
    return due_at(arrival, Policy(**category.policy)).due_at
