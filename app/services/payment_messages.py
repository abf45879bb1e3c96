"""Money that arrived is told to whoever wished to be told, or left a contact with the booking; with its receipt."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.domain.delivery import Occasion
from app.models.booking import Booking
from app.models.delivery import Contact, NoticeWish
from app.models.payment import Payment, PaymentAttempt
from app.models.place import Office
from app.services import outbox
from app.services.outbox import Recipient


def received(session: Session, attempt: PaymentAttempt, *, at: datetime) -> bool:
    """Put the notice into the outbox of the transaction that takes the money over; False where nobody is told.

    The link opens the payment's own page; what was paid for is not named.
    """
    payment = session.get_one(Payment, attempt.payment_id)
    to = _recipient(session, payment)
    if to is None:
        return False
    return outbox.enqueue(
        session, office=session.get_one(Office, payment.office_id), occasion=Occasion.RECEIPT, to=to, at=at,
        target=f"payment:{payment.id}", once=str(attempt.id), values={"金額": f"{attempt.amount_yen:,}"},
    )  # fmt: skip


def _recipient(session: Session, payment: Payment) -> Recipient | None:
    if payment.ticket_id is not None:
        wish = session.get(NoticeWish, payment.ticket_id)
        contact_id, language = (wish.contact_id, wish.language) if wish and wish.active else (None, "ja")
    else:
        booking = session.get_one(Booking, payment.booking_id)
        contact_id, language = booking.contact_id, booking.language
    found = session.get(Contact, contact_id) if contact_id is not None else None
    return Recipient(contact_id=found.id, channel=found.channel, language=language) if found else None
