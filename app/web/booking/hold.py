"""A time taken from everyone else for a few minutes, and the booking it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask import session as cookie
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.domain.booking import MOST_HOLDS, Asked, Person, State
from app.domain.calendar import business_date
from app.domain.errors import Conflict, DomainError, InvalidInput, NotFound, TooMany
from app.domain.roles import Function
from app.models.booking import Booking
from app.models.place import Office
from app.services import bookings, catalogue, holds, requests
from app.services.availability import Visit
from app.web import security
from app.web.api.tickets import secret
from app.web.booking.calendar import Days
from app.web.booking.choose import draw_times
from app.web.booking.frame import Wanted, asked, asked_start, blueprint, place, sealer, told_by, wanted
from app.web.errors import sentence
from app.web.limits import limit_public
from app.web.locale import language, t

_HOLDER = "holder"
# Refusals of a time that lead back to the times of the day; everything else is a page of its own.
TIME_REFUSALS = (Conflict, InvalidInput, TooMany)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A held time as its page shows it. ``seconds`` are those left."""

    start: datetime
    ends: datetime
    expires_at: datetime
    seconds: int

    @property
    def day(self) -> date:
        return business_date(self.start)


@dataclass(slots=True, kw_only=True)
class Typed:
    """What was typed into the form, and what of it is wrong, by field."""

    name: str = ""
    channel: str = "email"
    phone: str = ""
    email: str = ""
    faults: dict[str, Markup] = field(default_factory=dict)


def holder() -> str:
    """Who holds, for the limit of live holds: this browser."""
    if _HOLDER not in cookie:
        cookie[_HOLDER] = security.fresh_secret()
    return f"web:{cookie[_HOLDER]}"


@blueprint.post("/o/<office>/book/hold")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def hold(office: str) -> Any:
    """Take the time; when somebody was faster, the day's times as they are now."""
    at, request_ = security.now(), security.idempotency(f"public:{office}")
    start, seed, who = asked_start(request.values.get("start")), security.fresh_secret(), holder()
    try:
        with security.database().snapshot() as session:
            if not requests.known(session, request_.scope, request_.key):
                holds.refuse_hoarding(session, who, MOST_HOLDS, at=at)
        with security.database().transaction() as session:
            wish = asked(session, catalogue.office(session, office))

            def work() -> dict[str, Any]:
                wanted_ = holds.Asked(
                    office_id=office, services=wish.visit.services, start=start, party=wish.party, holder=who,
                    language=language(),
                )  # fmt: skip
                made = holds.hold(session, asked=wanted_, seed=seed, secret=secret(), actor="public", at=at)
                return {"booking": made.id}

            seen, _ = requests.once(session, request_, at=at, work=work)
            token = bookings.token_of(session.get_one(Booking, seen["booking"]), secret())
    except TIME_REFUSALS as error:
        return _times_again(office, start, error)
    return redirect(url_for("booking.held", office=office, token=token), 303)


def _times_again(office_id: str, start: datetime, error: DomainError) -> Any:
    with security.database().snapshot() as session:
        wish = asked(session, catalogue.office(session, office_id))
        found = Days(session, wish, at=security.now())
        return draw_times(found, wish, business_date(start), address=wish.address, refused=error), 409


@blueprint.get("/o/<office>/book/held/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def held(office: str, token: str) -> Any:
    """The form of a held time; the booking itself once it is one; what to do when the time is over."""
    with security.database().snapshot() as session:
        return _page(session, office, token, Typed())


def _page(session: Session, office_id: str, token: str, typed: Typed) -> Any:
    booking, office = _held(session, office_id, token)
    if booking.state not in (State.HELD, State.EXPIRED):
        return redirect(url_for("booking.show", token=token), 303)
    at = security.now()
    wish = wanted(session, office, booking.services, booking.party)
    if booking.state == State.EXPIRED or not seconds_left(booking, at=at):
        return _expired(session, wish, booking, at=at)
    asked_for = asks(wish.visit)
    return render_template(
        "booking/confirm.html", told_by=told_by(), asked_by=contact_fields(asked_for["contact"], typed.faults),
        office=office, wanted=wish, held=_held_view(booking, at=at), typed=typed,
        faults=typed.faults, asks=asked_for, place=place(session, wish.lines), key=security.fresh_secret(),
        others=wish.address("times", day=business_date(booking.start_at).isoformat()),
        erased_after=holds.KEPT.days,
    )  # fmt: skip


def seconds_left(booking: Booking, *, at: datetime) -> int:
    """How long a hold still lasts; 0 when it is over."""
    return max(int((booking.expires_at - at).total_seconds()), 0) if booking.expires_at else 0


def _held_view(booking: Booking, *, at: datetime) -> Held:
    return Held(
        start=booking.start_at, ends=booking.end_at, expires_at=booking.expires_at or at,
        seconds=seconds_left(booking, at=at),
    )  # fmt: skip


def _held(session: Session, office_id: str, token: str) -> tuple[Booking, Office]:
    booking = bookings.by_token(session, token)
    if booking.office_id != office_id:
        raise NotFound(what="booking")
    return booking, session.get_one(Office, office_id)


def _expired(session: Session, wish: Wanted, booking: Booking, *, at: datetime) -> str:
    day = business_date(booking.start_at)
    slots = Days(session, wish, at=at).slots(day)
    free = next((slot.free for slot in slots if slot.start == booking.start_at), 0)
    return render_template(
        "booking/expired.html", office=wish.office, held=_held_view(booking, at=at), free=free,
        again=wish.address("hold"), others=wish.address("times", day=day.isoformat()), key=security.fresh_secret(),
    )  # fmt: skip


def asks(visit: Visit) -> Mapping[str, str | None]:
    """What the form asks for: ``name`` and ``contact``, each optional, required, or None: not even shown."""
    words = {Asked.NO: None, Asked.MAY: "optional", Asked.MUST: "required"}
    return {"name": words[visit.asks.name], "contact": words[visit.asks.contact]}


def contact_fields(wanted_: str | None, faults: Mapping[str, str]) -> list[str]:
    """The fields the form shows: those of channels that are on, and one that was filled in wrongly. Where a contact
    must be given, a person of the office uses it, and both are shown."""
    if wanted_ == "required":
        return ["email", "phone"]
    on = told_by() if wanted_ else []
    return [name for name in ("email", "phone") if name in on or (wanted_ and name in faults)]


@blueprint.post("/o/<office>/book/held/<token>")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def confirmed(office: str, token: str) -> Any:
    """Make the held time a booking; what is wrong is told beside its field, and the time stays held.

    Who typed for longer than the time was held has it all the same, where nobody else wanted it meanwhile.
    """
    at = security.now()
    typed = Typed(
        name=request.form.get("name", "").strip(), channel=request.form.get("channel", "none"),
        phone=request.form.get("phone", "").strip(), email=request.form.get("email", "").strip(),
    )  # fmt: skip
    with security.database().snapshot() as session:
        booking, place_ = _held(session, office, token)
        wish = wanted(session, place_, booking.services, booking.party)
        person = _person(typed, asks(wish.visit))
    if not typed.faults:
        try:
            with security.database().transaction() as session:
                booking, _ = _held(session, office, token)
                if booking.state != State.BOOKED:  # the same form again: the same booking
                    bookings.confirm(session, booking, person=person, sealer=sealer(), secret=secret(),
                                     actor="resident", at=at, language=language())  # fmt: skip
            return redirect(url_for("booking.show", token=token, new=1), 303)
        except InvalidInput as error:
            _told(typed, error)
        except (Conflict, TooMany) as error:
            if error.reason == "hold_expired":
                link = _taken_again(office, token, person, at=at)
                if link is not None:
                    return redirect(url_for("booking.show", token=link, new=1), 303)
            else:
                typed.faults["email" if person.email else "phone"] = sentence(error.reason, dict(error.values))
    with security.database().snapshot() as session:
        return _page(session, office, token, typed), 422


def _taken_again(office_id: str, token: str, person: Person, *, at: datetime) -> str | None:
    """The same time held anew and confirmed in one go, once for the form's key: its token; None where it is gone."""
    request_, who, seed = security.idempotency(f"public:{office_id}"), holder(), security.fresh_secret()
    try:
        with security.database().transaction() as session:
            over, _ = _held(session, office_id, token)

            def work() -> dict[str, Any]:
                asked_ = holds.Asked(
                    office_id=office_id, services=over.services, start=over.start_at, party=over.party, holder=who,
                    language=language(),
                )  # fmt: skip
                held_ = holds.hold(session, asked=asked_, seed=seed, secret=secret(), actor="public", at=at)
                session.flush()
                made = bookings.confirm(session, held_, person=person, sealer=sealer(), secret=secret(),
                                        actor="resident", at=at, language=language())  # fmt: skip
                return {"booking": made.id}

            seen, _ = requests.once(session, request_, at=at, work=work)
            return bookings.token_of(session.get_one(Booking, seen["booking"]), secret())
    except (*TIME_REFUSALS, NotFound):
        return None


def _person(typed: Typed, wanted_: Mapping[str, str | None]) -> Person:
    """What of the form counts, in normal form: the contact of the chosen way, or the one that was given where a
    browser shows both ways. Faults go to ``typed``."""
    given = {"name": typed.name if wanted_["name"] else ""} | _contact(typed, wanted_["contact"])
    if wanted_["name"] == "required" and not typed.name:
        typed.faults["name"] = t("お名前を入れてください。")
    if wanted_["contact"] == "required" and not (given["phone"] or given["email"] or typed.faults):
        typed.faults["email"] = sentence("bad_email", {})
    try:
        return bookings.person_of(**given)
    except InvalidInput as error:
        _told(typed, error)
        return Person()


def _contact(typed: Typed, wanted_: str | None) -> dict[str, str]:
    if not wanted_ or typed.channel not in ("email", "phone"):
        return {"phone": "", "email": ""}
    chosen: str = getattr(typed, typed.channel)
    if chosen:
        return {"phone": "", "email": ""} | {typed.channel: chosen}
    if not (typed.phone or typed.email):
        typed.faults[typed.channel] = sentence("bad_email" if typed.channel == "email" else "bad_mobile", {})
    return {"phone": typed.phone, "email": typed.email}


def _told(typed: Typed, error: InvalidInput) -> None:
    """A refusal beside its field."""
    fields = error.values.get("fields")
    name = str(error.values.get("field") or (fields[0] if isinstance(fields, list) and fields else "name"))
    name = "email" if name == "contact" else name
    typed.faults[name] = sentence(error.reason, dict(error.values))


def address_of(token: str) -> str:
    """A booking's signed link: what its QR code holds."""
    return f"{current_app.config['ADDRESS']}{url_for('booking.show', token=token)}"
