"""A recorded day of a line under other dials: both groups' waits, before a manager switches (domain/blend.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.blend import Played, Shift, Visitor, play
from app.domain.calendar import business_date
from app.domain.calling import Entry, Policy
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.models.place import Category
from app.models.ticket import Step
from app.services import events

_BOOKED = (str(Entry.BOOKED), str(Entry.WALK_IN))
# Between the end of one party and the call of the next a counter was at rest, not closed, for so long.
_REST = timedelta(minutes=20)
_LOOKED_BACK = timedelta(days=40)
DIALS = ("allowance", "early_window", "late_penalty", "late_grace", "priority")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One setting with what it would have meant."""

    policy: Policy
    played: Played


def compare(
    session: Session, *, office_id: str, category_id: str, day: date, settings: Sequence[Mapping[str, float]]
) -> list[Compared]:
    """The day under the line's own dials, then under each of ``settings`` (DIALS in minutes, others stay).

    Raises NotFound for a line of another office and for a day nobody was served on, InvalidInput("bad_range") for a
    dial that is none or not within 0 to 240.
    """
    category = session.get(Category, category_id)
    if category is None or category.office_id != office_id:
        raise NotFound(what="category")
    steps = _steps(session, category_id, day)
    if not steps:
        raise NotFound(what="day")
    visitors, shifts = _visitors(steps), _shifts(steps)
    known = {each.name for each in fields(Policy)}
    own = Policy(**{name: value for name, value in category.policy.items() if name in known})
    policies = [own, *(_with(own, each) for each in settings)]
    return [Compared(policy=policy, played=play(visitors, shifts, policy)) for policy in policies]


def _with(own: Policy, changed: Mapping[str, float]) -> Policy:
    if not set(changed) <= set(DIALS) or not all(0 <= value <= 240 for value in changed.values()):
        raise InvalidInput("bad_range", most=240)
    return Policy(**(asdict(own) | dict(changed)))


def _steps(session: Session, category_id: str, day: date) -> Sequence[Step]:
    """What came into the line by itself that day and was served: first hearings, booked or not."""
    return session.scalars(
        select(Step).where(
            Step.category_id == category_id, Step.business_date == day, Step.entry.in_(_BOOKED),
            Step.arrived_at.is_not(None), Step.called_at.is_not(None), Step.ended_at.is_not(None),
            Step.state == "done",
        ).order_by(Step.called_at, Step.id)
    ).all()  # fmt: skip


def _visitors(steps: Sequence[Step]) -> list[Visitor]:
    return [
        Visitor(
            arrived=_sure(step.arrived_at), served=_sure(step.ended_at) - _sure(step.called_at), slot=step.slot_at,
            priority=step.priority,
        )
        for step in steps
    ]  # fmt: skip


def _shifts(steps: Sequence[Step]) -> list[Shift]:
    """When each counter was at work, from what it served: it stays for the next one a while, a long rest ends it."""
    found: dict[str, list[Shift]] = {}
    for step in steps:
        called, ended = _sure(step.called_at), _sure(step.ended_at)
        shifts = found.setdefault(step.counter_id or "", [])
        if shifts and called <= shifts[-1].ends:
            shifts[-1] = Shift(begins=shifts[-1].begins, ends=max(shifts[-1].ends, ended + _REST))
        else:
            shifts.append(Shift(begins=called, ends=ended + _REST))
    return [shift for shifts in found.values() for shift in shifts]


def _sure(at: datetime | None) -> datetime:
    assert at is not None  # noqa: S101 - asked for in the query
    return at


def own_dials(category: Category) -> dict[str, float]:
    """The dials of a line as they are set now, in minutes."""
    known = {each.name for each in fields(Policy)}
    own = asdict(Policy(**{name: value for name, value in category.policy.items() if name in known}))
    return {name: own[name] for name in DIALS}


def days(session: Session, category_id: str, *, at: datetime) -> list[date]:
    """The days of the last weeks on which the line served somebody, the newest first; today is not over."""
    today = business_date(at)
    query = (
        select(Step.business_date)
        .where(Step.category_id == category_id, Step.business_date < today, Step.business_date >= today - _LOOKED_BACK,
               Step.entry.in_(_BOOKED), Step.state == "done", Step.called_at.is_not(None))
        .distinct()
        .order_by(Step.business_date.desc())
    )  # fmt: skip
    return list(session.scalars(query))


def switch(
    session: Session, *, office_id: str, category_id: str, dials: Mapping[str, float], seen: Mapping[str, float]
) -> dict[str, list[float]]:
    """Set a line's dials for all who come from now on; returns ``{dial: [before, after]}`` of those that change.

    ``seen``: the dials that were compared with. Who waits already keeps the place that was given. Raises NotFound,
    InvalidInput("bad_range"), Conflict("dials_changed") when somebody else has set them meanwhile.
    """
    events.lock_office(session, office_id)
    category = session.get(Category, category_id, with_for_update=True, populate_existing=True)
    if category is None or category.office_id != office_id:
        raise NotFound(what="category")
    before = own_dials(category)
    wanted = asdict(_with(Policy(**before), dials))
    changed = {name: [before[name], wanted[name]] for name in DIALS if before[name] != wanted[name]}
    if any(before[name] != value for name, value in seen.items()):
        raise Conflict("dials_changed")
    category.policy = category.policy | {name: after for name, (_, after) in changed.items()}
    return changed


__all__ = ["DIALS", "Compared", "compare", "days", "own_dials", "switch"]
