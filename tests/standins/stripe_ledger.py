"""What Stripe would know: sessions, charges and refunds in memory, and the refusals of the real one.

Every request is held to the SDK's own parameter types, unknown ones refused; the same key gives the same answer, the
same key with other parameters is refused. ``charges`` is the truth that the proofs count by.
"""

import copy
import itertools
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import stripe._request_options as request_options
import stripe.params
import stripe.params.checkout
from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import is_typeddict

LEAST_YEN = {"card": 50, "paypay": 50, "konbini": 120}
MOST_KONBINI_YEN = 300_000
# What may be put inside an answer; more than is asked for by us would be refused by its name.
EXPANDABLE = frozenset({"payment_intent", "payment_intent.latest_charge"})
_FORBID = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
# Options of a call that the SDK's types carry beside its parameters; none of them may travel as one.
OPTIONS = frozenset(request_options.RequestOptions.__annotations__)


class Refusal(Exception):
    """A 4xx with Stripe's words."""

    def __init__(self, code: str, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "code": code, "message": message}}


def _strict(name: str, *, of: Any = stripe.params) -> TypeAdapter[Any]:
    """The SDK's type of a request; a parameter it does not know is refused at every depth."""
    wanted = getattr(of, name)
    module = __import__(wanted.__module__, fromlist=["_"])
    for each in vars(module).values():
        if is_typeddict(each):
            each.__pydantic_config__ = _FORBID
            for option in OPTIONS:
                each.__annotations__.pop(option, None)
    return TypeAdapter(wanted)


_checkout = stripe.params.checkout
PARAMETERS = {
    "session.create": _strict("SessionCreateParams", of=_checkout),
    "session.retrieve": _strict("SessionRetrieveParams", of=_checkout),
    "session.list": _strict("SessionListParams", of=_checkout),
    "session.expire": _strict("SessionExpireParams", of=_checkout),
    "refund.create": _strict("RefundCreateParams"),
    "refund.list": _strict("RefundListParams"),
}


# The SDK's types say of next to nothing that it must be there; the API does. Every one, or one of those with a bar.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "session.create": ("mode", "success_url", "line_items"),
    "line_items": ("quantity", "price_data|price"),
    "price_data": ("currency", "unit_amount|unit_amount_decimal", "product_data|product"),
    "refund.create": ("payment_intent|charge",),
}


def _needed(name: str, given: Mapping[str, Any]) -> None:
    """Raises Refusal where a parameter is missing that must be there."""
    for wanted in NEEDED.get(name, ()):
        if not any(each in given for each in wanted.split("|")):
            raise Refusal("parameter_missing", f"Missing required param: {wanted}")


def _filled(given: Any) -> None:
    """Raises Refusal for an empty value: Stripe reads it as the wish to unset a parameter, and none of ours can be."""
    if given == "":
        raise Refusal("parameter_invalid_empty", "You passed an empty string")
    for each in given.values() if isinstance(given, dict) else given if isinstance(given, list) else ():
        _filled(each)


def checked(request: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as the SDK's types have them. Raises Refusal for what those do not know, or what is missing."""
    _filled(dict(given))
    _needed(request, given)
    try:
        found: dict[str, Any] = PARAMETERS[request].validate_python(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        unknown = first["type"] == "extra_forbidden"
        where = "[".join(str(part) for part in first["loc"])
        raise Refusal("parameter_unknown" if unknown else "parameter_invalid", f"{where}: {first['msg']}") from None
    for each in found.get("expand", ()):
        if each.removeprefix("data.") not in EXPANDABLE:
            raise Refusal("parameter_invalid", f"This property cannot be expanded ({each})")
    return found


class Ledger:
    """One account in test mode. ``told`` is called with (type, object) for every event; ``clock``: seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.told: Callable[[str, dict[str, Any]], None] = lambda _kind, _object: None
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.replies: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self.refunds_fail = False
        self._ids = itertools.count(1)

    def once(self, key: str | None, wanted: str, work: Callable[[], dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        """The first answer for a key, for ever; another request under it is refused."""
        with self.lock:
            if key is not None and key in self.replies:
                before, status, body = self.replies[key]
                if before != wanted:
                    raise Refusal("idempotency_key_in_use", "other parameters", kind="idempotency_error")
                return status, copy.deepcopy(body)
            body = copy.deepcopy(work())
            if key is not None:
                self.replies[key] = (wanted, 200, body)
            return 200, copy.deepcopy(body)

    def _id(self, prefix: str) -> str:
        return f"{prefix}_test_{next(self._ids):08d}"

    def create_session(self, given: Mapping[str, Any], page: str) -> dict[str, Any]:
        """A session that stands open until it is paid, ended or past its time. ``page``: address of hosted pages."""
        asked, now = checked("session.create", given), self.clock()
        for each in asked["line_items"]:
            _needed("line_items", each)
            _needed("price_data", each.get("price_data", {}))
        amount = sum(each["quantity"] * each["price_data"]["unit_amount"] for each in asked["line_items"])
        currencies = {each["price_data"]["currency"] for each in asked["line_items"]}
        methods = asked.get("allowed_payment_method_types") or ["card"]
        if asked.get("mode") != "payment" or currencies != {"jpy"}:
            raise Refusal("parameter_invalid", "one payment in jpy")
        if amount < max(LEAST_YEN[each] for each in methods):
            raise Refusal("amount_too_small", "the amount is below the least of a method")
        expires = asked.get("expires_at", int(now) + 86_400)
        if not now + 1_800 - 5 <= expires <= now + 86_400 + 5:
            raise Refusal("parameter_invalid", "expires_at: 30 minutes to 24 hours from now")
        name = self._id("cs")
        self.sessions[name] = {
            "id": name, "object": "checkout.session", "mode": "payment", "livemode": False, "status": "open",
            "payment_status": "unpaid", "amount_total": amount, "currency": "jpy", "created": int(now),
            "expires_at": expires, "metadata": asked.get("metadata", {}), "url": f"{page}/c/pay/{name}",
            "client_reference_id": asked.get("client_reference_id"), "payment_intent": None,
            "success_url": asked["success_url"], "cancel_url": asked.get("cancel_url"), "methods": methods,
            "name": asked["line_items"][0]["price_data"]["product_data"]["name"], "locale": asked.get("locale"),
            "intent_metadata": asked.get("payment_intent_data", {}).get("metadata", {}),
            "slip_days": asked.get("payment_method_options", {}).get("konbini", {}).get("expires_after_days", 3),
        }  # fmt: skip
        return self.shown(self.sessions[name], ())

    def session(self, name: str) -> dict[str, Any]:
        found = self.sessions.get(name)
        if found is None:
            raise Refusal("resource_missing", "No such checkout.session", status=404)
        if found["status"] == "open" and found["expires_at"] <= self.clock():
            self._expire(found)
        return found

    def shown(self, session: Mapping[str, Any], expand: tuple[str, ...]) -> dict[str, Any]:
        """A session as the API tells it; ``expand`` puts the intent and its charge inside."""
        inner = ("methods", "name", "intent_metadata", "slip_days")
        found = {name: copy.deepcopy(value) for name, value in session.items() if name not in inner}
        if session["payment_intent"] and any(each.startswith("payment_intent") for each in expand):
            intent = copy.deepcopy(self.intents[session["payment_intent"]])
            if intent["latest_charge"] and "payment_intent.latest_charge" in expand:
                intent["latest_charge"] = copy.deepcopy(self.charges[intent["latest_charge"]])
            found["payment_intent"] = intent
        if session["status"] != "open":
            found["url"] = None
        return found

    def list_sessions(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Newest first; by payment intent or by when they were made."""
        asked = checked("session.list", given)
        found = sorted(self.sessions.values(), key=lambda each: each["id"], reverse=True)
        if "payment_intent" in asked:
            found = [each for each in found if each["payment_intent"] == asked["payment_intent"]]
        if isinstance(asked.get("created"), dict):
            found = [each for each in found if each["created"] >= asked["created"].get("gte", 0)]
        if "starting_after" in asked:
            found = [each for each in found if each["id"] < asked["starting_after"]]
        expand = tuple(each.removeprefix("data.") for each in asked.get("expand", ()))
        return [self.shown(self.session(each["id"]), expand) for each in found]

    def expire(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        checked("session.expire", given)
        session = self.session(name)
        if session["status"] != "open":
            raise Refusal("resource_missing", f"only open sessions can be expired, this is {session['status']}")
        self._expire(session)
        return self.shown(session, ())

    def _expire(self, session: dict[str, Any]) -> None:
        session["status"] = "expired"
        self.told("checkout.session.expired", self.shown(session, ()))

    def _intent(self, session: dict[str, Any], status: str, method: str) -> dict[str, Any]:
        name = session["payment_intent"] or self._id("pi")
        known = self.intents.get(name, {"latest_charge": None})
        self.intents[name] = known | {
            "id": name, "object": "payment_intent", "status": status, "amount": session["amount_total"],
            "currency": "jpy", "metadata": session["intent_metadata"], "method": method, "livemode": False,
        }  # fmt: skip
        session["payment_intent"] = name
        return self.intents[name]

    def pay(self, name: str, method: str = "card") -> None:
        """The payer pays on the hosted page, at once."""
        with self.lock:
            session = self.session(name)
            if session["status"] != "open" or method not in session["methods"]:
                raise Refusal("session_closed", "this session takes no money")
            session["status"] = "complete"
            self._take(session, method)
            self.told("checkout.session.completed", self.shown(session, ()))
            self.told("payment_intent.succeeded", self.intents[session["payment_intent"]])

    def _take(self, session: dict[str, Any], method: str) -> None:
        intent = self._intent(session, "succeeded", method)
        details: dict[str, Any] = {"type": method}
        if method == "card":
            details["card"] = {"brand": "visa", "last4": "4242"}
        charge = {
            "id": self._id("ch"), "object": "charge", "amount": session["amount_total"], "amount_refunded": 0,
            "currency": "jpy", "paid": True, "payment_intent": intent["id"], "payment_method_details": details,
            "session": session["id"], "metadata": session["intent_metadata"],
        }  # fmt: skip
        self.charges[charge["id"]] = charge
        intent["latest_charge"] = charge["id"]
        session["payment_status"] = "paid"

    def slip(self, name: str) -> None:
        """The payer takes a slip to pay at a shop later."""
        with self.lock:
            session = self.session(name)
            if session["status"] != "open" or "konbini" not in session["methods"]:
                raise Refusal("session_closed", "this session gives no slip")
            session["status"] = "complete"
            intent = self._intent(session, "requires_action", "konbini")
            self.told("checkout.session.completed", self.shown(session, ()))
            self.told("payment_intent.requires_action", intent)

    def slip_paid(self, name: str) -> None:
        """The slip was paid at a shop."""
        with self.lock:
            session = self.sessions[name]
            self._take(session, "konbini")
            self.told("checkout.session.async_payment_succeeded", self.shown(session, ()))
            self.told("payment_intent.succeeded", self.intents[session["payment_intent"]])

    def slip_expired(self, name: str) -> None:
        """Nobody paid the slip."""
        with self.lock:
            session = self.sessions[name]
            intent = self._intent(session, "requires_payment_method", "konbini")
            self.told("checkout.session.async_payment_failed", self.shown(session, ()))
            self.told("payment_intent.payment_failed", intent)

    def refund(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Money back from a charge, never more than it holds."""
        asked = checked("refund.create", given)
        intent = self.intents.get(asked.get("payment_intent", ""))
        if intent is None or not intent["latest_charge"]:
            raise Refusal("resource_missing", "No such payment_intent", status=404)
        charge = self.charges[intent["latest_charge"]]
        amount = asked.get("amount", charge["amount"] - charge["amount_refunded"])
        if not 0 < amount <= charge["amount"] - charge["amount_refunded"]:
            raise Refusal("charge_already_refunded", "more than the charge holds")
        refund = {
            "id": self._id("re"), "object": "refund", "amount": amount, "currency": "jpy", "charge": charge["id"],
            "payment_intent": intent["id"], "metadata": asked.get("metadata", {}),
            "status": "failed" if self.refunds_fail else "succeeded",
        }  # fmt: skip
        self.refunds[refund["id"]] = refund
        if refund["status"] == "succeeded":
            charge["amount_refunded"] += amount
            self.told("charge.refunded", charge)
        self.told("refund.updated", refund)
        return refund

    def list_refunds(self, given: Mapping[str, Any]) -> list[dict[str, Any]]:
        asked = checked("refund.list", given)
        found = [copy.deepcopy(each) for each in reversed(list(self.refunds.values()))]
        return [each for each in found if asked.get("payment_intent", each["payment_intent"]) == each["payment_intent"]]
