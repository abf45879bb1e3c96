"""Which counters take money: those the office names, all of them where it names none; the first is where people go."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import Forbidden
from app.models.place import Counter, Office


def main(session: Session, office: Office) -> Counter | None:
    """The counter that residents are sent to, None where any will do."""
    numbers = office.settings.get("cashiers") or []
    query = select(Counter).where(Counter.office_id == office.id, Counter.number == (numbers[0] if numbers else None))
    return session.scalar(query)


def takes_money(session: Session, counter: Counter) -> bool:
    """Whether money may be taken at this counter."""
    numbers = session.get_one(Office, counter.office_id).settings.get("cashiers") or []
    return not numbers or counter.number in numbers


def require(session: Session, counter_id: str | None) -> None:
    """Raises Forbidden("not_a_cashier") for a counter that takes no money; None: a person of no counter."""
    counter = session.get(Counter, counter_id) if counter_id else None
    if counter is not None and not takes_money(session, counter):
        raise Forbidden("not_a_cashier")
