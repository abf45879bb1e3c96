"""Being told: what a ticket's holder wishes, the code that proves a number, and where short links lead.

Works without JavaScript; only the notices of a browser need it. A channel without keys is not offered.
"""

import json
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.base import Ways
from app.channels.registry import ways as ways_of
from app.channels.webpush import is_push_service, public_key
from app.db.sealed import Sealer
from app.domain import contact as contact_rules
from app.domain.delivery import Channel
from app.domain.errors import Conflict, DomainError, InvalidInput, NotFound, TooMany
from app.domain.refs import ticket_token, token_hash
from app.domain.roles import Function
from app.domain.ticket import FINAL, State
from app.models.booking import Booking, BookingWish
from app.models.delivery import Contact, Delivery, NoticeWish
from app.models.payment import Payment
from app.models.place import Office
from app.models.ticket import Ticket
from app.services import bookings, contact_codes, contacts, line_links, lines, notices, payments, tickets, waiting_list
from app.services.contact_codes import Verdict
from app.web import security
from app.web.api.tickets import secret
from app.web.errors import sentence, status_of
from app.web.limits import limit_public
from app.web.locale import language

blueprint = Blueprint("notify", __name__)
LINKS_LAST = timedelta(days=60)
# What is proved by a code before the first message.
_PROVED = (Channel.SMS, Channel.EMAIL)
_REFUSALS = (InvalidInput, Conflict, TooMany)


def ways() -> Ways:
    """The channels of this installation; made once."""
    found = current_app.extensions.get("ways")
    if not isinstance(found, Ways):
        found = current_app.extensions["ways"] = ways_of(current_app.config["SETTINGS"])
    return found


def sealer() -> Sealer:
    """Seals with this installation's secret; made once."""
    found = current_app.extensions.get("sealer")
    if not isinstance(found, Sealer):
        found = current_app.extensions["sealer"] = Sealer(secret())
    return found


def shown(session: Session, ticket_id: int) -> dict[str, Any]:
    """What the page of a number says about being told: the channels there are, and what was wished."""
    found = notices.of_ticket(session, ticket_id)
    person = session.get(Contact, found.contact_id) if found and found.contact_id else None
    told: dict[str, Any] = {"ways": [str(name) for name in ways().channels], "wish": found, "to": "", "word": ""}
    if found is None:
        return told
    if person is not None and found.channel in _PROVED:
        told["to"] = contact_rules.masked(contacts.reveal(sealer(), person))
    if found.channel == Channel.LINE and not found.active:
        told["word"] = line_links.word(secret(), ticket_id)
    return told


def _page(template: str, session: Session, ticket: Ticket, token: str, error: DomainError | None = None) -> Response:
    html = render_template(
        f"notify/{template}.html", ticket=ticket, token=token, office=session.get_one(Office, ticket.office_id),
        notice=shown(session, ticket.id), choices=notices.CHOICES,
        error=sentence(error.reason, error.values) if error else "",
        field=str(error.values.get("field", "")) if error else "", typed=request.form,
        push_key=public_key(secret()) if Channel.PUSH in ways().channels else "",
    )  # fmt: skip
    response = Response(html, status=status_of(error) if error else 200)
    response.headers["Referrer-Policy"] = "no-referrer"
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.values.get("retry_after", 600))
    return response


def _again(template: str, token: str, error: DomainError) -> Response:
    """The form once more with what is wrong; nothing of it was kept."""
    with security.database().snapshot() as session:
        return _page(template, session, tickets.by_token(session, token), token, error)


def _to_ticket(token: str) -> Any:
    return redirect(url_for("resident.ticket", token=token), 303)


@blueprint.get("/t/<token>/notify")
@security.policy(Function.PUBLIC)
@limit_public("look")
def choose(token: str) -> Response:
    """When and where to be told."""
    with security.database().snapshot() as session:
        return _page("choose", session, tickets.by_token(session, token), token)


@blueprint.post("/t/<token>/notify")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def wished(token: str) -> Any:
    """Keep the wish; a number or address is proved by a code first."""
    try:
        # Whoever will be refused is refused by reading: nobody waits for a lock because of it.
        with security.database().snapshot() as session:
            ticket = tickets.by_token(session, token)
            wanted = _asked(session, ticket)
            if wanted.channel in _PROVED:
                _refuse_code(session, ticket, wanted.channel, wanted.value)
        with security.database().transaction() as session:
            proved = _wish(session, tickets.by_token(session, token))
    except _REFUSALS as error:
        return _again("choose", token, error)
    return _to_ticket(token) if proved else redirect(url_for("notify.code", token=token), 303)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a form asks for; ``value``: the contact in its stored form, nothing for LINE."""

    channel: Channel
    rule: str
    amount: int
    value: str


def _asked(session: Session, ticket: Ticket) -> Wanted:
    """What the form asks for this number. Raises what is wrong with it."""
    if all(State(step.state) in FINAL for step in lines.steps_of(session, ticket.id)):
        raise Conflict("already_cancelled")
    rule, _, amount = request.form.get("by", "").partition(":")
    name = request.form.get("ch", "")
    if name not in [str(each) for each in Channel] or not amount.isascii() or not amount.isdigit():
        raise InvalidInput("bad_wish", field="by")
    channel = Channel(name)
    if channel not in ways().channels:
        raise Conflict("channel_off")
    notices.refuse_unknown(rule, int(amount[:4]))
    return Wanted(channel=channel, rule=rule, amount=int(amount[:4]), value=_value(channel))


def _value(channel: Channel) -> str:
    if channel is Channel.LINE:
        return ""
    if channel is Channel.PUSH:
        return _subscription()
    return contacts.normal(channel, request.form.get("tel" if channel is Channel.SMS else "mail", ""))


def _wish(session: Session, ticket: Ticket) -> bool:
    """Keep it; whether the wish needs no code any more. Raises what is wrong with the form."""
    wanted = _asked(session, ticket)
    contact_id, active = _contact(session, ticket, wanted)
    notices.wish(
        session, ticket=ticket, channel=wanted.channel, contact_id=contact_id, rule=wanted.rule, amount=wanted.amount,
        language=language(), active=active, at=security.now(),
    )  # fmt: skip
    return active or wanted.channel is Channel.LINE


def _refuse_code(session: Session, ticket: Ticket, channel: Channel, value: str) -> None:
    contact_codes.refuse(
        session, sealer=sealer(), ticket=ticket, channel=channel, value=value, at=security.now()
    )  # fmt: skip


def _contact(session: Session, ticket: Ticket, wanted: Wanted) -> tuple[int | None, bool]:
    at = security.now()
    if wanted.channel is Channel.LINE:
        return None, False
    if wanted.channel is Channel.PUSH:
        office = session.get_one(Office, ticket.office_id)
        kept = contacts.keep(
            session, sealer=sealer(), municipality_id=office.municipality_id, channel=wanted.channel, at=at,
            value=wanted.value, erase_at=contacts.after_visit(at),
        )  # fmt: skip
        return kept.id, True
    asked = contact_codes.ask(
        session, sealer=sealer(), ticket=ticket, channel=wanted.channel, value=wanted.value, language=language(), at=at
    )
    return asked.id, False


def _subscription() -> str:
    """What a browser gave, if it is one of a push service we know: anybody could give any address."""
    try:
        given = json.loads(request.form.get("subscription", "")[:4000])
        keys = given["keys"]
        endpoint, sealing = str(given["endpoint"]), {name: str(keys[name]) for name in ("p256dh", "auth")}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput("bad_wish", field="ch") from None
    if not is_push_service(endpoint):
        raise InvalidInput("bad_wish", field="ch")
    return json.dumps({"endpoint": endpoint, "keys": sealing})


@blueprint.get("/t/<token>/notify/code")
@security.policy(Function.PUBLIC)
@limit_public("look")
def code(token: str) -> Any:
    """Where the six digits are entered."""
    with security.database().snapshot() as session:
        ticket = tickets.by_token(session, token)
        found = notices.of_ticket(session, ticket.id)
        if found is None or found.active:
            return _to_ticket(token)
        return _page("code", session, ticket, token)


@blueprint.post("/t/<token>/notify/code")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def proved(token: str) -> Any:
    """Try the digits; a wrong try counts."""
    digits = unicodedata.normalize("NFKC", request.form.get("code", "")[:20]).strip().replace(" ", "")
    with security.database().snapshot() as session:
        if contact_codes.is_dead(session, tickets.by_token(session, token), at=security.now()):
            dead = Conflict(Verdict.DEAD, field="code")
            return _page("code", session, tickets.by_token(session, token), token, dead)
    with security.database().transaction() as session:
        ticket = tickets.by_token(session, token)
        verdict, contact_id = contact_codes.check(
            session, secret=secret(), ticket=ticket, digits=digits, at=security.now()
        )
        found = session.get(NoticeWish, ticket.id)
        if verdict is Verdict.RIGHT and found is not None:
            found.contact_id, found.active = contact_id, True
    if verdict is Verdict.WRONG:
        return _again("code", token, InvalidInput(verdict, field="code"))
    if verdict is Verdict.DEAD:
        return _again("code", token, Conflict(verdict, field="code"))
    return _to_ticket(token)


@blueprint.post("/t/<token>/notify/again")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def again(token: str) -> Any:
    """Another code to the same number or address."""
    try:
        with security.database().snapshot() as session:
            ticket, channel, value = _unproved(session, token)
            _refuse_code(session, ticket, channel, value)
        with security.database().transaction() as session:
            ticket, channel, value = _unproved(session, token)
            contact_codes.ask(
                session, sealer=sealer(), ticket=ticket, channel=channel, language=language(), value=value,
                at=security.now(),
            )  # fmt: skip
    except _REFUSALS as error:
        return _again("code", token, error)
    return redirect(url_for("notify.code", token=token), 303)


def _unproved(session: Session, token: str) -> tuple[Ticket, Channel, str]:
    """The number of a link with the contact its holder has still to prove. Raises Conflict("code_dead")."""
    ticket = tickets.by_token(session, token)
    found = notices.of_ticket(session, ticket.id)
    person = session.get(Contact, found.contact_id) if found and found.contact_id else None
    if found is None or found.active or person is None:
        raise Conflict("code_dead", field="code")
    return ticket, Channel(person.channel), contacts.reveal(sealer(), person)


@blueprint.post("/t/<token>/notify/stop")
@security.policy(Function.PUBLIC)
@limit_public("look")
def stopped(token: str) -> Any:
    """No more of it."""
    with security.database().snapshot() as session:
        if not notices.is_told(session, tickets.by_token(session, token)):
            return _to_ticket(token)
    with security.database().transaction() as session:
        notices.stop(session, tickets.by_token(session, token), at=security.now())
    return _to_ticket(token)


@blueprint.get("/s/<code>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def short(code: str) -> Any:
    """Where a message's short link leads; 404 for everything else, and for one whose time is over."""
    with security.database().snapshot() as session:
        found = session.scalar(select(Delivery).where(Delivery.link_hash == token_hash(code)))
        if found is None or found.created_at < security.now() - LINKS_LAST:
            raise NotFound(what="link")
        address = _address(session, found.target)
    response = redirect(address, 302)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _address(session: Session, target: str) -> str:
    kind, _, number = target.partition(":")
    if kind == "ticket":
        ticket = session.get(Ticket, int(number))
        if ticket is not None:
            return url_for("resident.ticket", token=ticket_token(secret(), ticket.seed))
    if kind == "booking":
        booking = session.get(Booking, int(number))
        if booking is not None:
            return f"/b/{bookings.token_of(booking, secret())}"
    if kind == "wish":
        wish = session.get(BookingWish, int(number))
        if wish is not None:
            return f"/w/{waiting_list.token_of(wish, secret())}"
    if kind == "payment":
        payment = session.get(Payment, int(number))
        if payment is not None:
            return f"/pay/{payments.token_of(secret(), payment)}"
    raise NotFound(what="link")


@blueprint.get("/push-worker.js")
@security.policy(Function.PUBLIC)
def worker() -> Response:
    """The script that shows a notice while the page is closed; it stands at the root, since a page's reach is below."""
    response = current_app.send_static_file("js/push_worker.js")
    response.headers["Cache-Control"] = "no-cache"
    return response
