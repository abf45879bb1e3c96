"""Erase what has had its time: idempotency keys, sessions, pairing codes, sign-in attempts, unconfirmed tickets."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.models.people import Pairing, SignInAttempt, StaffSession
from app.services import budgets, contacts, leases, requests, rosters, tickets


def old_rows(session: Session, _everywhere: str, at: datetime) -> int:
    """Erase expired keys, sessions, codes, attempts notes of runs and old rosters; returns how many keys."""
    session.execute(delete(StaffSession).where(StaffSession.expires_at < at))
    session.execute(delete(Pairing).where(Pairing.expires_at < at))
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < at - timedelta(days=1)))
    leases.forget_runs(session, at=at)
    budgets.forget_old(session, at=at)
    contacts.forget(session, at=at)
    rosters.forget(session, at=at)
    return requests.forget_old(session, at=at)


def unconfirmed(session: Session, office: str, at: datetime) -> int:
    """Cancel web tickets that nobody confirmed on arrival."""
    return tickets.expire_unconfirmed(session, office_id=office, at=at)
