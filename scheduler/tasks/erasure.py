"""Erase what has had its time: idempotency keys, sessions, pairing codes, sign-in attempts, unconfirmed tickets."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.models.people import Pairing, SignInAttempt, StaffSession
from app.models.place import Office
from app.services import requests, tickets


def old_rows(session: Session, at: datetime) -> int:
    """Erase expired keys, sessions, codes and attempts; returns how many keys."""
    session.execute(delete(StaffSession).where(StaffSession.expires_at < at))
    session.execute(delete(Pairing).where(Pairing.expires_at < at))
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < at - timedelta(days=1)))
    return requests.forget_old(session, at=at)


def unconfirmed(session: Session, at: datetime) -> int:
    """Cancel web tickets that nobody confirmed on arrival."""
    offices = session.scalars(select(Office.id).order_by(Office.id)).all()
    return sum(tickets.expire_unconfirmed(session, office_id=office, at=at) for office in offices)
