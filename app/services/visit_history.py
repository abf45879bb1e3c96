"""Past visits: our own days laid down after their close, and counts and service times for whoever learns from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Integer, and_, case, cast, extract, func, insert, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.domain.calendar import JST, business_date
from app.domain.service_rates import Seen
from app.domain.ticket import Phase, State
from app.models.place import Counter
from app.models.ticket import Step
from app.models.visits import PastVisit

INTERVAL_MIN = 30
_SECONDS = INTERVAL_MIN * 60
_OFFSET = 9 * 3600
SLOTS = 24 * 60 // INTERVAL_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Parties that came for a line on a day in the ``slot``-th half-hour from midnight (Japan); ``booked`` of them."""

    category_id: str
    day: date
    slot: int
    people: int
    booked: int


def learn(session: Session, office_id: str, *, at: datetime) -> int:
    """Lay down the numbers of past business dates that are not laid down yet; returns how many.

    A hand-over (交付) is the end of a visit, not another one; a step that never came to wait is none at all.
    """
    no_show = and_(Step.called_at.is_not(None), Step.started_at.is_(None), Step.state == State.CANCELLED)
    known = select(PastVisit.step_id).where(PastVisit.step_id == Step.id).exists()
    rows = (
        select(
            Step.office_id, Step.business_date, Step.category_id, Step.service_id, Step.arrived_at,
            case((Step.called_at >= Step.arrived_at, Step.called_at)), Step.started_at,
            case((and_(Step.started_at.is_not(None), Step.ended_at >= Step.called_at), Step.ended_at)),
            func.coalesce(Counter.number, ""), Step.slot_at.is_not(None), no_show, Step.id,
        )
        .outerjoin(Counter, Counter.id == Step.counter_id)
        .where(Step.office_id == office_id, Step.business_date < business_date(at), Step.phase == Phase.ACCEPT)
        .where(Step.arrived_at.is_not(None), ~known)
    )  # fmt: skip
    columns = (
        "office_id", "business_date", "category_id", "service_id", "issued_at", "called_at", "started_at",
        "finished_at", "counter", "booked", "no_show", "step_id",
    )  # fmt: skip
    statement = insert(PastVisit).from_select(columns, rows).execution_options(preserve_rowcount=True)
    result = session.execute(statement)
    return result.rowcount if isinstance(result, CursorResult) else 0


def counts(session: Session, office_id: str, *, since: date, until: date) -> list[Count]:
    """Arrivals by line and half-hour on business dates from ``since`` up to, not including, ``until``."""
    slot = ((cast(extract("epoch", PastVisit.issued_at), Integer) + _OFFSET) % 86400) // _SECONDS
    rows = session.execute(
        select(PastVisit.category_id, PastVisit.business_date, slot, func.count(),
               func.sum(case((PastVisit.booked, 1), else_=0)))
        .where(PastVisit.office_id == office_id, PastVisit.business_date >= since, PastVisit.business_date < until)
        .group_by(PastVisit.category_id, PastVisit.business_date, slot)
    )  # fmt: skip
    return [
        Count(category_id=line, day=day, slot=int(at), people=people, booked=int(booked))
        for line, day, at, people, booked in rows
    ]


def weekday_mean(session: Session, office_id: str, category_id: str, *, day: date, at: datetime) -> dict[int, float]:
    """Parties a half-hour on the last four days of the same weekday, by the slot from midnight; empty without any."""
    last = min(day, business_date(at))
    last -= timedelta(days=(last.weekday() - day.weekday()) % 7 or 7)
    slot = ((cast(extract("epoch", PastVisit.issued_at), Integer) + _OFFSET) % 86400) // _SECONDS
    rows = session.execute(
        select(PastVisit.business_date, slot, func.count())
        .where(PastVisit.office_id == office_id, PastVisit.category_id == category_id)
        .where(PastVisit.business_date.in_([last - timedelta(weeks=back) for back in range(4)]))
        .group_by(PastVisit.business_date, slot)
    ).all()
    days = {found for found, *_ in rows}
    return {
        place: sum(n for _, at_, n in rows if at_ == place) / len(days) for place in {int(at_) for _, at_, _ in rows}
    }


def first_day(session: Session, office_id: str) -> date | None:
    """The earliest business date that is known of an office."""
    return session.scalar(select(func.min(PastVisit.business_date)).where(PastVisit.office_id == office_id))


def own_days(session: Session, office_id: str, days: Iterable[date]) -> set[date]:
    """Which of these days are in our own log: an imported row of such a day would count its people twice."""
    found = session.scalars(
        select(Step.business_date).where(Step.office_id == office_id, Step.business_date.in_(sorted(set(days))))
    )
    return set(found.unique())


def seen(session: Session, office_id: str, *, since: date) -> Iterator[Seen]:
    """Each visit of the days from ``since`` on, as far as it tells of service times, shares and no-shows."""
    rows = session.execute(
        select(PastVisit.service_id, PastVisit.category_id, PastVisit.issued_at, PastVisit.called_at,
               PastVisit.started_at, PastVisit.finished_at, PastVisit.no_show)
        .where(PastVisit.office_id == office_id, PastVisit.business_date >= since)
        .execution_options(yield_per=2000)
    )  # fmt: skip
    for service, line, issued, called, started, finished, no_show in rows:
        begun = started or called
        minutes = (finished - begun).total_seconds() / 60 if begun is not None and finished is not None else None
        yield Seen(service=service, line=line, hour=issued.astimezone(JST).hour, called=called is not None,
                   no_show=no_show, minutes=minutes)  # fmt: skip
