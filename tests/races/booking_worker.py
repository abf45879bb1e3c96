"""One act on bookings in a process of its own, to be killed in between: ``python -m tests.races.booking_worker``.

Arguments: what (a failpoint's first word), the database's address, the id of a booking.
"""

import sys
from datetime import timedelta

from sqlalchemy.orm import Session

from app.db.session import Database
from app.models.booking import Booking
from app.services import booking_sweeps, bookings
from tests.services.booking_desk import AT, SECRET, book, hold, morning


def act(session: Session, what: str, booking: Booking) -> None:
    """Do it, so that its failpoint is passed."""
    match what:
        case "expiry":
            booking_sweeps.expire_holds(session, office_id="ward", at=AT + timedelta(minutes=6))
        case "no_show":
            booking_sweeps.mark_no_shows(session, office_id="ward", at=morning(12))
        case "hold":
            hold(session, "tenkyo", start=morning(11))
        case "book":
            book(session, "tenkyo", start=morning(11))
        case "cancel":
            bookings.cancel(session, booking, actor="test", at=AT)
        case "move":
            bookings.move(session, booking, start=morning(11), actor="test", at=AT)
        case "check_in":
            bookings.check_in(session, booking, seed="t", secret=SECRET, actor="test", at=morning(9, 50))


if __name__ == "__main__":
    database = Database(sys.argv[2])
    with database.transaction() as opened:
        act(opened, sys.argv[1], opened.get_one(Booking, int(sys.argv[3])))
    database.dispose()
