"""Questions before an act, and looking at a number: pages without a script, insides of dialogs with one."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from app.domain.calendar import business_date
from app.domain.errors import Conflict, NotFound
from app.domain.refs import normal_number
from app.domain.roles import Function
from app.domain.ticket import Phase, State
from app.models.place import Counter, Office
from app.models.ticket import Step
from app.services import access, desk, lines, notes, tickets
from app.web import security
from app.web.desk import acts, money, seat, transfer

ASKS = frozenset({"transfer", "number", "find", "miss", "cancel", "pause", "keys", "note", "money"})
# What the QR code of a number holds: the address of its page.
_LINK = re.compile(r"/t/([a-z2-7]{32})$")
_OF_A_PARTY = frozenset({"transfer", "miss", "note"})


def _frame() -> str:
    """The template around a question: none for the script, which puts it into a dialog."""
    return "desk/bare.html" if request.headers.get("X-Part") else "staff/base.html"


def page(what: str) -> Any:
    """The question ``what``; 404 for an unknown one, 409 when it has lost its object."""
    if what not in ASKS:
        raise NotFound(what="question")
    who, at = seat.clerk(), security.now()
    with security.database().snapshot() as session:
        counter = seat.own(session, who)
        if counter is None:
            return redirect(url_for("desk.show"))
        values = _values(session, counter, what, at)
        return render_template(
            f"desk/ask_{what}.html", frame_of=_frame(), counter=counter, key=security.fresh_secret(),
            number=normal_number(request.args.get("n", ""))[:12], at=at, **values,
        )  # fmt: skip


def _values(session: Session, counter: Counter, what: str, at: datetime) -> dict[str, Any]:
    if what == "pause":
        return {"breaks": acts.BREAKS}
    if what == "money":
        return money.asked(session, counter, normal_number(request.args.get("n", ""))[:12])
    if what not in _OF_A_PARTY:
        return {}
    held = desk.held(session, counter, at=at)
    chosen = request.args.get("step", type=int)
    step = next((s for s in held if chosen in (None, s.id)), None)
    if step is None:
        raise Conflict("undo_gone")
    party = desk.party(session, step)
    found = {"party": party, "note": notes.of(session, step.ticket_id), "longest": notes.LONGEST}
    return found | (transfer.destinations(session, step, at=at) if what == "transfer" else {})


def number(typed: str) -> Response:
    """What is known of a number of today, and the acts its state allows; 404 says it in the same place."""
    who, at = seat.clerk(), security.now()
    link = _LINK.search(typed)
    wanted = normal_number(typed)[:12]
    with security.database().snapshot() as session:
        counter = seat.own(session, who)
        office_id = counter.office_id if counter else who.office_id
        if office_id is None:
            raise NotFound(what="office")
        access.require(session, who, Function.CALL, office_id=office_id)
        try:
            ticket = (
                tickets.by_token(session, link[1]) if link else lines.find_number(session, office_id, wanted, at=at)
            )
        except NotFound:
            ticket = None
        if ticket is not None and (ticket.office_id, ticket.business_date) != (office_id, business_date(at)):
            ticket = None
        steps = lines.steps_of(session, ticket.id) if ticket else []
        html = render_template(
            "desk/number.html", frame_of=_frame(), wanted=wanted, counter=counter, key=security.fresh_secret(), at=at,
            office=session.get_one(Office, office_id), steps={step.id: step for step in steps}, ready=_made(steps),
            ticket=tickets.describe(session, ticket, at=at) if ticket else None,
            note=notes.of(session, ticket.id) if ticket else "", free=_free(session, counter, at),
        )  # fmt: skip
    return Response(html, status=200 if ticket else 404)


def _made(steps: Sequence[Step]) -> set[int]:
    """Hand-overs that may be marked as ready: their hearing is done."""
    done = {step.position for step in steps if step.state == State.DONE}
    return {
        step.id
        for step in steps
        if step.phase == Phase.DELIVER and step.state == State.PENDING and step.position - 1 in done
    }


def _free(session: Session, counter: Counter | None, at: datetime) -> bool:
    """Whether one more party may be called to the own counter."""
    if counter is None or counter.state != "open":
        return False
    return len(desk.held(session, counter, at=at)) < counter.capacity
