"""The screens a resident meets: choose, confirm, take the number, look at it. Each works without a script."""

from collections.abc import Sequence
from typing import Any

import orjson
from flask import Response, current_app, redirect, render_template, request, url_for
from markupsafe import Markup

from app.domain.errors import Closed
from app.domain.roles import Function
from app.services import kiosk, kiosk_visit, requests, tickets
from app.services.kiosk import Wanted
from app.web import security
from app.web.api.tickets import take
from app.web.kiosk import paper, words
from app.web.kiosk.door import Kiosk, at_kiosk, blueprint
from app.web.kiosk.later import offered
from app.web.limits import limit_public
from app.web.locale import language
from app.web.resident import qr


def lines_now(office_id: str, at: Any) -> dict[str, Any]:
    """The office's board and its lines by category id; read before a session is open, from what is kept."""
    board: dict[str, Any] = orjson.loads(security.kept_snapshots().read("board", office_id, at=at).body)
    return board | {"lines": {line["id"]: line for line in board["categories"]}}


@blueprint.get("/<office>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def start(office: str) -> str:
    """What can be chosen now, and how long each line is. With ``add``, more for the same number."""
    at = security.now()
    board = lines_now(office, at)
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        found = kiosk.choices(session, here.office, at=at)
        groups = kiosk.groups(found)
        shown: dict[str, Any] = {"kiosk": here, "office": here.office, "board": board, "at": at}
        if here.closed:
            information = kiosk_visit.information(session, office)
            return render_template(
                "kiosk/resting.html", information=information, take=phone_page("resident.choose", office), **shown
            )
        if not any(group.open for group in groups):
            opens = min((each.opens_at for each in found if each.opens_at), default=None)
            return render_template("kiosk/closed.html", opens=opens, home=phone_page("resident.home", office), **shown)
        return render_template(
            "kiosk/start.html", groups=groups, chosen=words.chosen(), adding=bool(words.chosen()),
            chosen_purposes={key.partition(".")[0] for key in words.chosen()},
            line=next((g for g in groups if g.category.id == request.args.get("line")), None), **shown,
        )  # fmt: skip


def phone_page(endpoint: str, office_id: str) -> Markup:
    """A resident's page as a QR code."""
    return qr(current_app.config["ADDRESS"] + url_for(endpoint, office=office_id))


@blueprint.get("/<office>/visit")
@security.policy(Function.PUBLIC)
@limit_public("look")
def visit(office: str) -> Any:
    """What was chosen, what often goes with it, 優先, and the one button that takes the number."""
    at = security.now()
    board = lines_now(office, at)
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        if here.closed or not words.chosen():
            return redirect(words.link("start", p=None))
        found = kiosk.choices(session, here.office, at=at)
        asked = kiosk.wanted(session, found, words.chosen())
        kiosk.refuse_closed(asked)
        stages = [(each.service, each.category) for each in asked]
        told = kiosk_visit.preview(session, stages, priority=words.modes().pri, at=at)
        return render_template(
            "kiosk/visit.html", kiosk=here, office=here.office, board=board, at=at, asked=asked,
            areas={each.category.id: kiosk_visit.area(session, each.category) for each in asked},
            companions=kiosk.companions(session, here.office, found, asked), key=security.fresh_secret(),
            told=told, offers=offered(session, here, asked, told, at=at), full=request.args.get("full") == "1",
        )  # fmt: skip


@blueprint.post("/<office>/ticket")
@security.policy(Function.PUBLIC)
@limit_public("ticket")
def taken(office: str) -> Any:
    """Issue once for the form's key, and go to the number."""
    at = security.now()
    request_ = security.idempotency(f"public:{office}")
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        asked = kiosk.wanted(session, kiosk.choices(session, here.office, at=at), words.chosen())
        # What was given stays given: a second touch after closing time gets its number again.
        if not requests.known(session, request_.scope, request_.key):
            _refuse(here, asked)
    wish = tickets.Wish(
        services=[each.service.id for each in asked], channel="kiosk", language=language(), priority=words.modes().pri
    )
    token = take(office, wish)["token"]
    prints = "1" if here.device is not None and here.prints else None
    return redirect(words.link("ticket", p=None, pri=None, token=token, print=prints), 303)


def _refuse(here: Kiosk, asked: Sequence[Wanted]) -> None:
    if here.closed:
        raise Closed("kiosk_closed")
    kiosk.refuse_closed(asked)


@blueprint.get("/<office>/ticket/<token>")
@security.policy(Function.PUBLIC)
@limit_public("look")
def ticket(office: str, token: str) -> Response:
    """The number, as large as it goes: people ahead, where to wait, the phone's page. It leaves by itself."""
    at = security.now()
    with security.database().snapshot() as session:
        here = at_kiosk(session, office)
        found = tickets.by_token(session, token)
        if found.office_id != office:
            return redirect(words.link("start"))  # type: ignore[return-value]
        sheet = paper.sheet(session, here, found, address=paper.address_of(token))
        page = render_template(
            "kiosk/ticket.html", kiosk=here, office=here.office, at=at, sheet=sheet, token=token,
            seen=tickets.describe(session, found, at=at), paper=paper.render(sheet),
            strip=kiosk_visit.row_of_counters(session, sheet.stages[0].category.hall_id),
            printing=request.args.get("print") == "1" and here.prints,
        )  # fmt: skip
    response = Response(page)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
