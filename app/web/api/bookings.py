"""Bookings over HTTP: confirm a hold, look, move, cancel, check in. The token in the address is the right to it."""

from typing import Any

from flask import Blueprint, Response, current_app
from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from app.domain.refs import ticket_token
from app.domain.roles import Function
from app.models.booking import Booking
from app.models.ticket import Ticket
from app.services import access, booking_view, bookings, tickets
from app.web import security
from app.web.api.body import Body, answer, plain, read
from app.web.api.once import once
from app.web.api.tickets import Language, secret
from app.web.limits import limit_public
from app.web.sealing import sealer

blueprint = Blueprint("api_bookings", __name__, url_prefix="/api/v1/bookings")


class NewBooking(Body):
    """``hold``: the token of a held slot."""

    hold: str = Field(min_length=1, max_length=100)
    name: str | None = None
    phone: str | None = None
    email: str | None = Field(default=None, max_length=254)
    language: Language | None = None
    notes: str | None = None


class NewStart(Body):
    """``start``: of the slot it is moved to, with offset."""

    start: AwareDatetime


@blueprint.post("")
@security.policy(Function.PUBLIC)
@limit_public("write")
def confirm() -> Response:
    """Make a held slot a booking; 201, or 200 for a replay of the same key."""
    body, who, at = read(NewBooking), security.principal(), security.now()
    person = bookings.person_of(
        name=body.name or "", phone=body.phone or "", email=body.email or "", notes=body.notes or ""
    )

    def work(session: Session) -> dict[str, Any]:
        held = bookings.by_token(session, body.hold)
        access.require(session, who, Function.BOOK if who else Function.PUBLIC, office_id=held.office_id)
        made = bookings.confirm(
            session, held, person=person, sealer=sealer(), secret=secret(), actor=who.actor if who else "resident",
            at=at, language=body.language,
        )  # fmt: skip
        return {"booking": made.id}

    seen, replayed = once("public:bookings", work, at=at)
    with security.database().snapshot() as session:
        found = _given(session, session.get_one(Booking, seen["booking"]))
    return answer(found, 200 if replayed else 201)


def _given(session: Session, booking: Booking) -> dict[str, Any]:
    token = bookings.token_of(booking, secret())
    link = f"{current_app.config['ADDRESS']}/b/{token}"
    return booking_view.describe(session, booking) | {"token": token, "manage_url": link}


@blueprint.get("/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def look(token: str) -> Response:
    """The booking of a link; 404 for everything else."""
    with security.database().snapshot() as session:
        response = answer(booking_view.describe(session, bookings.by_token(session, token)))
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.post("/<token>/move")
@security.policy(Function.PUBLIC)
@limit_public("write")
def move(token: str) -> Response:
    """Another start; refused, the old one stays."""
    body, at = read(NewStart), security.now()

    def work(session: Session) -> dict[str, Any]:
        moved = bookings.move(
            session, bookings.by_token(session, token), start=body.start, actor="resident", at=at
        )  # fmt: skip
        found: dict[str, Any] = plain(booking_view.describe(session, moved))
        return found

    seen, _ = once("public:bookings", work, at=at)
    return answer(seen)


@blueprint.delete("/<token>")
@security.policy(Function.PUBLIC)
@limit_public("write")
def cancel(token: str) -> Response:
    """Give the slot back; again: the same answer. 409 after the arrival."""
    with security.database().transaction() as session:
        booking = bookings.by_token(session, token)
        bookings.cancel(session, booking, actor="resident", at=security.now(), reason="resident")
        return answer(booking_view.describe(session, bookings.by_token(session, token)))


@blueprint.post("/<token>/check-in")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def check_in(token: str) -> Response:
    """The party has come: 201 its ticket, one number for the whole visit; 200 when it was checked in before."""
    read(Body)
    at, seed, who = security.now(), security.fresh_secret(), security.principal()

    def work(session: Session) -> dict[str, Any]:
        ticket, issued = bookings.check_in(
            session, bookings.by_token(session, token), seed=seed, secret=secret(),
            actor=who.actor if who else "resident", at=at,
        )  # fmt: skip
        found = tickets.describe_issued(session, issued) if issued else tickets.describe(session, ticket, at=at)
        return {"again": issued is None, "ticket": plain(found)}

    seen, replayed = once("public:bookings", work, at=at)
    with security.database().glance() as session:
        link = ticket_token(secret(), session.get_one(Ticket, seen["ticket"]["id"]).seed)
    found = seen["ticket"] | {"token": link, "status_url": f"{current_app.config['ADDRESS']}/t/{link}"}
    return answer(found, 200 if replayed or seen["again"] else 201)
