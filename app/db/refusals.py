"""What a database refuses becomes a domain error, here and nowhere else."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from app.domain.errors import Conflict, DomainError, InvalidInput, NotFound, Unavailable

# What each database says about a promise that was about to be broken. SQLite names the columns of a
# unique index instead of the index.
_SAID: tuple[tuple[tuple[str, ...], str], ...] = (
    (("uq_step_counter_busy", "step.counter_id"), "counter_busy"),
    (("uq_step_ticket_busy", "step.ticket_id"), "ticket_elsewhere"),
    (("uq_ticket_office_id", "ticket.office_id, ticket.business_date"), "number_taken"),
    (("uq_payment_attempt_live", "payment_attempt.payment_id"), "payment_underway"),
    (("uq_payment_attempt_slip", "payment_attempt.slip"), "slip_used"),
    (("uq_staff_member_account_id", "staff_member.account_id"), "account_taken"),
    (("pk_request_key", "request_key.scope"), "request_in_flight"),
    (("pk_event", "event.office_id"), "sequence_taken"),
    (("ck_slot_capacity",), "slot_full"),
)


def refusal_of(error: DBAPIError) -> DomainError:
    """A violated constraint by its promise, a value no column holds as InvalidInput, all else as Unavailable."""
    if isinstance(error, IntegrityError):
        return _of_constraint(error)
    if isinstance(error, DataError):
        return InvalidInput(fields=["body"])
    return Unavailable(retry_after=1)


def _of_constraint(error: IntegrityError) -> DomainError:
    said = str(error.orig)
    for needles, code in _SAID:
        if any(needle in said for needle in needles):
            return Conflict(code)
    if "foreign key" in said.lower():
        return NotFound()
    return Conflict("constraint")
