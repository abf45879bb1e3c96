"""The roster as its table: a row a person, a cell a half-hour, and below what each line has, needs and waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.domain import roster
from app.domain.roster import BACK, LUNCH, NOT_SERVING, OFF, REST, Broken, Person, Shifts
from app.domain.roster_seats import seats
from app.models.place import Category
from app.models.staffing import StaffMember
from app.services import own_roster
from app.services.rosters import Sheet
from app.web import played
from app.web.day_plan import LinePlan, minute_of_day
from forecasting.hall import Outcome

_KINDS = {OFF: "off", BACK: "back", LUNCH: "lunch", REST: "rest"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One half-hour of a person. ``span``: half-hours of the block that begins here, 0 within one."""

    start: int
    work: str
    kind: str
    line: Category | None
    place: str | None
    span: int
    ends: bool
    wrong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One person's day. ``hours``: at a counter; ``changed``: publishing changes it."""

    member: StaffMember
    person: Person
    lines: Sequence[Category]
    cells: Sequence[Cell]
    hours: float
    broken: Sequence[Broken]
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """One line in one half-hour. ``wait``: mean minutes of those who come in it, None where nobody does."""

    start: int
    staffed: int
    need: int
    wait: float | None

    @property
    def missing(self) -> int:
        return max(self.need - self.staffed, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverRow:
    """A line's day below the table. ``before``: what it was before the last change, None when that did not touch it."""

    line: Category
    cells: Sequence[Cover]
    outcome: Outcome
    before: Outcome | None

    @property
    def missing(self) -> int:
        return sum(cell.missing for cell in self.cells)


def sections(sheet: Sheet) -> list[str]:
    """The sections of the people, in their order."""
    return list(dict.fromkeys(member.section for member in sheet.members.values() if member.section))


def rows(session: Session, sheet: Sheet, lines: Mapping[str, Category], section: str) -> list[Row]:
    """The people of a section (all of them for an empty one)."""
    sat = seats(sheet.shifts, own_roster.places(session, sheet.office_id))
    changed = set(sheet.changed) if sheet.published else set()
    return [
        Row(
            member=sheet.members[person.id], person=person, changed=person.id in changed,
            lines=[lines[line] for line in person.lines if line in lines],
            cells=_cells(sheet, person, lines, sat), hours=roster.served(sheet.shifts[person.id]) / 2,
            broken=roster.broken(person, sheet.shifts[person.id]),
        )
        for person in sheet.plan.people
        if section in ("", sheet.members[person.id].section)
    ]  # fmt: skip


def _cells(
    sheet: Sheet, person: Person, lines: Mapping[str, Category], sat: Mapping[tuple[str, int], str | None]
) -> list[Cell]:
    cells = sheet.shifts[person.id]
    marks = [(cell, sat.get((person.id, slot))) for slot, cell in enumerate(cells)]
    found = []
    for slot, (cell, place) in enumerate(marks):
        begins = slot == 0 or marks[slot - 1] != marks[slot]
        span = next((n for n in range(1, len(marks) - slot) if marks[slot + n] != marks[slot]), len(marks) - slot)
        found.append(
            Cell(
                start=sheet.plan.starts[slot], work=cell, kind=_KINDS.get(cell, "serve"), line=lines.get(cell),
                place=place, span=span if begins else 0, ends=span == 1,
                wrong=cell != OFF and (not person.present[slot] or (cell not in NOT_SERVING | set(person.lines))),
            )
        )  # fmt: skip
    return found


def lines_of(lines: Mapping[str, Category], section: str, shown: Sequence[Row]) -> list[Category]:
    """The lines of a section (all of them for an empty one): its own and those its people know."""
    known = {line.id for row in shown for line in row.lines}
    return [line for line in lines.values() if line.id in known or section in ("", line.section)]


def cover(
    sheet: Sheet, plans: Sequence[LinePlan], lines: Mapping[str, Category], section: str, shown: Sequence[Row]
) -> list[CoverRow]:
    """What the lines of a section have and need: its own and those its people know."""
    wanted = {line.id for line in lines_of(lines, section, shown)}
    now, earlier = _played(sheet, plans, lines, sheet.shifts, wanted), {}
    if sheet.earlier != sheet.shifts:
        earlier = _played(sheet, plans, lines, sheet.earlier, wanted)
    has = roster.staffed(sheet.plan, sheet.shifts)
    found = []
    for plan in plans:
        if plan.category_id not in wanted:
            continue
        result = now[plan.category_id]
        minutes = dict(zip(map(minute_of_day, plan.starts), result.waits, strict=True))
        before = earlier.get(plan.category_id)
        found.append(
            CoverRow(
                line=lines[plan.category_id], outcome=result, before=before if before != result else None,
                cells=[
                    Cover(start=start, staffed=has[plan.category_id][slot], wait=minutes.get(start),
                          need=sheet.plan.needs[plan.category_id][slot])
                    for slot, start in enumerate(sheet.plan.starts)
                ],
            )
        )  # fmt: skip
    return found


def _played(
    sheet: Sheet, plans: Sequence[LinePlan], lines: Mapping[str, Category], shifts: Shifts, shown: set[str]
) -> dict[str, Outcome]:
    wanted = {plan.category_id for plan in plans} & shown
    has = roster.staffed(sheet.plan, shifts)
    return played.office(
        plans, {plan.category_id: dict(zip(sheet.plan.starts, has[plan.category_id], strict=True)) for plan in plans},
        policies={name: line.policy for name, line in lines.items()}, wanted=wanted,
    )  # fmt: skip
