"""A later time today instead of a wait: taken with one touch, shown large and printed, checked in by its code."""

from datetime import datetime
from typing import Any

from flask import Response, current_app, redirect, render_template, request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.domain.booking import State, spoken_reference
from app.domain.calendar import japanese_date, parse_instant
from app.domain.errors import Closed, Conflict
from app.domain.roles import Function
from app.models.booking import Booking
from app.models.place import Category, Service
from app.services import bookings, kiosk, kiosk_visit, later_today, requests
from app.services.availability import Slot
from app.services.kiosk import Wanted
from app.services.kiosk_visit import Preview
from app.web import security
from app.web.api.tickets import secret
from app.web.kiosk import words
from app.web.kiosk.door import Kiosk, at_kiosk, blueprint
from app.web.limits import limit_public
from app.web.locale import language
from app.web.resident import qr
from app.web.sealing import sealer


def offered(session: Session, here: Kiosk, asked: list[Wanted], told: Preview, *, at: datetime) -> list[Slot]:
    """The times beside the wait on the screen of what was chosen; none for those called first (優先)."""
    if words.modes().pri or told.estimate is None:
        return []
    services = [each.service.id for each in asked]
    return later_today.offers(
        session, office_id=here.office.id, services=services, wait=told.estimate["high"], at=at
    )  # fmt: skip


@blueprint.post("/<office>/later")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def take_later(office: str) -> Any:
    """Book the time once for the form's key; taken meanwhile: back to the choice with what is free now."""
    at, seed = security.now(), security.fresh_secret()
    request_ = security.idempotency(f"public:{office}")
    start = parse_instant(request.form.get("start", ""), "start")
    try:
        with security.database().transaction() as session:
            here = at_kiosk(session, office)
            who = security.principal()

            def work() -> dict[str, Any]:
                if here.closed:
                    raise Closed("kiosk_closed")
                asked = kiosk.wanted(session, kiosk.choices(session, here.office, at=at), words.chosen())
                kiosk.refuse_closed(asked)
                made = later_today.take(
                    session, office_id=office, services=[each.service.id for each in asked], start=start,
                    language=language(), seed=seed, secret=secret(), sealer=sealer(), at=at,
                    actor=who.actor if who else "kiosk",
                )  # fmt: skip
                return {"booking": made.id}

            seen, _ = requests.once(session, request_, at=at, work=work)
            token = bookings.token_of(session.get_one(Booking, seen["booking"]), secret())
    except Conflict as refusal:
        if refusal.reason != "slot_full":
            raise
        return redirect(words.link("visit", full="1"), 303)
    prints = "1" if here.device is not None and here.prints else None
    return redirect(words.link("later", p=None, pri=None, token=token, print=prints), 303)


@blueprint.get("/<office>/later/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def later(office: str, token: str) -> Response:
    """The time as large as it goes, the number to say, and the code that checks in."""
    at = security.now()
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        found = bookings.by_token(session, token)
        if found.office_id != office or found.state != State.BOOKED:
            return redirect(words.link("start"))  # type: ignore[return-value]
        first = session.get_one(Category, found.category_id)
        address = current_app.config["ADDRESS"] + url_for("booking.show", token=token)
        shown: dict[str, Any] = {
            "kiosk": here, "office": here.office, "at": at, "booking": found, "line": first, "token": token,
            "services": [session.get_one(Service, name) for name in found.services], "qr": qr(address),
            "area": kiosk_visit.area(session, first), "reference": spoken_reference(found.reference or ""),
            "date": japanese_date(found.business_date),
        }  # fmt: skip
        slip = Markup(render_template("kiosk/later_paper.html", **shown))  # noqa: S704 - a template of ours, escaped
        page = render_template(
            "kiosk/later.html", paper=slip,
            printing=request.args.get("print") == "1" and here.prints, **shown,
        )  # fmt: skip
    response = Response(page)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
