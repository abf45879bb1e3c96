"""POST /hooks/stripe: believed by its signature over the raw bytes, kept once by its id, answered at once.

A refused signature is counted and logged: a clock that runs away refuses them all, and silence would hide it.
"""

import json
import logging
from typing import Any

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import BadRequest

from app.domain.errors import NotFound
from app.domain.roles import Function
from app.gateways.stripe_checkout import StripeCheckout, is_live
from app.gateways.stripe_signature import fault
from app.services import payment_events
from app.web import security, till
from app.web.api.body import answer
from config.settings import Settings

blueprint = Blueprint("api_hooks_stripe", __name__, url_prefix="/api/v1/hooks")
log = logging.getLogger(__name__)


@blueprint.post("/stripe")
@security.policy(Function.PUBLIC)
def heard() -> Response:
    """A webhook of Stripe; 200 with what became of it, 400 for one that is not to be believed."""
    raw = request.get_data(cache=True)
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.stripe_webhook_secret or till.ready().online is None:
        raise NotFound(what="hook")
    why = fault(raw, request.headers.get("Stripe-Signature"), secret=settings.stripe_webhook_secret, at=security.now())
    if why is not None:
        _count(f"refused_{why}")
        log.error("a webhook of Stripe was refused: %s signature; is our clock right?", why)
        raise BadRequest()
    found = payment_events.read(StripeCheckout.name, _event(raw, settings))
    state = till.calls().hear(found)
    _count(state)
    return answer({"received": True, "state": state})


def _event(raw: bytes, settings: Settings) -> dict[str, Any]:
    """The event of our own account and mode; 400 for anything else that bears our signature."""
    try:
        event = json.loads(raw.decode())
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise BadRequest() from None
    if not isinstance(event, dict) or event.get("account") is not None:
        raise BadRequest()
    if event.get("livemode") is not is_live(settings.stripe_api_key):
        raise BadRequest()
    return event


def _count(outcome: str) -> None:
    current_app.extensions["meter"].payment_hooks.labels(outcome).inc()
