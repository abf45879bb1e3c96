"""Stripe's hosted Checkout: the payer goes to Stripe's page, no card number ever passes here.

The SDK is loaded when it is first needed. It would repeat a request by itself under a key of its own chance; it is
told not to, and the key is always ours, stored before the call (decision 2).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from app.domain.payment import Money, RefundState, State
from app.gateways.base import Absent, Known, Order, Refused, Return, Returned, Sight, Thing, Unknown

# Seconds to connect, and to wait for an answer; the payer waits as long.
TIMEOUTS = (3.05, 8.0)
PAGE = 100
# A bound for a ledger that never ends: weeks of a large city, read when a restored copy is released.
_PAGES = 300
HOSTED = "https://checkout.stripe.com"
_EXPAND = ["payment_intent.latest_charge"]
Seen = TypeVar("Seen")
_LANGUAGES = {"ja-Hira": "ja", "zh-Hans": "zh", "zh-Hant": "zh-TW", "pt": "pt-BR"}
# What Stripe says of a session's payment intent, for a session that was filled in but has no money yet.
_OF_INTENT = {
    "processing": State.PROCESSING, "requires_action": State.PROCESSING, "requires_capture": State.PROCESSING,
    "succeeded": State.SUCCEEDED, "canceled": State.FAILED, "requires_payment_method": State.FAILED,
}  # fmt: skip
_OF_REFUND = {
    "succeeded": RefundState.DONE, "pending": RefundState.SENDING, "requires_action": RefundState.SENDING,
    "failed": RefundState.FAILED, "canceled": RefundState.FAILED,
}  # fmt: skip
_CARDS = {"visa": "VISA", "mastercard": "Mastercard", "jcb": "JCB", "amex": "American Express", "diners": "Diners Club"}


def is_live(key: str) -> bool:
    """Whether a secret key moves real money."""
    return key.startswith(("sk_live_", "rk_live_"))


class StripeCheckout:
    """``base``: another address of the API (tests and the demonstration), empty: Stripe's own."""

    name = "stripe"
    online = True

    def __init__(self, key: str, *, base: str = "") -> None:
        self._key, self._base = key, base.rstrip("/")
        self.origin = self._base or HOSTED
        self.live = is_live(key)
        self.timeouts = TIMEOUTS

    @cached_property
    def _client(self) -> Any:
        import stripe

        addresses = {"base_addresses": {"api": self._base}} if self._base else {}
        return stripe.StripeClient(
            self._key, http_client=stripe.RequestsClient(timeout=self.timeouts), max_network_retries=0,
            **addresses,  # type: ignore[arg-type]
        )  # fmt: skip

    def warm(self) -> None:
        """Load the SDK now; a web process calls it off its loop."""
        assert self._client is not None  # noqa: S101 - made at the first look

    def open(self, order: Order) -> Sight | Refused | Unknown:
        return self._asked(
            lambda: self._client.v1.checkout.sessions.create(_session(order), {"idempotency_key": order.key}), _sight
        )

    def look(self, known: Known) -> Sight | Absent | Unknown:
        return self._read(
            lambda: self._client.v1.checkout.sessions.retrieve(known.provider_id, {"expand": _EXPAND}), _sight
        )

    def find(self, known: Known) -> Sight | Absent | Unknown:
        """Among the sessions made since the attempt began; Stripe offers no search by key."""
        found = self.recent(known.since)
        if isinstance(found, Unknown):
            return found
        return next((each for each in found if each.key == known.key), Absent())

    def recent(self, since: datetime) -> Sequence[Sight] | Unknown:
        """Sessions made since then, newest first, a page at a time; five minutes are added for two clocks."""
        made = {"gte": int(since.timestamp()) - 300}
        asked: dict[str, Any] = {"created": made, "limit": PAGE, "expand": [f"data.{_EXPAND[0]}"]}
        found: list[Sight] = []
        for _ in range(_PAGES):
            page = self._page(asked)
            if not isinstance(page, dict):
                return Unknown(reason="no ledger") if isinstance(page, Absent) else page
            found += [_sight(each) for each in page["data"]]
            if not page["has_more"] or not page["data"]:
                return found
            asked["starting_after"] = page["data"][-1]["id"]
        return Unknown(reason="too many sessions")

    def _page(self, asked: dict[str, Any]) -> dict[str, Any] | Absent | Unknown:
        return self._read(lambda: self._client.v1.checkout.sessions.list(asked), _plain)

    def stop(self, known: Known) -> Sight | Absent | Unknown:
        ended = self._asked(lambda: self._client.v1.checkout.sessions.expire(known.provider_id), _sight)
        # A session that is complete cannot be ended: Stripe refuses, and the look tells what it is.
        return self.look(known) if isinstance(ended, Refused) else ended

    def give_back(self, wish: Return) -> Returned | Refused | Unknown:
        asked: dict[str, Any] = {
            "payment_intent": wish.provider_payment, "amount": wish.amount.amount,
            "reason": "requested_by_customer", "metadata": {"key": wish.key},
        }  # fmt: skip
        return self._asked(lambda: self._client.v1.refunds.create(asked, {"idempotency_key": wish.key}), _returned)

    def look_back(self, wish: Return) -> Returned | Absent | Unknown:
        asked: dict[str, Any] = {"payment_intent": wish.provider_payment, "limit": PAGE}
        page = self._read(lambda: self._client.v1.refunds.list(asked), _plain)
        if not isinstance(page, dict):
            return page
        for each in page["data"]:
            if (each.get("metadata") or {}).get("key") == wish.key:
                return _returned(each)
        return Absent()

    def attempt_of(self, thing: Thing) -> Sight | Absent | Unknown:
        if thing.kind == "session":
            return self._read(lambda: self._client.v1.checkout.sessions.retrieve(thing.id, {"expand": _EXPAND}), _sight)
        asked: dict[str, Any] = {"payment_intent": thing.id, "limit": 1, "expand": [f"data.{_EXPAND[0]}"]}
        page = self._page(asked)
        if not isinstance(page, dict):
            return page
        return _sight(page["data"][0]) if page["data"] else Absent()

    def _asked(self, call: Callable[[], Any], read: Callable[[Mapping[str, Any]], Seen]) -> Seen | Refused | Unknown:
        """One call that changes something. A refusal in words is a no; all else may have happened."""
        import stripe

        try:
            answer = call()
        except stripe.InvalidRequestError as error:
            return Refused(reason=_word(error))
        except (stripe.AuthenticationError, stripe.PermissionError) as error:
            return Refused(reason=_word(error), at_the_door=True)
        except stripe.StripeError as error:
            return Unknown(reason=_word(error))
        return _understood(answer, read)

    def _read(self, call: Callable[[], Any], read: Callable[[Mapping[str, Any]], Seen]) -> Seen | Absent | Unknown:
        """One call that only asks. Only 404 is absence: any other refusal is of our question, and says nothing."""
        import stripe

        try:
            answer = call()
        except stripe.InvalidRequestError as error:
            return Absent() if error.http_status == 404 else Unknown(reason=_word(error))
        except stripe.StripeError as error:
            return Unknown(reason=_word(error))
        return _understood(answer, read)


def _understood(answer: Any, read: Callable[[Mapping[str, Any]], Seen]) -> Seen | Unknown:
    """An answer in a shape nobody expects is no answer."""
    try:
        return read(answer.to_dict())
    except (AttributeError, KeyError, TypeError, ValueError):
        return Unknown(reason="unreadable answer")


def _plain(page: Mapping[str, Any]) -> dict[str, Any]:
    return {"data": list(page["data"]), "has_more": bool(page["has_more"])}


def _word(error: Any) -> str:
    return str(error.code or type(error).__name__)[:80]


def _session(order: Order) -> dict[str, Any]:
    """The parameters of one attempt. What was paid for is not among them: the statement names the city and a number."""
    marks = {"key": order.key, "subject": order.subject, "reference": order.reference, "office": order.office}
    asked: dict[str, Any] = {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": order.amount.currency.lower(),
                    "unit_amount": order.amount.amount,
                    "product_data": {"name": order.what},
                },
            }
        ],
        "client_reference_id": order.reference,
        "metadata": marks,
        "payment_intent_data": {"metadata": marks, "description": order.reference},
        "success_url": f"{order.back_to}?back=1",
        "cancel_url": order.back_to,
        "expires_at": int(order.expires_at.timestamp()),
        "locale": _LANGUAGES.get(order.language, order.language),
        "allowed_payment_method_types": list(order.methods),
    }
    if "konbini" in order.methods:
        asked["payment_method_options"] = {"konbini": {"expires_after_days": order.konbini_days}}
    return asked


def _sight(session: Mapping[str, Any]) -> Sight:
    """A session, its payment intent and charge inside where they were asked for, as a state of our table."""
    found = session.get("payment_intent")
    intent: Mapping[str, Any] = found if isinstance(found, Mapping) else {}
    charge = intent.get("latest_charge")
    charge = charge if isinstance(charge, Mapping) else {}
    refunded = charge.get("amount_refunded") or 0
    amount = Money.told(session.get("amount_total"), session.get("currency"))
    return Sight(
        provider_id=session["id"], key=(session.get("metadata") or {}).get("key", ""),
        state=_state(session, intent, whole=bool(amount and refunded >= amount.amount > 0)), amount=amount,
        url=session.get("url") or "", provider_payment=intent.get("id") or (found if isinstance(found, str) else ""),
        paid_with=_paid_with(charge.get("payment_method_details") or {}), refunded=refunded,
    )  # fmt: skip


def _state(session: Mapping[str, Any], intent: Mapping[str, Any], *, whole: bool) -> State:
    if session["payment_status"] == "paid":
        return State.REFUNDED if whole else State.SUCCEEDED
    if session["status"] == "expired":
        return State.FAILED
    if session["status"] == "complete":
        return _OF_INTENT.get(intent.get("status", "processing"), State.PROCESSING)
    return State.CREATED


def _paid_with(details: Mapping[str, Any]) -> str:
    """``VISA 4242``, ``konbini``, ``paypay``: what stands on the receipt."""
    kind = str(details.get("type", ""))
    card = details.get("card")
    if kind != "card" or not isinstance(card, Mapping):
        return kind
    return f"{_CARDS.get(str(card.get('brand')), 'card')} {card.get('last4', '')}".strip()


def _returned(refund: Mapping[str, Any]) -> Returned:
    return Returned(
        provider_id=refund["id"], state=_OF_REFUND.get(str(refund.get("status")), RefundState.SENDING),
        amount=Money.told(refund.get("amount"), refund.get("currency")),
    )  # fmt: skip
