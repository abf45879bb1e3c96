"""Notes from counter to counter: changed, taken away, and gone at the close of day."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.errors import InvalidInput
from app.models.ticket import Event, Step, TicketNote
from app.services import day, notes, tickets

AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


def step_of(session: Session) -> Step:
    wish = tickets.Wish(services=["juminhyo"], channel="staff")
    ticket = tickets.issue(session, office_id="ward", wish=wish, seed="seed", secret=b"secret", actor="staff:1", at=AT)
    return session.scalars(select(Step).where(Step.ticket_id == ticket.id).order_by(Step.position)).first()  # type: ignore[return-value]


def logged(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Event).where(Event.action == "note")) or 0


def test_a_note_is_written_changed_and_taken_away(database: Database) -> None:
    with database.transaction() as session:
        step = step_of(session)
        for typed in ("通訳 タブレット", " 通訳  タブレット ", "後日", ""):
            notes.write(session, step, typed=typed, actor="staff:1", at=AT, counter_id="ward-2")
        assert notes.of(session, step.ticket_id) == ""
        assert logged(session) == 3  # the same words again are nothing new


@pytest.mark.parametrize("typed", ["長" * 61, "a\x00b", "\u202e"])
def test_what_is_no_note(typed: str) -> None:
    with pytest.raises(InvalidInput):
        notes.normal(typed)


def test_the_close_of_day_erases_them(database: Database) -> None:
    with database.transaction() as session:
        notes.write(session, step_of(session), typed="後日", actor="staff:1", at=AT)
    with database.transaction() as session:
        day.close(session, "ward", business_date(AT), at=AT)
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(TicketNote)) == 0
