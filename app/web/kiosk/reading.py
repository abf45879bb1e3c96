"""What is held to the kiosk's reader or typed on its keys: a booking, the 受付案内票 of the guide, a number from home.

A QR code holds an address of ours; only what stands behind its last part matters, so that a code printed under an
older address of the city still opens. Nothing that is read is followed as a link.
"""

from datetime import datetime
from typing import Any

from flask import Response, redirect, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.booking import State, normal_reference, spoken_reference
from app.domain.calendar import business_date
from app.domain.errors import Closed, NotFound
from app.domain.guide import normal_code, spaced
from app.domain.refs import ticket_token, token_hash
from app.domain.roles import Function
from app.domain.ticket import State as Step
from app.models.booking import Booking
from app.models.place import Category, Service
from app.models.ticket import Ticket
from app.services import bookings, guide, kiosk_visit, requests, tickets
from app.services.guide import Plan
from app.web import security
from app.web.api.tickets import secret, take
from app.web.arrival import arrive
from app.web.errors import sentence
from app.web.kiosk import words
from app.web.kiosk.door import Kiosk, at_kiosk, blueprint
from app.web.kiosk.pages import lines_now
from app.web.limits import limit_public
from app.web.locale import language

LONGEST = 300


@blueprint.after_request
def may_read_codes(response: Response) -> Response:
    """The reader of QR codes is machine code (WebAssembly) of our own; the kiosk is one document for the whole day,
    so what its first page may do holds for all."""
    response.headers["Content-Security-Policy"] = security.content_policy(scripts="'self' 'wasm-unsafe-eval'")
    return response


@blueprint.get("/<office>/scan")
@security.policy(Function.PUBLIC)
@limit_public("look")
def scan(office: str) -> str:
    """Hold the code to the reader."""
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        return render_template("kiosk/scan.html", kiosk=here, office=here.office, at=security.now())


@blueprint.get("/<office>/type")
@security.policy(Function.PUBLIC)
@limit_public("look")
def typing(office: str) -> str:
    """The number on keys, for those without a code to show."""
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        return render_template("kiosk/type.html", kiosk=here, office=here.office, at=security.now())


@blueprint.get("/<office>/read")
@security.policy(Function.PUBLIC)
@limit_public("look")
def read(office: str) -> Any:
    """Whose code it is; one that is nobody's here has four ways on."""
    text = request.args.get("code", "")[:LONGEST]
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        booking = _booking(session, here, text)
        if booking is not None:
            return redirect(words.link("arrival", token=bookings.token_of(booking, secret()), p=None), 303)
        code = _guide_code(session, here, text)
        if code is not None:
            return redirect(words.link("planned", code=code, p=None), 303)
        return _taken_at_home(session, here, last_part(text), at=security.now()) or _unread(here)


def _unread(here: Kiosk) -> tuple[str, int]:
    return render_template("kiosk/unread.html", kiosk=here, office=here.office, at=security.now()), 404


def _booking(session: Session, here: Kiosk, text: str) -> Booking | None:
    """The booking whose link or number was read; None for one of another office, or for something else."""
    last = last_part(text)
    reference = normal_reference(last)
    found = session.scalar(
        select(Booking).where(
            Booking.office_id == here.office.id,
            (Booking.token_hash == token_hash(last)) | (Booking.reference == reference),
        )
    )
    return found if found is not None and found.state not in (State.HELD, State.EXPIRED) else None


def last_part(text: str) -> str:
    """What a code stands for: the last part of an address of ours, or what was typed."""
    return text.partition("?")[0].rstrip("/").rsplit("/", 1)[-1]


def _taken_at_home(session: Session, here: Kiosk, code: str, *, at: datetime) -> Any:
    """The screen of a number taken at home, None where none was read.

    A number can be typed by anybody: this screen names no procedure and leads to no page of the number's.
    """
    brought = tickets.brought(session, here.office.id, code, at=at)
    if brought is None:
        return None
    ticket, _ = brought
    first = session.get_one(Category, ticket.category_id)
    return render_template(
        "kiosk/confirm.html", kiosk=here, office=here.office, at=at, line=first, code=code,
        told=kiosk_visit.coming(session, ticket, at=at),
        seen=tickets.describe(session, ticket, at=at), area=kiosk_visit.area(session, first),
        too_late=sentence("confirm_too_late", {}),
    )  # fmt: skip


@blueprint.post("/<office>/confirm")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def confirm(office: str) -> Any:
    """The holder of a number taken at home has come: it joins its line; touched again, it stays where it is."""
    at, code, who = security.now(), last_part(request.form.get("code", "")[:LONGEST]), security.principal()
    with security.database().transaction() as session:
        here = at_kiosk(session, office)
        brought = tickets.brought(session, office, code, at=at)
        if brought is None:
            raise NotFound(what="number")
        ticket, held = brought
        if here.closed and ticket.confirm_by is not None:
            raise Closed("kiosk_closed")
        tickets.confirm(session, ticket, actor=who.actor if who else "kiosk", at=at)
        waits = tickets.describe(session, ticket, at=at)["status"] == Step.WAITING
    if held and waits:
        return redirect(_number(here, code), 303)
    return redirect(words.link("read", code=code, p=None), 303)


def _guide_code(session: Session, here: Kiosk, text: str) -> str | None:
    """The code of the guide in what was read; None when it is something else."""
    code = normal_code(last_part(text))
    try:
        guide.book(session, here.office.municipality_id).guide.read(code)
    except NotFound:
        return None
    return code


@blueprint.get("/<office>/planned/<code>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def planned(office: str, code: str) -> str:
    """The procedures of a 受付案内票 as one visit: what there is, how long, and the one button."""
    at = security.now()
    board = lines_now(office, at)
    with security.database().snapshot() as session:
        here, made = _plan(session, office, code)
        stages = [(each.service, each.line) for each in made.walk_in if each.line is not None]
        told = kiosk_visit.preview(session, stages, priority=words.modes().pri, at=at) if stages else None
        return render_template(
            "kiosk/planned.html", kiosk=here, office=here.office, board=board, at=at, plan=made, told=told,
            code=spaced(made.code), key=security.fresh_secret(),
        )  # fmt: skip


@blueprint.post("/<office>/planned/<code>")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def planned_taken(office: str, code: str) -> Any:
    """One number with all the steps of the sheet; once for the form's key."""
    request_ = security.idempotency(f"public:{office}")
    with security.database().snapshot() as session:
        here, made = _plan(session, office, code)
        if here.closed and not requests.known(session, request_.scope, request_.key):
            raise Closed("kiosk_closed")
    wish = tickets.Wish(
        services=[each.service.id for each in made.walk_in], channel="kiosk", language=language(),
        priority=words.modes().pri,
    )  # fmt: skip
    return redirect(_number(here, take(office, wish)["token"]), 303)


@blueprint.get("/<office>/arrival/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def arrival(office: str, token: str) -> Any:
    """A booking read: too early, on time, late, or not of today; its number if it has one already."""
    at = security.now()
    board = lines_now(office, at)
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        booking = bookings.by_token(session, token)
        if booking.office_id != office or booking.business_date != business_date(at):
            return _unread(here)
        if booking.ticket_id is not None:
            return redirect(_number(here, ticket_token(secret(), session.get_one(Ticket, booking.ticket_id).seed)), 303)
        return render_template(
            "kiosk/arrival.html", kiosk=here, office=here.office, board=board, at=at, booking=booking, token=token,
            line=session.get_one(Category, booking.category_id), came=str(bookings.arrival(session, booking, at=at)),
            services=[session.get_one(Service, name) for name in booking.services], key=security.fresh_secret(),
            opens_at=bookings.check_in_opens(session, booking), minutes=_minutes_past(booking, at),
            reference=spoken_reference(booking.reference or ""),
        )  # fmt: skip


def _minutes_past(booking: Booking, at: datetime) -> int:
    return max(int((at - booking.start_at).total_seconds() // 60), 0)


@blueprint.post("/<office>/arrival/<token>")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def arrived(office: str, token: str) -> Any:
    """The number of a booked visit; touched again: the same number."""
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        booking = bookings.by_token(session, token)
        if booking.office_id != office:
            return _unread(here)
        if here.closed and booking.ticket_id is None:
            raise Closed("kiosk_closed")
    return redirect(_number(here, arrive(token, actor="kiosk", priority=words.modes().pri)), 303)


def _number(here: Kiosk, token: str) -> str:
    """The address of a number's screen, printing it where the machine has a printer."""
    prints = "1" if here.device is not None and here.prints else None
    return words.link("ticket", p=None, pri=None, token=token, print=prints)


def _plan(session: Session, office_id: str, code: str) -> tuple[Kiosk, Plan]:
    here = at_kiosk(session, office_id)
    return here, guide.by_code(session, here.office, code)
