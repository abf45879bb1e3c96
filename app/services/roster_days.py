"""The rosters of several days in one look: who serves what in each half-hour, and how far each day is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.roster import Day, Shifts
from app.domain.roster_first import first
from app.models.staffing import RosterDay
from app.services import rosters, staff_members


class Made(StrEnum):
    """How far the roster of a day is. ``RULE``: nobody has touched it, it is the first one by rule."""

    RULE = "rule"
    DRAFT = "draft"
    CHANGED = "changed"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRoster:
    """The roster of one day as its own page shows it: the draft, which is what is published until it is changed."""

    plan: Day
    shifts: Shifts
    made: Made


_Kept = tuple[rosters.Kept | None, rosters.Kept | None]
_UNTOUCHED: _Kept = (None, None)


def of_days(
    session: Session, office_id: str, *, starts: Mapping[date, tuple[int, ...]],
    needs: Mapping[date, Mapping[str, Mapping[int, int]]],
) -> dict[date, DayRoster]:  # fmt: skip
    """The days of ``needs`` (counters by line and minute from midnight). ``starts``: their half-hours.

    Empty for an office whose people are not on record.
    """
    members = staff_members.members(session, office_id)
    if not members or not needs:
        return {}
    away = staff_members.leave(session, office_id, since=min(needs), until=max(needs))
    # Without the column of earlier drafts, which is thirty times as long as the rest.
    kept: dict[date, _Kept] = {
        day: (draft, published if at is not None else None)
        for day, draft, published, at in session.execute(
            select(RosterDay.day, RosterDay.draft, RosterDay.published, RosterDay.published_at).where(
                RosterDay.office_id == office_id, RosterDay.day >= min(needs), RosterDay.day <= max(needs)
            )
        )
    }
    found = {}
    for day, lines in needs.items():
        plan = Day(
            starts=starts[day],
            people=tuple(
                staff_members.person(row, day=day, starts=starts[day], away=away.get((row.id, day), ()))
                for row in members
            ),
            needs={line: tuple(each.get(start, 0) for start in starts[day]) for line, each in lines.items()},
        )
        found[day] = _roster(plan, *kept.get(day, _UNTOUCHED))
    return found


def _roster(plan: Day, draft: rosters.Kept | None, published: rosters.Kept | None) -> DayRoster:
    if draft is None:
        return DayRoster(plan=plan, shifts=first(plan), made=Made.RULE)
    shifts = rosters.shifts_of(plan, draft)
    if not published:
        return DayRoster(plan=plan, shifts=shifts, made=Made.DRAFT)
    same = shifts == rosters.shifts_of(plan, published)
    return DayRoster(plan=plan, shifts=shifts, made=Made.PUBLISHED if same else Made.CHANGED)
