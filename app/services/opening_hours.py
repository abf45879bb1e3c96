"""Editing opening hours and special days as a draft, and publishing them (keys: app/domain/hours.py)."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import hours as content_rules
from app.domain.booking import LIVE
from app.domain.calendar import Interval, business_date, instant
from app.domain.drafts import Content, Fault, Value, blocking
from app.domain.errors import Conflict, InvalidInput
from app.models.booking import Booking
from app.models.place import Category
from app.models.publication import Publication
from app.services import events, publications
from app.services.hours import calendar_of
from app.services.publications import Draft, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChange:
    """A day whose hours publishing would change; ``stranded``: bookings that its new hours leave outside."""

    day: date
    before: Sequence[Interval]
    after: Sequence[Interval]
    stranded: int = 0


def draft(session: Session, office_id: str) -> Draft:
    return publications.draft(session, office_id, Kind.HOURS)


def faults(session: Session, office_id: str, content: Content) -> list[Fault]:
    """What is wrong with a content."""
    return content_rules.faults(content, categories=_categories(session, office_id))


def _categories(session: Session, office_id: str) -> Collection[str]:
    return set(session.scalars(select(Category.id).where(Category.office_id == office_id)))


def edit(session: Session, *, office_id: str, key: str, value: Value, actor: str, at: datetime) -> None:
    """Set one rule, closure or special day of the draft; None removes it.

    Raises InvalidInput with the fault's code when the value is no opening: unlike a button's words, half an
    opening cannot be shown as a draft.
    """
    if value is not None:
        found = content_rules.faults({key: value}, categories=_categories(session, office_id))
        if found:
            raise InvalidInput(found[0].code, key=key, **found[0].values)
    publications.edit(session, office_id=office_id, kind=Kind.HOURS, key=key, value=value, actor=actor, at=at)


def set_special_day(
    session: Session,
    *,
    office_id: str,
    day: date,
    intervals: Sequence[Mapping[str, str]],
    note: Mapping[str, str],
    actor: str,
    at: datetime,
    categories: Sequence[str] = (),
) -> None:
    """Let one day differ: ``intervals`` ``{open, close, reception_close?}``, none means closed.

    Raises InvalidInput ``day_is_past`` besides those of ``edit``.
    """
    if day < business_date(at):
        raise InvalidInput("day_is_past", day=day.isoformat())
    value = {"intervals": [dict(item) for item in intervals], "note": dict(note), "categories": list(categories)}
    edit(session, office_id=office_id, key=f"special.{day.isoformat()}", value=value, actor=actor, at=at)


def days_changed(session: Session, office_id: str, *, at: datetime, days: int = 120) -> list[DayChange]:
    """What publishing the draft would change, day by day from today on: shown before anything is published."""
    content = draft(session, office_id).content
    before, after = calendar_of(session, office_id), calendar_of(session, office_id, content=content)
    today = business_date(at)
    found = [
        DayChange(day=day, before=before.intervals(day), after=after.intervals(day))
        for day in (today + timedelta(days=ahead) for ahead in range(days))
        # Also when only the categories of an interval change.
        if [(hours, hours.categories) for hours in before.intervals(day)]
        != [(hours, hours.categories) for hours in after.intervals(day)]
    ]
    outside = _stranded(session, office_id, {each.day: each.after for each in found}, at=at)
    return [replace(each, stranded=outside[each.day]) for each in found]


def _stranded(
    session: Session, office_id: str, hours: Mapping[date, Sequence[Interval]], *, at: datetime
) -> Counter[date]:
    """How many bookings of these days would lie outside their hours."""
    if not hours:
        return Counter()
    rows = session.execute(
        select(Booking.business_date, Booking.category_id, Booking.start_at, Booking.end_at).where(
            Booking.office_id == office_id, Booking.state.in_(LIVE), Booking.start_at > at,
            Booking.business_date.between(min(hours), max(hours)),
        )
    )  # fmt: skip
    return Counter(
        day
        for day, category, start, end in rows
        if day in hours
        and not any(
            each.serves(category) and instant(day, each.opens) <= start and end <= instant(day, each.closes)
            for each in hours[day]
        )
    )


def publish(
    session: Session, *, office_id: str, based_on: int | None, actor: str, at: datetime, stranding: int = 0
) -> Publication:
    """Put the draft in force (errors: ``publications.publish``).

    ``stranding``: how many bookings outside the new hours the person has been told of. Raises Conflict
    ``bookings_outside_hours`` when there are more: somebody must know before they stand before a closed door.
    """
    events.lock_office(session, office_id)
    found = faults(session, office_id, draft(session, office_id).content)
    if not blocking(found):
        outside = sum(each.stranded for each in days_changed(session, office_id, at=at))
        if outside > stranding:
            raise Conflict("bookings_outside_hours", count=outside)
    return publications.publish(
        session, office_id=office_id, kind=Kind.HOURS, faults=found, based_on=based_on, actor=actor, at=at
    )
