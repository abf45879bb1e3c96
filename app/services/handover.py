"""The gate before a certificate is handed over: where the city says so, it is paid or exempted (``paid_before``)."""

from sqlalchemy.orm import Session

from app.domain.errors import Conflict
from app.domain.payment import total
from app.domain.ticket import Action, Phase
from app.models.place import Service
from app.models.ticket import Step, Ticket
from app.services import bills, fees

_GATED = frozenset({Action.START, Action.FINISH})


def refuse_unpaid(session: Session, step: Step, action: Action) -> None:
    """Refuse to start or finish a hand-over whose fee is owed. Raises Conflict("payment_required", yen=…)."""
    if step.phase != Phase.DELIVER or action not in _GATED:
        return
    service = session.get_one(Service, step.service_id)
    if service.details.get("paid_before") != action:
        return
    bill = bills.of(session, fees.of_ticket(session, session.get_one(Ticket, step.ticket_id)))
    missing = total(line for line in bill.owed if line.service == service.id).amount
    if missing:
        raise Conflict("payment_required", yen=missing)
