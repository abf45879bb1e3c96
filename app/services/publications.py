"""Drafts and published versions of what staff edit: edit, take back singly, discard, publish (admin rooms use this).

What may be published is decided by the kind's own checks (kiosk_layout.py, opening_hours.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain import drafts
from app.domain.drafts import Change, Content, Fault, Value
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.models.publication import DraftEdit, Publication
from app.services import events


class Kind(StrEnum):
    KIOSK = "kiosk"
    HOURS = "hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is in force, what the draft would make of it, and the changes between, each with its key."""

    published: Content
    content: Content
    changes: Sequence[Change]


def current(session: Session, office_id: str, kind: Kind) -> Publication:
    """The version in force; NotFound when the office has none."""
    found = session.scalar(
        select(Publication)
        .where(Publication.office_id == office_id, Publication.kind == kind)
        .order_by(Publication.version.desc())
        .limit(1)
    )
    if found is None:
        raise NotFound(what=kind)
    return found


def history(session: Session, office_id: str, kind: Kind, *, limit: int = 20) -> Sequence[Publication]:
    """Published versions, newest first."""
    return session.scalars(
        select(Publication)
        .where(Publication.office_id == office_id, Publication.kind == kind)
        .order_by(Publication.version.desc())
        .limit(limit)
    ).all()


def changes_of(version: Publication) -> list[Change]:
    """What a version changed against the one before."""
    return [Change(key=item["key"], before=item["before"], after=item["after"]) for item in version.changes]


def draft(session: Session, office_id: str, kind: Kind) -> Draft:
    """The draft of an office; without edits it equals what is in force."""
    published = current(session, office_id, kind).content
    edits = {edit.key: edit.value["after"] for edit in _edits(session, office_id, kind)}
    return Draft(
        published=published,
        content=drafts.applied(published, edits),
        changes=drafts.changes(published, edits),
    )


def _edits(session: Session, office_id: str, kind: Kind) -> Sequence[DraftEdit]:
    return session.scalars(
        select(DraftEdit).where(DraftEdit.office_id == office_id, DraftEdit.kind == kind).order_by(DraftEdit.key)
    ).all()


def edit(session: Session, *, office_id: str, kind: Kind, key: str, value: Value, actor: str, at: datetime) -> None:
    """Set one key of the draft; None removes it. An edit back to the published value is no edit."""
    # Under the office's lock: two people editing one key must not both insert it.
    events.lock_office(session, office_id)
    found = session.get(DraftEdit, (office_id, kind, key))
    if current(session, office_id, kind).content.get(key) == value:
        if found is not None:
            session.delete(found)
            session.flush()
        return
    if found is None:
        found = DraftEdit(office_id=office_id, kind=kind, key=key)
        session.add(found)
    found.value, found.edited_at, found.edited_by = {"after": value}, at, actor
    session.flush()


def take_back(session: Session, *, office_id: str, kind: Kind, key: str) -> None:
    """Drop one change of the draft, the others stay; NotFound when there is none."""
    found = session.get(DraftEdit, (office_id, kind, key))
    if found is None:
        raise NotFound(what="change")
    session.delete(found)
    session.flush()


def discard(session: Session, *, office_id: str, kind: Kind) -> int:
    """Drop the whole draft; returns how many changes it had."""
    found = len(_edits(session, office_id, kind))
    session.execute(delete(DraftEdit).where(DraftEdit.office_id == office_id, DraftEdit.kind == kind))
    return found


def undo_published(
    session: Session, *, office_id: str, kind: Kind, version: int, key: str, actor: str, at: datetime
) -> None:
    """Put the value before one published change into the draft, to be published again; NotFound when absent."""
    found = session.scalar(
        select(Publication).where(
            Publication.office_id == office_id, Publication.kind == kind, Publication.version == version
        )
    )
    change = next((item for item in found.changes if item["key"] == key), None) if found else None
    if change is None:
        raise NotFound(what="change")
    edit(session, office_id=office_id, kind=kind, key=key, value=change["before"], actor=actor, at=at)


def restore(session: Session, *, office_id: str, kind: Kind, version: int, actor: str, at: datetime) -> int:
    """Make the draft equal to an earlier version, to be looked at and published; returns how many keys differ.

    The draft as it was is dropped. Raises NotFound for a version that never was.
    """
    then = session.scalar(
        select(Publication.content).where(
            Publication.office_id == office_id, Publication.kind == kind, Publication.version == version
        )
    )
    if then is None:
        raise NotFound(what="version")
    events.lock_office(session, office_id)
    discard(session, office_id=office_id, kind=kind)
    now = current(session, office_id, kind).content
    differ = [key for key in sorted({*now, *then}) if now.get(key) != then.get(key)]
    for key in differ:
        edit(session, office_id=office_id, kind=kind, key=key, value=then.get(key), actor=actor, at=at)
    return len(differ)


def publish(
    session: Session,
    *,
    office_id: str,
    kind: Kind,
    faults: Sequence[Fault],
    based_on: int | None,
    actor: str,
    at: datetime,
) -> Publication:
    """Make the draft the next version, with one event, so that kiosks and boards follow.

    ``faults`` of the draft's content; ``based_on``: the version the person saw. Raises InvalidInput
    ``draft_has_faults``, Conflict ``nothing_to_publish`` or ``published_meanwhile``.
    """
    office = events.lock_office(session, office_id)
    before = current(session, office_id, kind)
    if based_on is not None and based_on != before.version:
        raise Conflict("published_meanwhile", version=before.version, by=before.published_by)
    now = draft(session, office_id, kind)
    if not now.changes:
        raise Conflict("nothing_to_publish")
    errors = drafts.blocking(faults)
    if errors:
        told = [{"key": fault.key, "code": fault.code, **fault.values} for fault in errors]
        raise InvalidInput("draft_has_faults", faults=told)
    told_changes = [{"key": item.key, "before": item.before, "after": item.after} for item in now.changes]
    version = Publication(
        office_id=office_id,
        kind=kind,
        version=before.version + 1,
        content=dict(now.content),
        changes=told_changes,
        published_at=at,
        published_by=actor,
    )
    session.add(version)
    discard(session, office_id=office_id, kind=kind)
    session.flush()
    details = {"version": version.version, "keys": [item.key for item in now.changes]}
    events.append(session, office, action=f"{kind}_published", actor=actor, at=at, details=details)
    return version


def first_version(
    session: Session, *, office_id: str, kind: Kind, content: Content, actor: str, at: datetime
) -> Publication:
    """A new version 1, for an office that has none yet."""
    version = Publication(
        office_id=office_id,
        kind=kind,
        version=1,
        content=dict(content),
        changes=[],
        published_at=at,
        published_by=actor,
    )
    session.add(version)
    return version
