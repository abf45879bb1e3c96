"""Practice data (練習用のデータ): made-up weeks for an office without a past, so that its plans can be looked at.

They stand where imported years stand and are told apart by their mark; the office knows of which days they are, and
every screen that leans on them says so. They never stand beside real ones: an office with a past gets none, and they
go as the first real past is imported or the office has lived eight weeks of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from app.domain import practice
from app.domain.calendar import OpeningCalendar, business_date, instant
from app.domain.errors import Conflict, NotFound
from app.domain.practice import Line, Visit
from app.models.place import Category, Counter, Offering, Office, Service, WorkProfile
from app.models.ticket import Step
from app.models.visits import PastVisit
from app.services import events, hours

WEEKS = 13
OUTGROWN_DAYS = 56
_KEY, _MARK = "practice", "practice "
_BATCH = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The days that were made up, both included."""

    since: date
    until: date


def span(office: Office) -> Span | None:
    """Of which days an office has practice data; None for one with none."""
    found = office.settings.get(_KEY)
    return found and Span(since=date.fromisoformat(found["since"]), until=date.fromisoformat(found["until"]))


def lay(session: Session, office_id: str, *, at: datetime, weeks: int = WEEKS) -> int:
    """Make the weeks before today up; returns how many visits. Raises NotFound, Conflict ``past_exists``."""
    if session.get(Office, office_id) is None:
        raise NotFound(what="office")
    office = events.lock_office(session, office_id)
    if has_past(session, office_id, at=at):
        raise Conflict("past_exists")
    today = business_date(at)
    first = today - timedelta(weeks=weeks)
    rows = list(_rows(session, office_id, first, today))
    for begin in range(0, len(rows), _BATCH):
        session.execute(insert(PastVisit), rows[begin : begin + _BATCH])
    if rows:
        until = today - timedelta(days=1)
        office.settings = office.settings | {_KEY: {"since": first.isoformat(), "until": until.isoformat()}}
    session.flush()
    return len(rows)


def lay_where_none(session: Session, *, at: datetime) -> int:
    """The same for every office without a past."""
    offices = session.scalars(select(Office.id).order_by(Office.position, Office.id)).all()
    return sum(lay(session, each, at=at) for each in offices if not has_past(session, each, at=at))


def has_past(session: Session, office_id: str, *, at: datetime) -> bool:
    """Whether anything is on record of an office's days before today, made up or real."""
    today = business_date(at)
    visit = select(PastVisit.id).where(PastVisit.office_id == office_id).limit(1)
    step = select(Step.id).where(Step.office_id == office_id, Step.business_date < today).limit(1)
    return session.scalar(visit) is not None or session.scalar(step) is not None


def _rows(session: Session, office_id: str, first: date, today: date) -> Iterator[dict[str, object]]:
    calendar = hours.calendar_of(session, office_id)
    lines = _lines(session, office_id)
    for ahead in range((today - first).days):
        day = first + timedelta(days=ahead)
        after = _after_closed(calendar, day)
        for line in lines:
            opens = [(_minute(each.opens), _minute(each.reception_closes)) for each in calendar.intervals(day, line.id)]
            for number, visit in enumerate(practice.of_day(line, day, opens, after_closed=after)):
                yield _row(office_id, line, day, visit, number)


def _row(office_id: str, line: Line, day: date, visit: Visit, number: int) -> dict[str, object]:
    midnight = instant(day, time())

    def at(minute: float) -> datetime:
        return midnight + timedelta(seconds=round(minute * 60))

    return {
        "office_id": office_id, "business_date": day, "category_id": line.id, "service_id": visit.service,
        "issued_at": at(visit.issued), "called_at": at(visit.called),
        "started_at": None if visit.finished is None else at(visit.called),
        "finished_at": None if visit.finished is None else at(visit.finished), "counter": visit.counter,
        "booked": False, "no_show": visit.finished is None, "step_id": None,
        "fingerprint": f"{_MARK}{line.id} {day.isoformat()} {number}",
    }  # fmt: skip


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _after_closed(calendar: OpeningCalendar, day: date) -> bool:
    """Whether the weekday before a day was a holiday."""
    before = day - timedelta(days=3 if day.weekday() == 0 else 1)
    return not calendar.intervals(before, None)


def _lines(session: Session, office_id: str) -> list[Line]:
    offered: dict[str, list[tuple[str, float]]] = {}
    for line, service, minutes in session.execute(
        select(Offering.category_id, Service.id, Service.minutes)
        .join(Service, Service.id == Offering.service_id)
        .where(Offering.office_id == office_id, Offering.active)
        .order_by(Offering.position, Service.id)
    ):
        offered.setdefault(line, []).append((service, max(float(minutes.get("accept") or 8), 1.0)))
    counters: dict[str, list[str]] = {}
    for number, served in session.execute(
        select(Counter.number, WorkProfile.lines)
        .join(WorkProfile, WorkProfile.id == Counter.default_profile_id)
        .where(Counter.office_id == office_id)
        .order_by(Counter.position, Counter.number)
    ):
        first = next((each["category"] for each in served if each.get("after_minutes") is None), None)
        if first is not None:
            counters.setdefault(first, []).append(number)
    # Who comes by appointment only does not queue.
    lines = session.scalars(
        select(Category.id)
        .where(Category.office_id == office_id, Category.booking_only.is_(False))
        .order_by(Category.position)
    )
    return [Line(id=line, services=offered.get(line, []), counters=counters.get(line, [])) for line in lines]


def drop(session: Session, office_id: str) -> int:
    """Take the practice data of an office away; returns how many visits."""
    office = session.get(Office, office_id)
    if office is None or _KEY not in office.settings:
        return 0
    office = events.lock_office(session, office_id)
    result = session.execute(
        delete(PastVisit)
        .where(PastVisit.office_id == office_id, PastVisit.fingerprint.startswith(_MARK))
        .execution_options(synchronize_session=False)
    )
    office.settings = {name: value for name, value in office.settings.items() if name != _KEY}
    session.flush()
    return result.rowcount if isinstance(result, CursorResult) else 0


def outgrow(session: Session, office_id: str) -> int:
    """Take the practice data away once the office has a past of its own that is long enough to plan by."""
    office = session.get(Office, office_id)
    if office is None or _KEY not in office.settings:
        return 0
    own = select(func.count(PastVisit.business_date.distinct())).where(
        PastVisit.office_id == office_id, PastVisit.step_id.is_not(None)
    )
    return drop(session, office_id) if (session.scalar(own) or 0) >= OUTGROWN_DAYS else 0
