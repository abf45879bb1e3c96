"""A business date's money: by fee and way of paying, what moved, what waits, what does not fit; the CSV of a month."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput
from app.domain.payment import Method
from app.domain.roles import Function, may
from app.domain.sheets import cell
from app.models.payment import Payment, PaymentAttempt
from app.models.people import Account
from app.models.place import Service
from app.services import holding, payment_alarms, refunds, settlements
from app.services.settlements import Movement
from app.web import security, till
from app.web.locale import t
from app.web.money import words
from app.web.money.frame import a_day, blueprint, chosen_office, offices_of, person, today
from app.web.pay.frame import paid_with, rows

LONGEST_DAYS = 366


@blueprint.get("")
@security.policy(Function.SEE_MONEY)
def show() -> Response:
    """The day's money, and what waits for somebody."""
    return page()


def page(status: int = 200, **more: Any) -> Response:
    """The screen; ``said``: what was refused."""
    who = person()
    with security.database().snapshot() as session:
        office = chosen_office(session, who)
        day = a_day("day", today())
        waiting = refunds.waiting(session, [office.id])
        html = render_template(
            "money/day.html", office=office, offices=offices_of(session, who), day=day, today=today(),
            figures=settlements.of(session, office.id, day), moved=settlements.movements(session, office.id, day),
            names=_names(session, who.municipality_id), waiting=[_wait(session, each) for each in waiting],
            alarms=payment_alarms.open_at(session, office.id),
            looked_into=payment_alarms.seen_on(session, office.id, day),
            by_name=lambda actor: _person(session, actor), longest_note=payment_alarms.LONGEST_NOTE,
            methods=words.METHODS, alarm_words=words.ALARMS, reasons=words.REASONS,
            paid_with=paid_with, off=till.ready().off.get("stripe"),
            held=till.ready().online is not None and holding.held(session, holding.MONEY),
            me=who.actor, key=security.fresh_secret(),
            may_ask=may(who.role, Function.ASK_REFUND), may_decide=may(who.role, Function.APPROVE_REFUND),
            may_pay=may(who.role, Function.TAKE_MONEY), before=day - timedelta(days=1), after=day + timedelta(days=1),
            done=request.args.get("done", ""), **{"said": None, "typed": {}} | more,
        )  # fmt: skip
    return Response(html, status=status)


def _names(session: Session, municipality_id: str) -> dict[str, Any]:
    return {each.id: each.name for each in session.scalars(select(Service).filter_by(municipality_id=municipality_id))}


def _wait(session: Session, refund: Any) -> dict[str, Any]:
    attempt = session.get_one(PaymentAttempt, refund.attempt_id)
    payment = session.get_one(Payment, attempt.payment_id)
    return {
        "refund": refund, "attempt": attempt, "payment": payment, "rows": rows(session, refund.lines),
        "by": _person(session, refund.requested_by),
    }  # fmt: skip


def _person(session: Session, actor: str) -> str:
    kind, _, number = actor.partition(":")
    found = session.get(Account, int(number)) if kind == "staff" and number.isdigit() else None
    return found.name if found else str(t("自動")) if actor == refunds.SYSTEM else actor


@blueprint.get("/journal.csv")
@security.policy(Function.SEE_MONEY)
def journal() -> Response:
    """Every movement of some days, one line for each fee, for the accounting system; the amounts add up to the net."""
    who = person()
    first, last = a_day("from", today()), a_day("to", today())
    if not timedelta() <= last - first <= timedelta(days=LONGEST_DAYS):
        raise InvalidInput(fields=["from", "to"])
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(words.COLUMNS)
    with security.database().snapshot() as session:
        office = chosen_office(session, who)
        names = _names(session, who.municipality_id)
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            for moved in settlements.movements(session, office.id, day):
                writer.writerows(_cells(day, moved, names))
    # Excel takes UTF-8 for what it is only with the mark in front.
    response = Response(b"\xef\xbb\xbf" + out.getvalue().encode(), mimetype="text/csv")
    name = f"payments-{office.id}-{first:%Y%m%d}-{last:%Y%m%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cells(day: date, moved: Movement, names: dict[str, Any]) -> Iterator[list[object]]:
    """Figures stay figures, also below zero; words that a spreadsheet would run are quoted."""
    sign = -1 if moved.refund else 1
    attempt, number = moved.attempt, (moved.refund or moved.attempt).provider_id or ""
    for line in (moved.refund or attempt).lines:
        yen = sign * line["unit"] * line["copies"]
        yield [
            day.isoformat(), "返金" if moved.refund else "収納", cell(moved.reference), moved.at.isoformat(),
            cell(names.get(line["service"], {}).get("ja", line["service"])), line["unit"], sign * line["copies"], yen,
            words.METHODS[Method(attempt.method)], cell(attempt.slip or ""), cell(number),
        ]  # fmt: skip
