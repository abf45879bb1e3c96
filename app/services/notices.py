"""What the holder of a number asked to be told: before its turn, when it is called, when its certificate is ready.

Called and ready are put into the outbox by the transaction that calls (``after_step``); "soon" by a sweep that looks
at the line whenever it moved.
"""

from datetime import datetime

from sqlalchemy import String, bindparam, cast, exists, func, literal, select
from sqlalchemy.orm import Session

from app.db.ready import Ready
from app.domain.delivery import Channel, Occasion
from app.domain.delivery import State as Unsent
from app.domain.errors import InvalidInput
from app.domain.message_text import span
from app.domain.ticket import Action, Phase, State
from app.models.delivery import Delivery, NoticeWish
from app.models.place import Category, Counter, Hall, Office
from app.models.ticket import Step, Ticket
from app.services import lines, outbox, waits
from app.services.outbox import Recipient, name_in

_WISHED = Ready(
    select(NoticeWish.ticket_id).where(
        NoticeWish.ticket_id == bindparam("ticket"), NoticeWish.active, NoticeWish.contact_id.is_not(None)
    )
)
# What can be chosen, as on the page: so many people before, or about so many minutes.
CHOICES = {"ahead": (5, 3, 1), "minutes": (20, 10, 5)}
_OCCASIONS = {Action.CALL: Occasion.CALLED, Action.READY: Occasion.READY, Action.MISS: Occasion.MISSED}


def target_of(ticket_id: int) -> str:
    """What the link of a ticket's messages opens."""
    return f"ticket:{ticket_id}"


def wish(
    session: Session, *, ticket: Ticket, channel: Channel, contact_id: int | None, rule: str, amount: int,
    language: str, active: bool, at: datetime,
) -> NoticeWish:  # fmt: skip
    """Keep what a ticket's holder wishes; another takes the place of the first. Raises InvalidInput("bad_wish")."""
    refuse_unknown(rule, amount)
    found = session.get(NoticeWish, ticket.id, with_for_update=True)
    if found is None:
        found = NoticeWish(ticket_id=ticket.id, office_id=ticket.office_id)
        session.add(found)
    found.contact_id, found.channel, found.rule, found.amount = contact_id, channel, rule, amount
    found.language, found.active, found.created_at = language, active, at
    session.flush()
    return found


def refuse_unknown(rule: str, amount: int) -> None:
    """Raise InvalidInput("bad_wish") for what is none of ``CHOICES``."""
    if amount not in CHOICES.get(rule, ()):
        raise InvalidInput("bad_wish", field="by")


def is_told(session: Session, ticket: Ticket) -> bool:
    """Whether ``stop`` would end anything: a wish, or a message that has not left; from a read."""
    waits = exists().where(Delivery.target == target_of(ticket.id), Delivery.state == Unsent.QUEUED)
    return of_ticket(session, ticket.id) is not None or bool(session.scalar(select(waits)))


def stop(session: Session, ticket: Ticket, *, at: datetime) -> None:
    """No more of it; what has not left yet stays here."""
    found = session.get(NoticeWish, ticket.id, with_for_update=True)
    if found is not None:
        session.delete(found)
    outbox.withdraw(session, target=target_of(ticket.id), occasions=list(Occasion), at=at)


def of_ticket(session: Session, ticket_id: int) -> NoticeWish | None:
    """The wish of a ticket, active or waiting for its code."""
    return session.get(NoticeWish, ticket_id)


def after_step(session: Session, office: Office, step: Step, action: Action, *, at: datetime) -> None:
    """Tell, in the transaction that moves the step: called, ready (only a certificate), missed."""
    occasion = _OCCASIONS.get(action)
    if occasion is None or (occasion is Occasion.READY and step.phase != Phase.DELIVER):
        return
    # Past the session: most parties wish for nothing, and a call must not wait for what reading through it costs.
    if not _WISHED.run(session.connection(), {"ticket": step.ticket_id}):
        return
    found = session.get_one(NoticeWish, step.ticket_id)
    counter = session.get(Counter, step.counter_id) if step.counter_id else None
    if occasion is not Occasion.READY:
        # What was true a moment ago: the number is being called now, or was.
        outbox.withdraw(session, target=target_of(step.ticket_id), occasions=[Occasion.SOON, Occasion.CALLED], at=at)
    _tell(session, office, found, step, occasion, at=at, once=f"{step.id}:{at.isoformat()}", counter=counter)


def _tell(
    session: Session, office: Office, found: NoticeWish, step: Step, occasion: Occasion, *, at: datetime, once: str,
    counter: Counter | None = None, values: dict[str, str] | None = None,
) -> bool:  # fmt: skip
    category = session.get_one(Category, step.category_id)
    hall = session.get_one(Hall, counter.hall_id if counter else category.hall_id)
    said = {
        "番号": session.get_one(Ticket, step.ticket_id).number, "場所": name_in(hall.name, found.language),
        "窓口": counter.number if counter else "", **(values or {}),
    }  # fmt: skip
    to = Recipient(contact_id=found.contact_id or 0, channel=found.channel, language=found.language)
    return outbox.enqueue(
        session, office=office, occasion=occasion, to=to, target=target_of(step.ticket_id), once=once, at=at,
        values=said,
    )  # fmt: skip


def _untold() -> object:
    key = literal("ticket:").concat(cast(NoticeWish.ticket_id, String)).concat("/soon/").concat(cast(Step.id, String))
    return ~exists().where(Delivery.dedupe_key == key)


_WAITING = (
    select(NoticeWish, Step)
    .join(Step, Step.ticket_id == NoticeWish.ticket_id)
    .where(NoticeWish.active, NoticeWish.contact_id.is_not(None), Step.state == State.WAITING, _untold())  # type: ignore[arg-type]
    .order_by(NoticeWish.ticket_id)
)


def due(session: Session, *, at: datetime) -> list[int]:
    """Steps whose holder is to be told now that the turn is near; from a snapshot."""
    return [step.id for found, step in session.execute(_WAITING) if _is_near(session, found, step, at=at)]


def _is_near(session: Session, found: NoticeWish, step: Step, *, at: datetime) -> bool:
    ahead = lines.ahead(session, step)
    if found.rule == "ahead":
        return ahead <= found.amount
    told = waits.estimate(session, step, ahead=ahead, at=at)
    # Where no time is known, the next in line is near all the same.
    return ahead == 0 or (told is not None and told["low"] <= found.amount)


def tell_soon(session: Session, step_id: int, *, at: datetime) -> bool:
    """Put the message into the outbox if it is still true; a second time changes nothing."""
    row = session.execute(_WAITING.where(Step.id == step_id)).first()
    if row is None or not _is_near(session, *row, at=at):
        return False
    found, step = row
    ahead = lines.ahead(session, step)
    told = waits.estimate(session, step, ahead=ahead, at=at)
    width = span(told["low"], told["high"], found.language) if told else ""
    office = session.get_one(Office, found.office_id)
    values = {"人数": str(ahead), "幅": width}
    return _tell(session, office, found, step, Occasion.SOON, at=at, once=str(step.id), values=values)


def log_positions(session: Session) -> dict[str, int]:
    """How far each office's log is: where it stands still, no line has moved."""
    return {row.id: row.seq for row in session.execute(select(Office.id, Office.seq))}


def any_active(session: Session) -> bool:
    """Whether anybody wishes to be told."""
    return bool(session.scalar(select(func.count()).where(NoticeWish.active)))
