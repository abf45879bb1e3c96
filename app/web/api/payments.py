"""Payments over HTTP: ask for the page where a booking or a number is paid, and see what came of it."""

from flask import Blueprint, Response, current_app
from pydantic import Field, model_validator

from app.domain.roles import Function
from app.services import bills, fees, payments, requests
from app.web import security, till
from app.web.api.body import Body, answer, read
from app.web.limits import limit_public

blueprint = Blueprint("api_payments", __name__, url_prefix="/api/v1/payments")


class Asked(Body):
    """The link's token of a booking or of a number."""

    booking: str | None = Field(default=None, min_length=8, max_length=64)
    ticket: str | None = Field(default=None, min_length=8, max_length=64)

    @model_validator(mode="after")
    def _one_of_them(self) -> "Asked":
        if (self.booking is None) == (self.ticket is None):
            raise ValueError("a booking or a ticket")
        return self


@blueprint.post("")
@security.policy(Function.PUBLIC)
@limit_public("write")
def ask() -> Response:
    """Where to pay what is owed; 201, for a replay of the key the same answer. 409 when nothing is owed."""
    body, asked, at = read(Asked), security.idempotency("public:payments"), security.now()
    kind, token = ("booking", body.booking or "") if body.booking else ("ticket", body.ticket or "")
    done = requests.Request(scope=f"{asked.scope}:done", key=asked.key, fingerprint=asked.fingerprint)
    with security.database().transaction() as session:
        visit = fees.by_token(session, kind, token)
        _, again = requests.once(session, asked, at=at, work=lambda: {"kind": kind})
        kept = requests.answer_of(session, done) if again else None
    if kept is None:
        started = till.start(lambda s: fees.by_token(s, kind, token), visit.office_id, actor="public")
        page = f"{current_app.config['ADDRESS']}/pay/{started.token}"
        kept = {"id": started.payment_id, "amount": started.amount_yen, "checkout_url": started.url or page}
        with security.database().transaction() as session:
            kept, _ = requests.once(session, done, at=at, work=lambda: dict(kept or {}))
    return answer(kept, 201)


@blueprint.get("/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def look(token: str) -> Response:
    """What is owed and paid, by the token of a payment's page."""
    with security.database().snapshot() as session:
        bill = bills.of_payment(session, payments.by_token(session, token))
        found = {
            "id": bill.payment.id if bill.payment else 0, "reference": bill.payment.reference if bill.payment else "",
            "state": bill.state, "due": bill.due_yen, "owed": bill.owed_yen, "paid": bill.paid_yen,
            "refunded": bill.refunded_yen,
        }  # fmt: skip
    response = answer(found)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
