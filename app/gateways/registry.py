"""Which gateways there are, and which of them have what they need. Another provider is one file and one line here."""

from app.gateways.at_counter import AtCounter
from app.gateways.base import Gateway, Gateways
from app.gateways.stripe_checkout import StripeCheckout
from config.settings import Settings


def _stripe(settings: Settings) -> Gateway | str:
    if not (settings.stripe_api_key and settings.stripe_webhook_secret):
        return "MADOGUCHI_STRIPE_API_KEY, MADOGUCHI_STRIPE_WEBHOOK_SECRET"
    return StripeCheckout(settings.stripe_api_key, base=settings.stripe_api_base)


def _counter(_settings: Settings) -> Gateway | str:
    return AtCounter()


_MAKERS = {"stripe": _stripe, "counter": _counter}


def gateways(settings: Settings) -> Gateways:
    """Every gateway that can be used with these settings; ``off`` names the settings the others lack."""
    found = Gateways()
    for name, make in _MAKERS.items():
        made = make(settings)
        if isinstance(made, str):
            found.off[name] = made
        else:
            found.ready[name] = made
    return found
