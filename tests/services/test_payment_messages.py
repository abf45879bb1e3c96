"""Money that arrives is told once, to whoever wished to be told, with a link to its page; to nobody else."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.db.session import Database
from app.domain.delivery import Channel
from app.domain.payment import Money
from app.domain.payment import State as Paid
from app.gateways.base import Sight
from app.models.delivery import Delivery
from app.models.payment import Payment, PaymentAttempt
from app.models.ticket import Ticket
from app.services import notices, sightings
from tests.services.messages import contact
from tests.services.test_money import Till
from tests.standins.stripe import running


@pytest.fixture
def till(database: Database) -> Iterator[Till]:
    with running() as standin:
        yield Till(database, standin)


def _pay(till: Till, ticket: int, times: int = 1) -> None:
    till.start(ticket)
    attempt_id = till.bill(ticket).attempts[-1].id
    for _ in range(times):
        with till.database.transaction() as session:
            attempt = session.get_one(PaymentAttempt, attempt_id)
            seen = Sight(
                provider_id=attempt.provider_id or "cs_1", key=attempt.key, state=Paid.SUCCEEDED,
                amount=Money(attempt.amount_yen, attempt.currency), provider_payment="pi_1",
            )  # fmt: skip
            sightings.saw(session, session.get_one(Payment, attempt.payment_id), attempt, seen, at=till.now())


def test_the_receipt_is_told_once_to_whoever_wished(till: Till) -> None:
    ticket, other = till.ticket(), till.ticket()
    with till.database.transaction() as session:
        person = contact(session, at=datetime.now(UTC))
        notices.wish(
            session, ticket=session.get_one(Ticket, ticket), channel=Channel.SMS, contact_id=person.id, rule="ahead",
            amount=3, language="ja", active=True, at=datetime.now(UTC),
        )  # fmt: skip
    _pay(till, ticket, times=2)
    _pay(till, other)
    with till.database.snapshot() as session:
        (told,) = session.scalars(select(Delivery)).all()
        amount = session.scalars(select(PaymentAttempt.amount_yen)).first()
    assert (told.occasion, told.target.partition(":")[0]) == ("receipt", "payment")
    assert f"{amount:,}円の支払いを受け取りました。領収書: {{短いURL}}" in told.text["short"]
