"""The roster of an office's day: read, changed step by step, taken back, published.

A draft is one row; every change names the version it has seen, so that two people who plan at once do not overwrite
each other. What the counters need is handed in: it is reckoned above (app/web/day_plan.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain import roster
from app.domain.calendar import Interval, business_date
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.roster import NOT_SERVING, SLOT_MIN, Day, Shifts
from app.domain.roster_first import first
from app.models.place import Category
from app.models.staffing import RosterDay, RosterSearch, StaffLeave, StaffMember
from app.services import hours, staff_members, staffing

MOST_UNDO = 30
# Who sat where is kept as long as waits are, then nobody needs it.
KEPT_DAYS = 400
Kept = Mapping[str, Mapping[str, str]]
"""Cells as stored: by person, by minute from midnight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One day's roster. ``shifts`` are the draft's; ``published`` those in force, empty for none.

    ``version`` is 0 while nobody has touched the day: ``shifts`` is then the first roster by rule.
    """

    office_id: str
    day: date
    members: Mapping[str, StaffMember]
    plan: Day
    shifts: Shifts
    earlier: Shifts
    published: Shifts
    before: bool
    version: int
    undo: int
    row: RosterDay | None

    @property
    def changed(self) -> list[str]:
        """People whose day publishing would change, in the order of the table."""
        return [who for who in self.members if self.shifts[who] != self.published.get(who)]


def half_hours(session: Session, office_id: str, day: date) -> tuple[int, ...]:
    """The half-hours of a day's opening, minutes from midnight; raises NotFound for an office that is none."""
    return slots(hours.opening(session, office_id, day))


def slots(opening: Iterable[Interval]) -> tuple[int, ...]:
    """The half-hours of these hours of opening, minutes from midnight."""
    found: set[int] = set()
    for opens in opening:
        begin = (opens.opens.hour * 60 + opens.opens.minute) // SLOT_MIN * SLOT_MIN
        found |= set(range(begin, opens.closes.hour * 60 + opens.closes.minute, SLOT_MIN))
    return tuple(sorted(found))


def read(session: Session, office_id: str, day: date, *, needs: Mapping[str, Mapping[int, int]]) -> Sheet:
    """The roster of a day. ``needs``: counters by line and minute from midnight."""
    starts = half_hours(session, office_id, day)
    rows = staff_members.members(session, office_id)
    away = staff_members.leave(session, office_id, since=day, until=day)
    carried = _served_before(session, office_id, day)
    people = tuple(
        staff_members.person(row, day=day, starts=starts, away=away.get((row.id, day), ()),
                             carried=carried.get(str(row.id), 0))
        for row in rows
    )  # fmt: skip
    plan = Day(
        starts=starts, people=people,
        needs={line: tuple(each.get(start, 0) for start in starts) for line, each in needs.items()},
    )  # fmt: skip
    row = session.get(RosterDay, (office_id, day))
    draft = shifts_of(plan, row.draft) if row is not None else first(_usual(session, office_id, plan))
    return Sheet(
        office_id=office_id, day=day, members={str(each.id): each for each in rows}, plan=plan, shifts=draft,
        earlier=shifts_of(plan, row.undo[-1]) if row is not None and row.undo else draft,
        published=shifts_of(plan, row.published) if row is not None and row.published_at else {},
        before=bool(row and row.before), version=row.version if row is not None else 0,
        undo=len(row.undo) if row is not None else 0, row=row,
    )  # fmt: skip


def _usual(session: Session, office_id: str, plan: Day) -> Day:
    """The day itself; without a forecast one that needs the usual counters, so that it does not begin empty."""
    if plan.needs:
        return plan
    usual = staffing.usual_counters(session, office_id)
    return replace(plan, needs={line: (number,) * len(plan.starts) for line, number in usual.items()})


def shifts_of(plan: Day, kept: Kept) -> Shifts:
    """Stored cells as the people of a day are present now."""
    return {
        person.id: roster.fitted(person, [kept.get(person.id, {}).get(str(start), roster.OFF) for start in plan.starts])
        for person in plan.people
    }


def kept_of(plan: Day, shifts: Shifts) -> dict[str, dict[str, str]]:
    """Cells as they are stored."""
    return {
        who: {str(start): cell for start, cell in zip(plan.starts, cells, strict=True) if cell}
        for who, cells in shifts.items()
    }


def _served_before(session: Session, office_id: str, day: date) -> Mapping[str, int]:
    """Half-hours at a counter so far in the week of a day, by person: published, else as drafted."""
    monday = day - timedelta(days=day.weekday())
    rows = session.scalars(
        select(RosterDay).where(RosterDay.office_id == office_id, RosterDay.day >= monday, RosterDay.day < day)
    )
    found: dict[str, int] = {}
    for row in rows:
        for who, cells in (row.published if row.published_at else row.draft).items():
            found[who] = found.get(who, 0) + sum(cell not in NOT_SERVING for cell in cells.values())
    return found


def place(
    session: Session, sheet: Sheet, *, member: str, since: int, until: int, work: str, version: int, actor: str,
    at: datetime,
) -> None:  # fmt: skip
    """Put a person to a work (a cell of domain/roster.py) from minute ``since`` up to, not including, ``until``.

    A rule that is broken is no refusal, the screen marks it. Raises NotFound for nobody, InvalidInput
    ``bad_roster_change`` for no such time or work, Conflict ``roster_changed`` when somebody else was quicker.
    """
    if member not in sheet.members:
        raise NotFound(what="member")
    slots = [slot for slot, start in enumerate(sheet.plan.starts) if since <= start < until]
    if not slots or not _is_work(session, sheet.office_id, work):
        raise InvalidInput("bad_roster_change")
    cells = list(sheet.shifts[member])
    for slot in slots:
        cells[slot] = work
    _keep(session, sheet, {**sheet.shifts, member: tuple(cells)}, version=version, actor=actor, at=at)


def move(
    session: Session, sheet: Sheet, *, member: str, since: int, until: int, to: str, begin: int, version: int,
    actor: str, at: datetime,
) -> None:  # fmt: skip
    """Move a stretch of a person's day to minute ``begin`` of ``to``'s (the same person or another).

    What stood there goes where the stretch came from; refusals as ``place``.
    """
    if member not in sheet.members or to not in sheet.members:
        raise NotFound(what="member")
    slots = [slot for slot, start in enumerate(sheet.plan.starts) if since <= start < until]
    target = next((slot for slot, start in enumerate(sheet.plan.starts) if start == begin), None)
    if not slots or target is None or target + len(slots) > len(sheet.plan.starts):
        raise InvalidInput("bad_roster_change")
    rows = {who: list(sheet.shifts[who]) for who in {member, to}}
    taken = [rows[member][slot] for slot in slots]
    there = [rows[to][target + number] for number in range(len(slots))]
    if member == to:
        _slide(rows[member], slots, target, taken)
    else:
        for number, slot in enumerate(slots):
            rows[to][target + number] = taken[number]
            rows[member][slot] = there[number] if there[number] not in (roster.OFF, roster.LUNCH) else roster.BACK
    shifts = {**sheet.shifts, **{who: tuple(cells) for who, cells in rows.items()}}
    _keep(session, sheet, shifts, version=version, actor=actor, at=at)


def _slide(cells: list[str], slots: Sequence[int], target: int, taken: Sequence[str]) -> None:
    """Within one row the stretch goes to its new place and what lay between moves over to the old one."""
    rest = [cell for slot, cell in enumerate(cells) if slot not in set(slots)]
    cells[:] = [*rest[:target], *taken, *rest[target:]]


def _is_work(session: Session, office_id: str, work: str) -> bool:
    if work in NOT_SERVING:
        return True
    line = session.get(Category, work)
    return line is not None and line.office_id == office_id


def use(session: Session, sheet: Sheet, shifts: Shifts, *, version: int, actor: str, at: datetime) -> None:
    """Put a whole roster in the place of the draft (a found one, or the one before); refusals as ``place``."""
    _keep(session, sheet, shifts, version=version, actor=actor, at=at)


def _keep(session: Session, sheet: Sheet, shifts: Shifts, *, version: int, actor: str, at: datetime) -> None:
    row = _row(session, sheet, version, actor=actor, at=at)
    # A plain assignment: SQLAlchemy does not look inside JSON.
    row.undo = [*row.undo, row.draft][-MOST_UNDO:]
    row.draft = kept_of(sheet.plan, shifts)
    _touch(session, row, actor, at)


def _row(session: Session, sheet: Sheet, version: int, *, actor: str, at: datetime) -> RosterDay:
    """The day's row, locked and as the caller has seen it; made on the first change."""
    row = session.get(RosterDay, (sheet.office_id, sheet.day), with_for_update=True, populate_existing=True)
    if (row.version if row is not None else 0) != version:
        raise Conflict("roster_changed")
    if row is None:
        row = RosterDay(
            office_id=sheet.office_id, day=sheet.day, version=0, draft=kept_of(sheet.plan, sheet.shifts), undo=[],
            edited_at=at, edited_by=actor, published={}, before={}, published_at=None, published_by="",
        )  # fmt: skip
        session.add(row)
    return row


def _touch(session: Session, row: RosterDay, actor: str, at: datetime) -> None:
    row.version, row.edited_at, row.edited_by = row.version + 1, at, actor
    session.flush()


def undo(session: Session, sheet: Sheet, *, version: int, actor: str, at: datetime) -> None:
    """Take the last change back. Raises Conflict ``nothing_to_undo``, ``roster_changed``."""
    row = _row(session, sheet, version, actor=actor, at=at)
    if not row.undo:
        raise Conflict("nothing_to_undo")
    row.draft, row.undo = row.undo[-1], row.undo[:-1]
    _touch(session, row, actor, at)


def publish(session: Session, sheet: Sheet, *, version: int, actor: str, at: datetime) -> list[str]:
    """Put the draft in force and keep the one before; returns whose day changes. Raises Conflict ``roster_changed``."""
    row = _row(session, sheet, version, actor=actor, at=at)
    changed = sheet.changed
    row.before = row.published
    row.published = row.draft = kept_of(sheet.plan, sheet.shifts)
    row.published_at, row.published_by = at, actor
    _touch(session, row, actor, at)
    return changed


def go_back(session: Session, sheet: Sheet, *, version: int, actor: str, at: datetime) -> None:
    """The roster that was in force before the last publication becomes the draft again. Raises Conflict."""
    if sheet.row is None or not sheet.row.before:
        raise Conflict("nothing_to_undo")
    _keep(session, sheet, shifts_of(sheet.plan, sheet.row.before), version=version, actor=actor, at=at)


def forget(session: Session, *, at: datetime) -> None:
    """Erase rosters, searches and days away older than ``KEPT_DAYS``."""
    oldest = business_date(at) - timedelta(days=KEPT_DAYS)
    for table in (RosterDay, RosterSearch, StaffLeave):
        session.execute(delete(table).where(table.day < oldest).execution_options(synchronize_session=False))
