"""What a visit owes: the fees of its procedures, each once, with copies and exemptions where staff said so.

A visit is a ticket, or a booking and the ticket it became; money paid for the booking counts for that ticket. A fee
falls away when every step of its procedure was cancelled: nobody was heard, nothing was made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.booking import State as BookingState
from app.domain.errors import NotFound
from app.domain.payment import Line
from app.domain.refs import token_hash
from app.domain.ticket import State
from app.models.booking import Booking
from app.models.payment import Payment, PaymentLine
from app.models.place import Service
from app.models.ticket import Step, Ticket
from app.services import lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What can be paid for. ``services``: procedures that are due, in order; ``begins``: when the party is expected.

    ``ticket``, ``booking``: one or both. ``label``: the number or the booking's reference.
    """

    office_id: str
    language: str
    label: str
    begins: datetime
    services: Sequence[Service]
    ticket: Ticket | None = None
    booking: Booking | None = None

    @property
    def subject(self) -> str:
        """Whose money it is, for ever: a booking's stays the booking's after check-in."""
        return f"booking:{self.booking.id}" if self.booking else f"ticket:{self.ticket.id if self.ticket else 0}"


def of_ticket(session: Session, ticket: Ticket) -> Visit:
    """The visit of a ticket, by its booking where it came from one."""
    steps = lines.steps_of(session, ticket.id)
    booking = session.scalar(select(Booking).where(Booking.ticket_id == ticket.id))
    return Visit(
        office_id=ticket.office_id, language=ticket.language, label=ticket.number, begins=ticket.issued_at,
        services=_not_cancelled(session, steps), ticket=ticket, booking=booking,
    )  # fmt: skip


def of_booking(session: Session, booking: Booking) -> Visit:
    """The visit of a booking; after check-in what its ticket became decides what is due."""
    if booking.ticket_id is not None:
        return of_ticket(session, session.get_one(Ticket, booking.ticket_id))
    # Money is for a promise: neither for a place held for some minutes nor for one that was given up.
    stands = booking.state == BookingState.BOOKED
    found = [session.get_one(Service, each) for each in booking.services] if stands else []
    return Visit(
        office_id=booking.office_id, language=booking.language, label=booking.reference or "", begins=booking.start_at,
        services=found, booking=booking,
    )  # fmt: skip


def of_payment(session: Session, payment: Payment) -> Visit:
    """The visit a payment belongs to."""
    if payment.booking_id is not None:
        return of_booking(session, session.get_one(Booking, payment.booking_id, populate_existing=True))
    ticket = session.get(Ticket, payment.ticket_id)
    if ticket is None:
        raise NotFound(what="ticket")
    return of_ticket(session, ticket)


def by_token(session: Session, kind: str, token: str) -> Visit:
    """The visit of a link, ``kind`` ticket or booking; raises NotFound, the same for wrong, foreign and erased ones."""
    model = Booking if kind == "booking" else Ticket
    found = session.scalar(select(model).where(model.token_hash == token_hash(token)))
    if isinstance(found, Ticket):
        return of_ticket(session, found)
    # A place that is only held is nobody's booking yet.
    if not isinstance(found, Booking) or found.reference is None:
        raise NotFound(what=kind)
    return of_booking(session, found)


def _not_cancelled(session: Session, steps: Sequence[Step]) -> list[Service]:
    """The procedures of steps in their order, each once, without those of which every step was cancelled."""
    kept = {step.service_id for step in steps if step.state != State.CANCELLED}
    ordered = dict.fromkeys(step.service_id for step in steps if step.service_id in kept)
    return [session.get_one(Service, each) for each in ordered]


def changes(session: Session, payment: Payment | None) -> Mapping[str, PaymentLine]:
    """What staff changed of the fees, by service."""
    if payment is None:
        return {}
    found = session.scalars(select(PaymentLine).where(PaymentLine.payment_id == payment.id))
    return {line.service_id: line for line in found}


def due(session: Session, visit: Visit, payment: Payment | None) -> list[Line]:
    """Every fee of the visit, exempted ones too; free procedures have none."""
    changed, found = changes(session, payment), []
    for service in visit.services:
        line = changed.get(service.id)
        if line is not None:
            found.append(Line(service=service.id, unit=line.unit_yen, copies=line.copies, exemption=line.exemption))
        elif service.fee_yen:
            found.append(Line(service=service.id, unit=service.fee_yen))
    return found
