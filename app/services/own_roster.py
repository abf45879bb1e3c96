"""The published roster as those read it whom it is for: a person's own days, and who sits where at an instant.

A roster names people who have no account, and an account needs no roster: which person an account is, is kept with the
person (StaffMember.account_id), by the manager or, for one of the same name, at the first sign-in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date, clock
from app.domain.roster import NOT_SERVING, OFF, SLOT_MIN
from app.domain.roster_seats import seats
from app.models.place import Counter, WorkProfile
from app.models.staffing import RosterDay, StaffMember
from app.services import rosters

AHEAD_DAYS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """From ``begins`` to ``ends`` (minutes from midnight) one work (a cell of domain/roster.py) at one counter.

    ``counter``: its number; None away from the counters, and where the line has more people than places.
    """

    begins: int
    ends: int
    work: str
    counter: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnDay:
    """A person's published day."""

    day: date
    stretches: Sequence[Stretch]
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sits:
    """Somebody who serves a ``line`` now by the roster, until ``ends``."""

    name: str
    line: str
    ends: int


def member_of(session: Session, account_id: int) -> StaffMember | None:
    """The person of a roster who this account is; None for nobody."""
    return session.scalar(select(StaffMember).where(StaffMember.account_id == account_id, StaffMember.active))


def days(session: Session, member: StaffMember, *, at: datetime) -> list[OwnDay]:
    """A person's published days from today on, the next first."""
    today = business_date(at)
    rows = session.scalars(
        select(RosterDay)
        .where(RosterDay.office_id == member.office_id, RosterDay.published_at.is_not(None))
        .where(RosterDay.day >= today, RosterDay.day < today + timedelta(days=AHEAD_DAYS))
        .order_by(RosterDay.day)
    ).all()
    who, found = str(member.id), []
    for row in rows:
        course = stretches(session, row).get(who, [])
        if row.published_at is not None and course:
            found.append(OwnDay(day=row.day, stretches=course, published_at=row.published_at))
    return found


def newest(session: Session, office_id: str, *, at: datetime) -> datetime | None:
    """When a day from today on was published last; None where none is."""
    query = select(func.max(RosterDay.published_at)).where(
        RosterDay.office_id == office_id, RosterDay.day >= business_date(at)
    )
    return session.scalar(query)


def stretches(session: Session, row: RosterDay) -> Mapping[str, list[Stretch]]:
    """Everybody's published day, half-hours of the same work at the same counter as one."""
    starts = rosters.half_hours(session, row.office_id, row.day)
    shifts = {who: tuple(cells.get(str(start), OFF) for start in starts) for who, cells in row.published.items()}
    sat = seats(shifts, places(session, row.office_id))
    found: dict[str, list[Stretch]] = {}
    for who, cells in shifts.items():
        mine: list[Stretch] = []
        for slot, (start, work) in enumerate(zip(starts, cells, strict=True)):
            if work == OFF:
                continue
            counter = sat.get((who, slot))
            goes_on = mine and (mine[-1].ends, mine[-1].work, mine[-1].counter) == (start, work, counter)
            begins = mine.pop().begins if goes_on else start
            mine.append(Stretch(begins=begins, ends=start + SLOT_MIN, work=work, counter=counter))
        found[who] = mine
    return found


def sitting(session: Session, office_id: str, *, at: datetime) -> Mapping[str, Sits]:
    """Who sits at which counter (its number) at an instant by the published roster; empty without one."""
    row = session.get(RosterDay, (office_id, business_date(at)))
    if row is None or row.published_at is None:
        return {}
    local = clock(at)
    minute = local.hour * 60 + local.minute
    names = {str(each.id): each.name for each in session.scalars(
        select(StaffMember).where(StaffMember.office_id == office_id)
    )}  # fmt: skip
    return {
        each.counter: Sits(name=names[who], line=each.work, ends=each.ends)
        for who, course in stretches(session, row).items()
        for each in course
        if who in names and each.counter is not None and each.work not in NOT_SERVING
        and each.begins <= minute < each.ends
    }  # fmt: skip


def places(session: Session, office_id: str) -> dict[str, list[str]]:
    """The counters of each line: those whose usual profile serves it first, in their order."""
    query = (
        select(Counter.number, WorkProfile.lines)
        .join(WorkProfile, WorkProfile.id == Counter.default_profile_id)
        .where(Counter.office_id == office_id)
        .order_by(Counter.position)
    )
    found: dict[str, list[str]] = {}
    for number, lines in session.execute(query):
        first = [line["category"] for line in lines if line.get("after_minutes") is None]
        for line in first[:1]:
            found.setdefault(line, []).append(number)
    return found
