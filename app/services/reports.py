"""Reports from our own steps and events and the imported years: the facts of days, and the names of their keys."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import report
from app.domain.errors import InvalidInput, NotFound
from app.domain.report import Fact, Row
from app.domain.ticket import Action, Phase, State
from app.models.place import Category, Counter, Office, Service
from app.models.ticket import Event, Step, Ticket
from app.models.visits import PastVisit
from app.services import feedback

MOST_DAYS = 366 * 2
_KEPT_MINUTES = 10
# The door of those who took their number of another machine.
IMPORTED = "imported"


def span(since: date, until: date) -> tuple[date, date]:
    """The days of a report, both included; raises InvalidInput for a backward or too long one."""
    if not 0 <= (until - since).days < MOST_DAYS:
        raise InvalidInput("bad_range", most=MOST_DAYS)
    return since, until


def facts(session: Session, office_id: str, since: date, until: date) -> list[Fact]:
    """What became of every hearing of a span of days (a hand-over is not counted as a visit of its own)."""
    first, last = span(since, until)
    lines = select(Category.id, Category.target_minutes).where(Category.office_id == office_id)
    targets = {row.id: row.target_minutes for row in session.execute(lines)}
    counters = select(Counter.id, Counter.number, Counter.section).where(Counter.office_id == office_id)
    places = {row.id: (row.number, row.section) for row in session.execute(counters)}
    ended_at = _counters_of(session, office_id, first, last)
    missed = _missed(session, office_id, first, last)
    rows = session.execute(
        select(Step, Ticket.channel, Ticket.issued_at)
        .join(Ticket, Ticket.id == Step.ticket_id)
        .where(Step.office_id == office_id, Step.business_date >= first, Step.business_date <= last)
        .where(Step.phase == Phase.ACCEPT)
        .order_by(Step.id)
    )
    own = [
        _fact(step, channel, issued, places.get(step.counter_id or ended_at.get(step.id, ""), ("", "")),
              missed=step.id in missed, target=targets.get(step.category_id, 20))
        for step, channel, issued in rows
    ]  # fmt: skip
    sections = dict(places.values())
    return own + _imported(session, office_id, (first, last), targets, sections)


def _imported(
    session: Session, office_id: str, days: tuple[date, date], targets: Mapping[str, float], sections: Mapping[str, str]
) -> list[Fact]:
    """The same of the years before us, as far as the old machine knew it: a visit has one service, no door, no slot."""
    rows = session.execute(
        select(PastVisit.business_date, PastVisit.issued_at, PastVisit.service_id, PastVisit.category_id,
               PastVisit.counter, PastVisit.called_at, PastVisit.finished_at, PastVisit.no_show, PastVisit.booked)
        .where(PastVisit.office_id == office_id, PastVisit.fingerprint.is_not(None))
        .where(PastVisit.business_date >= days[0], PastVisit.business_date <= days[1])
        .order_by(PastVisit.id)
    )  # fmt: skip
    return [
        Fact(
            day=day, arrived_at=issued, service=service, category=line, counter=counter,
            section=sections.get(counter, ""), channel=IMPORTED, first=True, wait=_minutes(issued, called),
            service_min=None if no_show else _minutes(called, finished), target=targets.get(line, 20),
            missed=no_show, done=called is not None and not no_show, booked=booked, kept=None,
        )
        for day, issued, service, line, counter, called, finished, no_show, booked in rows
    ]  # fmt: skip


def _fact(step: Step, channel: str, issued: datetime, place: tuple[str, str], *, missed: bool, target: float) -> Fact:
    return Fact(
        day=step.business_date, arrived_at=step.arrived_at or issued, service=step.service_id,
        category=step.category_id, counter=place[0], section=place[1], channel=channel, first=step.position == 0,
        wait=_wait(step), service_min=_minutes(step.started_at, step.ended_at) if step.state == State.DONE else None,
        target=target, missed=missed, done=step.state == State.DONE, booked=step.slot_at is not None,
        kept=_kept(step),
    )  # fmt: skip


def _minutes(begin: datetime | None, end: datetime | None) -> float | None:
    if begin is None or end is None or end < begin:
        return None
    return (end - begin) / timedelta(minutes=1)


def _wait(step: Step) -> float | None:
    """Minutes to the last call; before the slot a booked party does not wait."""
    if step.called_at is None or step.waiting_since is None or step.called_at < step.waiting_since:
        return None
    since = max(step.waiting_since, step.slot_at) if step.slot_at else step.waiting_since
    return max((step.called_at - since) / timedelta(minutes=1), 0.0)


def _kept(step: Step) -> bool:
    late = timedelta(minutes=_KEPT_MINUTES)
    return step.slot_at is not None and step.called_at is not None and step.called_at <= step.slot_at + late


def _counters_of(session: Session, office_id: str, first: date, last: date) -> dict[int, str]:
    """At which counter each step was last called: a step that waits or ended elsewhere no longer says so."""
    calls = (
        select(Event.step_id, func.max(Event.seq).label("seq"))
        .join(Step, Step.id == Event.step_id)
        .where(Event.office_id == office_id, Event.action == Action.CALL)
        .where(Step.business_date >= first, Step.business_date <= last)
        .group_by(Event.step_id)
        .subquery()
    )
    rows = session.execute(
        select(Event.step_id, Event.counter_id)
        .join(calls, (calls.c.step_id == Event.step_id) & (calls.c.seq == Event.seq))
        .where(Event.office_id == office_id)
    )
    return {row.step_id: row.counter_id for row in rows if row.counter_id}


def _missed(session: Session, office_id: str, first: date, last: date) -> set[int]:
    """Steps whose party did not come when called, be it that it came later."""
    rows = session.scalars(
        select(Event.step_id)
        .join(Step, Step.id == Event.step_id)
        .where(Event.office_id == office_id, Event.action == Action.MISS)
        .where(Step.business_date >= first, Step.business_date <= last)
    )
    return {step for step in rows if step is not None}


def known(name: str) -> bool:
    """Whether there is such a report."""
    return name in report.REPORTS


def read(session: Session, office_id: str, name: str, since: date, until: date) -> list[Row]:
    """One report; raises NotFound for an office or report that is none."""
    if name not in report.REPORTS or session.get(Office, office_id) is None:
        raise NotFound(what="report")
    found = report.rows(facts(session, office_id, since, until), report.REPORTS[name])
    return feedback.beside(name, found, feedback.said(session, office_id, since, until))


def names(session: Session, office_id: str) -> Mapping[str, Mapping[str, Any]]:
    """Words by language of the keys of an office's reports, by kind of key."""
    city = session.get_one(Office, office_id).municipality_id
    services = session.execute(select(Service.id, Service.name).where(Service.municipality_id == city))
    categories = session.execute(select(Category.id, Category.name).where(Category.office_id == office_id))
    return {"services": {row.id: row.name for row in services}, "categories": {row.id: row.name for row in categories}}


def heads(found: Sequence[Fact]) -> Row:
    """The figures of everything together."""
    return report.row("all", found)
