"""Bring a municipality's document into the database: new rows are added, changed ones follow, nothing is lost.

What runs (a counter's state, an office's ``seq``) and what staff publish on a screen (kiosk, hours, notices they
wrote) is never overwritten by loading again; a service taken out of an office is only switched off, because
tickets of the past point at it. A line taken out is told of with whoever still stands in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.base import Base
from app.domain.errors import Conflict
from app.models.place import Category, Counter, Hall, Municipality, Notice, Offering, Office, Service, WorkProfile
from app.models.publication import CatalogueItem, Publication
from app.services import catalogue_content as content
from app.services import events, kiosk_layout, staff_members, withdrawn_lines
from app.services.publications import Kind, first_version
from app.services.withdrawn_lines import Withdrawn
from config import document_office as parts
from config.document import MunicipalityDocument

ACTOR = "setup"


@dataclass(slots=True)
class Loaded:
    """How many rows were added and how many changed; both 0 when the database agreed already.

    ``withdrawn``: lines that offer nothing any more and still hold somebody.
    """

    added: int = 0
    changed: int = 0
    withdrawn: list[Withdrawn] = field(default_factory=list)

    def put(self, session: Session, model: type[Base], key: Any, values: Mapping[str, Any]) -> None:
        """Add the row of this primary key, or set what differs."""
        row = session.get(model, key)
        if row is None:
            names = [column.name for column in model.__mapper__.primary_key]
            keys = dict(zip(names, key if isinstance(key, tuple) else (key,), strict=True))
            session.add(model(**keys, **values))
            self.added += 1
        else:
            self.follow(row, values)

    def follow(self, row: Base, values: Mapping[str, Any]) -> None:
        """Set what differs in an existing row."""
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in differing.items():
            setattr(row, name, value)
        self.changed += bool(differing)


def load_document(
    session: Session, document: MunicipalityDocument, *, at: datetime, waiting_too: bool = False
) -> Loaded:
    """Upsert the whole document; ``at`` dates the first versions of kiosk and hours. Returns what was written.

    Raises Conflict("people_in_withdrawn_line") when a line that somebody stands in now would be called by no counter
    of the document, unless whoever loads has been told (``waiting_too``).
    """
    loaded = Loaded()
    _municipality(session, loaded, document)
    session.flush()
    for position, office in enumerate(document.offices):
        _office(session, loaded, office, tenant=document.municipality.id, position=position, at=at)
        session.flush()
        _colleagues(session, loaded, office, document)
        loaded.withdrawn += withdrawn_lines.find(session, office.id, at=at)
    standing = {line.category.id: line.numbers for line in loaded.withdrawn if line.numbers}
    if standing and not waiting_too:
        raise Conflict("people_in_withdrawn_line", lines=",".join(standing), count=sum(standing.values()))
    return loaded


def _colleagues(session: Session, loaded: Loaded, office: parts.Office, document: MunicipalityDocument) -> None:
    """The people for the rosters, once: afterwards managers keep them on their screen."""
    if staff_members.members(session, office.id, everybody=True):
        return
    for person in document.colleagues:
        if person.office == office.id:
            staff_members.add(session, office.id, content.colleague(office, person))
            loaded.added += 1


def _municipality(session: Session, loaded: Loaded, document: MunicipalityDocument) -> None:
    tenant = document.municipality
    loaded.put(session, Municipality, tenant.id, content.municipality(document))
    session.flush()
    for service in document.services:
        loaded.put(session, Service, service.id, content.service(document, service))
    for kind, items in content.items(document).items():
        for position, (name, body) in enumerate(items.items()):
            values = {"position": position, "body": body}
            loaded.put(session, CatalogueItem, (tenant.id, kind, name), values)


def _office(
    session: Session, loaded: Loaded, office: parts.Office, *, tenant: str, position: int, at: datetime
) -> None:
    known = session.get(Office, office.id)
    if known is not None:
        # No number is given in a line while it is taken out.
        events.lock_office(session, office.id)
    settings = content.office_settings(office)
    if known is None:
        # An epoch says "another database": it may not repeat after a restore, the instant of setting up does not.
        values = {"epoch": f"{at:%Y%m%d%H%M%S}", "seq": 0, "changed_at": at, "settings": settings}
    else:
        # Switches set while running (training) stay.
        values = {"settings": {**known.settings, **settings}}
    values |= {"municipality_id": tenant, "name": dict(office.name), "position": position}
    loaded.put(session, Office, office.id, values)
    session.flush()
    for index, hall in enumerate(office.halls):
        loaded.put(session, Hall, content.key(office, hall.id), content.hall(office, hall, index))
    session.flush()
    _lines(session, loaded, office)
    _places(session, loaded, office)
    _notices(session, loaded, office)
    _published(session, loaded, office, at)


def _lines(session: Session, loaded: Loaded, office: parts.Office) -> None:
    for index, category in enumerate(office.categories):
        values = content.category(office, category, index)
        key = content.key(office, category.id)
        if session.get(Category, key) is not None:
            # Staff choose colours on the kiosk's screen.
            del values["hue"]
        loaded.put(session, Category, key, values)
    session.flush()
    offered = {
        name: (category.id, position)
        for category in office.categories
        for position, name in enumerate(category.services)
    }
    for name, (category_id, position) in offered.items():
        values = {"category_id": content.key(office, category_id), "position": position, "active": True}
        loaded.put(session, Offering, (office.id, name), values)
    session.flush()
    for offering in session.scalars(select(Offering).where(Offering.office_id == office.id)):
        if offering.service_id not in offered:
            loaded.follow(offering, {"active": False})


def _places(session: Session, loaded: Loaded, office: parts.Office) -> None:
    for index, profile in enumerate(office.profiles):
        loaded.put(session, WorkProfile, content.key(office, profile.id), content.profile(office, profile, index))
    session.flush()
    for index, counter in enumerate(office.counters):
        loaded.put(session, Counter, content.key(office, str(counter.no)), content.counter(office, counter, index))


def _notices(session: Session, loaded: Loaded, office: parts.Office) -> None:
    query = select(Notice).where(Notice.office_id == office.id, Notice.code.is_not(None))
    known = {notice.code: notice for notice in session.scalars(query)}
    for index, notice in enumerate(office.notices):
        values = content.notice(office, notice, index)
        if notice.id in known:
            loaded.follow(known[notice.id], values)
        else:
            session.add(Notice(code=notice.id, **values))
            loaded.added += 1


def _published(session: Session, loaded: Loaded, office: parts.Office, at: datetime) -> None:
    query = select(Publication.kind).where(Publication.office_id == office.id)
    known = set(session.scalars(query))
    first = {Kind.KIOSK: content.kiosk(office), Kind.HOURS: content.hours(office)}
    for kind, body in first.items():
        if kind not in known:
            first_version(session, office_id=office.id, kind=kind, content=body, actor=ACTOR, at=at)
            loaded.added += 1
    session.flush()
    kiosk_layout.apply_published(session, office.id)
