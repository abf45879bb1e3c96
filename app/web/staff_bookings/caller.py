"""Somebody is on the telephone: what for, which day, which time, and what to tell them; the same page moves one."""

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flask import redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.booking import MOST_PARTY, spoken_reference
from app.domain.calendar import business_date
from app.domain.errors import Conflict, DomainError, InvalidInput, NotFound, TooMany
from app.domain.roles import Function
from app.models.booking import Booking
from app.models.place import Office, Service
from app.services import availability, booking_desk, bookings, catalogue, guide, holds, requests
from app.services.availability import Slot, Visit
from app.services.catalogue import Offered
from app.web import security
from app.web.api.tickets import secret
from app.web.booking.frame import Wanted, asked_start, sealer
from app.web.booking.hold import asks
from app.web.errors import sentence
from app.web.locale import LANGUAGES
from app.web.staff_bookings.frame import blueprint, day_of, number, own_booking, within

_REFUSALS = (Conflict, InvalidInput, TooMany, NotFound)
_FIELDS = ("name", "phone", "email", "notes")
# "This week or next?" is answered at one look.
_DAYS = 8
_READ = re.compile(r"[\u3400-\u9fff々〆ヶ]+《([^》]*)》")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A procedure to tick. ``words``: what a clerk may type to find it; ``beside``: it has no slots of its own."""

    id: str
    name: Any
    words: str
    beside: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the caller wants. ``days``: the starts of each day from the chosen one on; ``first``: the next free one."""

    wish: Wanted
    documents: list[Any]
    asks: Any
    days: dict[date, list[Slot]] = field(default_factory=dict)

    def free(self, day: date) -> int:
        return sum(slot.free > 0 for slot in self.days[day])

    @property
    def other(self) -> date | None:
        """The next day with a free time."""
        return next((day for day in self.days if self.free(day)), None)


@blueprint.get("/<office>/new")
@security.policy(Function.BOOK)
def new(office: str) -> str:
    """Procedures, day and free times; with ``moving``, another time for a booking."""
    return _page(office)


def _page(office_id: str, refused: DomainError | None = None) -> str:
    said = sentence(refused.reason, dict(refused.values)) if refused else None
    with security.database().snapshot() as session:
        office = within(session, office_id, Function.BOOK)
        moving = own_booking(session, office) if number("moving") else None
        wanted = list(moving.services if moving else dict.fromkeys(request.values.getlist("s")))
        call = None
        try:
            call = _call(session, office, wanted, moving) if wanted else None
        except _REFUSALS as error:
            said = said or sentence(error.reason, dict(error.values))
        return render_template(
            "staff/bookings_new.html", office=office, day=day_of(), moving=moving, wanted=wanted, party=_party(moving),
            call=call, groups=_groups(session, office), most=MOST_PARTY, key=security.fresh_secret(), refused=said,
            typed={name: request.form.get(name, "") for name in _FIELDS} | {"language": _language()},
            today=business_date(security.now()),
            moving_reference=spoken_reference(moving.reference or "") if moving else None,
            earlier=day_of() - timedelta(days=_DAYS), later=day_of() + timedelta(days=_DAYS),
        )  # fmt: skip


def _party(moving: Booking | None) -> int:
    return moving.party if moving else min(max(number("party") or 1, 1), MOST_PARTY)


def _call(session: Session, office: Office, wanted: list[str], moving: Booking | None) -> Call:
    visit = bookings.to_move(session, moving, staff=True) if moving else _visit(session, office, wanted)
    days = [day_of() + timedelta(days=offset) for offset in range(_DAYS)]
    found = {each.id: each for each in session.scalars(select(Service).where(Service.id.in_(visit.services)))}
    services = [found[name] for name in visit.services]
    party = _party(moving)
    return Call(
        wish=Wanted(office=office, visit=visit, services=services, party=party), asks=asks(visit),
        documents=guide.documents(services),
        days=booking_desk.slots_for(session, visit, days, party=party, at=security.now()),
    )  # fmt: skip


def _visit(session: Session, office: Office, wanted: list[str]) -> Visit:
    return availability.visit(session, office_id=office.id, services=wanted, staff=True)


def _groups(session: Session, office: Office) -> list[tuple[Any, list[Choice]]]:
    """What can be ticked, by line; those for which a number is given on the web may ride along without a slot."""
    groups: dict[str, tuple[Any, list[Choice]]] = {}
    for each in catalogue.services(session, office.id, at=security.now()):
        if each.category.booking or each.category.web_ticket:
            groups.setdefault(each.category.id, (each.category, []))[1].append(_choice(each))
    return list(groups.values())


def _choice(each: Offered) -> Choice:
    name = each.service.name
    reading = _READ.sub(r"\1", str(name.get("ja_Hira") or "")).replace(" ", "")
    words = " ".join([str(name["ja"]), reading, str(name.get("en") or ""), each.category.prefix, each.service.id])
    return Choice(id=each.service.id, name=name, words=words.lower(), beside=not each.category.booking)


@blueprint.post("/<office>/new")
@security.policy(Function.BOOK)
def booked(office: str) -> Any:
    """Book, or move; once for the form's key."""
    at, request_ = security.now(), security.idempotency()
    try:
        start, seed, moving = asked_start(request.form.get("start")), security.fresh_secret(), number("moving")
        person = bookings.person_of(**{name: request.form.get(name, "") for name in _FIELDS})
        with security.database().transaction() as session:
            found = within(session, office, Function.BOOK)

            def work() -> dict[str, Any]:
                actor = security.caller().actor
                if moving:
                    moved = bookings.move(
                        session, own_booking(session, found), start=start, actor=actor, at=at, staff=True
                    )
                    return {"booking": moved.id}
                asked = holds.Asked(
                    office_id=office, services=request.form.getlist("s"), start=start, party=number("party") or 1,
                    channel="staff", staff=True, language=_language(),
                )  # fmt: skip
                made = booking_desk.book_for(
                    session, asked=asked, person=person, seed=seed, secret=secret(), sealer=sealer(), actor=actor, at=at
                )
                return {"booking": made.id}

            seen, _ = requests.once(session, request_, at=at, work=work)
            booking = session.get_one(Booking, seen["booking"])
            day, done = booking.business_date, "moved" if moving else "booked"
    except _REFUSALS as error:
        return _page(office, error), 409
    return redirect(
        url_for("staff_bookings.day", office=office, day=day.isoformat(), booking=seen["booking"], done=done), 303
    )


def _language() -> str:
    """The caller's: messages and the number speak it."""
    given = request.form.get("language", "ja")
    return given if given in LANGUAGES else "ja"
