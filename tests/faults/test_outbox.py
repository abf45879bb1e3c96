"""A message is a row of the transaction that causes it: there when that commits, gone when that fails.

Each occasion there is has its cause here; one that is added without a cause fails the last test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.delivery import Channel, Occasion
from app.domain.payment import Money
from app.domain.payment import State as Paid
from app.domain.ticket import Action, Phase
from app.gateways.base import Sight
from app.models.booking import Booking
from app.models.delivery import Delivery
from app.models.payment import Payment, PaymentAttempt
from app.models.ticket import Step, Ticket
from app.services import bookings, contact_codes, notices, queue, sightings
from tests.conftest import NOON
from tests.services.booking_desk import AT, book, confirm, fill_day, hold, morning
from tests.services.messages import SEALER, contact
from tests.services.test_money import Till
from tests.services.test_notices import PHONE, open_counter, take, wished
from tests.services.test_waiting_list import wait
from tests.standins.stripe import running

MAIL, LATER = "hanako@example.jp", NOON + timedelta(minutes=2)
IN_DAYS = morning(10) + timedelta(days=5)
REMINDERS = {Occasion.REMINDER_DAY, Occasion.REMINDER_HOURS}


@dataclass(frozen=True, kw_only=True)
class Cause:
    """``prepare`` sets the scene and returns what ``act`` is about; ``tells``: what that puts into the outbox."""

    prepare: Callable[[Database], Any]
    act: Callable[[Session, Any], object]
    tells: set[Occasion]


def _held(database: Database) -> int:
    with database.transaction() as session:
        return hold(session, start=IN_DAYS).id


def _booked(database: Database) -> int:
    with database.transaction() as session:
        return book(session, start=IN_DAYS, email=MAIL).id


def _full(database: Database) -> int:
    with database.transaction() as session:
        booked = fill_day(session)
        wait(session)
        return booked[1].id


def _cancel(session: Session, number: int) -> object:
    return bookings.cancel(session, session.get_one(Booking, number), actor="staff:1", at=AT, reason="closure")


def _move(session: Session, number: int) -> object:
    start = IN_DAYS + timedelta(hours=1)
    return bookings.move(session, session.get_one(Booking, number), start=start, actor="staff:1", at=AT)


def _in_line(database: Database, **wish: Any) -> int:
    """The step of the first in line, whose holder wishes to be told."""
    with database.transaction() as session:
        first = take(session, 0)
        wished(session, first, **wish)
        open_counter(session)
        return session.scalars(select(Step.id).where(Step.ticket_id == first.id).order_by(Step.position)).first() or 0


def _called(database: Database) -> int:
    step = _in_line(database)
    with database.transaction() as session:
        queue.call_next(session, counter_id="ward-1", actor="test", at=LATER)
    return step


def _made(database: Database) -> int:
    """The hand-over of a certificate that the back office is making."""
    step = _called(database)
    with database.transaction() as session:
        for action in (Action.START, Action.FINISH):
            queue.act(session, step_id=step, action=action, actor="test", at=LATER)
        ticket = session.get_one(Step, step).ticket_id
        return session.scalars(select(Step.id).where(Step.ticket_id == ticket, Step.phase == Phase.DELIVER)).one()


def _act(action: Action) -> Callable[[Session, int], object]:
    return lambda session, step: queue.act(
        session, step_id=step, action=action, actor="test", at=LATER + timedelta(minutes=9)
    )


def _asked_for_code(session: Session, step: int) -> object:
    return contact_codes.ask(
        session, sealer=SEALER, ticket=session.get_one(Ticket, session.get_one(Step, step).ticket_id), at=LATER,
        channel=Channel.SMS, value=PHONE, language="ja",
    )  # fmt: skip


def _paying(database: Database) -> Sight:
    """What the provider says of a payment begun for a number whose holder wishes to be told."""
    with running() as standin:
        till = Till(database, standin)
        number = till.ticket()
        with database.transaction() as session:
            ticket, person = session.get_one(Ticket, number), contact(session, at=till.now())
            notices.wish(session, ticket=ticket, channel=Channel.SMS, contact_id=person.id, rule="ahead", amount=3,
                         language="ja", active=True, at=till.now())  # fmt: skip
        till.start(number)
    with database.snapshot() as session:
        attempt = session.scalars(select(PaymentAttempt)).one()
        return Sight(
            provider_id=attempt.provider_id or "", key=attempt.key, state=Paid.SUCCEEDED, provider_payment="pi_1",
            amount=Money(attempt.amount_yen, attempt.currency),
        )  # fmt: skip


def _paid(session: Session, seen: Sight) -> object:
    attempt = session.scalars(select(PaymentAttempt)).one()
    return sightings.saw(session, session.get_one(Payment, attempt.payment_id), attempt, seen, at=LATER)


CAUSES = {
    "confirmed": Cause(
        prepare=_held, act=lambda session, number: confirm(session, session.get_one(Booking, number), email=MAIL),
        tells={Occasion.BOOKED} | REMINDERS,
    ),
    "moved": Cause(prepare=_booked, act=_move, tells={Occasion.MOVED} | REMINDERS),
    "cancelled by the office": Cause(prepare=_booked, act=_cancel, tells={Occasion.CANCELLED}),
    "a freed slot": Cause(prepare=_full, act=_cancel, tells={Occasion.OFFER}),
    "so many ahead": Cause(
        prepare=_in_line, act=lambda session, step: notices.tell_soon(session, step, at=LATER), tells={Occasion.SOON},
    ),
    "so many minutes": Cause(
        prepare=lambda database: _in_line(database, rule="minutes", amount=10),
        act=lambda session, step: notices.tell_soon(session, step, at=LATER), tells={Occasion.SOON},
    ),
    "called": Cause(
        prepare=_in_line, tells={Occasion.CALLED},
        act=lambda session, _: queue.call_next(session, counter_id="ward-1", actor="test", at=LATER),
    ),
    "did not come": Cause(prepare=_called, act=_act(Action.MISS), tells={Occasion.MISSED}),
    "certificate ready": Cause(prepare=_made, act=_act(Action.READY), tells={Occasion.READY}),
    "paid": Cause(prepare=_paying, act=_paid, tells={Occasion.RECEIPT}),
    "a number to be proved": Cause(prepare=_in_line, act=_asked_for_code, tells={Occasion.CODE}),
}  # fmt: skip


def outbox(session: Session) -> dict[str, tuple[str, str]]:
    """Occasion and state of each message by its key."""
    rows = session.execute(select(Delivery.dedupe_key, Delivery.occasion, Delivery.state))
    return {key: (occasion, state) for key, occasion, state in rows}


class PowerCut(Exception):
    """Between the act and its commit."""


@pytest.mark.parametrize("name", CAUSES)
def test_a_message_lives_and_dies_with_its_cause(database: Database, name: str) -> None:
    cause = CAUSES[name]
    about = cause.prepare(database)
    with database.snapshot() as session:
        before = outbox(session)

    def act(*, fails: bool) -> set[Occasion]:
        with database.transaction() as session:
            cause.act(session, about)
            session.flush()
            seen = outbox(session)
            if fails:
                assert {Occasion(seen[key][0]) for key in seen.keys() - before.keys()} == cause.tells
                raise PowerCut
        with database.snapshot() as session:
            after = outbox(session)
        return {Occasion(after[key][0]) for key in after.keys() - before.keys()}

    with pytest.raises(PowerCut):
        act(fails=True)
    with database.snapshot() as session:
        assert outbox(session) == before, "neither a new message nor one taken back"
    assert act(fails=False) == cause.tells
    with database.snapshot() as session:
        new = [value for key, value in outbox(session).items() if key not in before]
        assert {state for _, state in new} == {"queued"}


def test_every_occasion_has_its_cause_here() -> None:
    assert set[Occasion]().union(*(cause.tells for cause in CAUSES.values())) == set(Occasion)
