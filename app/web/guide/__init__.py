"""The life-event guide: a few questions, one page each, then all that a visit needs. Works without a script.

Answers travel in the address while one is asked, and as a short code afterwards: a link, a bookmark or a printed
sheet names no person, and nothing is stored.
"""

from datetime import date
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.domain import guide as rules
from app.domain.calendar import business_date, parse_date
from app.domain.errors import InvalidInput, NotFound
from app.domain.guide import UNKNOWN, spaced
from app.domain.roles import Function
from app.models.place import Office
from app.services import catalogue, guide
from app.web import security
from app.web.guide.paper import pdf_response, sheet_values
from app.web.limits import limit_public
from app.web.resident import keep_language, qr

blueprint = Blueprint("guide", __name__, url_prefix="/o/<office>/guide")
blueprint.after_request(keep_language)
DAY = "day"


@blueprint.after_request
def keep_quiet(response: Response) -> Response:
    """What happened to a family is told to no other site."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("")
@security.policy(Function.PUBLIC)
@limit_public("look")
def start(office: str) -> str:
    """What has happened? One touch."""
    with security.database().snapshot() as session:
        found = catalogue.office(session, office)
        return render_template("guide/start.html", office=found, book=guide.book(session, found.municipality_id))


@blueprint.get("/find")
@security.policy(Function.PUBLIC)
@limit_public("look")
def find(office: str) -> Any:
    """A code somebody types (from paper, or by telephone) leads to its plan; a wrong one is told on the same page."""
    typed = rules.normal_code(request.args.get("code", ""))
    with security.database().snapshot() as session:
        found = catalogue.office(session, office)
        book = guide.book(session, found.municipality_id)
        if _known(book, typed):
            return redirect(url_for("guide.plan", office=office, code=typed), 303)
        return render_template("guide/start.html", office=found, book=book, wrong=True), 422


def _known(book: guide.Book, code: str) -> bool:
    try:
        book.guide.read(code)
    except NotFound:
        return False
    return True


@blueprint.get("/ask/<event>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ask(office: str, event: str) -> Any:
    """The next question of an event; when all are answered, the plan."""
    with security.database().snapshot() as session:
        found = catalogue.office(session, office)
        book = guide.book(session, found.municipality_id)
        happened = book.guide.event(event)
        given = book.guide.known(happened, request.args)
        day, fault = _day(request.args.get(DAY))
        asked = guide.answered(happened, book, given, day_known=day is not None and not fault)
        if asked is None or request.args.get("end"):
            return redirect(_plan_address(found, book, happened, given, day), 303)
        names = [DAY] * happened.asks_day + [query.id for query in book.guide.queries(happened)]
        kept = ({DAY: day} if day and not fault else {}) | given
        return render_template(
            "guide/question.html", office=found, event=happened, body=book.events[event], asked=asked, kept=kept,
            question=book.questions.get(asked), number=names.index(asked) + 1, count=len(names), fault=fault,
            back=_back(office, event, kept), today=business_date(security.now()), unknown=UNKNOWN,
        )  # fmt: skip


def _day(text: str | None) -> tuple[str | None, str | None]:
    """The day as it is carried on (ISO, or ``unknown``), and the code of what is wrong with what was typed."""
    if text is None or text == UNKNOWN:
        return text, None
    if not text.strip():
        return None, None if text == "" else "bad_date"
    try:
        return parse_date(text).isoformat(), None
    except InvalidInput:
        return text, "bad_date"


def _back(office: str, event: str, kept: dict[str, str]) -> str:
    """The question before, with the answers before it."""
    if not kept:
        return url_for("guide.start", office=office)
    before = dict(list(kept.items())[:-1])
    return url_for("guide.ask", office=office, event=event, **before)  # type: ignore[arg-type]


def _plan_address(office: Office, book: guide.Book, event: Any, given: dict[str, str], day: str | None) -> str:
    code = book.guide.code(event, given)
    known = day if day and day != UNKNOWN else None
    return url_for("guide.plan", office=office.id, code=code, day=known)


def _read(session: Session, office_id: str, code: str) -> tuple[Office, guide.Plan]:
    office = catalogue.office(session, office_id)
    return office, guide.by_code(session, office, code, day=_asked_day())


def _asked_day() -> date | None:
    day, fault = _day(request.args.get(DAY))
    return None if fault or day in (None, "", UNKNOWN) else date.fromisoformat(str(day))


def again(office: Office, found: guide.Plan) -> str:
    """The questions once more, with the answers of a plan up to the last."""
    kept = ({DAY: found.day.isoformat()} if found.day else {}) | dict(found.answers)
    return _back(office.id, found.event.id, kept)


@blueprint.get("/plan/<code>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def plan(office: str, code: str) -> str:
    """Everything one visit needs: four figures, two ways on, the path, what to bring."""
    with security.database().snapshot() as session:
        found, made = _read(session, office, code)
        return render_template(
            "guide/plan.html", office=found, plan=made, back=again(found, made), key=security.fresh_secret(),
            code=spaced(made.code), today=business_date(security.now()),
        )  # fmt: skip


@blueprint.get("/plan/<code>/sheet")
@security.policy(Function.PUBLIC)
@limit_public("look")
def sheet(office: str, code: str) -> str:
    """受付案内票 as a page to print."""
    with security.database().snapshot() as session:
        found, made = _read(session, office, code)
        return render_template(
            "guide/sheet.html", office=found, plan=made, code=spaced(made.code), qr=qr(address_of(found, made)),
            today=business_date(security.now()),
        )  # fmt: skip


@blueprint.get("/plan/<code>/sheet.pdf")
@security.policy(Function.PUBLIC)
@limit_public("write")
def sheet_pdf(office: str, code: str) -> Response:
    """受付案内票 as a PDF: Japanese for the counter, and the reader's language."""
    with security.database().snapshot() as session:
        found, made = _read(session, office, code)
        values = sheet_values(found, made, address=address_of(found, made), today=business_date(security.now()))
    return pdf_response(values, name=f"uketsuke-{made.code}.pdf")


def address_of(office: Office, made: guide.Plan) -> str:
    """What the QR code holds: the plan's own address, without the day."""
    return f"{current_app.config['ADDRESS']}{url_for('guide.plan', office=office.id, code=made.code)}"
