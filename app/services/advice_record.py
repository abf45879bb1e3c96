"""What a proposal achieved: what a lead was told as a counter was opened, and what came of it.

Told is the longest wait of the next two hours without and with the counter (app/web/lead/ahead.py). It is kept as one
event of the office's log, beside the act it led to; what came of it is read from the steps of the line.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, instant
from app.domain.errors import InvalidInput, NotFound
from app.domain.ticket import Phase
from app.models.place import Category, Counter
from app.models.ticket import Event, Step
from app.services import events

ACTION = "advised"
LASTS = timedelta(minutes=120)
_MOST_MINUTES = 24 * 60
_LATEST_START = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Minutes of the longest wait: ``now`` without the counter (None: nobody would have called the line), ``then``
    with it, ``low`` to ``high`` eight times in ten."""

    now: int | None
    then: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A proposal that was taken. ``came``: the longest wait of those two hours in minutes, None where nobody waited;
    ``over``: they are over, until then ``came`` may still grow."""

    at: datetime
    begins: datetime
    line: Category
    counter: str
    told: Told
    came: int | None
    over: bool

    @property
    def held(self) -> bool:
        """The wait stayed within what was told."""
        return self.came is None or self.came <= self.told.high


def keep(
    session: Session, *, office_id: str, counter_id: str, category_id: str, begins: datetime, told: Told, actor: str,
    at: datetime,
) -> None:  # fmt: skip
    """Keep what was told as a counter was opened. Raises NotFound for a line of another office, InvalidInput."""
    line = session.get(Category, category_id)
    if line is None or line.office_id != office_id:
        raise NotFound(what="category")
    figures = [told.then, told.low, told.high, *([] if told.now is None else [told.now])]
    if not all(0 <= each <= _MOST_MINUTES for each in figures) or abs(begins - at) > _LATEST_START:
        raise InvalidInput(fields=["told"])
    office = events.lock_office(session, office_id)
    details = {"category": category_id, "begins": begins.isoformat(), **asdict(told)}
    events.append(session, office, action=ACTION, counter_id=counter_id, actor=actor, at=at, details=details)


def of_days(session: Session, office_id: str, since: date, until: date, *, at: datetime) -> Sequence[Taken]:
    """The proposals taken on these days, both included, in their order."""
    rows = session.execute(
        select(Event.at, Event.details, Counter.number)
        .join(Counter, Counter.id == Event.counter_id)
        .where(Event.office_id == office_id, Event.action == ACTION)
        .where(Event.at >= instant(since, time()), Event.at < instant(until + timedelta(days=1), time()))
        .order_by(Event.seq)
    )
    return [_taken(session, taken_at, details, number, at) for taken_at, details, number in rows]


def _taken(session: Session, taken_at: datetime, details: dict[str, object], number: str, at: datetime) -> Taken:
    begins = datetime.fromisoformat(str(details["begins"]))
    line = session.get_one(Category, str(details["category"]))
    told = Told(**{name: details[name] for name in ("now", "then", "low", "high")})  # type: ignore[arg-type]
    return Taken(
        at=taken_at, begins=begins, line=line, counter=number, told=told,
        came=_longest(session, line.id, begins, min(begins + LASTS, at), at), over=at >= begins + LASTS,
    )  # fmt: skip


def _longest(session: Session, category_id: str, since: datetime, until: datetime, at: datetime) -> int | None:
    """The longest wait, so far, of those who waited in the line as it began or came until ``until``."""
    rows = session.execute(
        select(Step.waiting_since, Step.eligible_at, Step.called_at, Step.ended_at).where(
            Step.category_id == category_id, Step.business_date == business_date(since), Step.phase == Phase.ACCEPT,
            Step.waiting_since.is_not(None), Step.waiting_since < until,
            or_(Step.called_at.is_(None), Step.called_at >= since),
            or_(Step.ended_at.is_(None), Step.ended_at >= since),
        )
    )  # fmt: skip
    # Whoever left without a call waited until then; before the slot a booked party does not wait.
    waits = [
        (called or ended or at) - max(began, eligible or began)
        for began, eligible, called, ended in rows
        if began is not None
    ]
    return max((round(wait / timedelta(minutes=1)) for wait in waits), default=None)
