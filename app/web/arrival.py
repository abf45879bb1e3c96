"""A booked party has come: one number for the visit, by phone, at the kiosk or through staff."""

from app.domain.refs import ticket_token
from app.services import bookings
from app.web import security
from app.web.api.tickets import secret


def arrive(token: str, *, actor: str, priority: bool = False) -> str:
    """Check a booking in; returns the token of its number, the same one when it was checked in before.

    Raises what ``bookings.check_in`` raises.
    """
    with security.database().transaction() as session:
        ticket, _ = bookings.check_in(
            session, bookings.by_token(session, token), seed=security.fresh_secret(), secret=secret(), actor=actor,
            at=security.now(), priority=priority,
        )  # fmt: skip
        return ticket_token(secret(), ticket.seed)
