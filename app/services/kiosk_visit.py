"""What is told before a number is taken, and on it: people ahead, the range, the whole visit, where to wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import visit
from app.domain.calendar import business_date
from app.domain.calling import Arrival, Entry, Policy, due_at
from app.domain.kiosk import Purpose
from app.domain.ticket import Phase
from app.domain.wait import Range
from app.models.forecast import WaitSample
from app.models.place import Category, Counter, Hall, Service, WorkProfile
from app.models.ticket import NumberLine, Step, Ticket
from app.services import kiosk_layout, lines, waits

# Behind everybody who waits: a number not yet given.
_LAST_OF_ALL = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """Where a line is served: its hall, and its counters as runs of numbers (``[("4", "7")]``)."""

    hall: Hall
    counters: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a number would say if it were taken now; ``whole``: until everything is done. None: not known."""

    ahead: int
    estimate: dict[str, int] | None
    whole: Range | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One procedure of a ticket: ``name`` is what was touched, or neutral words for a sensitive one."""

    service: Service
    category: Category
    name: Mapping[str, Any]
    area: Area


def area(session: Session, category: Category) -> Area:
    """The counters whose usual profile has the line first of all; none named where no counter is bound to it."""
    usual = session.execute(
        select(Counter.number, WorkProfile.lines)
        .join(WorkProfile, WorkProfile.id == Counter.default_profile_id)
        .where(Counter.office_id == category.office_id, Counter.hall_id == category.hall_id)
        .order_by(Counter.position, Counter.id)
    )
    numbers = [row.number for row in usual if _primary(row.lines, category.id)]
    return Area(hall=session.get_one(Hall, category.hall_id), counters=visit.row(numbers))


def _primary(profile: Sequence[Mapping[str, Any]], category_id: str) -> bool:
    return any(line["category"] == category_id and line.get("after_minutes") is None for line in profile)


def preview(session: Session, stages: Sequence[tuple[Service, Category]], *, priority: bool, at: datetime) -> Preview:
    """The figures of a visit before its number is taken: the same rule as at the issue, nothing written."""
    steps = [_step(session, service, category, priority=priority, at=at) for service, category in stages]
    ahead = [lines.ahead(session, step) for step in steps]
    told = [waits.estimate(session, step, ahead=count, at=at) for step, count in zip(steps, ahead, strict=True)]
    stops = [
        visit.Stop(wait=Range(**told_), **_minutes(service))
        for (service, _), told_ in zip(stages, told, strict=True)
        if told_ is not None
    ]
    whole = visit.whole(stops) if len(stops) == len(stages) else None
    return Preview(ahead=ahead[0], estimate=told[0], whole=whole)


def _minutes(service: Service) -> dict[str, float]:
    known = service.minutes
    both = Phase.DELIVER in service.phases
    return {
        "accept": known.get("accept") or 0,
        "back": (known.get("back") or 0) if both else 0,
        "deliver": (known.get("deliver") or 0) if both else 0,
    }


def _step(session: Session, service: Service, category: Category, *, priority: bool, at: datetime) -> Step:
    """A step as it would stand in its line; never added to the session."""
    day = business_date(at)
    line = session.get(NumberLine, (category.id, day))
    place = due_at(
        Arrival(
            entry=Entry.WALK_IN, arrived_at=at, now=at, priority=priority,
            last_walk_in_due=line.last_walk_in_due if line else None,
        ),
        Policy(**category.policy),
    )  # fmt: skip
    return Step(
        office_id=category.office_id, business_date=day, category_id=category.id, service_id=service.id,
        due_at=place.due_at, arrived_at=at, serial=_LAST_OF_ALL,
    )  # fmt: skip


def stages(session: Session, ticket: Ticket) -> list[Stage]:
    """The procedures of a ticket, each once, in their order."""
    rows = session.execute(
        select(Service, Category)
        .join(Step, Step.service_id == Service.id)
        .join(Category, Category.id == Step.category_id)
        .where(Step.ticket_id == ticket.id, Step.phase == Phase.ACCEPT)
        .order_by(Step.position)
    )
    purposes = kiosk_layout.layout(session, ticket.office_id).purposes
    return [
        Stage(service=service, category=category, name=_name(purposes, service), area=area(session, category))
        for service, category in rows
    ]


def coming(session: Session, ticket: Ticket, *, at: datetime) -> Preview | None:
    """The line as somebody would find it who came now with a number that is to be confirmed on arrival; else None."""
    if ticket.confirm_by is None or at > ticket.confirm_by:
        return None
    asked = [(each.service, each.category) for each in stages(session, ticket)]
    return preview(session, asked, priority=ticket.priority, at=at)


def _name(purposes: Sequence[Purpose], service: Service) -> Mapping[str, Any]:
    """A button that stands for several services was touched for one of them: its own words are the true ones."""
    button = next((p for p in purposes if p.services[0] == service.id and len(p.services) > 1), None)
    return service.public_name if service.sensitive or button is None else button.title


def told(session: Session, ticket: Ticket) -> tuple[int, Range | None] | None:
    """People ahead and the range as they stood when the number was given; None for one that never waited."""
    kept = session.scalar(
        select(WaitSample)
        .join(Step, Step.id == WaitSample.step_id)
        .where(Step.ticket_id == ticket.id)
        .order_by(Step.position)
        .limit(1)
    )
    if kept is None:
        return None
    promised = (
        Range(kept.promised_low, kept.promised_high)
        if kept.promised_low is not None and kept.promised_high is not None
        else None
    )
    return kept.queue_ahead, promised


def row_of_counters(session: Session, hall_id: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """The counters of a hall as they stand beside each other: ``(first, last, categories)`` by usual line."""
    found: list[tuple[str, str, tuple[str, ...]]] = []
    rows = session.execute(
        select(Counter.number, WorkProfile.lines)
        .outerjoin(WorkProfile, WorkProfile.id == Counter.default_profile_id)
        .where(Counter.hall_id == hall_id)
        .order_by(Counter.position, Counter.id)
    )
    for number, profile in rows:
        served = tuple(x["category"] for x in profile or () if x.get("after_minutes") is None)
        if found and found[-1][2] == served:
            found[-1] = (found[-1][0], number, served)
        else:
            found.append((number, number, served))
    return found


def information(session: Session, office_id: str) -> Counter | None:
    """The counter that serves no line of its own: where numbers are given by hand; None where there is none."""
    return session.scalar(
        select(Counter)
        .where(Counter.office_id == office_id, Counter.default_profile_id.is_(None))
        .order_by(Counter.position, Counter.id)
        .limit(1)
    )
