"""Tickets over HTTP: take one, look at it, give it back; staff confirm one that was taken at home."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from flask import Blueprint, Response, current_app
from pydantic import Field

from app.domain.refs import ticket_token
from app.domain.roles import Function, Role
from app.models.ticket import Ticket
from app.services import access, desk_acts, events, queue, requests, tickets
from app.web import security
from app.web.api.body import Body, answer, plain, read
from app.web.limits import limit_public

blueprint = Blueprint("api_tickets", __name__, url_prefix="/api/v1")
Language = Literal["ja", "ja-Hira", "en", "zh-Hans", "zh-Hant", "ko", "vi", "pt"]


class NewTicket(Body):
    services: list[str] = Field(min_length=1, max_length=12)
    language: Language = "ja"
    priority: bool = False
    party: int = Field(default=1, ge=1, le=20)


def secret() -> bytes:
    """The secret that derives ticket tokens."""
    return str(current_app.config["SECRET_KEY"]).encode()


def channel() -> str:
    """How the caller reaches us: a kiosk, staff, a program, or a resident on the web."""
    who = security.principal()
    if who is None:
        return "web"
    if who.role is Role.KIOSK:
        return "kiosk"
    return "staff" if who.kind == "staff" else "api"


def take(office_id: str, wish: tickets.Wish) -> dict[str, Any]:
    """Issue once per Idempotency-Key and describe; the token is derived anew, never stored.

    A replay gets the very answer that was given, marked ``replayed``.
    """
    who, at = security.principal(), security.now()
    request_ = security.idempotency(f"public:{office_id}")
    actor = who.actor if who else "public"
    seed = security.fresh_secret()
    if who is None:
        _refuse(office_id, wish, request_, at=at)
    with security.database().transaction() as session:
        office = events.lock_office(session, office_id)
        access.require(session, who, Function.TAKE_TICKET if who else Function.PUBLIC, office_id=office_id)
        if wish.channel == "web" and office.settings.get("web_ticket_confirm"):
            wish = replace(wish, confirm_by=at + tickets.CONFIRM_WITHIN)

        token = ""

        def work() -> dict[str, Any]:
            nonlocal token
            issued = tickets.issue_told(
                session, office_id=office_id, wish=wish, seed=seed, secret=secret(), actor=actor, at=at,
                request_key=request_.key,
            )  # fmt: skip
            token = issued.token
            described: dict[str, Any] = plain(tickets.describe_issued(session, issued))
            return described

        seen, replayed = requests.once(session, request_, at=at, work=work)
        if replayed:
            token = ticket_token(secret(), session.get_one(Ticket, seen["id"]).seed)
    return seen | {"token": token, "status_url": f"{current_app.config['ADDRESS']}/t/{token}", "replayed": replayed}


def _refuse(office_id: str, wish: tickets.Wish, request_: requests.Request, *, at: datetime) -> None:
    """A crowd at a closed door is refused by reading: nobody inside waits for a lock because of it."""
    with security.database().snapshot() as session:
        if not requests.known(session, request_.scope, request_.key):
            tickets.refuse(session, office_id=office_id, wish=wish, at=at)


@blueprint.post("/offices/<office>/tickets")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def issue(office: str) -> Response:
    """Take a number; 201, or 200 for a replay of the same key."""
    body = read(NewTicket)
    wish = tickets.Wish(
        services=body.services, channel=channel(), language=body.language, priority=body.priority, party=body.party
    )
    found = take(office, wish)
    return answer(found, 200 if found.pop("replayed") else 201)


@blueprint.get("/tickets/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def look(token: str) -> Response:
    """The ticket of a link; 404 for everything else."""
    with security.database().snapshot() as session:
        response = answer(tickets.view(session, token=token, at=security.now()))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.delete("/tickets/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def cancel(token: str) -> Response:
    """Give the number back; again: the same answer. 409 while at a counter or done."""
    at = security.now()
    with security.database().snapshot() as session:
        ticket = tickets.by_token(session, token)
        if not queue.to_cancel(session, ticket):
            return answer(tickets.describe(session, ticket, at=at))
    with security.database().transaction() as session:
        ticket = tickets.by_token(session, token)
        queue.cancel_ticket(session, ticket=ticket, actor="resident", at=at, reason="resident")
        return answer(tickets.describe(session, ticket, at=at))


@blueprint.post("/tickets/<int:ticket>/confirm")
@security.policy(Function.CALL)
def confirm(ticket: int) -> Response:
    """The holder of a number taken at home has come: it joins its line; 409 with nothing to confirm, or too late."""
    read(Body)
    who, at, asked = security.caller(), security.now(), security.idempotency()
    with security.database().transaction() as session:
        office_id = desk_acts.ticket_at(session, ticket).office_id
        events.lock_office(session, office_id)
        access.require(session, who, Function.CALL, office_id=office_id)

        def work() -> dict[str, Any]:
            found = session.get_one(Ticket, ticket, populate_existing=True)
            confirmed = desk_acts.confirm_ticket(session, found, actor=who.actor, at=at, request_key=asked.key)
            described: dict[str, Any] = plain(tickets.describe(session, confirmed, at=at))
            return described

        seen, _ = requests.once(session, asked, at=at, work=work)
    return answer(seen)
