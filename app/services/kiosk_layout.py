"""The kiosk's first screen: what can be chosen now (T4), and editing it without a deployment (T2).

Edits go through ``edit`` with the keys of app/domain/kiosk.py; ``publish`` makes them the screen of every kiosk
of the office and brings colours and closed times to the catalogue, so that phones and boards agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain import kiosk
from app.domain.calendar import business_date, clock
from app.domain.drafts import Content, Fault, Value
from app.domain.errors import InvalidInput, NotFound
from app.domain.kiosk import Layout, Purpose
from app.models.place import Category, Municipality, Offering, Office
from app.models.publication import Publication
from app.services import publications
from app.services.hours import calendar_of
from app.services.publications import Draft, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A button now. ``until``: when it closes today; ``opens_at``: when it can be chosen again, if closed."""

    purpose: Purpose
    category: Category
    open: bool
    until: time | None
    opens_at: datetime | None


def layout(session: Session, office_id: str) -> Layout:
    """The published layout; NotFound for an office without a kiosk."""
    return kiosk.layout(publications.current(session, office_id, Kind.KIOSK).content)


def choices(session: Session, office_id: str, *, at: datetime, content: Content | None = None) -> list[Choice]:
    """The shown purposes in the order of the screen, each open or closed at this instant.

    ``content``: a draft that is looked at, instead of what is published.
    """
    calendar = calendar_of(session, office_id)
    categories = _categories(session, office_id)
    now, found = clock(at), []
    screen = layout(session, office_id) if content is None else kiosk.layout(content)
    for purpose in screen.purposes:
        if purpose.hidden:
            continue
        times = kiosk.times_today(calendar, purpose, business_date(at))
        is_open = any(first <= now < last for first, last in times)
        found.append(
            Choice(
                purpose=purpose,
                category=categories[purpose.category],
                open=is_open,
                until=times[-1][1] if times else None,
                opens_at=None if is_open else kiosk.next_choice(calendar, purpose, at),
            )
        )
    return found


def _categories(session: Session, office_id: str) -> dict[str, Category]:
    rows = session.scalars(select(Category).where(Category.office_id == office_id).order_by(Category.position))
    return {category.id: category for category in rows}


def draft(session: Session, office_id: str) -> Draft:
    """The draft with its changes; render it with ``app.domain.kiosk.layout(draft.content)``."""
    return publications.draft(session, office_id, Kind.KIOSK)


def faults(session: Session, office_id: str, content: Content) -> list[Fault]:
    """What is wrong with a content, and as warnings which languages are missing."""
    office = session.get(Office, office_id)
    if office is None:
        raise NotFound(what="office")
    languages = session.get_one(Municipality, office.municipality_id).settings["languages"]
    services: dict[str, set[str]] = {name: set() for name in _categories(session, office_id)}
    for offering in session.scalars(select(Offering).where(Offering.office_id == office_id, Offering.active)):
        services[offering.category_id].add(offering.service_id)
    return kiosk.faults(content, services=services, languages=languages)


def edit(session: Session, *, office_id: str, key: str, value: Value, actor: str, at: datetime) -> Sequence[Fault]:
    """Set one key of the draft and return what is now wrong at it. Raises InvalidInput ``unknown_setting``.

    A text too long is kept in the draft, so that nobody loses typing; it only cannot be published.
    """
    if isinstance(value, str):
        value = value.strip() or None
    content = {**draft(session, office_id).content, key: value}
    found = [fault for fault in faults(session, office_id, _present(content)) if fault.key == key]
    if any(fault.code == "unknown_setting" for fault in found):
        raise InvalidInput("unknown_setting", key=key)
    publications.edit(session, office_id=office_id, kind=Kind.KIOSK, key=key, value=value, actor=actor, at=at)
    return found


def _present(content: Mapping[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in content.items() if value is not None}


def move(session: Session, *, office_id: str, purpose_id: str, position: int, actor: str, at: datetime) -> None:
    """Put a purpose of the draft at a position (0 is first); NotFound when there is no such purpose."""
    order = [purpose.id for purpose in kiosk.layout(draft(session, office_id).content).purposes]
    if purpose_id not in order:
        raise NotFound(what="purpose")
    order.remove(purpose_id)
    order.insert(max(0, position), purpose_id)
    publications.edit(session, office_id=office_id, kind=Kind.KIOSK, key="order", value=order, actor=actor, at=at)


def show(session: Session, *, office_id: str, purpose_id: str, shown: bool, actor: str, at: datetime) -> None:
    """Show or hide a purpose of the draft."""
    if purpose_id not in {purpose.id for purpose in kiosk.layout(draft(session, office_id).content).purposes}:
        raise NotFound(what="purpose")
    key = f"purpose.{purpose_id}.hidden"
    value = None if shown else True
    publications.edit(session, office_id=office_id, kind=Kind.KIOSK, key=key, value=value, actor=actor, at=at)


def publish(session: Session, *, office_id: str, based_on: int | None, actor: str, at: datetime) -> Publication:
    """Make the draft the screen of all kiosks (errors: ``publications.publish``)."""
    found = faults(session, office_id, draft(session, office_id).content)
    version = publications.publish(
        session, office_id=office_id, kind=Kind.KIOSK, faults=found, based_on=based_on, actor=actor, at=at
    )
    apply_published(session, office_id)
    return version


def apply_published(session: Session, office_id: str) -> None:
    """Colours to the categories, closed times to the offerings: one truth for kiosk, phone and board."""
    screen = layout(session, office_id)
    for category in _categories(session, office_id).values():
        category.hue = screen.colours.get(category.id, category.hue)
    for offering in session.scalars(select(Offering).where(Offering.office_id == office_id)):
        closed = kiosk.closed_times(screen.purposes, offering.service_id)
        if offering.closed_times != closed:
            offering.closed_times = closed
    session.flush()
