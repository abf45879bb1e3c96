"""When an office is open, from its published hours and the national holidays."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

import jpholiday
from sqlalchemy import ColumnElement, Text, bindparam, cast, func, literal_column, select, union_all
from sqlalchemy.orm import Session

from app.db.ready import Ready
from app.domain import hours as content_rules
from app.domain.calendar import Interval, OpeningCalendar, business_date, clock
from app.domain.drafts import Content
from app.domain.errors import Closed, NotFound
from app.models.place import Offering, Office
from app.models.publication import CatalogueItem, Publication
from app.services.publications import Kind, current


@lru_cache(maxsize=4096)
def national_holiday(day: date) -> str | None:
    """The Japanese name of a national holiday, or None."""
    name: str | None = jpholiday.is_holiday_name(day)
    return name


@lru_cache(maxsize=64)
def _calendar(content: str, extra: str) -> OpeningCalendar:
    # Keyed by the content itself: any number of offices and databases share the cache safely.
    named: dict[str, str] = json.loads(extra)
    return content_rules.opening_calendar(
        json.loads(content), lambda day: named.get(day.isoformat()) or national_holiday(day)
    )


def calendar_of(session: Session, office_id: str, *, content: Content | None = None) -> OpeningCalendar:
    """The calendar of an office: of its published hours, or of ``content`` (a draft that is looked at).

    Raises NotFound for an office without hours.
    """
    if content is None:
        return _published(session, office_id)
    extra = {item.id: item.body["name"]["ja"] for item in _extra_holidays(session, office_id)}
    return _calendar(json.dumps(content, sort_keys=True), json.dumps(extra, sort_keys=True))


_WHAT: tuple[ColumnElement[str], ColumnElement[str]] = literal_column("'hours'"), literal_column("''")
_VERSIONS = select(func.max(Publication.version)).where(
    Publication.office_id == bindparam("office"), Publication.kind == str(Kind.HOURS)
)
# One look, as text: what has not changed since the last one is not read again.
_PUBLISHED = Ready(union_all(
    select(*_WHAT, cast(Publication.__table__.c.content, Text)).where(
        Publication.__table__.c.office_id == bindparam("office"), Publication.__table__.c.kind == str(Kind.HOURS),
        Publication.__table__.c.version == _VERSIONS.scalar_subquery(),
    ),
    select(literal_column("'holiday'"), CatalogueItem.__table__.c.id, cast(CatalogueItem.__table__.c.body, Text))
    .join(Office.__table__, Office.__table__.c.municipality_id == CatalogueItem.__table__.c.municipality_id)
    .where(Office.__table__.c.id == bindparam("office"), CatalogueItem.__table__.c.kind == "holiday"),
))  # fmt: skip


def _published(session: Session, office_id: str) -> OpeningCalendar:
    session.flush()
    rows = _PUBLISHED.rows(session.connection(), {"office": office_id})
    return _as_read(*rows)


@lru_cache(maxsize=64)
def _as_read(*rows: tuple[str, str, str]) -> OpeningCalendar:
    content = next((text for what, _, text in rows if what == "hours"), None)
    if content is None:
        raise NotFound(what=str(Kind.HOURS))
    extra = {name: json.loads(text)["name"]["ja"] for what, name, text in rows if what == "holiday"}
    return _calendar(content, json.dumps(extra, sort_keys=True))


def _extra_holidays(session: Session, office_id: str) -> Sequence[CatalogueItem]:
    return session.scalars(
        select(CatalogueItem)
        .join(Office, Office.municipality_id == CatalogueItem.municipality_id)
        .where(Office.id == office_id, CatalogueItem.kind == "holiday")
    ).all()


def opening(session: Session, office_id: str, day: date, category_id: str | None = None) -> list[Interval]:
    """When the office, or one of its categories, is open on a day; empty when closed."""
    return list(calendar_of(session, office_id).intervals(day, category_id))


def is_open(session: Session, office_id: str, at: datetime, category_id: str | None = None) -> bool:
    """People are served at this instant."""
    return calendar_of(session, office_id).is_open(at, category_id)


def takes_numbers(session: Session, office_id: str, at: datetime, category_id: str | None = None) -> bool:
    """Numbers are given at this instant (reception ends before the house closes)."""
    return calendar_of(session, office_id).takes_numbers(at, category_id)


def next_opening(session: Session, office_id: str, at: datetime, category_id: str | None = None) -> datetime | None:
    """The first instant after ``at`` at which it opens; None within 60 days."""
    return calendar_of(session, office_id).next_opening(at, category_id)


def notes(session: Session, office_id: str, day: date) -> list[Mapping[str, str]]:
    """What residents are told about the hours of a day, words by language."""
    content = current(session, office_id, Kind.HOURS).content
    return content_rules.notes(content, day, calendar_of(session, office_id))


def closed_reason(session: Session, office_id: str, day: date) -> str | None:
    """The name of the national holiday that closes a day; None when it is open or closed for another cause."""
    if opening(session, office_id, day):
        return None
    extra = {item.id: str(item.body["name"]["ja"]) for item in _extra_holidays(session, office_id)}
    return extra.get(day.isoformat()) or national_holiday(day)


def require_reception(
    session: Session, office_id: str, offerings: Sequence[Offering], *, at: datetime, staff: bool = False
) -> None:
    """Refuse a number that may not be given now for one of these services.

    Raises Closed ``office_closed`` outside the reception hours of a service's category, with ``opens_at`` when
    known (staff give numbers until the house closes), and ``service_closed`` at a closed time of day (T4).
    """
    calendar = calendar_of(session, office_id)
    for offering in offerings:
        taken = calendar.is_open if staff else calendar.takes_numbers
        if not taken(at, offering.category_id):
            raise Closed("office_closed", opens_at=calendar.next_opening(at, offering.category_id))
        if is_closed_purpose(offering.closed_times, at) and not staff:
            raise Closed("service_closed", service=offering.service_id)


def is_closed_purpose(closed_times: Sequence[Sequence[int]], at: datetime) -> bool:
    """The minute of the day (Asia/Tokyo) lies in one of ``[from, until]``."""
    now = clock(at)
    minute = now.hour * 60 + now.minute
    return any(first <= minute < last for first, last in closed_times)


def today(session: Session, office_id: str, *, at: datetime) -> list[Interval]:
    """The hours of the business date of ``at``."""
    return opening(session, office_id, business_date(at))
