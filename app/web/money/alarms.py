"""An alarm of money looked into: who, when and what it was, said once."""

from typing import Any

from flask import current_app, redirect, request, url_for

from app.domain.errors import Conflict, InvalidInput
from app.domain.roles import Function
from app.services import audit, payment_alarms, requests
from app.web import security
from app.web.errors import sentence, status_of
from app.web.money.frame import attempt_of, blueprint, number_of, person
from app.web.money.screen import page


@blueprint.post("/alarm")
@security.policy(Function.APPROVE_REFUND)
def looked_into() -> Any:
    """Close an alarm with a word of what it was; the words stay in the day's record and the audit log."""
    who, at, key = person(), security.now(), security.idempotency()
    number, kind, note = number_of("attempt"), request.form.get("alarm", ""), request.form.get("note", "")
    try:
        with security.database().transaction() as session:
            office = attempt_of(session, who, Function.APPROVE_REFUND, number).office_id

            def work() -> dict[str, Any]:
                seen = payment_alarms.seen(session, number, kind, note, actor=who.actor, at=at)
                audit.record(
                    session, municipality_id=who.municipality_id, actor=who.actor, action="payment_alarm_seen",
                    subject=f"payment_attempt:{seen.id}",
                    details={"office": office, "alarm": kind, "note": seen.alarm_note}, at=at,
                    key=audit.chain_key(str(current_app.config["SECRET_KEY"])),
                )  # fmt: skip
                return {"attempt": seen.id}

            requests.once(session, key, at=at, work=work)
    except (Conflict, InvalidInput) as error:
        return page(status_of(error), said=sentence(error.reason, dict(error.values)), typed={number: note})
    return redirect(url_for("money.show", office=office, done="alarm"), 303)
