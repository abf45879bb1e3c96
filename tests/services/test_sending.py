"""The outbox and its sender against a provider that fails in every way; the provider's ledger is the truth."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.channels.base import Fate, NotSent, Taken
from app.db.session import Database
from app.domain.delivery import Channel, Occasion, State
from app.models.delivery import Budget, Delivery
from app.models.place import Office
from app.services import contacts, outbox, receipts, sending
from tests.services.messages import SEALER, SECRET, Clock, contact, put, row, sender, sms_of, work
from tests.standins import twilio


@pytest.fixture
def provider() -> Iterator[twilio.TwilioStandIn]:
    with twilio.running(slow_seconds=1.5) as found:
        yield found


@pytest.fixture
def clock() -> Clock:
    # Occasions used here may leave at any hour, so that the provider's own clock can be the real one.
    return Clock(datetime.now(UTC))


def test_a_message_is_claimed_sent_and_marked(database: Database, provider: twilio.TwilioStandIn, clock: Clock) -> None:
    number = put(database, at=clock.at)
    me = sender(database, sms_of(provider), clock=clock)
    assert work(me) == 1
    kept = provider.ledger.messages[0]
    found = row(database, number)
    assert (found.state, found.provider_id, found.parts, found.cost_yen) == (State.SENT, kept.sid, 1, 12)
    assert kept.to == "+819012345678"
    assert kept.body.startswith("【青波市】A1番の方、3番窓口へ")
    assert f"/s/{sending.link_code(SECRET, number)}" in kept.body
    assert provider.ledger.complaints == []


def test_the_same_occasion_is_one_message(database: Database, clock: Clock) -> None:
    assert put(database, "7", at=clock.at) == put(database, "7", at=clock.at)
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 1


def test_what_is_rolled_back_was_never_queued(database: Database, clock: Clock) -> None:
    def queue_and_fail() -> None:
        with database.transaction() as session:
            person = contact(session, at=clock.at)
            to = outbox.Recipient(contact_id=person.id, channel="sms", language="ja")
            assert outbox.enqueue(session, office=session.get_one(Office, "ward"), occasion=Occasion.CALLED, to=to,
                                  target="ticket:1", once="1", values={}, at=clock.at)  # fmt: skip
            raise RuntimeError

    with pytest.raises(RuntimeError):
        queue_and_fail()
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0


@pytest.mark.parametrize("fault", ["500_after", "cut_after", "slow_after"])
def test_a_doubtful_send_is_looked_up_and_not_doubled(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock, fault: str
) -> None:
    provider.faults.append(fault)
    number = put(database, at=clock.at)
    me = sender(database, sms_of(provider), clock=clock)
    work(me)
    assert row(database, number).state == State.CLAIMED
    clock.pass_(seconds=31)
    assert work(me) == 0, "asked before the provider can know"
    clock.pass_(seconds=2)
    work(me)
    assert row(database, number).state == State.SENT
    assert len(provider.ledger.messages) == 1


def test_without_the_look_up_it_would_be_doubled(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a sender that tries again without asking sends twice."""
    provider.faults.append("500_after")
    put(database, at=clock.at)
    me = sender(database, sms_of(provider), clock=clock)
    work(me)
    clock.pass_(seconds=33)
    monkeypatch.setattr("app.channels.sms_twilio.TwilioSms.look_up", lambda *_, **__: sending.Absent())
    work(me)
    clock.pass_(seconds=6)
    work(me)
    assert len(provider.ledger.messages) == 2


@pytest.mark.parametrize("fault", ["429", "401"])
def test_what_surely_was_not_sent_is_tried_again_and_costs_nothing(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock, fault: str
) -> None:
    provider.faults.append(fault)
    number = put(database, at=clock.at)
    me = sender(database, sms_of(provider), clock=clock)
    work(me)
    found = row(database, number)
    assert (found.state, found.cost_yen) == (State.QUEUED, 0)
    clock.pass_(seconds=61)
    work(me)
    assert row(database, number).state == State.SENT
    assert len(provider.ledger.messages) == 1
    with database.snapshot() as session:
        yen = session.scalars(select(Budget.used).where(Budget.key.like("yen:%"))).all()
    assert set(yen) == {12}


def test_a_provider_away_is_waited_for_until_the_message_is_no_longer_true(database: Database, clock: Clock) -> None:
    number = put(database, at=clock.at)
    nobody = twilio.TwilioStandIn()
    nobody.url = "http://127.0.0.1:9"
    me = sender(database, sms_of(nobody), clock=clock)
    for _ in range(12):
        work(me)
        clock.pass_(minutes=1)
        me.tidy()
    found = row(database, number)
    assert (found.state, found.reason, found.cost_yen) == (State.FAILED, "no_connection", 0)
    assert found.attempts >= 4


@pytest.mark.parametrize(("to", "reason"), [("+819012345679", "opted_out"), ("+15005550001", "country_closed")])
def test_a_refusal_in_words_ends_it(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock, to: str, reason: str
) -> None:
    provider.opted_out.add("+819012345679")
    number = put(database, at=clock.at, to=to)
    work(sender(database, sms_of(provider), clock=clock))
    found = row(database, number)
    assert (found.state, found.reason) == (State.FAILED, reason)
    assert provider.ledger.messages == []


def test_a_message_that_never_arrives_twice_is_reported(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock
) -> None:
    provider.faults.extend(["500_before", "500_before", "500_before"])
    number = put(database, at=clock.at, occasion=Occasion.READY)
    me = sender(database, sms_of(provider), clock=clock)
    for _ in range(20):
        work(me)
        clock.pass_(seconds=20)
    found = row(database, number)
    assert (found.state, found.reason, found.strikes) == (State.UNKNOWN, "never_arrived", 2)
    assert found.ended_at is not None
    assert found.ended_at - found.created_at < timedelta(minutes=10)
    assert provider.ledger.messages == []


def test_a_sender_that_slept_through_its_lease_marks_nothing(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock
) -> None:
    number = put(database, at=clock.at)
    me = sender(database, sms_of(provider), clock=clock)
    with database.transaction() as session:
        claimed = sending.claim(session, me.outfit, at=clock.at)
    assert claimed is not None
    clock.pass_(minutes=2)
    me.settle_one()
    with database.transaction() as session:
        assert not sending.mark(session, claimed, NotSent(reason="late", permanent=True), at=clock.at)
    assert row(database, number).state == State.QUEUED


def test_a_delivery_report_is_believed_in_any_order(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock
) -> None:
    number = put(database, at=clock.at)
    work(sender(database, sms_of(provider), clock=clock))
    sid = provider.ledger.messages[0].sid
    words = [("delivered", Fate.DELIVERED), ("sent", Fate.ACCEPTED), ("undelivered", Fate.FAILED)]
    for word, fate in (*words, *words):
        with database.transaction() as session:
            receipts.learn(session, Taken(provider_id=sid, fate=fate, word=word), at=clock.at)
    found = row(database, number)
    assert (found.state, found.provider_word) == (State.DELIVERED, "delivered")


def test_a_report_settles_a_send_whose_answer_was_lost(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock
) -> None:
    provider.faults.append("500_after")
    number = put(database, at=clock.at)
    work(sender(database, sms_of(provider), clock=clock))
    told = Taken(provider_id=provider.ledger.messages[0].sid, fate=Fate.DELIVERED, word="delivered")
    with database.transaction() as session:
        assert receipts.learn(session, told, at=clock.at, delivery_id=number)
    assert row(database, number).state == State.DELIVERED


def test_a_message_without_a_report_is_asked_about(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock
) -> None:
    first, second = put(database, "1", at=clock.at), put(database, "2", at=clock.at)
    me = sender(database, sms_of(provider), clock=clock)
    work(me)
    provider.ledger.messages[0].status = "delivered"
    clock.pass_(minutes=6)
    work(me)
    assert row(database, first).state == State.DELIVERED
    assert row(database, second).state == State.SENT
    clock.pass_(hours=25)
    work(me)
    found = row(database, second)
    assert (found.state, found.reason) == (State.UNKNOWN, "no_receipt")


def test_the_yen_of_a_day_are_a_wall(database: Database, provider: twilio.TwilioStandIn, clock: Clock) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"messages": {"yen_per_day": 30}}
    numbers = [put(database, str(place), at=clock.at, to=f"+8190123400{place:02d}") for place in range(4)]
    work(sender(database, sms_of(provider), clock=clock))
    assert sorted(row(database, number).state for number in numbers) == ["failed", "failed", "sent", "sent"]
    assert len(provider.ledger.messages) == 2


def test_a_person_gets_no_more_than_its_share(database: Database, provider: twilio.TwilioStandIn, clock: Clock) -> None:
    numbers = [put(database, str(place), at=clock.at) for place in range(22)]
    work(sender(database, sms_of(provider), clock=clock))
    assert [row(database, number).reason for number in numbers].count("limit") == 2
    assert len(provider.ledger.messages) == 20


def test_stop_holds_from_the_next_claim(database: Database, provider: twilio.TwilioStandIn, clock: Clock) -> None:
    number = put(database, at=clock.at)
    with database.transaction() as session:
        receipts.stop(session, contacts.blind(SEALER, "aonami", "sms", "+819012345678"), at=clock.at)
        receipts.stop(session, contacts.blind(SEALER, "aonami", "sms", "+819012345678"), at=clock.at)
    work(sender(database, sms_of(provider), clock=clock))
    assert row(database, number).reason == "opted_out"
    assert provider.ledger.messages == []


def test_a_reminder_waits_for_the_morning_and_a_call_does_not(
    database: Database, provider: twilio.TwilioStandIn
) -> None:
    night = Clock(datetime(2026, 4, 1, 13, 0, tzinfo=UTC))
    reminder = put(database, "1", at=night.at, occasion=Occasion.REMINDER_DAY, target="booking:1")
    called = put(database, "2", at=night.at)
    me = sender(database, sms_of(provider), clock=night)
    work(me)
    assert row(database, called).state == State.SENT
    found = row(database, reminder)
    assert (found.state, found.due_at) == (State.QUEUED, datetime(2026, 4, 1, 23, 0, tzinfo=UTC))
    night.pass_(hours=10)
    work(me)
    assert row(database, reminder).state == State.SENT


def test_whoever_waits_now_comes_before_yesterdays_reminders(
    database: Database, provider: twilio.TwilioStandIn, clock: Clock
) -> None:
    noon = Clock(datetime(2026, 4, 1, 3, 0, tzinfo=UTC))
    for place in range(3):
        put(database, str(place), at=noon.at, occasion=Occasion.BOOKED, target="booking:1")
    noon.pass_(seconds=5)
    put(database, "9", at=noon.at)
    work(sender(database, sms_of(provider), clock=noon))
    assert "A9番" in provider.ledger.messages[0].body


def test_what_is_withdrawn_does_not_leave(database: Database, provider: twilio.TwilioStandIn, clock: Clock) -> None:
    number = put(database, at=clock.at, due_at=clock.at + timedelta(hours=1), target="booking:4")
    with database.transaction() as session:
        assert outbox.withdraw(session, target="booking:4", occasions=[Occasion.CALLED], at=clock.at) == 1
    clock.pass_(hours=1)
    work(sender(database, sms_of(provider), clock=clock))
    assert row(database, number).reason == "withdrawn"


def test_a_channel_that_is_off_keeps_nothing_for_ever(database: Database, clock: Clock) -> None:
    number = put(database, at=clock.at, channel=Channel.EMAIL, to="a@example.jp")
    me = sender(database, clock=clock)
    assert work(me) == 0
    clock.pass_(minutes=11)
    me.tidy()
    assert (row(database, number).state, row(database, number).reason) == (State.FAILED, "too_late")


def test_a_contact_is_sealed_and_erased(database: Database, clock: Clock) -> None:
    number = put(database, at=clock.at)
    with database.snapshot() as session:
        person = contact_row = session.get_one(contacts.Contact, session.get_one(Delivery, number).contact_id or 0)
        assert "9012345678" not in contact_row.sealed + contact_row.blind
        assert contacts.reveal(SEALER, person) == "+819012345678"
    with database.transaction() as session:
        assert contacts.forget(session, at=clock.at) == 0
    clock.pass_(days=3)
    with database.transaction() as session:
        assert contacts.forget(session, at=clock.at) == 1
    found = row(database, number)
    assert (found.contact_id, found.state, found.reason) == (None, State.FAILED, "no_contact")
