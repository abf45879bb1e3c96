"""What staff do with a booking: cancel, check in, look at who it is."""

from typing import Any

from flask import redirect, render_template, request, url_for

from app.domain.booking import spoken_reference
from app.domain.contact import national
from app.domain.errors import Forbidden, InvalidInput
from app.domain.roles import Function
from app.services import booking_search, bookings
from app.web import security
from app.web.api.tickets import secret
from app.web.arrival import arrive
from app.web.booking.frame import sealer
from app.web.errors import sentence
from app.web.locale import t
from app.web.staff_bookings.frame import REASONS, blueprint, look, own_booking, within


@blueprint.post("/<office>/act")
@security.policy(Function.BOOK)
def act(office: str) -> Any:
    """Cancel with a reason, or check in for somebody who has come."""
    what = request.form.get("act")
    with security.database().transaction() as session:
        booking = own_booking(session, within(session, office, Function.BOOK))
        token, day, chosen = bookings.token_of(booking, secret()), booking.business_date, booking.id
        if what == "cancel":
            reason = request.form.get("reason", "").strip()[:100]
            if not reason:
                raise InvalidInput("reason_needed", field="reason")
            bookings.cancel(session, booking, actor=security.caller().actor, at=security.now(), reason=reason)
    if what == "check_in":
        arrive(token, actor=security.caller().actor, priority=bool(request.form.get("priority")))
    done = {"cancel": "cancelled", "check_in": "checked_in"}.get(what or "")
    return redirect(url_for("staff_bookings.day", office=office, day=day.isoformat(), booking=chosen, done=done), 303)


@blueprint.get("/<office>/person")
@security.policy(Function.BOOK)
def person(office: str) -> str:
    """Why? Asked before a name is shown."""
    return _person_page(office)


def _person_page(office_id: str, *, told: Any = None, refused: Any = None, reason: Any = None) -> str:
    with security.database().snapshot() as session:
        office = within(session, office_id, Function.BOOK)
        booking = own_booking(session, office)
        return render_template(
            "staff/bookings_person.html", office=office, row=booking, day=booking.business_date, told=told,
            reference=spoken_reference(booking.reference or ""), refused=refused, reason=reason,
            phone=national(told.phone) if told and told.phone else "",
            reasons=[(name, t(label)) for name, label in REASONS],
        )  # fmt: skip


@blueprint.post("/<office>/person")
@security.policy(Function.BOOK)
def look_at(office: str) -> Any:
    """The full record, for two minutes; written down with its reason."""
    try:
        why = look()
        with security.database().transaction() as session:
            booking = own_booking(session, within(session, office, Function.BOOK))
            told = booking_search.reveal(session, booking.id, look=why, sealer=sealer(), at=security.now())
    except (InvalidInput, Forbidden) as error:
        return _person_page(office, refused=sentence(error.reason, dict(error.values))), 422
    label = next(label for name, label in REASONS if name == why.reason)
    return _person_page(office, told=told, reason=why.words or t(label))
