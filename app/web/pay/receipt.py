"""The receipt: one A4 page to print or keep, Japanese as the law wants it; from the second copy on it says 再発行."""

from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import NotFound
from app.domain.roles import Function
from app.models.payment import Payment
from app.models.place import Municipality, Office
from app.paper import press
from app.services import bills, cashiers, payments
from app.services.bills import Bill
from app.web import off_loop, security
from app.web.formats import local_date, local_time
from app.web.limits import limit_public
from app.web.locale import plain, speaking
from app.web.pay.frame import blueprint, page, paid_with, rows


def values(session: Session, bill: Bill, *, issue: int) -> dict[str, Any]:
    """All that stands on it, in Japanese, as plain strings; a sensitive procedure under its neutral name."""
    assert bill.payment is not None  # noqa: S101 - only a payment has a receipt
    office = session.get_one(Office, bill.visit.office_id)
    city = session.get_one(Municipality, office.municipality_id)
    cashier = cashiers.main(session, office)
    first = bill.paid[0]
    with speaking("ja"):
        return {
            "reference": bill.payment.reference, "again": issue > 1,
            "date": plain(local_date(security.now())), "day": f"{business_date(security.now()):%Y/%-m/%-d}",
            "amount": f"{bill.paid_yen - bill.refunded_yen:,}", "refunded": f"{bill.refunded_yen:,}",
            "paid": f"{bill.paid_yen:,}", "returned": bill.refunded_yen > 0,
            "rows": [_row(row) for row in rows(session, kept_lines(bill), public=True)],
            "at": plain(local_time(first.paid_at or first.created_at)),
            "how": "、".join(dict.fromkeys(plain(paid_with(each)) for each in bill.paid)),
            "online": any(each.method == "online" for each in bill.paid),
            "mayor": f"{city.name['ja']}長", "office": office.name["ja"], "phone": office.settings.get("phone", ""),
            "cashier": f"会計 {cashier.number}番窓口" if cashier else "",
        }  # fmt: skip


def _row(row: Any) -> dict[str, str]:
    return {
        "name": f"{plain(row.name)} 手数料", "unit": f"{row.unit:,}円", "copies": f"{row.copies}件",
        "yen": f"{row.yen or 0:,}円",
    }  # fmt: skip


def kept_lines(bill: Bill) -> list[dict[str, Any]]:
    """What was paid and not given back, by fee and price."""
    found: dict[tuple[str, int], int] = {}
    for sign, things in ((1, bill.paid), (-1, [each for each in bill.refunds if each.state == "done"])):
        for line in (line for each in things for line in each.lines):
            key = (line["service"], line["unit"])
            found[key] = found.get(key, 0) + sign * line["copies"]
    return [{"service": name, "unit": unit, "copies": copies} for (name, unit), copies in found.items() if copies > 0]


def _read(session: Session, token: str) -> tuple[Bill, Payment]:
    payment = payments.by_token(session, token)
    bill = bills.of_payment(session, payment)
    if not bill.paid:
        raise NotFound(what="receipt")
    return bill, payment


def _issue(payment: Payment) -> int:
    """Which copy is looked at: the one asked for, no later than the last that was given out."""
    asked = request.args.get("issue", payment.receipts, type=int)
    return max(1, min(asked, payment.receipts))


@blueprint.post("/pay/<token>/receipt")
@security.policy(Function.PUBLIC)
@limit_public("write")
def issue(token: str) -> Any:
    """Give out one more copy and show it."""
    with security.database().transaction() as session:
        _, payment = _read(session, token)
        session.execute(update(Payment).where(Payment.id == payment.id).values(receipts=Payment.receipts + 1))
        session.refresh(payment)
        number = payment.receipts
    return redirect(url_for("pay.receipt", token=token, issue=number), 303)


@blueprint.get("/pay/<token>/receipt")
@security.policy(Function.PUBLIC)
@limit_public("look")
def receipt(token: str) -> Response:
    """The receipt as a page to print."""
    with security.database().snapshot() as session:
        bill, payment = _read(session, token)
        number = _issue(payment)
        return page(session, "receipt", bill, paper=values(session, bill, issue=number), token=token, issue=number)


@blueprint.get("/pay/<token>/receipt.pdf")
@security.policy(Function.PUBLIC)
@limit_public("look")
def receipt_pdf(token: str) -> Response:
    """The receipt as a PDF."""
    with security.database().snapshot() as session:
        bill, payment = _read(session, token)
        paper = values(session, bill, issue=_issue(payment))
    response = Response(off_loop.run(press.pdf, "receipt", paper), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="receipt-{payment.reference}.pdf"'
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
