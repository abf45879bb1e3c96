"""Money at the desk: what is owed, cash and the terminal's slip, copies, exemptions with a reason, a QR to pay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from markupsafe import Markup
from sqlalchemy.orm import Session

from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.payment import Line, Method
from app.domain.refs import normal_number, ticket_token
from app.domain.roles import Function
from app.models.place import Counter, Office
from app.models.ticket import Ticket
from app.services import access, audit, bills, cashiers, fees, lines, payments
from app.services.bills import Bill
from app.web import security, till
from app.web.desk.acts import Press
from app.web.desk.view import Screen
from app.web.locale import t
from app.web.money import words
from app.web.pay.frame import Row, paid_with, rows
from app.web.resident import qr


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Beside the party: its bill in words, whether this counter takes money, and the bills of what is being made."""

    bill: Bill | None
    rows: Sequence[Row]
    takes: bool
    cashier: Counter | None
    making: Mapping[int, Bill]


def facts(session: Session, screen: Screen) -> Facts:
    """What the desk shows of money."""
    bill = bills.of(session, fees.of_ticket(session, screen.party.ticket)) if screen.party else None
    return Facts(
        bill=bill, rows=rows(session, bill.due) if bill else (), takes=cashiers.takes_money(session, screen.counter),
        cashier=cashiers.main(session, session.get_one(Office, screen.counter.office_id)),
        making={each.step_id: _of_number(session, screen, each.number) for each in screen.making[:4]},
    )  # fmt: skip


def _of_number(session: Session, screen: Screen, number: str) -> Bill:
    ticket = lines.find_number(session, screen.counter.office_id, number, at=screen.at)
    return bills.of(session, fees.of_ticket(session, ticket))


def asked(session: Session, counter: Counter, number: str) -> dict[str, Any]:
    """The question of money for a number of today: its fees, what was paid, a QR to its page. Raises NotFound."""
    ticket = lines.find_number(session, counter.office_id, number, at=security.now())
    bill = bills.of(session, fees.of_ticket(session, ticket))
    token = ticket_token(str(current_app.config["SECRET_KEY"]).encode(), ticket.seed)
    changed = fees.changes(session, bill.payment)
    names = {each.id: each for each in bill.visit.services}
    return {
        "ticket": ticket, "bill": bill, "takes": cashiers.takes_money(session, counter), "exemptions": words.EXEMPTIONS,
        "fees": [(line, names[line.service], changed.get(line.service)) for line in bill.due if line.service in names],
        "seen": seen_words(bill.owed),
        "qr": qr(f"{current_app.config['ADDRESS']}/t/{token}/pay") if till.is_on(session) else None,
        "cashier": cashiers.main(session, session.get_one(Office, counter.office_id)), "paid_with": paid_with,
    }  # fmt: skip


def seen_words(owed: Sequence[Line]) -> str:
    """What the clerk saw as owed, to be sent back with the money: ``juminhyo:300:2,…``."""
    return ",".join(f"{line.service}:{line.unit}:{line.copies}" for line in owed)


def _seen(text: str) -> list[Line]:
    try:
        parts = [part.split(":") for part in text.split(",")]
        return [Line(service=service, unit=int(unit), copies=int(copies)) for service, unit, copies in parts]
    except ValueError:
        raise InvalidInput(fields=["seen"]) from None


def _ticket(press: Press) -> Ticket:
    number = normal_number(press.form.get("number", ""))[:12]
    return lines.find_number(press.session, press.counter.office_id, number, at=press.at)


def take(press: Press) -> str:
    """Cash or the terminal, for what the clerk saw as owed."""
    access.require(press.session, press.who, Function.TAKE_MONEY, office_id=press.counter.office_id)
    cashiers.require(press.session, press.counter.id)
    method = {"cash": Method.CASH, "terminal": Method.TERMINAL}.get(press.form.get("making", ""))
    if method is None:
        raise InvalidInput(fields=["method"])
    ticket = _ticket(press)
    taking = payments.Taking(method=method, slip=press.form.get("slip", ""), counter_id=press.counter.id,
                             actor=press.who.actor)  # fmt: skip
    taken = payments.record(
        press.session, fees.of_ticket(press.session, ticket), taking, take=_seen(press.form.get("seen", "")),
        seed=security.fresh_secret(), secret=till.secret(), at=press.at,
    )  # fmt: skip
    return str(t("%(n)s の %(yen)s円を受け取りました。", n=ticket.number, yen=f"{taken.amount_yen:,}"))


def change(press: Press) -> str:
    """Copies or an exemption of one fee; an exemption is written into the audit log."""
    access.require(press.session, press.who, Function.TAKE_MONEY, office_id=press.counter.office_id)
    ticket = _ticket(press)
    bill = bills.of(press.session, fees.of_ticket(press.session, ticket))
    line = next((each for each in bill.due if each.service == press.form.get("making")), None)
    if line is None:
        raise NotFound(what="service")
    exemption = press.form.get(f"exemption-{line.service}") or None
    wanted = Line(service=line.service, unit=line.unit, copies=press.integer(f"copies-{line.service}"),
                  exemption=exemption)  # fmt: skip
    if wanted == line:
        raise Conflict("nothing_changed")
    note = press.form.get(f"note-{line.service}", "")[:100]
    payments.change(
        press.session, bill.visit, wanted=wanted, note=note, actor=press.who.actor, seed=security.fresh_secret(),
        secret=till.secret(), at=press.at,
    )  # fmt: skip
    if exemption != line.exemption:
        audit.record(
            press.session, municipality_id=press.who.municipality_id, actor=press.who.actor, at=press.at,
            action="fee_exempted" if exemption else "fee_charged", subject=f"ticket:{ticket.id}",
            details={"office": press.counter.office_id, "name": line.service, "reason": exemption or "", "note": note},
            key=audit.chain_key(str(current_app.config["SECRET_KEY"])),
        )  # fmt: skip
    return str(t("%(n)s の手数料を変えました。", n=ticket.number))


def chip(bill: Bill) -> Markup:
    """One word for the money of a party, with its figure where something is owed."""
    if bill.state == "owed":
        return t("未払 %(yen)s円", yen=f"{bill.owed_yen:,}")
    words = {"checking": t("確認中"), "paid": t("支払済"), "refunded": t("返金あり")}
    return words.get(bill.state, t("免除") if bill.due else t("無料"))
