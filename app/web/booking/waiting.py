"""A full day: what else can be done, and the waiting list (キャンセル待ち) at its own link."""

from datetime import date, datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import booking as rules
from app.domain import contact
from app.domain.booking import Half, Person, WishState
from app.domain.errors import Conflict, DomainError, InvalidInput, TooMany
from app.domain.roles import Function
from app.models.booking import BookingWish
from app.models.delivery import Contact
from app.models.place import Category, Office
from app.services import bookings, catalogue, contacts, waiting_list
from app.services.waiting_list import Place
from app.services.waiting_offers import OFFER_LASTS
from app.web import security
from app.web.api.tickets import secret
from app.web.booking.calendar import Days
from app.web.booking.choose import draw_times
from app.web.booking.frame import Wanted, asked, asked_day, blueprint, sealer, today, told_by, wanted
from app.web.errors import sentence
from app.web.limits import limit_public
from app.web.locale import language

# So long an offer is kept, unless the visit begins sooner.
HOURS = int(OFFER_LASTS.total_seconds() // 3600)


@blueprint.get("/o/<office>/book/full")
@security.policy(Function.PUBLIC)
@limit_public("look")
def full(office: str) -> Any:
    """A full day, or a full half of one: the next free time, the waiting list, or coming without a booking."""
    day, half = asked_day("day", today()), _half()
    with security.database().snapshot() as session:
        wish = asked(session, catalogue.office(session, office))
        found = Days(session, wish, at=security.now())
        halves = found.full_halves(day)
        if Half.EITHER not in halves and half not in halves:
            # Somebody gave a place back, or there is no time at all; the times say which.
            return redirect(wish.address("times", day=day.isoformat()), 303)
        return _full(session, found, wish, day, half=half)


def _half() -> Half:
    """The half of the day that was asked for. Raises InvalidInput for what is none."""
    try:
        return Half(request.values.get("half", Half.EITHER))
    except ValueError:
        raise InvalidInput(fields=["half"]) from None


def _full(
    session: Session, found: Days, wish: Wanted, day: date, *, half: Half, fault: Any = None, typed: str = ""
) -> str:
    halves = found.full_halves(day)
    if Half.EITHER not in halves:
        halves = [half]
    return render_template(
        "booking/full.html", office=wish.office, wanted=wish, address=wish.address, day=day, typed=typed, half=half,
        hours=HOURS, rows=found.rows(day), soonest=found.soonest, last=found.last, crowd=found.crowd(day),
        forecast=found.forecast(day), fault=fault, waiting=_waiting(session, wish.office.id, day, halves[0]),
        halves=halves, walk_in=_walk_in(session, wish), told_by=told_by(), key=security.fresh_secret(),
    )  # fmt: skip


def _walk_in(session: Session, wish: Wanted) -> bool:
    """Whether one may come for it without a booking."""
    return not any(session.get_one(Category, line).booking_only for line in wish.lines)


def _waiting(session: Session, office: str, day: date, half: Half) -> int:
    """How many wait for a place in this half of the day."""
    query = select(func.count()).where(
        BookingWish.office_id == office, BookingWish.state == WishState.WAITING, BookingWish.first_day <= day,
        BookingWish.last_day >= day, BookingWish.half.in_(half.rivals),
    )  # fmt: skip
    return session.scalar(query) or 0


@blueprint.post("/o/<office>/book/wait")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def wait(office: str) -> Any:
    """Onto the list; a contact that is none is told beside its field."""
    day, half, typed = asked_day("day"), _half(), request.form.get("contact", "").strip()
    seed = security.fresh_secret()
    try:
        person = _reached(typed)
        with security.database().snapshot() as session:
            wish = asked(session, catalogue.office(session, office))
            place = waiting_list.Wanted(
                office_id=office, services=wish.visit.services, first_day=day, last_day=day, half=half,
                party=wish.party, language=language(),
            )  # fmt: skip
            waiting_list.refuse(session, wanted=place, person=person, sealer=sealer(), at=security.now())
        with security.database().transaction() as session:
            made = waiting_list.ask(
                session, wanted=place, person=person, seed=seed, secret=secret(), sealer=sealer(), at=security.now()
            )
            token = waiting_list.token_of(made, secret())
    except (InvalidInput, Conflict, TooMany) as error:
        return _refused(office, day, half, error, typed)
    return redirect(url_for("booking.waiting", token=token), 303)


def _refused(office: str, day: date, half: Half, error: DomainError, typed: str) -> Any:
    """Why there is no place on the list: beside the field, or, where it needs none, over the day's times."""
    with security.database().snapshot() as session:
        wish = asked(session, catalogue.office(session, office))
        found = Days(session, wish, at=security.now())
        if half not in found.full_halves(day) or error.reason == "day_not_full":
            return draw_times(found, wish, day, address=wish.address, refused=error), 409
        fault = sentence(error.reason, dict(error.values))
        return _full(session, found, wish, day, half=half, fault=fault, typed=typed), 422


def _reached(typed: str) -> Person:
    """An address has a sign that no number has. Raises Conflict("channel_off") for what nobody would be told by."""
    way = "email" if "@" in typed else "phone"
    person = bookings.person_of(**{way: typed})
    if way not in told_by():
        raise Conflict("channel_off")
    return person


@blueprint.get("/w/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def waiting(token: str) -> str:
    """The place on the list, and what is offered."""
    return _page(token)


def _page(token: str, refused: Any = None) -> str:
    with security.database().snapshot() as session:
        place = waiting_list.place(session, waiting_list.by_token(session, token), at=security.now())
        office = session.get_one(Office, place.wish.office_id)
        return render_template(
            "booking/waiting.html", office=office, hours=HOURS, token=token, refused=refused,
            entry=_entry(place) | {"contact": _contact(session, place.wish)}, key=security.fresh_secret(),
            **_elsewhere(session, office, place),
        )  # fmt: skip


def _entry(place: Place) -> dict[str, Any]:
    state = "offered" if place.offered else "waiting" if place.state is WishState.WAITING else "over"
    start: datetime | None = place.offered
    return {
        "state": state, "start": start, "offered_until": place.until, "day": place.wish.first_day,
        "half": place.wish.half, "place": place.ahead + 1,
    }  # fmt: skip


def _elsewhere(session: Session, office: Office, place: Place) -> dict[str, Any]:
    """The earliest free time, for who has no offer; without ``last`` it can be booked no more."""
    nothing = {"soonest": None, "last": None, "address": None, "forecast": url_for("congestion.show", office=office.id)}
    if place.offered:
        return nothing
    try:
        wish = wanted(session, office, place.wish.services, place.wish.party)
    except DomainError:
        return nothing
    found = Days(session, wish, at=security.now())
    return {
        "soonest": found.soonest, "last": found.last, "address": wish.address,
        "forecast": found.forecast(place.wish.first_day),
    }  # fmt: skip


def _contact(session: Session, wish: BookingWish) -> str:
    """Where an offer would go; only its owner recognises it. Empty where it has been erased."""
    found = session.get(Contact, wish.contact_id) if wish.contact_id is not None else None
    return contact.masked(contacts.reveal(sealer(), found)) if found else ""


@blueprint.post("/w/<token>/accept")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def accept(token: str) -> Any:
    """Take the offered time: it becomes a booking."""
    try:
        with security.database().transaction() as session:
            made = waiting_list.accept(
                session, waiting_list.by_token(session, token), person=Person(), seed=security.fresh_secret(),
                secret=secret(), sealer=sealer(), at=security.now(),
            )  # fmt: skip
            link = rules.token(secret(), "booking", made.seed)
    except (Conflict, InvalidInput, TooMany) as error:
        return _page(token, sentence(error.reason, dict(error.values))), 409
    return redirect(url_for("booking.show", token=link, new=1), 303)


@blueprint.post("/w/<token>/leave")
@security.policy(Function.PUBLIC)
@limit_public("write")
def leave(token: str) -> Any:
    """Leave the list; what was offered goes to the next."""
    with security.database().transaction() as session:
        waiting_list.withdraw(session, waiting_list.by_token(session, token), at=security.now())
    return redirect(url_for("booking.waiting", token=token), 303)
