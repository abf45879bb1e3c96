"""Who has seen which alert: one event in the office's log, and nothing else.

The log already has who and when, is shown to the other lead at once (its ``seq`` moves every screen), proves it
later, and is read back by its index on the instant; a table of its own would need a lock, a key and an erasure
for what holds for ten minutes.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.alerts import SEEN_FOR, Alert, Seen, Severity, still_seen
from app.models.people import AccessToken, Account
from app.models.ticket import Event
from app.services import events

ACTION = "seen"


def mark(session: Session, alert: Alert, *, office_id: str, actor: str, at: datetime, request_key: str | None = None,
         ) -> Seen | None:  # fmt: skip
    """Say that somebody takes care of an alert; returns who had said so already, and then changes nothing."""
    office = events.lock_office(session, office_id)
    known = marks(session, office_id, at=at).get(alert.key)
    if known is not None and still_seen(alert, known, at):
        return known
    events.append(
        session, office, action=ACTION, actor=actor, at=at, request_key=request_key,
        details={"alert": alert.key, "severity": int(alert.severity)},
    )  # fmt: skip
    return None


def marks(session: Session, office_id: str, *, at: datetime) -> dict[str, Seen]:
    """The newest mark of each alert of the last minutes, by the alert's key."""
    rows = session.execute(
        select(Event.at, Event.actor, Event.details)
        .where(Event.office_id == office_id, Event.at > at - SEEN_FOR, Event.action == ACTION)
        .order_by(Event.seq)
    ).all()
    names = {actor: _name(session, actor) for actor in {row.actor for row in rows}}
    return {
        row.details["alert"]: Seen(
            key=row.details["alert"], severity=Severity(row.details["severity"]), at=row.at, by=names[row.actor]
        )
        for row in rows
    }


def _name(session: Session, actor: str) -> str:
    kind, _, number = actor.partition(":")
    if not number.isdigit():
        return actor
    who = session.get(Account, int(number)) if kind == "staff" else None
    if who is not None:
        return who.name
    program = session.get(AccessToken, int(number)) if kind == "token" else None
    return program.label if program is not None else actor
