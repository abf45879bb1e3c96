"""Editing opening hours and special days as a draft, and publishing them (keys: app/domain/hours.py)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import hours as content_rules
from app.domain.calendar import Interval, business_date
from app.domain.drafts import Content, Fault, Value
from app.domain.errors import InvalidInput
from app.models.place import Category
from app.models.publication import Publication
from app.services import publications
from app.services.hours import calendar_of
from app.services.publications import Draft, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChange:
    """A day whose hours publishing would change."""

    day: date
    before: Sequence[Interval]
    after: Sequence[Interval]


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
    return [
        DayChange(day=day, before=before.intervals(day), after=after.intervals(day))
        for day in (today + timedelta(days=ahead) for ahead in range(days))
        # Also when only the categories of an interval change.
        if [(hours, hours.categories) for hours in before.intervals(day)]
        != [(hours, hours.categories) for hours in after.intervals(day)]
    ]


def publish(session: Session, *, office_id: str, based_on: int | None, actor: str, at: datetime) -> Publication:
    """Put the draft in force (errors: ``publications.publish``)."""
    found = faults(session, office_id, draft(session, office_id).content)
    return publications.publish(
        session, office_id=office_id, kind=Kind.HOURS, faults=found, based_on=based_on, actor=actor, at=at
    )
