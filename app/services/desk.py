"""What a clerk sees at the own counter beside the office's queue: the party, its visit, who is next and why,
what can be taken back, and certificates in the making. Instants stay datetimes, names dictionaries by language.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, aliased

from app.db import later
from app.db.objects import Look
from app.db.ready import Ready
from app.domain.booking import State as Booked
from app.domain.calendar import business_date
from app.domain.calling import choose
from app.domain.ticket import AT_COUNTER, Action, Phase, State
from app.models.booking import Booking
from app.models.place import Category, Counter, Service
from app.models.ticket import Event, Step, Ticket
from app.services import lines
from app.services.queue import REOPEN_WITHIN

_TAKEN_BACK = frozenset({Action.FINISH, Action.MISS, Action.PARK, Action.TRANSFER})

# Built once, its states in its text: a plan kept for whatever values come has the index of those at a counter.
_HELD = Look(
    select(Step)
    .where(Step.counter_id == bindparam("counter"), Step.business_date == bindparam("day"))
    .where(Step.state.in_(sorted(AT_COUNTER)))
    .order_by(Step.called_at.desc(), Step.id.desc())
)
_HEARING = aliased(Step)
_MAKING = Ready(
    select(Step.id, Ticket.number, Step.service_id, _HEARING.ended_at)
    .join(_HEARING, (_HEARING.ticket_id == Step.ticket_id) & (_HEARING.position == Step.position - 1))
    .join(Ticket, Ticket.id == Step.ticket_id)
    .where(Step.office_id == bindparam("office"), Step.business_date == bindparam("day"))
    .where(Step.state == State.PENDING, Step.phase == Phase.DELIVER, _HEARING.state == State.DONE)
    .where(Step.category_id.in_(bindparam("categories", expanding=True)))
    .order_by(_HEARING.ended_at),
    "categories",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A party at the counter. ``calls``: instants of the call and its repetitions; ``reason``: code of the call.

    ``visit``: every step of the ticket with its service, in order.
    """

    step: Step
    ticket: Ticket
    service: Service
    category: Category
    reason: str
    calls: Sequence[datetime]
    visit: Sequence[tuple[Step, Service]]

    @property
    def following(self) -> tuple[Step, Service] | None:
        """The hearing that becomes ready by itself when this step is finished, if the visit goes on."""
        return next(((s, of) for s, of in self.visit if s.state == State.PENDING and s.phase == Phase.ACCEPT), None)

    @property
    def delivery(self) -> Step | None:
        """The hand-over that follows this hearing."""
        after = self.step.position + 1
        return next((s for s, _ in self.visit if s.position == after and s.phase == Phase.DELIVER), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """Whose turn it is at this counter, and the code of the reason."""

    step: Step
    number: str
    language: str
    party: int
    service: Service
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """What "undo" would take back now: the ``action`` done to a step. ``until``: the last instant, None: no limit."""

    step_id: int
    number: str
    action: Action
    until: datetime | None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """A certificate the back office works on since ``since``; its hand-over has not become ready."""

    step_id: int
    number: str
    service: Service
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The booked party that comes next and has not come yet; its first procedure."""

    start: datetime
    party: int
    service: Service


def expected(session: Session, counter: Counter, *, at: datetime) -> Expected | None:
    """The next booking of today in the counter's lines; None: none is left."""
    found = session.scalar(
        select(Booking)
        .where(Booking.office_id == counter.office_id, Booking.business_date == business_date(at))
        .where(Booking.start_at > at, Booking.state == Booked.BOOKED)
        .where(Booking.category_id.in_([line["category"] for line in counter.lines]))
        .order_by(Booking.start_at, Booking.id)
        .limit(1)
    )
    if found is None:
        return None
    return Expected(start=found.start_at, party=found.party, service=session.get_one(Service, found.services[0]))


def held(session: Session, counter: Counter, *, at: datetime) -> list[Step]:
    """The steps of the parties at a counter, the last called first."""
    return [step for (step,) in _HELD.rows(session, {"counter": counter.id, "day": business_date(at)})]


def party(session: Session, step: Step) -> Party:
    """All that is shown of a party at the counter."""
    log = session.scalars(
        select(Event)
        .where(Event.step_id == step.id, Event.action.in_((Action.CALL, Action.RECALL)))
        .order_by(Event.seq)
    ).all()
    since = max((i for i, event in enumerate(log) if event.action == Action.CALL), default=0)
    visit = session.execute(
        select(Step, Service)
        .join(Service, Service.id == Step.service_id)
        .where(Step.ticket_id == step.ticket_id)
        .order_by(Step.position)
    )
    return Party(
        step=step, ticket=session.get_one(Ticket, step.ticket_id), service=session.get_one(Service, step.service_id),
        category=session.get_one(Category, step.category_id), reason=(log[since].reason or "") if log else "",
        calls=[event.at for event in log[since:]], visit=[(row.Step, row.Service) for row in visit],
    )  # fmt: skip


def next_up(session: Session, counter: Counter, *, at: datetime) -> Next | None:
    """Whom ``call_next`` would call at this instant; None when nobody may be called."""
    profile = lines.profile(counter)
    choice = choose(lines.heads(session, profile, at=at), profile, at)
    if choice is None:
        return None
    step = session.get_one(Step, choice.head.step_id)
    ticket = session.get_one(Ticket, step.ticket_id)
    return Next(
        step=step, number=ticket.number, language=ticket.language, party=ticket.party,
        service=session.get_one(Service, step.service_id), reason=choice.reason.code,
    )  # fmt: skip


def undo(session: Session, counter: Counter, *, at: datetime, step: Step | None = None) -> Undo | None:
    """What can be taken back at a counter: of the party at it (``step``), else the last act of some minutes ago.

    An act can be taken back while nothing has happened to its step since.
    """
    if step is not None:
        number = session.get_one(Ticket, step.ticket_id).number
        action = Action.CALL if step.state == State.CALLED else Action.START
        return Undo(step_id=step.id, number=number, action=action, until=None)
    rows = session.execute(
        select(Event, Step, Ticket.number)
        .join(Step, Step.id == Event.step_id)
        .join(Ticket, Ticket.id == Step.ticket_id)
        .where(Event.office_id == counter.office_id, Event.at > at - REOPEN_WITHIN, Event.counter_id == counter.id)
        .where(Event.action.in_(_TAKEN_BACK), Event.after == Step.state, Event.at == Step.changed_at)
    ).all()
    if not rows:
        return None
    event, last, number = max(rows, key=lambda row: row.Event.seq)
    return Undo(
        step_id=last.id, number=number, action=Action(event.action), until=event.at + REOPEN_WITHIN,
        details=event.details,
    )  # fmt: skip


def making(session: Session, counter: Counter, *, at: datetime) -> list[Making]:
    """Certificates of the counter's lines that the back office works on, the longest first."""
    asked = {
        "office": counter.office_id, "day": business_date(at),
        "categories": [line["category"] for line in counter.lines],
    }  # fmt: skip
    return [
        Making(step_id=step, number=number, service=session.get_one(Service, service), since=since)
        for step, number, service, since in _MAKING.rows(later.all_seen(session), asked)
    ]


def done_today(session: Session, counter: Counter, *, at: datetime) -> tuple[int, timedelta | None]:
    """How many were served at the counter today, and the mean time at it (None when nobody was)."""
    rows = session.execute(
        select(Step.started_at, Step.ended_at).where(
            Step.counter_id == counter.id, Step.business_date == business_date(at), Step.state == State.DONE
        )
    )
    times = [row.ended_at - row.started_at for row in rows if row.started_at and row.ended_at]
    return len(times), sum(times, timedelta()) / len(times) if times else None
