"""Every call of a provider is held to its parameters: one too many, planted at each call in turn, is refused.

True without the providers' documents too: the stand-ins know the SDKs' own parameters.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stripe
from twilio.http.http_client import TwilioHttpClient

from app.channels.base import NotSent, Unasked
from app.channels.line import LinePush
from app.channels.sms_twilio import TwilioSms
from app.domain.payment import Money
from app.gateways.base import Known, Return, Thing
from app.gateways.stripe_checkout import StripeCheckout
from tests.channels.test_contract import AT, message
from tests.contract.test_gateways import NOW, Till, known, online, order, standin
from tests.standins import line, twilio

__all__ = ["online", "standin"]

STRIPE: dict[str, Callable[[StripeCheckout, Known], Any]] = {
    "open": lambda gateway, _seen: gateway.open(order(key="pay:ticket:9:1")),
    "look": lambda gateway, seen: gateway.look(seen),
    "find": lambda gateway, seen: gateway.find(seen),
    "recent": lambda gateway, _seen: gateway.recent(NOW),
    "stop": lambda gateway, seen: gateway.stop(seen),
    "give_back": lambda gateway, seen: gateway.give_back(_back(seen)),
    "look_back": lambda gateway, seen: gateway.look_back(_back(seen)),
    "attempt_of session": lambda gateway, seen: gateway.attempt_of(Thing(kind="session", id=seen.provider_id)),
    "attempt_of payment": lambda gateway, seen: gateway.attempt_of(Thing(kind="payment", id=seen.provider_payment)),
}


def _back(seen: Known) -> Return:
    return Return(key="refund:1", provider_payment=seen.provider_payment, provider_id=seen.provider_id,
                  amount=Money(1), since=NOW)  # fmt: skip


@pytest.mark.parametrize("call", STRIPE)
def test_stripe_refuses_a_parameter_too_many(online: Till, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    seen = online.paid()
    gateway = online.gateway
    answers: list[Any] = []
    assert isinstance(gateway, StripeCheckout)
    send = stripe.RequestsClient.request

    def planted(self: Any, method: str, url: str, headers: Any, post_data: Any = None) -> Any:
        if method == "post":
            post_data = f"{post_data}&planted=1" if post_data else "planted=1"
        else:
            url += "&planted=1" if "?" in url else "?planted=1"
        answers.append(send(self, method, url, headers, post_data))
        return answers[-1]

    monkeypatch.setattr(stripe.RequestsClient, "request", planted)
    STRIPE[call](gateway, known(seen))
    assert answers
    assert all(code == 400 and b"planted" in body for body, code, _ in answers), answers


TWILIO: dict[str, Callable[[TwilioSms], Any]] = {
    "send": lambda sms: sms.send(message("+819012345678")),
    "look_up": lambda sms: sms.look_up(message("+819012345678"), until=AT + timedelta(minutes=1), known=()),
    "ask": lambda sms: sms.ask(f"SM{1:032x}"),
}


@pytest.mark.parametrize("call", TWILIO)
def test_twilio_refuses_a_parameter_too_many(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    plain = TwilioHttpClient.request

    def planted(self: Any, method: str, url: str, params: Any = None, data: Any = None, **more: Any) -> Any:
        params, data = (
            (params, {**(data or {}), "Planted": "1"}) if data else ({**(params or {}), "Planted": "1"}, data)
        )
        return plain(self, method, url, params=params, data=data, **more)

    with twilio.running() as found:
        sms = TwilioSms(account=twilio.ACCOUNT, token=twilio.TOKEN, sender=twilio.NUMBER, base=found.url, timeout=2.0)
        assert not isinstance(sms.send(message("+819012345678")), NotSent)
        monkeypatch.setattr(TwilioHttpClient, "request", planted)
        assert isinstance(TWILIO[call](sms), NotSent | Unasked)
        assert found.ledger.complaints == ["unknown parameter Planted"]
        assert len(found.ledger.messages) == 1


@pytest.mark.parametrize("inner", [False, True])
def test_line_refuses_a_field_too_many(monkeypatch: pytest.MonkeyPatch, inner: bool) -> None:
    plain = httpx.post

    def planted(url: str, *, json: Any, **more: Any) -> httpx.Response:
        (json["messages"][0] if inner else json)["planted"] = 1
        return plain(url, json=json, **more)

    with line.running() as found:
        push = LinePush(token=line.TOKEN, base=found.url, timeout=2.0)
        monkeypatch.setattr(httpx, "post", planted)
        assert isinstance(push.send(message("U" + "0" * 32)), NotSent)
        assert (found.complaints, found.messages) == (["unknown field planted"], [])
