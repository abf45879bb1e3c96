"""A booking at its signed link: look, calendar file, move, cancel, check in. A GET changes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.domain import contact
from app.domain.booking import State, Timing, place_of, spoken_reference
from app.domain.calendar import business_date
from app.domain.errors import Conflict, DomainError, InvalidInput
from app.domain.refs import ticket_token
from app.domain.roles import Function
from app.models.booking import Booking
from app.models.place import Office, Service
from app.models.ticket import Ticket
from app.services import bookings, guide
from app.web import security, till
from app.web.api.once import once
from app.web.api.tickets import secret
from app.web.arrival import arrive
from app.web.booking.calendar import Days
from app.web.booking.choose import draw_days, draw_times
from app.web.booking.frame import Wanted, asked_day, asked_start, blueprint, place, sealer, today
from app.web.booking.hold import address_of
from app.web.booking.ics import event_file
from app.web.limits import limit_public
from app.web.locale import t
from app.web.pay.frame import on_cancelling, pay_address
from app.web.resident import qr


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A booking as its holder sees it. ``state``: booked, cancelled, missed, done (arrived or over).

    ``withdrawn``: what it is for can be booked no more; it stands, and no other time can be had for it.
    """

    reference: str
    state: str
    start: datetime
    ends: datetime
    opens_at: datetime
    change_until: datetime
    may_change: bool
    withdrawn: bool
    came: Timing

    @property
    def open(self) -> bool:
        return self.state == "booked"

    @property
    def may_move(self) -> bool:
        return self.open and self.may_change and not self.withdrawn

    @property
    def checks_in(self) -> bool:
        """Whether a check-in now would be taken."""
        return self.state in ("booked", "missed") and self.came not in (Timing.TOO_EARLY, Timing.OVER)

    @property
    def day(self) -> date:
        return business_date(self.start)


_STATES = {
    State.BOOKED: "booked", State.ARRIVED: "done", State.NO_SHOW: "missed",
    State.CANCELLED: "cancelled", State.EXPIRED: "cancelled", State.HELD: "cancelled",
}  # fmt: skip


def card(session: Session, booking: Booking, *, at: datetime) -> Card:
    """What the rules of its lines say of a booking at an instant."""
    return Card(
        reference=spoken_reference(booking.reference or ""), state=_STATES[State(booking.state)],
        start=booking.start_at, ends=booking.end_at, change_until=booking.start_at, may_change=at < booking.start_at,
        opens_at=bookings.check_in_opens(session, booking), came=bookings.arrival(session, booking, at=at),
        withdrawn=bookings.visit_of(session, booking).withdrawn,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A booking with all that its pages need."""

    booking: Booking
    office: Office
    wish: Wanted
    card: Card


def read(session: Session, token: str, *, at: datetime) -> Kept:
    """The booking of a link; NotFound for any other."""
    booking = bookings.by_token(session, token)
    office = session.get_one(Office, booking.office_id)
    visit = bookings.visit_of(session, booking)
    services = [session.get_one(Service, name) for name in booking.services]
    wish = Wanted(office=office, visit=visit, services=services, party=booking.party)
    return Kept(booking=booking, office=office, wish=wish, card=card(session, booking, at=at))


@blueprint.get("/b/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def show(token: str) -> Any:
    """The booking's page, in every state."""
    at = security.now()
    with security.database().snapshot() as session:
        kept = read(session, token, at=at)
        if kept.booking.state == State.HELD:
            return redirect(url_for("booking.held", office=kept.office.id, token=token), 303)
        documents = guide.documents(kept.wish.services)
        return render_template(
            "booking/booking.html", office=kept.office, booking=kept.card, wanted=kept.wish, token=token,
            documents=documents, fresh=request.args.get("new"), moved=request.args.get("moved"),
            place=place(session, kept.wish.lines), qr=qr(address_of(token)), told=_told(kept.booking),
            checks_in=kept.card.checks_in, ticket_address=_ticket(session, kept.booking),
            pay_address=pay_address(session, "booking", token), pays_online=till.is_on(session),
        )  # fmt: skip


def _told(booking: Booking) -> Markup | None:
    """Where a notice would go; only its owner recognises it."""
    for name in ("email", "phone"):
        sealed = getattr(booking, f"sealed_{name}")
        if sealed:
            reached = sealer().open(sealed, place_of(booking.seed, name))
            return t("お知らせの あて先: %(contact)s", contact=contact.masked(reached))
    return None


def _ticket(session: Session, booking: Booking) -> str | None:
    if booking.ticket_id is None:
        return None
    seed = session.get_one(Ticket, booking.ticket_id).seed
    return url_for("resident.ticket", token=ticket_token(secret(), seed))


@blueprint.get("/b/<token>/booking.ics")
@security.policy(Function.PUBLIC)
@limit_public("look")
def calendar_file(token: str) -> Response:
    """The visit for a calendar: where and when, the reference, no procedure."""
    at = security.now()
    with security.database().snapshot() as session:
        kept = read(session, token, at=at)
        body = event_file(kept.booking, kept.office, reference=kept.card.reference, address=address_of(token))
    response = Response(body, mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'attachment; filename="booking.ics"'
    return response


@blueprint.get("/b/<token>/cancel")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ask_cancel(token: str) -> Any:
    """Ask first; a link opened by a mail scanner changes nothing."""
    with security.database().snapshot() as session:
        kept = read(session, token, at=security.now())
        if not kept.card.open:
            return redirect(url_for("booking.show", token=token), 303)
        return render_template(
            "booking/cancel.html", office=kept.office, booking=kept.card, services=kept.wish.services, token=token,
            refund=on_cancelling(session, "booking", token), key=security.fresh_secret(),
        )  # fmt: skip


@blueprint.post("/b/<token>/cancel")
@security.policy(Function.PUBLIC)
@limit_public("write")
def cancel(token: str) -> Any:
    """Give the time back."""
    with security.database().transaction() as session:
        bookings.cancel(
            session, bookings.by_token(session, token), actor="resident",
            at=security.now(),
        )  # fmt: skip
    return redirect(url_for("booking.show", token=token), 303)


def _addresses(token: str) -> Callable[..., str]:
    """The pages of choosing, for a booking that is moved."""
    pages = {"days": "booking.move_days", "times": "booking.move_times", "full": "booking.move_times",
             "ask_move": "booking.ask_move"}  # fmt: skip
    return lambda page, **values: url_for(pages[page], token=token, **values)


@blueprint.get("/b/<token>/move")
@security.policy(Function.PUBLIC)
@limit_public("look")
def move_days(token: str) -> Any:
    """The calendar for another day; the booking stays as it is."""
    at = security.now()
    with security.database().snapshot() as session:
        kept = read(session, token, at=at)
        if not kept.card.may_move:
            return redirect(url_for("booking.show", token=token), 303)
        return draw_days(Days(session, kept.wish, at=at), kept.wish, address=_addresses(token),
                         back=url_for("booking.show", token=token), moving=True)  # fmt: skip


@blueprint.get("/b/<token>/move/times")
@security.policy(Function.PUBLIC)
@limit_public("look")
def move_times(token: str) -> Any:
    """The times of another day."""
    with security.database().snapshot() as session:
        return _move_times(session, token, asked_day("day", today()))


def _move_times(session: Session, token: str, day: date, refused: DomainError | None = None) -> Any:
    """The times of a day; the booking itself where no other time can be had for it, with why if it was asked."""
    at = security.now()
    kept = read(session, token, at=at)
    if not kept.card.may_move:
        if refused is not None:
            raise refused
        return redirect(url_for("booking.show", token=token), 303)
    return draw_times(Days(session, kept.wish, at=at), kept.wish, day, address=_addresses(token), moving=True,
                      refused=refused)  # fmt: skip


@blueprint.get("/b/<token>/move/ask")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ask_move(token: str) -> Any:
    """Old and new time side by side."""
    start = asked_start(request.args.get("start"))
    with security.database().snapshot() as session:
        kept = read(session, token, at=security.now())
        if not kept.card.may_move:
            return redirect(url_for("booking.show", token=token), 303)
        return render_template(
            "booking/move.html", office=kept.office, booking=kept.card, token=token, start=start,
            day=business_date(start), key=security.fresh_secret(),
        )  # fmt: skip


@blueprint.post("/b/<token>/move")
@security.policy(Function.PUBLIC)
@limit_public("write")
def move(token: str) -> Any:
    """Change the time; when the new one is gone, the old one stays and the day's times are shown.

    The same form again, however late, moves nothing: the booking may have been moved on since.
    """
    at, start = security.now(), asked_start(request.form.get("start"))
    security.idempotency("public:bookings")

    def work(session: Session) -> dict[str, Any]:
        found = bookings.move(session, bookings.by_token(session, token), start=start, actor="resident", at=at)
        return {"start": found.start_at.isoformat()}

    try:
        once("public:bookings", work, at=at)
    except (Conflict, InvalidInput) as error:
        with security.database().snapshot() as session:
            return _move_times(session, token, business_date(start), error), 409
    return redirect(url_for("booking.show", token=token, moved=1), 303)


@blueprint.get("/b/<token>/check-in")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ask_check_in(token: str) -> Any:
    """Have you arrived? Too early, too late, or one button."""
    at = security.now()
    with security.database().snapshot() as session:
        kept = read(session, token, at=at)
        if kept.card.state not in ("booked", "missed"):
            return redirect(url_for("booking.show", token=token), 303)
        return render_template(
            "booking/check_in.html", office=kept.office, booking=kept.card, token=token, key=security.fresh_secret(),
            place=place(session, kept.wish.lines), early=kept.card.came is Timing.TOO_EARLY,
            over=kept.card.came is Timing.OVER,
            late=int((at - kept.card.start).total_seconds() // 60) if at > kept.card.start else 0,
        )  # fmt: skip


@blueprint.post("/b/<token>/check-in")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def check_in(token: str) -> Any:
    """The number of the visit; again: the same number."""
    return redirect(url_for("resident.ticket", token=arrive(token, actor="resident")), 303)
