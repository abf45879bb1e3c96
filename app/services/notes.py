"""Notes (メモ) from counter to counter: a few words about a visit, for staff alone, gone at the close of day."""

import unicodedata
from datetime import date, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput
from app.models.ticket import Step, Ticket, TicketNote
from app.services import events

LONGEST = 60


def normal(typed: str) -> str:
    """The words as they are kept; raises InvalidInput when they are too long or not words."""
    text = " ".join(unicodedata.normalize("NFKC", typed).split())
    if len(text) > LONGEST or not text.isprintable():
        raise InvalidInput("note_too_long", most=LONGEST)
    return text


def of(session: Session, ticket_id: int) -> str:
    """The note of a ticket; empty when there is none."""
    found = session.get(TicketNote, ticket_id)
    return found.text if found else ""


def write(session: Session, step: Step, *, typed: str, actor: str, at: datetime, counter_id: str | None = None) -> None:
    """Keep the note of a step's ticket, or take it away with nothing typed. The log says when, never what."""
    text = normal(typed)
    office = events.lock_office(session, step.office_id)
    known = session.get(TicketNote, step.ticket_id)
    if text == (known.text if known else ""):
        return
    if not text:
        session.delete(known)
    elif known is not None:
        known.text, known.at, known.actor = text, at, actor
    else:
        session.add(TicketNote(ticket_id=step.ticket_id, text=text, at=at, actor=actor))
    session.flush()
    events.append(session, office, action="note", actor=actor, at=at, step=step, counter_id=counter_id)


def erase(session: Session, office_id: str, until: date) -> None:
    """Erase the notes of an office's tickets up to and including a business date."""
    old = select(Ticket.id).where(Ticket.office_id == office_id, Ticket.business_date <= until)
    session.execute(delete(TicketNote).where(TicketNote.ticket_id.in_(old)))
