"""Free slots over HTTP, and holding one."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, request
from pydantic import AwareDatetime, Field

from app.db.sealed import Sealer
from app.domain import booking as rules
from app.domain.booking import MOST_PARTY, MOST_SERVICES
from app.domain.calendar import JST, business_date
from app.domain.errors import InvalidInput
from app.domain.roles import Function
from app.models.booking import Booking
from app.services import access, availability, holds, requests
from app.web import security
from app.web.api.body import Body, answer, read
from app.web.api.once import once
from app.web.api.tickets import channel, secret
from app.web.limits import limit_public
from app.web.sealing import sealer

blueprint = Blueprint("api_slots", __name__, url_prefix="/api/v1/offices/<office>")
# Behind one address may be a whole hall: more than one browser may hold, and still bounded.
MOST_HOLDS_OF_AN_ADDRESS = 20
# Far enough for every calendar, and no day before or after them can be reckoned out of range.
_FIRST_YEAR, _LAST_YEAR = 2000, 2200


# What may be asked in the address, for the OpenAPI document.
_DAY = {"type": "string", "description": "a day (2026-04-01) or an instant with offset; both ends included"}
QUERY: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "service": {"type": "string", "description": "an id, or several joined by commas for one visit"},
        "from": _DAY,
        "to": _DAY,
        "party": {"type": "integer", "minimum": 1, "maximum": MOST_PARTY},
    }
)


class NewHold(Body):
    """``start``: of a slot, with offset."""

    services: list[str] = Field(min_length=1, max_length=MOST_SERVICES)
    start: AwareDatetime
    party: int = Field(default=1, ge=1, le=MOST_PARTY)


@blueprint.get("/slots")
@security.policy(Function.PUBLIC)
@limit_public("look")
def free(office: str) -> Response:
    """The slots of one or several services between two days or instants, full ones too."""
    services = [name for given in request.args.getlist("service") for name in given.split(",") if name]
    at = security.now()
    first = _when("from", at)
    last = _when("to", first + timedelta(days=6), end=True)
    days = availability.days(business_date(first), business_date(last))
    with security.database().snapshot() as session:
        visit = availability.visit(session, office_id=office, services=services, bookable_only=False)
        found = availability.of_days(session, visit, days, party=_party(), at=at) if visit.bookable else []
    shown = [
        {"start": slot.start, "end": slot.end, "capacity": slot.capacity, "free": slot.free}
        for slot in found
        if first <= slot.start <= last
    ]
    return answer({"slots": shown})


def _when(name: str, default: datetime, *, end: bool = False) -> datetime:
    """A day (its first or last instant in Japan) or an instant with offset, of the query."""
    text = request.args.get(name)
    if text is None:
        return default if not end else datetime.combine(business_date(default), time.max, JST)
    try:
        if len(text) <= len("2026-04-01"):
            found = datetime.combine(date.fromisoformat(text), time.max if end else time.min, JST)
        else:
            # A plus sign in an address is a blank.
            found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise InvalidInput(fields=[name]) from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise InvalidInput(fields=[name])
    return found if found.tzinfo else found.replace(tzinfo=JST)


def _party() -> int:
    text = request.args.get("party", "1")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= MOST_PARTY):
        raise InvalidInput("bad_party", fields=["party"], most=MOST_PARTY)
    return int(text)


@blueprint.post("/holds")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def hold(office: str) -> Response:
    """Take a slot from everyone else for a few minutes; 201, or 200 for a replay of the same key."""
    body, who, at = read(NewHold), security.principal(), security.now()
    asked = holds.Asked(
        office_id=office, services=body.services, start=body.start, party=body.party, channel=channel(),
        holder=None if who else _address(sealer()), most_holds=MOST_HOLDS_OF_AN_ADDRESS,
    )  # fmt: skip
    actor, seed, key = who.actor if who else "public", security.fresh_secret(), security.idempotency(f"public:{office}")
    if asked.holder is not None:
        # Who holds too much already is refused by reading: nobody waits for a lock because of it.
        with security.database().snapshot() as session:
            if not requests.known(session, key.scope, key.key):
                holds.refuse_hoarding(session, asked.holder, asked.most_holds, at=at)

    def work(session: Any) -> dict[str, Any]:
        access.require(session, who, Function.BOOK if who else Function.PUBLIC, office_id=office)
        made = holds.hold(session, asked=asked, seed=seed, secret=secret(), actor=actor, at=at)
        return {"booking": made.id}

    seen, replayed = once(f"public:{office}", work, at=at)
    with security.database().glance() as session:
        row = session.get_one(Booking, seen["booking"])
    found = {"token": rules.token(secret(), "booking", row.seed), "expires_at": row.expires_at or row.changed_at,
             "start": row.start_at, "end": row.end_at, "party": row.party}  # fmt: skip
    return answer(found, 200 if replayed else 201)


def _address(keys: Sealer) -> str:
    """The caller's address as a hash: counted for a few minutes, never kept in clear."""
    return keys.index("holder", request.remote_addr or "")
