"""Every row of the abuse table for Stripe's webhook, answered as written."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.payment import State
from app.factory import create_app
from app.gateways.stripe_signature import fault, signature
from app.models.payment import PaymentAttempt, PaymentEvent
from config.settings import Settings
from tests.standins import stripe as standins
from tests.web.conftest import SECRET, Caller

PATH = "/api/v1/hooks/stripe"


class Post:
    """A hall with a paid session, and letters to its hook."""

    def __init__(self, url: str, standin: standins.StripeStandIn) -> None:
        self.database, self.standin, self.count = Database(url), standin, 0
        settings = Settings(
            secret_key=SECRET, database_url=url, stripe_api_key=standins.KEY, stripe_api_base=standin.url,
            stripe_webhook_secret=standins.SECRET,
        )  # fmt: skip
        self.web: Flask = create_app(settings, self.database)
        self.public = Caller(self.web.test_client())

    def paid(self) -> dict[str, Any]:
        """A number whose session was paid: the event of it, that nobody has heard yet."""
        ticket = self.public.ticket("juminhyo")
        asked = self.public.post("/payments", {"ticket": ticket["token"]})
        assert asked.status_code == 201, asked.text
        name = asked.get_json()["checkout_url"].rsplit("/", 1)[1]
        self.standin.ledger.pay(name)
        return next(e for e in reversed(self.standin.webhooks.kept) if e["type"] == "checkout.session.completed")

    def send(
        self, body: Any, *, secret: str = standins.SECRET, skew: int = 0, header: str | None = None, **more: Any
    ) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        made = signature(raw, secret=secret, at=int(time.time()) + skew) if header is None else header
        headers = {"Stripe-Signature": made} if made else {}
        return self.web.test_client().post(PATH, data=raw, headers=headers, content_type="application/json", **more)

    def state(self, event: dict[str, Any]) -> str:
        with self.database.snapshot() as session:
            found = select(PaymentAttempt.state).where(PaymentAttempt.provider_id == event["data"]["object"]["id"])
            return str(session.scalar(found))

    def other(self, event: dict[str, Any], **more: Any) -> dict[str, Any]:
        self.count += 1
        return event | {"id": f"evt_other_{self.count}"} | more


@pytest.fixture(scope="module")
def standin() -> Iterator[standins.StripeStandIn]:
    with standins.running() as made:
        yield made


@pytest.fixture(scope="module")
def post(shared_url: str, standin: standins.StripeStandIn) -> Iterator[Post]:
    found = Post(shared_url, standin)
    yield found
    found.database.dispose()


@pytest.fixture(scope="module")
def event(post: Post) -> dict[str, Any]:
    return post.paid()


REFUSED: dict[str, dict[str, Any]] = {
    "no signature": {"header": ""},
    "another secret": {"secret": "whsec_of_somebody_else"},
    "301 s old": {"skew": -301},
    "an hour in the future": {"skew": 3_600},
    "no time": {"header": "v1=00"},
    "two times": {"header": "t=1,t=2,v1=00"},
    "not a signature": {"header": "t=1"},
    "no ASCII": {"header": "t=1,v1=é"},
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_is_not_to_be_believed(post: Post, event: dict[str, Any], how: str) -> None:
    answer = post.send(post.other(event), **REFUSED[how])
    assert answer.status_code == 400
    assert post.state(event) == State.CREATED


def test_a_body_that_was_written_anew(post: Post, event: dict[str, Any]) -> None:
    raw = json.dumps(event).encode()
    header = signature(raw, secret=standins.SECRET, at=int(time.time()))
    assert post.send(json.dumps(event, indent=1).encode(), header=header).status_code == 400


@pytest.mark.parametrize("skew", [-290, 290])
def test_a_clock_a_little_off_in_either_direction(post: Post, event: dict[str, Any], skew: int) -> None:
    ignored = post.other(event, type="customer.created")
    assert post.send(ignored, skew=skew).status_code == 200


def test_of_two_signatures_one_that_holds_is_enough(post: Post, event: dict[str, Any]) -> None:
    made = post.other(event, type="customer.created")
    header = signature(json.dumps(made).encode(), secret=standins.SECRET, at=int(time.time()))
    assert post.send(made, header=header.replace(",v1=", ",v1=00,v1=") + ",v0=1").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"livemode": True}, {"livemode": None}, {"account": "acct_other"}, {"id": None}, {"id": "x" * 300},
        {"type": 7}, {"data": None}, {"data": {"object": []}}, {"id": "é"},
    ],
)  # fmt: skip
def test_another_mode_account_or_shape(post: Post, event: dict[str, Any], wrong: dict[str, Any]) -> None:
    answer = post.send(post.other(event, **wrong))
    assert answer.status_code in (400, 422)
    assert post.state(event) == State.CREATED


@pytest.mark.parametrize("raw", [b"\xff\xfe not text", b"[]", b"7", b"{", b"", b"[" * 60_000])
def test_bytes_that_are_no_event(post: Post, raw: bytes) -> None:
    assert post.send(raw).status_code == 400


def test_an_unknown_type_is_ignored_and_counted(post: Post, event: dict[str, Any]) -> None:
    made = post.other(event, type="invoice.created")
    assert post.send(made).get_json()["state"] == "ignored"
    with post.database.snapshot() as session:
        assert session.get_one(PaymentEvent, ("stripe", made["id"])).state == "ignored"
    metrics = post.web.test_client().get("/metrics").text
    assert 'madoguchi_payment_hooks_total{outcome="ignored"}' in metrics
    assert 'madoguchi_payment_hooks_total{outcome="refused_stale"}' in metrics


def test_an_object_nobody_knows_is_parked(post: Post, event: dict[str, Any]) -> None:
    made = post.other(event, data={"object": {"id": "cs_test_none", "object": "checkout.session"}})
    answer = post.send(made)
    assert (answer.status_code, answer.get_json()["state"]) == (200, "parked")


def test_an_amount_that_is_not_ours(post: Post) -> None:
    made = post.paid()
    post.standin.ledger.sessions[made["data"]["object"]["id"]]["amount_total"] = 1
    answer = post.send(made)
    assert (answer.status_code, answer.get_json()["state"]) == (200, "alarm")
    assert post.state(made) == State.CREATED


def test_a_body_that_lies_moves_nothing_of_itself(post: Post) -> None:
    """The event says paid, the provider says open: the object is fetched."""
    ticket = post.public.ticket("juminhyo")
    url = post.public.post("/payments", {"ticket": ticket["token"]}).get_json()["checkout_url"]
    about = {"id": url.rsplit("/", 1)[1], "object": "checkout.session", "payment_status": "paid", "status": "complete"}
    made = post.standin.webhooks.event("checkout.session.completed", about)
    assert post.send(made).status_code == 200
    assert post.state(made) == State.CREATED


def test_the_same_five_times_at_once_is_applied_once(post: Post) -> None:
    made = post.paid()
    with ThreadPoolExecutor(5) as five:
        assert {answer.status_code for answer in five.map(lambda _: post.send(made), range(5))} == {200}
    assert post.send(made).get_json()["state"] == "known"
    assert post.state(made) == State.SUCCEEDED
    with post.database.snapshot() as session:
        count = select(func.count()).select_from(PaymentEvent).where(PaymentEvent.id == made["id"])
        assert session.scalar(count) == 1


def test_too_large(post: Post) -> None:
    assert post.send(b"{" + b" " * 300_000 + b"}").status_code == 413


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_only_post(post: Post, method: str) -> None:
    assert getattr(post.web.test_client(), method)(PATH).status_code == 405


def test_without_keys_there_is_no_hook(database: Database) -> None:
    web = create_app(Settings(secret_key=SECRET, database_url=database.url), database)
    assert web.test_client().post(PATH, data=b"{}").status_code == 404


def test_the_signature_is_the_one_the_sdk_makes() -> None:
    import stripe

    raw, at = b'{"id": "evt_1"}', int(time.time())
    stripe.WebhookSignature.verify_header(raw.decode(), signature(raw, secret="whsec_x", at=at), "whsec_x", 300)
    assert fault(raw, signature(raw, secret="whsec_x", at=at), secret="whsec_x", at=datetime.now(UTC)) is None
