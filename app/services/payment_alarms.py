"""What does not fit about money: raised by the hall, open until a person has looked into it and said what it was."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.models.payment import Payment, PaymentAttempt
from app.services import events

# Letters of the note: what was found and done.
LONGEST_NOTE = 500


def sound(attempt: PaymentAttempt, kind: str, *, anew: bool = False) -> None:
    """Raise an alarm. One of the same kind that somebody has looked into stays looked into, unless it came ``anew``:
    a sweep sees the same thing every day, another dispute is another thing."""
    if attempt.alarm == kind and not anew:
        return
    attempt.alarm = kind
    attempt.alarm_seen_at = attempt.alarm_seen_by = attempt.alarm_note = None


def open_at(session: Session, office_id: str) -> Sequence[tuple[PaymentAttempt, Payment]]:
    """Alarms of an office that nobody has looked into, oldest attempt first."""
    query = _of(office_id).where(PaymentAttempt.alarm_seen_at.is_(None))
    return [(attempt, payment) for attempt, payment in session.execute(query)]


def seen_on(session: Session, office_id: str, day: date) -> Sequence[tuple[PaymentAttempt, Payment]]:
    """Alarms that were looked into on a business date."""
    query = _of(office_id).where(PaymentAttempt.alarm_seen_at.is_not(None))
    found = [(attempt, payment) for attempt, payment in session.execute(query)]
    return [(attempt, payment) for attempt, payment in found if business_date(attempt.alarm_seen_at) == day]


def _of(office_id: str):  # type: ignore[no-untyped-def]
    query = select(PaymentAttempt, Payment).join(Payment, Payment.id == PaymentAttempt.payment_id)
    return query.where(PaymentAttempt.office_id == office_id, PaymentAttempt.alarm.is_not(None)).order_by(
        PaymentAttempt.id
    )


def open_counts(session: Session) -> dict[str, int]:
    """How many alarms nobody has looked into, by office."""
    query = select(PaymentAttempt.office_id, func.count()).where(PaymentAttempt.alarm.is_not(None))
    rows = session.execute(query.where(PaymentAttempt.alarm_seen_at.is_(None)).group_by(PaymentAttempt.office_id))
    return {row[0]: row[1] for row in rows}


def seen(session: Session, attempt_id: int, kind: str, note: str, *, actor: str, at: datetime) -> PaymentAttempt:
    """Somebody looked into the alarm of this kind.

    Raises NotFound; InvalidInput("alarm_note") without a word of what it was or with more than LONGEST_NOTE letters;
    Conflict("alarm_moved") when it was looked into already or has become another one meanwhile.
    """
    note = note.strip()
    office_id = session.scalar(select(PaymentAttempt.office_id).where(PaymentAttempt.id == attempt_id))
    if office_id is None:
        raise NotFound(what="payment")
    if not 0 < len(note) <= LONGEST_NOTE:
        raise InvalidInput("alarm_note", most=LONGEST_NOTE)
    events.lock_office(session, office_id)
    attempt = session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
    if attempt.alarm is None or attempt.alarm != kind or attempt.alarm_seen_at is not None:
        raise Conflict("alarm_moved")
    attempt.alarm_seen_at, attempt.alarm_seen_by, attempt.alarm_note = at, actor, note
    session.flush()
    return attempt
