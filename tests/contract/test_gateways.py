"""What every gateway promises, asked of each of them: another provider is one file and one line here."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.payment import Money, RefundState, State
from app.gateways.at_counter import AtCounter
from app.gateways.base import Absent, Gateway, Known, Order, Refused, Return, Returned, Sight, Thing, Unknown
from app.gateways.registry import gateways
from app.gateways.stripe_checkout import StripeCheckout
from config.settings import Settings
from tests.standins.stripe import KEY, StripeStandIn, running

NOW = datetime.now(UTC).replace(microsecond=0)


def _later() -> datetime:
    """More than the 30 minutes a checkout must be open, told when asked: a run imports this file long before."""
    now = datetime.now(UTC)
    return now.replace(minute=now.minute // 10 * 10, second=0, microsecond=0) + timedelta(minutes=45)


def order(**more: Any) -> Order:
    found = Order(
        key="pay:ticket:7:1", subject="ticket:7", reference="P-20260401-0001", office="ward", amount=Money(750),
        what="青波市役所 手数料 P-20260401-0001", back_to="http://127.0.0.1:8000/pay/x", language="ja-Hira",
        expires_at=_later(), methods=("card", "paypay"), slip="R-1",
    )  # fmt: skip
    return replace(found, **more)


def known(seen: Sight) -> Known:
    return Known(
        key=seen.key, provider_id=seen.provider_id, amount=seen.amount or Money(0), state=seen.state, since=NOW,
        provider_payment=seen.provider_payment,
    )  # fmt: skip


def back(seen: Sight, amount: int, number: int = 1) -> Return:
    return Return(
        key=f"refund:{number}", provider_payment=seen.provider_payment, provider_id=seen.provider_id,
        amount=Money(amount), since=NOW,
    )  # fmt: skip


class Till:
    """A gateway and the hand that pays."""

    def __init__(self, gateway: Gateway, standin: StripeStandIn) -> None:
        self.gateway, self.standin = gateway, standin

    def opened(self, **more: Any) -> Sight:
        seen = self.gateway.open(order(**more))
        assert isinstance(seen, Sight), seen
        return seen

    def paid(self, **more: Any) -> Sight:
        """An attempt that was paid, as the gateway sees it then."""
        seen = self.opened(**more)
        if self.gateway.online:
            self.standin.ledger.pay(seen.provider_id)
        found = self.gateway.look(known(seen))
        assert isinstance(found, Sight), found
        return found


@pytest.fixture(scope="module")
def standin() -> Iterator[StripeStandIn]:
    with running() as made:
        yield made


@pytest.fixture(params=["stripe", "counter"])
def till(request: pytest.FixtureRequest, standin: StripeStandIn) -> Till:
    standin.ledger.__init__()  # type: ignore[misc]
    made: Gateway = StripeCheckout(KEY, base=standin.url) if request.param == "stripe" else AtCounter()
    return Till(made, standin)


def test_the_same_order_is_the_same_attempt(till: Till) -> None:
    first, again = till.opened(), till.opened()
    assert first == again
    assert (first.key, first.amount) == ("pay:ticket:7:1", Money(750))


def test_what_was_paid_is_seen_with_its_amount(till: Till) -> None:
    seen = till.paid()
    assert (seen.state, seen.amount, seen.key) == (State.SUCCEEDED, Money(750), "pay:ticket:7:1")


def test_nothing_and_less_cannot_be_ordered(till: Till) -> None:
    assert isinstance(till.gateway.open(order(amount=Money(0))), Refused)


def test_an_attempt_nobody_made_is_absent(till: Till) -> None:
    nobody = Known(key="pay:ticket:8:1", provider_id="cs_test_none", amount=Money(1), state=State.CREATED, since=NOW)
    assert isinstance(till.gateway.look(nobody), Absent)
    assert isinstance(till.gateway.find(nobody), Absent)


def test_what_is_paid_stays_paid_when_it_is_stopped(till: Till) -> None:
    seen = till.paid()
    stopped = till.gateway.stop(known(seen))
    assert isinstance(stopped, Sight)
    assert stopped.state is State.SUCCEEDED


def test_a_part_goes_back_once_however_often_it_is_asked(till: Till) -> None:
    seen = till.paid()
    first, again = till.gateway.give_back(back(seen, 450)), till.gateway.give_back(back(seen, 450))
    assert first == again
    assert isinstance(first, Returned)
    assert (first.state, first.amount) == (RefundState.DONE, Money(450))


def test_nothing_goes_back_of_what_was_not_paid(till: Till) -> None:
    nowhere = Return(key="refund:9", provider_payment="pi_none", provider_id="none", amount=Money(1), since=NOW)
    assert isinstance(till.gateway.give_back(nowhere), Refused)


# What only a provider elsewhere can do or fail to do.


@pytest.fixture
def online(standin: StripeStandIn) -> Till:
    standin.ledger.__init__()  # type: ignore[misc]
    standin.ledger.told = standin.webhooks.tell
    standin.dice.next.clear()
    standin.down = standin.reads_refused = False
    gateway = StripeCheckout(KEY, base=standin.url)
    gateway.timeouts = (1.0, 0.5)
    return Till(gateway, standin)


@pytest.mark.parametrize("fault", ["500_after", "timeout_after", "409_before", "429_before", "500_before"])
def test_an_answer_that_was_lost_is_unknown_and_the_same_key_finds_it(online: Till, fault: str) -> None:
    online.standin.slow_seconds = 0.8
    online.standin.dice.next = [fault]
    assert isinstance(online.gateway.open(order()), Unknown)
    seen = online.opened()
    assert len(online.standin.ledger.sessions) == 1
    found = online.gateway.find(known(seen))
    assert isinstance(found, Sight)
    assert found.provider_id == seen.provider_id


def test_without_our_key_a_lost_answer_charges_twice(online: Till) -> None:
    """The negative control: a fresh key for each try makes two sessions, and both can be paid."""
    online.standin.dice.next = ["500_after"]
    online.gateway.open(order(key="by chance 1"))
    seen = online.opened(key="by chance 2")
    for name in list(online.standin.ledger.sessions):
        online.standin.ledger.pay(name)
    assert seen
    assert len(online.standin.ledger.charges) == 2


def test_a_provider_that_is_away_is_unknown(online: Till) -> None:
    seen = online.opened()
    online.standin.down = True
    assert isinstance(online.gateway.open(order(key="pay:ticket:9:1")), Unknown)
    assert isinstance(online.gateway.look(known(seen)), Unknown)
    assert isinstance(online.gateway.stop(known(seen)), Unknown)


def test_a_question_that_is_refused_is_no_word_of_absence(online: Till) -> None:
    """400 says that we asked wrongly; taken for "there is no such session", a paid one would count as failed."""
    seen = online.opened()
    online.standin.ledger.pay(seen.provider_id)
    online.standin.reads_refused = True
    wish = Return(
        key="refund:1", provider_payment="pi_1", provider_id=seen.provider_id, amount=Money(1), since=_later()
    )
    assert isinstance(online.gateway.look(known(seen)), Unknown)
    assert isinstance(online.gateway.find(known(seen)), Unknown)
    assert isinstance(online.gateway.recent(_later()), Unknown)
    assert isinstance(online.gateway.look_back(wish), Unknown)
    assert isinstance(online.gateway.stop(known(seen)), Unknown)
    for kind in ("session", "charge"):
        assert isinstance(online.gateway.attempt_of(Thing(kind=kind, id=seen.provider_id)), Unknown)


def test_a_wrong_key_is_a_refusal(online: Till) -> None:
    assert isinstance(StripeCheckout("sk_test_other", base=online.standin.url).open(order()), Refused)


def test_a_slip_of_a_shop_is_on_its_way_until_it_is_paid(online: Till) -> None:
    seen = online.opened(methods=("card", "paypay", "konbini"), konbini_days=2)
    ledger = online.standin.ledger
    ledger.slip(seen.provider_id)
    processing = online.gateway.look(known(seen))
    assert isinstance(processing, Sight)
    assert processing.state is State.PROCESSING
    ledger.slip_paid(seen.provider_id)
    paid = online.gateway.look(known(seen))
    assert isinstance(paid, Sight)
    assert (paid.state, paid.paid_with) == (State.SUCCEEDED, "konbini")


def test_a_slip_nobody_paid_has_failed(online: Till) -> None:
    seen = online.opened(methods=("card", "paypay", "konbini"))
    online.standin.ledger.slip(seen.provider_id)
    online.standin.ledger.slip_expired(seen.provider_id)
    found = online.gateway.look(known(seen))
    assert isinstance(found, Sight)
    assert found.state is State.FAILED


def test_an_open_attempt_can_be_ended_and_then_takes_no_money(online: Till) -> None:
    seen = online.opened()
    ended = online.gateway.stop(known(seen))
    assert isinstance(ended, Sight)
    assert ended.state is State.FAILED


def test_the_receipt_knows_how_it_was_paid(online: Till) -> None:
    assert online.paid().paid_with == "VISA 4242"


def test_all_of_it_back_and_no_more(online: Till) -> None:
    seen = online.paid()
    for number, yen in ((1, 450), (2, 300)):
        assert isinstance(online.gateway.give_back(back(seen, yen, number)), Returned)
    assert isinstance(online.gateway.give_back(back(seen, 1, 3)), Refused)
    found = online.gateway.look(known(seen))
    assert isinstance(found, Sight)
    assert (found.state, found.refunded) == (State.REFUNDED, 750)
    assert isinstance(online.gateway.look_back(back(seen, 450, 1)), Returned)
    assert isinstance(online.gateway.look_back(back(seen, 450, 8)), Absent)


def test_a_provider_without_keys_is_off_and_says_which() -> None:
    bare = gateways(Settings(secret_key="kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"))
    assert bare.online is None
    assert bare.off == {"stripe": "MADOGUCHI_STRIPE_API_KEY, MADOGUCHI_STRIPE_WEBHOOK_SECRET"}
    assert set(bare.ready) == {"counter"}
