"""A full day: what else can be done, and the waiting list (キャンセル待ち) at its own link."""

from datetime import date, datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain import booking as rules
from app.domain import contact
from app.domain.booking import Person, WishState
from app.domain.errors import Conflict, DomainError, InvalidInput, TooMany
from app.domain.roles import Function
from app.models.booking import BookingWish
from app.models.delivery import Contact
from app.models.place import Office
from app.services import bookings, catalogue, contacts, waiting_list
from app.services.waiting_list import Place
from app.services.waiting_offers import OFFER_LASTS
from app.web import security
from app.web.api.tickets import secret
from app.web.booking.calendar import Days
from app.web.booking.choose import draw_times
from app.web.booking.frame import asked, asked_day, blueprint, sealer, today
from app.web.errors import sentence
from app.web.limits import limit_public
from app.web.locale import language

# So long an offer is kept, unless the visit begins sooner.
HOURS = int(OFFER_LASTS.total_seconds() // 3600)


@blueprint.get("/o/<office>/book/full")
@security.policy(Function.PUBLIC)
@limit_public("look")
def full(office: str) -> str:
    """A full day: the next free time, the waiting list, or coming without a booking."""
    return _full(office, asked_day("day", today()))


def _full(office: str, day: date, *, fault: Any = None, typed: str = "") -> str:
    with security.database().snapshot() as session:
        wish = asked(session, catalogue.office(session, office))
        found = Days(session, wish, at=security.now())
        return render_template(
            "booking/full.html", office=wish.office, wanted=wish, address=wish.address, day=day, typed=typed,
            hours=HOURS, rows=found.rows(day), soonest=found.soonest, crowd=found.crowd(day), fault=fault,
            waiting=_waiting(session, office, day),
            may_wait=found.summary(day).any and not found.summary(day).free, key=security.fresh_secret(),
        )  # fmt: skip


def _waiting(session: Session, office: str, day: date) -> int:
    """How many wait for a place on this day."""
    query = select(func.count()).where(
        BookingWish.office_id == office, BookingWish.state == WishState.WAITING, BookingWish.first_day <= day,
        BookingWish.last_day >= day,
    )  # fmt: skip
    return session.scalar(query) or 0


@blueprint.post("/o/<office>/book/wait")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def wait(office: str) -> Any:
    """Onto the list; a contact that is none is told beside its field."""
    day, typed, seed = asked_day("day"), request.form.get("contact", "").strip(), security.fresh_secret()
    try:
        person = _reached(typed)
        with security.database().snapshot() as session:
            wish = asked(session, catalogue.office(session, office))
            wanted = waiting_list.Wanted(
                office_id=office, services=wish.visit.services, first_day=day, last_day=day, party=wish.party,
                language=language(),
            )  # fmt: skip
            waiting_list.refuse(session, wanted=wanted, person=person, sealer=sealer(), at=security.now())
        with security.database().transaction() as session:
            made = waiting_list.ask(
                session, wanted=wanted, person=person, seed=seed, secret=secret(), sealer=sealer(), at=security.now()
            )
            token = waiting_list.token_of(made, secret())
    except (InvalidInput, Conflict, TooMany) as error:
        if error.reason == "day_not_full":
            return _times(office, day, error), 409
        return _full(office, day, fault=sentence(error.reason, dict(error.values)), typed=typed), 422
    return redirect(url_for("booking.waiting", token=token), 303)


def _times(office: str, day: date, error: DomainError) -> str:
    """Somebody gave a place back meanwhile: here are the day's times."""
    with security.database().snapshot() as session:
        wish = asked(session, catalogue.office(session, office))
        return draw_times(Days(session, wish, at=security.now()), wish, day, address=wish.address, refused=error)


def _reached(typed: str) -> Person:
    """An address has a sign that no number has."""
    return bookings.person_of(email=typed) if "@" in typed else bookings.person_of(phone=typed)


@blueprint.get("/w/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def waiting(token: str) -> str:
    """The place on the list, and what is offered."""
    return _page(token)


def _page(token: str, refused: Any = None) -> str:
    with security.database().snapshot() as session:
        place = waiting_list.place(session, waiting_list.by_token(session, token), at=security.now())
        return render_template(
            "booking/waiting.html", office=session.get_one(Office, place.wish.office_id), hours=HOURS,
            entry=_entry(place) | {"contact": _contact(session, place.wish)}, token=token,
            refused=refused, key=security.fresh_secret(),
        )  # fmt: skip


def _entry(place: Place) -> dict[str, Any]:
    state = "offered" if place.offered else "waiting" if place.state is WishState.WAITING else "over"
    start: datetime | None = place.offered
    return {
        "state": state, "start": start, "offered_until": place.until, "day": place.wish.first_day,
        "place": place.ahead + 1,
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
