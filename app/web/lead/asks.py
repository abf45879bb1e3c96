"""Dialogs of the lead: a counter and what may be done with it, a number and what its state allows, the keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import Response, render_template, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.refs import normal_number
from app.domain.roles import Function, may
from app.domain.ticket import AT_COUNTER, Action, Phase, State, actions_from
from app.models.place import Counter, Office, Service, WorkProfile
from app.models.ticket import Step, Ticket
from app.services import access, catalogue, lines, notes, tickets
from app.web import security
from app.web.lead import acts

ASKS = frozenset({"counter", "number", "find", "keys"})
_MOST_TYPED = 200


def page(office_id: str, what: str, *, breaks: tuple[int, ...]) -> Response:
    """The dialog ``what``; 404 for an unknown one, and with words for a number that is not there today."""
    who, at, inside = security.caller(), security.now(), bool(request.headers.get("X-Part"))
    with security.database().snapshot() as session:
        access.require(session, who, Function.LEAD, office_id=office_id)
        if what not in ASKS:
            raise NotFound(what="question")
        values = _values(session, office_id, what, at)
        html = render_template(
            f"lead/ask_{what}.html", office=session.get_one(Office, office_id), at=at, breaks=breaks,
            frame_of="desk/bare.html" if inside else "staff/base.html", heading="h2" if inside else "h1",
            key=security.fresh_secret(), may_call=may(who.role, Function.CALL),
            may_assign=may(who.role, Function.ASSIGN_COUNTERS), **values,
        )  # fmt: skip
    return Response(html, status=404 if what == "number" and values["ticket"] is None else 200)


def _values(session: Session, office_id: str, what: str, at: datetime) -> dict[str, Any]:
    if what == "counter":
        return _counter(session, office_id, request.args.get("counter", ""))
    return _number(session, office_id, request.args.get("n", ""), at) if what == "number" else {}


def _counter(session: Session, office_id: str, counter_id: str) -> dict[str, Any]:
    counter = session.get(Counter, counter_id)
    if counter is None or counter.office_id != office_id:
        raise NotFound(what="counter")
    profiles = session.scalars(
        select(WorkProfile).where(WorkProfile.office_id == office_id).order_by(WorkProfile.position)
    ).all()
    held = session.execute(
        select(Step, Ticket.number)
        .join(Ticket, Ticket.id == Step.ticket_id)
        .where(Step.counter_id == counter.id, Step.state.in_(sorted(AT_COUNTER)))
        .order_by(Step.called_at)
    ).all()
    return {
        "counter": counter, "profiles": profiles, "expect": acts.shown(counter),
        "held": [(step, number) for step, number in held],
        "allowed": {step.id: _allowed(step) for step, _ in held},
        "now": next((p for p in profiles if p.id == counter.profile_id), None),
    }  # fmt: skip


def _allowed(step: Step, visit: Sequence[Step] = ()) -> list[Action]:
    """What a lead may do to a step, by the state table; a hand-over is ready once its hearing is over."""
    possible = set(actions_from(State(step.state)))
    heard = any(each.position == step.position - 1 and each.state == State.DONE for each in visit)
    if step.phase != Phase.DELIVER or not heard:
        possible.discard(Action.READY)
    return [action for action in acts.ON_STEP if action in possible]


def _number(session: Session, office_id: str, typed: str, at: datetime) -> dict[str, Any]:
    wanted = normal_number(typed[:_MOST_TYPED])[:12]
    try:
        ticket = lines.find_number(session, office_id, wanted, at=at)
    except NotFound:
        return {"wanted": wanted, "ticket": None}
    steps = lines.steps_of(session, ticket.id)
    groups: dict[str, list[Any]] = {}
    for each in catalogue.services(session, office_id, at=at):
        groups.setdefault(each.category.id, []).append(each)
    free = session.scalars(
        select(Counter)
        .where(Counter.office_id == office_id, Counter.state == "open")
        .where(~select(Step.id).where(Step.counter_id == Counter.id, Step.state.in_(sorted(AT_COUNTER))).exists())
        .order_by(Counter.position)
    ).all()
    mine = {step.category_id for step in steps}
    return {
        "wanted": wanted, "ticket": tickets.describe(session, ticket, at=at), "note": notes.of(session, ticket.id),
        "steps": {step.id: step for step in steps}, "groups": list(groups.values()),
        "allowed": {step.id: _allowed(step, steps) for step in steps},
        "hidden": {step.id for step in steps if session.get_one(Service, step.service_id).sensitive},
        "serves": {c.id: any(each["category"] in mine for each in c.lines) for c in free},
        "free": sorted(free, key=lambda c: not any(each["category"] in mine for each in c.lines)),
    }  # fmt: skip
