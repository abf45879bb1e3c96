"""The till of this web process: the gateways with their keys, and what an attempt needs from a request."""

from collections.abc import Callable
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from app.gateways.base import Gateways
from app.gateways.registry import gateways
from app.models.place import Municipality, Office
from app.services import holding
from app.services.fees import Visit
from app.services.money_calls import MoneyCalls, Started
from app.services.payments import Asking
from app.web import off_loop, security
from app.web.locale import language


def ready() -> Gateways:
    """The gateways of these settings, made once."""
    known: dict[str, Any] = current_app.extensions
    if "gateways" not in known:
        known["gateways"] = gateways(current_app.config["SETTINGS"])
    found: Gateways = known["gateways"]
    return found


def calls() -> MoneyCalls:
    """What speaks to them, between transactions. The provider's library is loaded off the loop, at the first use."""
    online = ready().online
    if online is not None and "gateway_warm" not in current_app.extensions:
        off_loop.run(getattr(online, "warm", lambda: None))
        current_app.extensions["gateway_warm"] = True
    return MoneyCalls(security.database(), ready(), clock=security.now)


def is_on(session: Session) -> bool:
    """Whether money can be paid online now: there are keys, and this is no restored copy that waits."""
    return ready().online is not None and not holding.held(session, holding.MONEY)


def secret() -> bytes:
    """The secret that derives the tokens of payments' pages."""
    return str(current_app.config["SECRET_KEY"]).encode()


def payer_sees(session: Session, office_id: str) -> str:
    """How the provider's page names the payee: the city hall and the word fee, never the procedure."""
    office = session.get_one(Office, office_id)
    city = session.get_one(Municipality, office.municipality_id)
    name = (city.settings.get("city_hall") or city.name)["ja"]
    return f"{name} 手数料"


def start(visit: Callable[[Session], Visit], office_id: str, *, actor: str) -> Started:
    """Begin or continue to pay a visit online; ``visit(session)`` reads it under the lock. Raises Conflict."""
    online = ready().online
    with security.database().snapshot() as session:
        payer = payer_sees(session, office_id)
    asking = Asking(
        gateway=online.name if online else "", seed=security.fresh_secret(), secret=secret(),
        address=current_app.config["ADDRESS"], payer=payer, actor=actor, language=language(),
    )  # fmt: skip
    return calls().start(visit, asking)
