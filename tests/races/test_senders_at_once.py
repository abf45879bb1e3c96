"""Several senders on one outbox: each message leaves once, whoever takes it; and without the claim it would not."""

import threading
from datetime import UTC, datetime

import pytest

from app.db.session import Database
from app.domain.delivery import State
from app.models.delivery import Delivery
from app.services import sending
from tests.services.messages import Clock, put, row, sender, sms_of
from tests.standins import twilio

MESSAGES, SENDERS = 24, 4


def _send_all(database: Database, provider: twilio.TwilioStandIn) -> None:
    at = datetime.now(UTC)

    def run() -> None:
        me = sender(database, sms_of(provider, timeout=5), clock=Clock(at))
        while me.send_one():
            pass

    threads = [threading.Thread(target=run) for _ in range(SENDERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def test_each_message_leaves_once(database: Database) -> None:
    numbers = [put(database, str(n), at=datetime.now(UTC), to=f"+8190{n % 9 + 1}2345678") for n in range(MESSAGES)]
    with twilio.running() as provider:
        _send_all(database, provider)
        assert len(provider.ledger.messages) == len({kept.body for kept in provider.ledger.messages}) == MESSAGES
    assert {row(database, number).state for number in numbers} == {State.SENT}


def test_without_the_claim_they_are_doubled(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a claim that leaves the row in the queue sends it again and again."""
    for n in range(6):
        put(database, str(n), at=datetime.now(UTC), to=f"+8190{n + 1}2345678")
    first = sending.claim

    def unclaimed(*given: object, **more: object) -> sending.Claimed | None:
        claimed = first(*given, **more)  # type: ignore[arg-type]
        if claimed is not None and claimed.attempts < 3:
            given[0].get_one(Delivery, claimed.id).state = State.QUEUED  # type: ignore[attr-defined]
        return claimed

    monkeypatch.setattr(sending, "claim", unclaimed)
    with twilio.running() as provider:
        _send_all(database, provider)
        assert len(provider.ledger.messages) > 6
