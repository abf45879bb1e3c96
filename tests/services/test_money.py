"""Money of a visit against a stand-in of the provider: paid once, told or not, late, twice, cancelled, given back."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain import errors
from app.domain.calendar import business_date
from app.domain.payment import Line, Method, State
from app.gateways.base import Gateways
from app.gateways.stripe_checkout import StripeCheckout
from app.models.payment import Payment, PaymentAttempt, PaymentEvent, Refund
from app.models.place import Office
from app.models.ticket import Event, Step, Ticket
from app.services import bills, fees, money_calls, payment_alarms, payment_events, payments, queue, refunds, tickets
from app.services.bills import Bill
from app.services.money_calls import MoneyCalls
from tests.standins.stripe import KEY, StripeStandIn, running
from tests.standins.stripe_ledger import Ledger

SECRET = b"kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"


class Till:
    """A ticket with fees, the provider, the clock, and the hands of residents and staff."""

    def __init__(self, database: Database, standin: StripeStandIn) -> None:
        self.database, self.standin, self.late = database, standin, timedelta()
        gateway = StripeCheckout(KEY, base=standin.url)
        gateway.timeouts = (1.0, 0.5)
        self.calls = MoneyCalls(database, Gateways(ready={"stripe": gateway}), clock=self.now)
        self.count = 0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    def pass_(self, **time: float) -> None:
        self.late += timedelta(**time)

    def ticket(self, *services: str) -> int:
        self.count += 1
        wish = tickets.Wish(services=list(services or ("juminhyo", "koseki_cert")), channel="kiosk")
        with self.database.transaction() as session:
            made = tickets.issue(session, office_id="ward", wish=wish, seed=f"s{self.count}", secret=SECRET,
                                 actor="test", at=self.now())  # fmt: skip
            return made.id

    def visit(self, ticket: int) -> Callable[[Session], fees.Visit]:
        return lambda session: fees.of_ticket(session, session.get_one(Ticket, ticket))

    def asking(self) -> payments.Asking:
        self.count += 1
        return payments.Asking(
            gateway="stripe", seed=f"p{self.count}", secret=SECRET, address="http://127.0.0.1:8000",
            payer="青波市役所 手数料", actor="resident",
        )  # fmt: skip

    def start(self, ticket: int) -> money_calls.Started:
        return self.calls.start(self.visit(ticket), self.asking())

    def bill(self, ticket: int) -> Bill:
        with self.database.snapshot() as session:
            return bills.of(session, self.visit(ticket)(session))

    def cash(self, ticket: int, slip: str = "R-100", take: list[Line] | None = None) -> PaymentAttempt:
        taking = payments.Taking(method=Method.CASH, slip=slip, counter_id=None, actor="staff:1")
        with self.database.transaction() as session:
            visit = self.visit(ticket)(session)
            owed = list(bills.of(session, visit).owed) if take is None else take
            return payments.record(session, visit, taking, take=owed, seed=f"c{ticket}", secret=SECRET, at=self.now())

    def session_of(self, ticket: int) -> str:
        last = self.bill(ticket).last
        assert last is not None
        assert last.provider_id
        return last.provider_id

    def events(self, ticket: int) -> list[dict[str, Any]]:
        """Every webhook the provider made about the ticket's sessions."""
        keys = {each.key for each in self.bill(ticket).attempts}
        return [e for e in self.standin.webhooks.kept if e["data"]["object"].get("metadata", {}).get("key") in keys]

    def hear(self, event: dict[str, Any]) -> str:
        return self.calls.hear(payment_events.read("stripe", event))

    def cancel(self, ticket: int) -> None:
        with self.database.transaction() as session:
            queue.cancel_ticket(session, ticket=session.get_one(Ticket, ticket), actor="resident", at=self.now())

    def sweep(self, *, minutes: float = 0.0) -> None:
        """All that is due, some minutes later."""
        self.pass_(minutes=minutes)
        for _ in range(200):
            if not self.calls.step():
                return
        raise AssertionError("the sweeps find no end")


@pytest.fixture(scope="module")
def standin() -> Iterator[StripeStandIn]:
    with running(slow_seconds=0.8) as made:
        yield made


@pytest.fixture
def till(database: Database, standin: StripeStandIn) -> Till:
    ready = Till(database, standin)
    standin.ledger = Ledger(lambda: ready.now().timestamp())
    standin.ledger.told = standin.webhooks.tell
    standin.webhooks.kept.clear()
    standin.dice.next.clear()
    standin.down = False
    return ready


def test_paid_online_before_the_call_and_told_by_a_webhook(till: Till) -> None:
    ticket = till.ticket()
    assert [line.due for line in till.bill(ticket).due] == [300, 450]
    started = till.start(ticket)
    assert (started.amount_yen, started.url.startswith(till.standin.url)) == (750, True)
    till.standin.ledger.pay(till.session_of(ticket))
    assert {till.hear(event) for event in till.events(ticket)} == {"applied"}
    bill = till.bill(ticket)
    assert (bill.state, bill.paid_yen, bill.owed_yen) == ("paid", 750, 0)
    assert bill.paid[0].paid_with == "VISA 4242"
    assert bill.payment is not None
    assert bill.payment.reference.startswith("P-")
    with till.database.snapshot() as session:
        assert session.scalar(select(Event).where(Event.action == "payment")) is not None


def test_what_is_asked_twice_is_one_attempt(till: Till) -> None:
    ticket = till.ticket()
    first, again = till.start(ticket), till.start(ticket)
    assert first == again
    assert len(till.standin.ledger.sessions) == 1


@pytest.mark.parametrize("fault", ["timeout_after", "500_after", "409_before", "500_before"])
def test_a_lost_answer_is_asked_for_again_under_the_same_key(till: Till, fault: str) -> None:
    ticket = till.ticket()
    till.standin.dice.next = [fault, fault]
    assert till.start(ticket).url == ""
    assert till.bill(ticket).live is not None
    till.sweep(minutes=1)
    assert len(till.standin.ledger.sessions) == 1
    assert till.start(ticket).url
    keys = [each.key for each in till.bill(ticket).attempts]
    assert len(keys) == 1
    assert keys[0].startswith(f"pay:ticket:{ticket}:")


def test_a_lost_answer_a_day_ago_is_looked_for_and_never_repeated(till: Till) -> None:
    ticket, other = till.ticket(), till.ticket()
    till.standin.dice.next = ["500_after", "500_after", "500_before", "500_before"]
    assert till.start(ticket).url == till.start(other).url == ""
    till.standin.ledger.pay(next(iter(till.standin.ledger.sessions)))
    before = till.standin.calls
    till.sweep(minutes=60 * 23 + 5)
    assert till.bill(ticket).state == "paid"
    last = till.bill(other).last
    assert last is not None
    assert last.state == State.FAILED
    assert len(till.standin.ledger.sessions) == 1
    assert till.standin.calls > before


def test_without_any_webhook_the_sweep_finds_it(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    till.standin.ledger.pay(till.session_of(ticket))
    till.sweep(minutes=1)
    assert till.bill(ticket).state == "paid"


def test_a_line_of_the_providers_ledger_that_nobody_looks_at_any_more_is_found(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    with till.database.transaction() as session:
        session.scalars(select(PaymentAttempt)).one().state = State.FAILED
    till.standin.ledger.pay(name)
    till.sweep(minutes=30)
    assert till.bill(ticket).paid == []
    assert till.calls.reconcile(hours=2) == 1
    assert till.calls.reconcile(hours=2) == 0
    assert till.bill(ticket).state == "paid"


def test_every_order_of_webhooks_ends_the_same(till: Till) -> None:
    """Five events of one life in every order, each twice; the object is fetched, so its end is the end."""
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    ledger = till.standin.ledger
    ledger.pay(name)
    ledger.refund({"payment_intent": ledger.sessions[name]["payment_intent"], "amount": 750})
    events = till.events(ticket)
    assert len(events) >= 3
    for number, order in enumerate(permutations(events[:4])):
        for event in [*order, *order]:
            till.hear(event | {"id": f"{event['id']}-{number}"})
    bill = till.bill(ticket)
    assert bill.paid[0].state == State.REFUNDED
    assert (bill.refunded_yen, bill.owed_yen, len(bill.refunds)) == (750, 0, 1)


def test_the_same_webhook_five_times_is_one(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    till.standin.ledger.pay(till.session_of(ticket))
    event = till.events(ticket)[0]
    assert [till.hear(event) for _ in range(5)] == ["applied", *["known"] * 4]


def test_an_amount_that_is_not_ours_moves_nothing_and_is_said(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    till.standin.ledger.sessions[name]["amount_total"] = 75_000
    till.standin.ledger.pay(name)
    assert till.hear(till.events(ticket)[0]) == "alarm"
    last = till.bill(ticket).last
    assert last is not None
    assert (last.state, last.alarm) == (State.CREATED, "amount_mismatch")


def _seen(till: Till, attempt: int, kind: str, note: str = "決済会社に電話した") -> None:
    with till.database.transaction() as session:
        payment_alarms.seen(session, attempt, kind, note, actor="staff:2", at=till.now())


def _open(till: Till) -> list[str | None]:
    with till.database.snapshot() as session:
        return [attempt.alarm for attempt, _ in payment_alarms.open_at(session, "ward")]


def test_an_alarm_is_open_until_somebody_said_what_it_was(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    till.standin.ledger.sessions[name]["amount_total"] = 75_000
    till.standin.ledger.pay(name)
    till.hear(till.events(ticket)[0])
    last = till.bill(ticket).last
    assert last is not None
    for note in ("", "  ", "長" * 501):
        with pytest.raises(errors.InvalidInput, match="alarm_note"):
            _seen(till, last.id, "amount_mismatch", note)
    with pytest.raises(errors.Conflict, match="alarm_moved"):
        _seen(till, last.id, "dispute")
    with pytest.raises(errors.NotFound):
        _seen(till, last.id + 1, "amount_mismatch")
    assert _open(till) == ["amount_mismatch"]
    _seen(till, last.id, "amount_mismatch", "長" * 500)
    with pytest.raises(errors.Conflict, match="alarm_moved"):
        _seen(till, last.id, "amount_mismatch")
    # The sweep sees the same again, which is nothing new.
    till.sweep(minutes=10)
    assert _open(till) == []
    with till.database.snapshot() as session:
        day = business_date(till.now())
        assert [each.id for each, _ in payment_alarms.seen_on(session, "ward", day)] == [last.id]
        assert payment_alarms.seen_on(session, "ward", day - timedelta(days=1)) == []
        assert payment_alarms.open_counts(session) == {}


def test_another_alarm_of_the_same_payment_is_open_again(till: Till) -> None:
    ticket = _paid(till)
    attempt = till.bill(ticket).paid[0].id
    for kind, anew in (("refunded_elsewhere", False), ("dispute", True), ("dispute", True)):
        with till.database.transaction() as session:
            payment_alarms.sound(session.get_one(PaymentAttempt, attempt), kind, anew=anew)
        assert _open(till) == [kind]
        _seen(till, attempt, kind)
        assert _open(till) == []


def test_a_webhook_of_something_unknown_is_parked_and_looked_up_again(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    till.standin.ledger.pay(name)
    event = till.events(ticket)[0]
    marks = till.standin.ledger.sessions[name]["metadata"]
    key, marks["key"] = marks["key"], "pay:nobody:1"
    with till.database.transaction() as session:
        session.scalars(select(PaymentAttempt)).one().provider_id = None
    assert till.hear(event) == "parked"
    marks["key"] = key
    till.sweep(minutes=2)
    with till.database.snapshot() as session:
        assert session.get_one(PaymentEvent, ("stripe", event["id"])).state == "applied"
    assert till.bill(ticket).state == "paid"


def test_with_the_provider_away_a_webhook_is_kept_and_done_later(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    till.standin.ledger.pay(till.session_of(ticket))
    till.standin.down = True
    assert till.hear(till.events(ticket)[0]) == "heard"
    till.standin.down = False
    till.sweep(minutes=1)
    assert till.bill(ticket).state == "paid"


def test_late_money_for_a_cancelled_number_goes_back_by_itself(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    till.cancel(ticket)
    till.standin.ledger.pay(name)
    till.sweep(minutes=1)
    bill = till.bill(ticket)
    assert (bill.paid_yen, bill.refunded_yen) == (750, 750)
    assert bill.paid[0].state == State.REFUNDED
    assert sum(each["amount_refunded"] for each in till.standin.ledger.charges.values()) == 750


def test_where_the_office_wants_to_be_asked_late_money_waits_for_two_persons(till: Till) -> None:
    with till.database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"late_payment": "ask"}
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    till.cancel(ticket)
    till.standin.ledger.pay(name)
    till.sweep(minutes=1)
    with till.database.snapshot() as session:
        assert [each.state for each in refunds.waiting(session, ["ward"])] == ["requested"]


def test_an_open_attempt_of_a_cancelled_number_is_ended_at_the_provider(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    till.cancel(ticket)
    till.sweep(minutes=1)
    assert till.standin.ledger.sessions[name]["status"] == "expired"


def test_paid_and_cancelled_afterwards_is_looked_over_and_given_back(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    till.standin.ledger.pay(till.session_of(ticket))
    till.sweep(minutes=1)
    till.cancel(ticket)
    assert till.calls.look_over() == 1
    assert till.calls.look_over() == 0
    till.sweep()
    assert till.bill(ticket).refunded_yen == 750


def test_cash_at_the_counter_ends_the_open_session_and_double_money_goes_back(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    name = till.session_of(ticket)
    till.cash(ticket)
    assert till.bill(ticket).state == "paid"
    till.standin.ledger.pay(name)  # quicker than the sweep
    till.sweep(minutes=1)
    bill = till.bill(ticket)
    assert (bill.paid_yen, bill.refunded_yen, bill.owed_yen) == (1_500, 750, 0)
    back = {each.state: each.method for each in bill.paid}
    assert back == {State.REFUNDED: Method.ONLINE, State.SUCCEEDED: Method.CASH}


def test_cash_needs_a_slip_once_and_exactly_what_is_owed(till: Till) -> None:
    ticket, other = till.ticket("juminhyo"), till.ticket("juminhyo")
    with pytest.raises(errors.InvalidInput, match="bad_slip"):
        till.cash(ticket, slip="<b>")
    with pytest.raises(errors.Conflict, match="payment_elsewhere"):
        till.cash(ticket, take=[Line(service="juminhyo", unit=30)])
    till.cash(ticket, slip="r-1")
    with pytest.raises(errors.Conflict, match="nothing_owed"):
        till.cash(ticket, slip="R-2")
    with pytest.raises(errors.Conflict, match="slip_used"):
        till.cash(other, slip="R-1")


def test_copies_and_exemptions_change_what_is_owed(till: Till) -> None:
    ticket = till.ticket()
    with till.database.transaction() as session:
        visit = till.visit(ticket)(session)
        for wanted in (Line(service="juminhyo", unit=0, copies=3),
                       Line(service="koseki_cert", unit=0, exemption="public_assistance")):  # fmt: skip
            payments.change(session, visit, wanted=wanted, note="", actor="staff:1", seed="x", secret=SECRET,
                            at=till.now())  # fmt: skip
    bill = till.bill(ticket)
    assert (bill.due_yen, bill.owed_yen) == (900, 900)
    assert till.start(ticket).amount_yen == 900


def test_another_sum_ends_the_session_that_asks_for_the_old_one(till: Till) -> None:
    ticket = till.ticket()
    till.start(ticket)
    first = till.session_of(ticket)
    with till.database.transaction() as session:
        more = Line(service="juminhyo", unit=0, copies=2)
        payments.change(session, till.visit(ticket)(session), wanted=more, note="", actor="staff:1", seed="x",
                        secret=SECRET, at=till.now())  # fmt: skip
    till.pass_(seconds=10)
    assert till.start(ticket).amount_yen == 1_050
    assert till.standin.ledger.sessions[first]["status"] == "expired"


def _asked_back(till: Till, ticket: int, copies: int = 1) -> int:
    wish = refunds.Wish(lines=[Line(service="koseki_cert", unit=0, copies=copies)], reason="not_issued", note="",
                        actor="staff:1")  # fmt: skip
    with till.database.transaction() as session:
        return refunds.request(session, till.bill(ticket).paid[0].id, wish, at=till.now()).id


def _paid(till: Till) -> int:
    ticket = till.ticket()
    till.start(ticket)
    till.standin.ledger.pay(till.session_of(ticket))
    till.sweep(minutes=1)
    return ticket


def test_a_part_goes_back_when_another_person_says_so(till: Till) -> None:
    ticket = _paid(till)
    refund = _asked_back(till, ticket)
    with till.database.transaction() as session, pytest.raises(errors.Forbidden, match="refund_own"):
        refunds.decide(session, refund, approve=True, actor="staff:1", at=till.now())
    till.sweep(minutes=1)
    assert till.bill(ticket).refunded_yen == 0
    with till.database.transaction() as session:
        refunds.decide(session, refund, approve=True, actor="staff:2", at=till.now())
    till.sweep()
    bill = till.bill(ticket)
    assert (bill.refunded_yen, bill.owed_yen, bill.state) == (450, 0, "refunded")
    with till.database.transaction() as session, pytest.raises(errors.Conflict, match="refund_decided"):
        refunds.decide(session, refund, approve=True, actor="staff:3", at=till.now())


def test_a_declined_refund_leaves_everything_as_it_was(till: Till) -> None:
    ticket = _paid(till)
    refund = _asked_back(till, ticket)
    with till.database.transaction() as session:
        refunds.decide(session, refund, approve=False, actor="staff:2", at=till.now())
    bill = till.bill(ticket)
    assert (bill.due_yen, bill.owed_yen, bill.surplus) == (750, 0, {})


def test_never_more_back_than_was_paid(till: Till) -> None:
    ticket = _paid(till)
    _asked_back(till, ticket)
    with pytest.raises(errors.Conflict, match="refund_too_much"):
        _asked_back(till, ticket)


@pytest.mark.parametrize("fault", ["500_after", "timeout_after"])
def test_a_refund_whose_answer_was_lost_goes_back_once(till: Till, fault: str) -> None:
    ticket = _paid(till)
    refund = _asked_back(till, ticket)
    with till.database.transaction() as session:
        refunds.decide(session, refund, approve=True, actor="staff:2", at=till.now())
    till.standin.dice.next = [fault]
    till.sweep()
    assert till.bill(ticket).refunded_yen == 0
    till.sweep(minutes=3)
    assert till.bill(ticket).refunded_yen == 450
    assert len(till.standin.ledger.refunds) == 1


def test_a_refund_that_fails_is_said_and_does_not_go_round_in_circles(till: Till) -> None:
    ticket = _paid(till)
    till.standin.ledger.refunds_fail = True
    till.cancel(ticket)
    till.calls.look_over()
    till.sweep()
    assert till.calls.look_over() == 0
    with till.database.snapshot() as session:
        failed = session.scalars(select(Refund)).one()
        assert (failed.state, failed.alarm) == ("failed", "refused")


def test_what_the_provider_does_not_give_back_is_handed_back_by_people_once(till: Till) -> None:
    ticket = _paid(till)
    till.standin.ledger.refunds_fail = True
    till.cancel(ticket)
    till.calls.look_over()
    with till.database.snapshot() as session:
        refund = session.scalars(select(Refund)).one().id
    with till.database.transaction() as session, pytest.raises(errors.Conflict, match="refund_decided"):
        refunds.paid_out(session, refund, actor="staff:2", at=till.now())
    till.sweep()
    with till.database.transaction() as session:
        refunds.paid_out(session, refund, actor="staff:2", at=till.now())
    till.sweep(minutes=10)
    till.calls.look_over()
    assert till.bill(ticket).refunded_yen == 750
    with till.database.snapshot() as session:
        assert refunds.waiting(session, ["ward"]) == []
    with till.database.transaction() as session, pytest.raises(errors.Conflict, match="refund_decided"):
        refunds.paid_out(session, refund, actor="staff:2", at=till.now())


def test_the_office_lock_keeps_references_apart(till: Till) -> None:
    for _ in range(3):
        till.start(till.ticket("juminhyo"))
    with till.database.snapshot() as session:
        found = session.scalars(select(Payment.reference).order_by(Payment.id)).all()
    assert [each[-4:] for each in found] == ["0001", "0002", "0003"]


def test_a_certificate_that_was_made_stays_owed_when_nobody_fetched_it(till: Till) -> None:
    ticket = till.ticket("juminhyo")
    with till.database.transaction() as session:
        first, second = session.scalars(select(Step).where(Step.ticket_id == ticket).order_by(Step.position))
        first.state, second.state, first.ended_at, second.ended_at = "done", "cancelled", till.now(), till.now()
    assert till.bill(ticket).owed_yen == 300
