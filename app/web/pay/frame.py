"""What the pages of a payment have in common: its bill in words, the way back, and headers that keep it private."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, current_app, render_template, url_for
from flask import session as cookie
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.domain.payment import Line, Method
from app.domain.refs import ticket_token
from app.models.payment import PaymentAttempt
from app.models.place import Office, Service
from app.services import bills, cashiers, fees
from app.services.bills import Bill
from app.web import security, till
from app.web.locale import pick, t

blueprint = Blueprint("pay", __name__)
# Where a payer's visit has its page, kept in the signed cookie: the provider is never told that address.
_VISIT = "paying"
# The attempt this browser came back from: until the provider has told, nobody says here that it is still to pay.
_BACK = "back_from"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fee in words; ``yen`` None: exempt."""

    name: Markup
    unit: int
    copies: int
    yen: int | None


def rows(session: Session, lines: Any, *, public: bool = False) -> list[Row]:
    """Fees in the reader's language. ``public``: on paper, where a sensitive procedure is not named."""
    found = []
    for each in lines:
        line = each if isinstance(each, Line) else Line(**each)
        service = session.get_one(Service, line.service)
        hidden = public and service.sensitive
        found.append(
            Row(
                name=pick(service.public_name if hidden else service.name), unit=line.unit, copies=line.copies,
                yen=None if line.exemption else line.due,
            )
        )  # fmt: skip
    return found


def paid_with(attempt: PaymentAttempt) -> Markup:
    """How it was paid, in words."""
    if attempt.method == Method.CASH:
        return t("現金(窓口)")
    if attempt.method == Method.TERMINAL:
        return t("カード・電子マネー(窓口)")
    kind, _, last4 = attempt.paid_with.rpartition(" ")
    if kind and last4.isdigit():
        return t("クレジットカード %(brand)s 末尾 %(last4)s", brand="" if kind == "card" else kind, last4=last4)
    return {"konbini": t("コンビニ"), "paypay": Markup("PayPay")}.get(attempt.paid_with, t("オンライン"))


def remember_visit(kind: str, token: str) -> None:
    """Keep where the payer came from; ``kind``: t or b, the first part of that address."""
    cookie[_VISIT] = f"/{kind}/{token}"


def came_back(attempt: PaymentAttempt) -> None:
    """Keep that the payer returned from the provider's page of an attempt."""
    cookie[_BACK] = attempt.id


def goes_there_again() -> None:
    """The payer says that nothing was paid there yet."""
    cookie.pop(_BACK, None)


def is_back(attempt: PaymentAttempt | None) -> bool:
    """Whether this browser returned from the provider's page of an attempt."""
    return attempt is not None and cookie.get(_BACK) == attempt.id


def way_back(bill: Bill) -> str | None:
    """The page of the visit: as the payer came; a ticket's page holds nothing personal and is always known."""
    if bill.visit.ticket is not None:
        secret = str(current_app.config["SECRET_KEY"]).encode()
        return url_for("resident.ticket", token=ticket_token(secret, bill.visit.ticket.seed))
    known: str | None = cookie.get(_VISIT)
    return known


def pay_address(session: Session, kind: str, token: str) -> str | None:
    """Where a visit is paid, None when it owes nothing and paid nothing."""
    bill = bills.of(session, fees.by_token(session, kind, token))
    return url_for("pay.visit_fees", kind=kind[0], token=token) if bill.due or bill.paid else None


def on_cancelling(session: Session, kind: str, token: str) -> Markup | None:
    """What becomes of the money when the visit is given up, from the payment's real state; None: nothing was paid."""
    bill = bills.of(session, fees.by_token(session, kind, token))
    kept = f"{bill.paid_yen - bill.refunded_yen:,}"
    if kept == "0":
        return None
    office = session.get_one(Office, bill.visit.office_id)
    online = all(each.method == Method.ONLINE for each in bill.paid)
    if online and office.settings.get("late_payment", "refund") == "refund":
        return t("%(yen)s円 支払いずみ。取り消すと 全額お返しします。カード会社により 5〜10日かかります。", yen=kept)
    return t("%(yen)s円 支払いずみ。お返しについては 窓口で ご案内します。", yen=kept)


def of_ticket(session: Session, token: str) -> dict[str, Any] | None:
    """What a number's page says of its money: the state, yen, where to pay; None when there is nothing to say."""
    bill = bills.of(session, fees.by_token(session, "ticket", token))
    if not bill.due and not bill.paid:
        return None
    office = session.get_one(Office, bill.visit.office_id)
    return {
        "state": "checking" if bill.owed and is_back(bill.live) else bill.state,
        "owed": f"{bill.owed_yen:,}", "cashier": cashiers.main(session, office),
        "online": till.is_on(session), "address": url_for("pay.visit_fees", kind="t", token=token),
        "exempt": not bill.owed and not bill.paid,
    }  # fmt: skip


def page(session: Session, template: str, bill: Bill, **values: Any) -> Response:
    """A page of a payment, never cached, never a referrer; forms may lead to the provider's page."""
    office = session.get_one(Office, bill.visit.office_id)
    online = till.ready().online
    html = render_template(
        f"pay/{template}.html", bill=bill, office=office, cashier=cashiers.main(session, office), at=security.now(),
        online=till.is_on(session), back=way_back(bill), paid_with=paid_with,
        yen=lambda amount: t("%(yen)s円", yen=f"{amount:,}"), **values,
    )  # fmt: skip
    response = Response(html)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    if online is not None and online.origin:
        policy = security.content_policy().replace("form-action 'self'", f"form-action 'self' {online.origin}")
        response.headers["Content-Security-Policy"] = policy
    return response
