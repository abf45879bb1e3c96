"""The people of an office who can be put on a roster: what they can do, when they are here, when they are away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput, NotFound
from app.domain.roster import LUNCH_AFTER_SLOTS, SLOT_MIN, Person
from app.models.people import Account
from app.models.place import Category
from app.models.staffing import StaffLeave, StaffMember

DAY_MIN = 24 * 60
# Whoever is here for so many half-hours has a rest, whatever was agreed on the length of the day.
_REST_AFTER_SLOTS = 8
_MOST_PAUSE_MIN = 120
_MOST_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What is kept of a person (models/staffing.py, StaffMember). ``hours`` by weekday, Monday is 0."""

    name: str
    section: str
    lines: Sequence[str]
    hours: Mapping[int, tuple[int, int]]
    lunch_min: int = 60
    rest_min: int = 30
    active: bool = True
    account_id: int | None = None


def members(session: Session, office_id: str, *, everybody: bool = False) -> Sequence[StaffMember]:
    """The people of an office in their order; ``everybody``: those who have left, too."""
    query = select(StaffMember).where(StaffMember.office_id == office_id)
    if not everybody:
        query = query.where(StaffMember.active)
    return session.scalars(query.order_by(StaffMember.position, StaffMember.id)).all()


def member(session: Session, office_id: str, member_id: int) -> StaffMember:
    """A person of this office; raises NotFound."""
    found = session.get(StaffMember, member_id)
    if found is None or found.office_id != office_id:
        raise NotFound(what="member")
    return found


def add(session: Session, office_id: str, given: Member) -> StaffMember:
    """Add a person at the end. Raises InvalidInput as ``change``."""
    last = max((each.position for each in members(session, office_id, everybody=True)), default=-1)
    found = StaffMember(office_id=office_id, position=last + 1)
    _put(session, found, given)
    session.add(found)
    session.flush()
    return found


def change(session: Session, office_id: str, member_id: int, given: Member) -> StaffMember:
    """Set all of a person. Raises NotFound, InvalidInput ``bad_member`` with the fields that cannot be."""
    found = member(session, office_id, member_id)
    _put(session, found, given)
    session.flush()
    return found


def _put(session: Session, row: StaffMember, given: Member) -> None:
    known = set(session.scalars(select(Category.id).where(Category.office_id == row.office_id)))
    wrong = []
    if not 0 < len(given.name.strip()) <= _MOST_NAME:
        wrong.append("name")
    if not set(given.lines) <= known:
        wrong.append("lines")
    if any(not 0 <= begin < end <= DAY_MIN for begin, end in given.hours.values()):
        wrong.append("hours")
    if not (0 <= given.lunch_min <= _MOST_PAUSE_MIN and 0 <= given.rest_min <= _MOST_PAUSE_MIN):
        wrong.append("pauses")
    account = None if given.account_id is None else session.get(Account, given.account_id)
    if given.account_id is not None and (account is None or account.office_id != row.office_id):
        wrong.append("account")
    if wrong:
        raise InvalidInput("bad_member", fields=wrong)
    row.account_id = given.account_id
    row.name, row.section, row.lines = given.name.strip(), given.section.strip()[:_MOST_NAME], list(given.lines)
    row.hours = {str(weekday): list(times) for weekday, times in sorted(given.hours.items())}
    row.lunch_min, row.rest_min, row.active = given.lunch_min, given.rest_min, given.active


def accounts(session: Session, office_id: str) -> Sequence[Account]:
    """Those who may be a person of this office's roster, by name."""
    query = select(Account).where(Account.office_id == office_id, Account.active).order_by(Account.name, Account.login)
    return session.scalars(query).all()


def bind(session: Session, account: Account) -> None:
    """Join an account to the person of the roster who has its name, once: from then on names may change.

    Nobody is joined where two have the name, or where somebody is joined already.
    """
    if account.office_id is None or session.scalar(select(StaffMember.id).where(StaffMember.account_id == account.id)):
        return
    same = session.scalars(
        select(StaffMember).where(
            StaffMember.office_id == account.office_id, StaffMember.name == account.name, StaffMember.active
        )
    ).all()
    if len(same) == 1 and same[0].account_id is None:
        same[0].account_id = account.id


def leave(session: Session, office_id: str, *, since: date, until: date) -> Mapping[tuple[int, date], list[StaffLeave]]:
    """The times people are away in these days (both included), by person and day."""
    rows = session.scalars(
        select(StaffLeave)
        .join(StaffMember, StaffMember.id == StaffLeave.member_id)
        .where(StaffMember.office_id == office_id, StaffLeave.day >= since, StaffLeave.day <= until)
        .order_by(StaffLeave.day, StaffLeave.from_min)
    ).all()
    found: dict[tuple[int, date], list[StaffLeave]] = {}
    for row in rows:
        found.setdefault((row.member_id, row.day), []).append(row)
    return found


def give_leave(
    session: Session, office_id: str, member_id: int, *, day: date, from_min: int = 0, until_min: int = DAY_MIN
) -> None:
    """Somebody is away on a day, or a part of it; what was said of that time before is replaced.

    Raises NotFound, InvalidInput ``bad_member`` for a time that is none.
    """
    member(session, office_id, member_id)
    if not 0 <= from_min < until_min <= DAY_MIN:
        raise InvalidInput("bad_member", fields=["hours"])
    session.execute(
        delete(StaffLeave).where(
            StaffLeave.member_id == member_id, StaffLeave.day == day, StaffLeave.from_min < until_min,
            StaffLeave.until_min > from_min,
        )
    )  # fmt: skip
    session.add(StaffLeave(member_id=member_id, day=day, from_min=from_min, until_min=until_min))
    session.flush()


def end_leave(session: Session, office_id: str, member_id: int, *, day: date) -> None:
    """Somebody is here after all on a day. Raises NotFound for a person of others."""
    member(session, office_id, member_id)
    session.execute(delete(StaffLeave).where(StaffLeave.member_id == member_id, StaffLeave.day == day))


def person(
    row: StaffMember, *, day: date, starts: Sequence[int], away: Sequence[StaffLeave], carried: int = 0
) -> Person:
    """The person on a day of these half-hours (minutes from midnight)."""
    begin, end = row.hours.get(str(day.weekday()), (0, 0))
    present = tuple(
        begin <= start < end
        and not any(gone.from_min < start + SLOT_MIN and gone.until_min > start for gone in away)
        for start in starts
    )  # fmt: skip
    slots = sum(present)
    return Person(
        id=str(row.id), lines=tuple(row.lines), present=present, carried=carried,
        lunch=-(-row.lunch_min // SLOT_MIN) if slots >= LUNCH_AFTER_SLOTS else 0,
        rests=-(-row.rest_min // SLOT_MIN) if slots >= _REST_AFTER_SLOTS else 0,
    )  # fmt: skip
