"""The fees of a number or booking, the step to the provider, and the page that tells what came of it."""

from dataclasses import dataclass
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput
from app.domain.payment import Method, RefundState, State
from app.domain.roles import Function
from app.models.payment import PaymentAttempt, Refund
from app.services import bills, fees, payments
from app.services.bills import Bill
from app.web import security, till
from app.web.limits import limit_public
from app.web.pay.frame import Row, blueprint, came_back, goes_there_again, is_back, page, remember_visit, rows

# The first letter of a visit's own address.
KINDS = {"t": "ticket", "b": "booking"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """Money that goes back. ``at_counter``: it was paid there, and is handed back there."""

    refund: Refund
    rows: list[Row]
    at_counter: bool


@blueprint.get("/<any(t, b):kind>/<token>/pay")
@security.policy(Function.PUBLIC)
@limit_public("look")
def visit_fees(kind: str, token: str) -> Any:
    """The fees of a visit and the two ways to pay them; a visit that is paid leads to its payment."""
    with security.database().snapshot() as session:
        bill = bills.of(session, fees.by_token(session, KINDS[kind], token))
        remember_visit(kind, token)
        if bill.payment is not None and bill.attempts:
            secret = till.secret()
            return redirect(url_for("pay.state", token=payments.token_of(secret, bill.payment)))
        return page(session, "fees", bill, rows=rows(session, bill.due), how=request.args.get("how"))


@blueprint.post("/<any(t, b):kind>/<token>/pay")
@security.policy(Function.PUBLIC)
@limit_public("write")
def begin(kind: str, token: str) -> Any:
    """To the provider's page; or, at the counter, the page that says where."""
    with security.database().snapshot() as session:
        visit = fees.by_token(session, KINDS[kind], token)
    remember_visit(kind, token)
    if request.form.get("how") == "counter":
        return redirect(url_for("pay.visit_fees", kind=kind, token=token, how="counter"), 303)
    return _to_provider(lambda s: fees.by_token(s, KINDS[kind], token), visit.office_id)


def _to_provider(visit: Any, office_id: str) -> Any:
    if request.form.get("how") != "online":
        raise InvalidInput(fields=["how"])
    started = till.start(visit, office_id, actor="resident")
    return redirect(started.url or url_for("pay.state", token=started.token), 303)


@blueprint.get("/pay/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def state(token: str) -> Response:
    """What came of it. While money may be on its way the provider is asked, at most every three seconds."""
    with security.database().snapshot() as session:
        live = bills.of_payment(session, payments.by_token(session, token)).live
    if live is not None:
        till.calls().look(live.id)
    with security.database().snapshot() as session:
        bill = bills.of_payment(session, payments.by_token(session, token))
        return page(
            session, _template(bill), bill, rows=rows(session, bill.due), token=token, how=request.args.get("how"),
            receives=[(each, rows(session, each.lines)) for each in bill.paid],
            backs=_backs(session, bill),
        )  # fmt: skip


def _backs(session: Session, bill: Bill) -> list[Back]:
    """What went back or is on its way; what was only asked for is nobody's promise yet."""
    ways = {each.id: each.method for each in bill.attempts}
    return [
        Back(refund=each, rows=rows(session, each.lines), at_counter=ways[each.attempt_id] != Method.ONLINE)
        for each in bill.refunds
        if each.state in (RefundState.DONE, RefundState.SENDING)
    ]


def _template(bill: Bill) -> str:
    if bill.owed:
        if bill.live and _on_its_way(bill.live):
            return "checking"
        if bill.live and not bill.live.checkout_url and "how" not in request.args:
            return "unreachable"
        return "refused" if _refused(bill) else "fees"
    if bill.refunded_yen or any(each.state == "sending" for each in bill.refunds):
        return "refunded"
    return "paid" if bill.paid else "nothing"


def _on_its_way(live: PaymentAttempt) -> bool:
    """Whether money may be moving: filled in at the provider, come back from there, or being asked for just now.

    Without an address nobody was sent there: once the provider has failed to answer, nothing can have been taken.
    """
    if "back" in request.args:
        came_back(live)
    return live.state == State.PROCESSING or is_back(live) or not (live.checkout_url or live.looks)


def _refused(bill: Bill) -> bool:
    """The last try failed, as the provider says itself, and nothing else was paid."""
    return bill.last is not None and bill.last.state == State.FAILED and not bill.paid and "how" not in request.args


@blueprint.post("/pay/<token>")
@security.policy(Function.PUBLIC)
@limit_public("write")
def again(token: str) -> Any:
    """Go on paying: the attempt that stands open, or a new one."""
    with security.database().snapshot() as session:
        office_id = payments.by_token(session, token).office_id
    goes_there_again()
    if request.form.get("how") == "counter":
        return redirect(url_for("pay.state", token=token, how="counter"), 303)
    try:
        return _to_provider(lambda s: fees.of_payment(s, payments.by_token(s, token)), office_id)
    except Conflict as error:
        if error.reason != "nothing_owed":
            raise
        return redirect(url_for("pay.state", token=token), 303)
