"""Asking for a refund, the second person's word, cash paid out: plain forms, each one effect for its key."""

from typing import Any

from flask import Response, redirect, render_template, request, url_for

from app.domain.errors import Conflict, DomainError, Forbidden, InvalidInput
from app.domain.payment import Line
from app.domain.roles import Function
from app.models.payment import Payment
from app.models.place import Office, Service
from app.services import bills, cashiers, refunds, requests
from app.web import security
from app.web.errors import sentence, status_of
from app.web.money import words
from app.web.money.frame import attempt_of, blueprint, number_of, person, refund_of, told
from app.web.money.screen import page
from app.web.pay.frame import paid_with

_ON_THE_PAGE = (Conflict, InvalidInput, Forbidden)
CHOICES = ("not_issued", "wrong_fee", "exempt", "withdrawn")


@blueprint.get("/ask")
@security.policy(Function.ASK_REFUND)
def ask() -> Response:
    """The question: which copies of one payment, and why."""
    return _question()


def _question(error: DomainError | None = None) -> Response:
    who = person()
    with security.database().snapshot() as session:
        attempt = attempt_of(session, who, Function.ASK_REFUND, number_of("attempt"))
        payment = session.get_one(Payment, attempt.payment_id)
        bill = bills.of_payment(session, payment)
        left = bills.held_copies([attempt], [each for each in bill.refunds if each.attempt_id == attempt.id])
        html = render_template(
            "money/ask.html", attempt=attempt, payment=payment, left=left, reasons=words.REASONS, choices=CHOICES,
            names={line["service"]: session.get_one(Service, line["service"]).name for line in attempt.lines},
            office=session.get_one(Office, attempt.office_id), key=security.fresh_secret(), paid_with=paid_with,
            said=sentence(error.reason, dict(error.values)) if error else None,
        )  # fmt: skip
    return Response(html, status=status_of(error) if error else 200)


@blueprint.post("/ask")
@security.policy(Function.ASK_REFUND)
def asked() -> Any:
    """Ask; another person decides."""
    who, at, key = person(), security.now(), security.idempotency()
    try:
        with security.database().transaction() as session:
            attempt = attempt_of(session, who, Function.ASK_REFUND, number_of("attempt"))
            wish = refunds.Wish(
                lines=_lines(attempt.lines), reason=request.form.get("reason", ""),
                note=request.form.get("note", "")[:100], actor=who.actor,
            )  # fmt: skip

            def work() -> dict[str, Any]:
                made = refunds.request(session, attempt.id, wish, at=at)
                told(session, who, "refund_requested", made, at)
                return {"refund": made.id}

            requests.once(session, key, at=at, work=work)
            office = attempt.office_id
    except _ON_THE_PAGE as error:
        if error.reason == Forbidden.code:
            raise
        return _question(error)
    return redirect(url_for("money.show", office=office, done="asked"), 303)


def _lines(kept: Any) -> list[Line]:
    found = []
    for line in kept:
        typed = request.form.get(f"copies-{line['service']}", "0")
        if not typed.isascii() or not typed.isdigit() or len(typed) > 2:
            raise InvalidInput("bad_copies", most=99)
        found.append(Line(service=line["service"], unit=line["unit"], copies=int(typed)))
    return found


@blueprint.post("/decide")
@security.policy(Function.APPROVE_REFUND)
def decide() -> Any:
    """Approve or decline, as another person than the one who asked."""
    who, at, key = person(), security.now(), security.idempotency()
    verdict = request.form.get("verdict")
    if verdict not in ("approve", "decline"):
        raise InvalidInput(fields=["verdict"])
    try:
        with security.database().transaction() as session:
            office = refund_of(session, who, Function.APPROVE_REFUND, number_of("refund")).office_id

            def work() -> dict[str, Any]:
                made = refunds.decide(
                    session, number_of("refund"), approve=verdict == "approve", actor=who.actor, at=at
                )
                told(session, who, f"refund_{verdict}d", made, at)
                return {"refund": made.id}

            requests.once(session, key, at=at, work=work)
    except _ON_THE_PAGE as error:
        return _refused(error)
    return redirect(url_for("money.show", office=office, done=verdict), 303)


@blueprint.post("/paid-out")
@security.policy(Function.TAKE_MONEY)
def paid_out() -> Any:
    """Cash, or the terminal's reversal, was handed back."""
    who, at, key = person(), security.now(), security.idempotency()
    try:
        with security.database().transaction() as session:
            office = refund_of(session, who, Function.TAKE_MONEY, number_of("refund")).office_id
            cashiers.require(session, who.counter_id)

            def work() -> dict[str, Any]:
                made = refunds.paid_out(session, number_of("refund"), actor=who.actor, at=at)
                told(session, who, "refund_paid_out", made, at)
                return {"refund": made.id}

            requests.once(session, key, at=at, work=work)
    except _ON_THE_PAGE as error:
        return _refused(error)
    return redirect(url_for("money.show", office=office, done="paid_out"), 303)


def _refused(error: DomainError) -> Response:
    if error.reason == Forbidden.code:
        raise error
    return page(status_of(error), said=sentence(error.reason, dict(error.values)))
