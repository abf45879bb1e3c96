"""What our own code sends, spoilt in one place and sent again: a wrong kind or a missing field is refused.

Every request of every call is taken as the stand-in heard it, so that none is left out. The stand-ins refuse it with
and without the providers' documents.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest

from app.channels.base import Taken
from app.channels.line import LinePush
from app.channels.sms_twilio import TwilioSms
from app.gateways.stripe_checkout import StripeCheckout
from tests.channels.test_contract import AT, message
from tests.contract.test_every_call import STRIPE, TWILIO
from tests.contract.test_gateways import Till, known, online, standin
from tests.standins import line, twilio
from tests.standins.stripe import KEY

__all__ = ["online", "standin"]
Form = list[tuple[str, str]]
# What Stripe must have; without any of the others the request is as good.
NEEDED = {
    "/v1/checkout/sessions": {
        "mode", "success_url", "line_items", "line_items[0]", "line_items[0][quantity]", "line_items[0][price_data]",
        "line_items[0][price_data][currency]", "line_items[0][price_data][unit_amount]",
        "line_items[0][price_data][product_data]", "line_items[0][price_data][product_data][name]",
    },
    "/v1/refunds": {"payment_intent"},
}  # fmt: skip


def _names(form: Form) -> list[str]:
    """Every field and every group of fields: ``a[b][c]`` is in ``a[b]`` and in ``a``."""
    found = dict[str, None]()
    for name, _ in form:
        parts = name.replace("]", "").split("[")
        for depth in range(1, len(parts) + 1):
            found[parts[0] + "".join(f"[{part}]" for part in parts[1:depth])] = None
    return list(found)


def _without(form: Form, name: str) -> Form:
    return [each for each in form if each[0] != name and not each[0].startswith(f"{name}[")]


def _of_another_kind(form: Form, name: str) -> Form:
    """A group where one value is wanted, one value where a group is."""
    value = dict(form).get(name)
    return [*_without(form, name), (name, "x") if value is None else (f"{name}[wrong]", value)]


def _again(standin: Any, method: str, path: str, form: Form) -> int:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-www-form-urlencoded"}
    query, body = ("", urlencode(form)) if method == "POST" else (f"?{urlencode(form)}", None)
    url = f"{standin.url}{path}{query}"
    return httpx.request(method, url, content=body, headers=headers, trust_env=False).status_code


@pytest.mark.parametrize("call", STRIPE)
def test_stripe_refuses_what_is_missing_or_of_another_kind(online: Till, call: str) -> None:
    seen, gateway, provider = online.paid(), online.gateway, online.standin
    assert isinstance(gateway, StripeCheckout)
    provider.heard.clear()
    STRIPE[call](gateway, known(seen))
    heard = [(method, path, parse_qsl(form)) for method, path, form in provider.heard]
    assert heard
    held = len(provider.ledger.sessions), len(provider.ledger.refunds)
    for method, path, form in heard:
        needed = NEEDED.get(path, set()) if method == "POST" else set()
        assert needed <= set(_names(form))
        for name in _names(form):
            assert _again(provider, method, path, _of_another_kind(form, name)) == 400, name
            if name in needed:
                assert _again(provider, method, path, _without(form, name)) == 400, name
        for name in dict(form):
            empty = [(each, "" if each == name else value) for each, value in form]
            assert _again(provider, method, path, empty) == 400, name
    assert (len(provider.ledger.sessions), len(provider.ledger.refunds)) == held
    for method, path, form in heard:
        for name in set(_names(form)) - (NEEDED.get(path, set()) if method == "POST" else set()):
            # The money that can go back goes once; asked for again it is more than the charge holds.
            spent = path == "/v1/refunds" and method == "POST" and provider.ledger.refunds
            assert _again(provider, method, path, _without(form, name)) == 200 or spent, name


@pytest.mark.parametrize("wrong", [("expand[0]", "customer"), ("expand[0]", "payment_intent.latest_charge.refunds")])
def test_stripe_puts_nothing_inside_that_it_does_not_know(online: Till, wrong: tuple[str, str]) -> None:
    seen = online.paid()
    path = f"/v1/checkout/sessions/{seen.provider_id}"
    assert _again(online.standin, "GET", path, [("expand[0]", "payment_intent.latest_charge")]) == 200
    assert _again(online.standin, "GET", path, [wrong]) == 400


@pytest.fixture
def telephone() -> Iterator[tuple[twilio.TwilioStandIn, TwilioSms]]:
    with twilio.running() as found:
        yield (
            found,
            TwilioSms(account=twilio.ACCOUNT, token=twilio.TOKEN, sender=twilio.NUMBER, base=found.url, timeout=2.0),
        )


# (spoilt values, whether the request is refused without the field)
FIELDS = {
    "To": (("telephone", "0", "+81", "+" + "9" * 20), True),
    "From": (("telephone", "+81312345678"), True),
    "Body": (("x" * 1_601,), True),
    "StatusCallback": (("nowhere", "ftp://m.example.jp/x"), False),
    "PageSize": (("many", "0", "-1", "1.5", "1001"), False),
}


@pytest.mark.parametrize("call", TWILIO)
def test_twilio_refuses_what_is_missing_or_of_another_kind(
    telephone: tuple[twilio.TwilioStandIn, TwilioSms], call: str
) -> None:
    provider, sms = telephone
    assert isinstance(sms.send(message("+819012345678")), Taken)
    provider.heard.clear()
    TWILIO[call](sms)
    (heard,) = provider.heard
    method, path, fields = heard
    assert set(fields) == {"send": {"To", "From", "Body", "StatusCallback"}, "look_up": {"To", "PageSize"}}.get(
        call, set()
    )
    held = len(provider.ledger.messages)

    def again(form: dict[str, str], to: str = path) -> int:
        more = {"data": form} if method == "POST" else {"params": form}
        who = (twilio.ACCOUNT, twilio.TOKEN)
        return httpx.request(method, provider.url + to, auth=who, trust_env=False, **more).status_code  # type: ignore[arg-type]

    for name in fields:
        spoilt, needed = FIELDS[name]
        if method == "POST" or name != "To":  # a search for a number that is none finds nothing
            assert [again(fields | {name: value}) for value in spoilt] == [400] * len(spoilt), name
        if needed and method == "POST":
            missing = {other: value for other, value in fields.items() if other != name}
            assert (again(missing), again(fields | {name: ""})) == (400, 400), name
    assert len(provider.ledger.messages) == held
    assert again(fields, path.replace(twilio.ACCOUNT, "AC" + "f" * 32)) == 401
    if call == "ask":
        assert again(fields, path.replace("SM", "XX")) == 404


def test_what_a_search_of_messages_can_do_without() -> None:
    with twilio.running() as provider:
        sms = TwilioSms(account=twilio.ACCOUNT, token=twilio.TOKEN, sender=twilio.NUMBER, base=provider.url)
        sms.look_up(message("+819012345678"), until=AT + timedelta(minutes=1), known=())
        (heard,) = provider.heard
        for name in heard[2]:
            fields = {other: value for other, value in heard[2].items() if other != name}
            who = (twilio.ACCOUNT, twilio.TOKEN)
            assert httpx.get(provider.url + heard[1], params=fields, auth=who, trust_env=False).status_code == 200


def _spoilt(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """A push with one field gone or of another kind."""
    first, *_ = body["messages"]
    for name in body:
        yield f"no {name}", {other: value for other, value in body.items() if other != name}
        for wrong in (None, 5, True, "" if name == "to" else "x", {"x": 1}, []):
            yield f"{name} {wrong!r}", body | {name: wrong}
    for name in first:
        yield f"no {name}", body | {"messages": [{k: v for k, v in first.items() if k != name}]}
        for wrong in (None, 5, True, "" if name == "text" else "x", {"x": 1}, ["x"]):
            yield f"{name} {wrong!r}", body | {"messages": [first | {name: wrong}]}
    yield "six texts", body | {"messages": [first] * 6}
    yield "too long", body | {"messages": [first | {"text": "あ" * 5_001}]}
    yield "no object", [body]
    yield "nothing", None


def test_line_refuses_what_is_missing_or_of_another_kind() -> None:
    with line.running() as found:
        assert isinstance(LinePush(token=line.TOKEN, base=found.url).send(message("U" + "0" * 32)), Taken)
        (heard,) = found.heard
        key = "3f7f8f9a-0000-4000-8000-000000000000"
        headers = {"Authorization": f"Bearer {line.TOKEN}", "X-Line-Retry-Key": key}
        url = f"{found.url}/v2/bot/message/push"
        for name, body in _spoilt(heard):
            assert httpx.post(url, json=body, headers=headers, trust_env=False).status_code == 400, name
        for spoilt in ("", "1", "x" * 36):
            more = headers | {"X-Line-Retry-Key": spoilt}
            assert httpx.post(url, json=heard, headers=more, trust_env=False).status_code == 400
        assert httpx.post(url, json=heard, trust_env=False).status_code == 401
        assert len(found.messages) == 1
        assert httpx.post(url, json=heard, headers=headers, trust_env=False).status_code == 200
