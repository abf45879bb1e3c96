"""Counters over HTTP: open, pause, close, call the next, call a number."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Blueprint, Response
from pydantic import AwareDatetime, Field
from sqlalchemy.orm import Session

from app.domain.roles import Function, Role
from app.models.place import Counter
from app.models.ticket import Step, Ticket
from app.services import access, counters, events, queue, requests
from app.web import security
from app.web.api.body import Body, answer, read
from app.web.api.reasons import sentence

blueprint = Blueprint("api_counters", __name__, url_prefix="/api/v1/counters")
Work = Callable[[Session, access.Principal, datetime, str], dict[str, Any]]


class Opening(Body):
    profile: str | None = Field(default=None, min_length=1)
    categories: list[str] | None = Field(default=None, max_length=40)


class Pause(Body):
    back_at: AwareDatetime | None = None


class Number(Body):
    number: str = Field(min_length=1, max_length=12)


def at_counter(counter_id: str, function: Function, work: Work) -> dict[str, Any]:
    """One idempotent act at a counter that the caller may use; the office is locked first."""
    who, at = security.caller(), security.now()
    asked = security.idempotency()
    with security.database().transaction() as session:
        office_id = events.office_of(session, Counter, counter_id)
        own = counter_id if who.role is Role.CLERK else None
        events.lock_office(session, office_id)
        access.require(session, who, function, office_id=office_id, counter_id=own)
        found, _ = requests.once(session, asked, at=at, work=lambda: work(session, who, at, asked.key))
    return found


def counter_view(counter: Counter) -> dict[str, Any]:
    """A counter as answers tell it."""
    return {
        "id": counter.id, "number": counter.number, "state": counter.state, "profile": counter.profile_id,
        "categories": [line["category"] for line in counter.lines],
        "since": counter.since.isoformat() if counter.since else None,
    }  # fmt: skip


def step_view(session: Session, step: Step) -> dict[str, Any]:
    """A step with its ticket's number, as staff see it."""
    ticket = session.get_one(Ticket, step.ticket_id)
    return {
        "step": {
            "id": step.id, "service": step.service_id, "category": step.category_id, "phase": step.phase,
            "state": step.state, "counter": step.counter_id, "recalls": step.recalls,
        },
        "ticket": {"id": ticket.id, "number": ticket.number, "language": ticket.language, "priority": ticket.priority},
    }  # fmt: skip


def called_view(session: Session, step: Step, reason: str) -> dict[str, Any]:
    """A call as answers tell it: the step, its number, and why it was its turn."""
    return step_view(session, step) | {"reason": {"code": reason}}


def answer_called(found: dict[str, Any]) -> Response:
    """The call with its reason in the caller's language; 204 when nobody was called."""
    if not found:
        return Response(status=204)
    code = found["reason"]["code"]
    return answer(found | {"reason": {"code": code, "sentence": sentence(code)}})


@blueprint.post("/<counter>/open")
@security.policy(Function.ASSIGN_COUNTERS)
def open_(counter: str) -> Response:
    """Open with a work profile, its own by default, or with categories."""
    body = read(Opening)

    def work(session: Session, who: access.Principal, at: datetime, key: str) -> dict[str, Any]:
        # A floor lead opens counters for others and does not sit down at them; a program sits nowhere, and what its
        # token is called is nobody's name.
        sits = who.kind == "staff" and who.role is Role.CLERK
        opened = counters.open_counter(
            session, counter_id=counter, actor=who.actor, at=at, profile_id=body.profile, categories=body.categories,
            staff_id=who.id if sits else None, staff_name=who.name if sits else "",
            request_key=key,
        )  # fmt: skip
        return counter_view(opened)

    return answer(at_counter(counter, Function.ASSIGN_COUNTERS, work))


@blueprint.post("/<counter>/pause")
@security.policy(Function.ASSIGN_COUNTERS)
def pause(counter: str) -> Response:
    """A break; ``back_at`` is shown at the counter."""
    body = read(Pause)
    return answer(
        at_counter(
            counter, Function.ASSIGN_COUNTERS,
            lambda session, who, at, key: counter_view(
                counters.pause_counter(
                    session, counter_id=counter, actor=who.actor, at=at, back_at=body.back_at, request_key=key
                )
            ),
        )
    )  # fmt: skip


@blueprint.post("/<counter>/close")
@security.policy(Function.ASSIGN_COUNTERS)
def close(counter: str) -> Response:
    """Close; 409 while a party is at it."""
    read(Body)
    return answer(
        at_counter(
            counter, Function.ASSIGN_COUNTERS,
            lambda session, who, at, key: counter_view(
                counters.close_counter(session, counter_id=counter, actor=who.actor, at=at, request_key=key)
            ),
        )
    )  # fmt: skip


@blueprint.post("/<counter>/call-next")
@security.policy(Function.CALL)
def call_next(counter: str) -> Response:
    """Call whose turn it is, with the reason; 204 when nobody waits."""
    read(Body)

    def work(session: Session, who: access.Principal, at: datetime, key: str) -> dict[str, Any]:
        called = queue.call_next(session, counter_id=counter, actor=who.actor, at=at, request_key=key)
        return called_view(session, called[0], called[1].reason.code) if called else {}

    return answer_called(at_counter(counter, Function.CALL, work))


@blueprint.post("/<counter>/call")
@security.policy(Function.CALL)
def call(counter: str) -> Response:
    """Call a number out of turn."""
    body = read(Number)

    def work(session: Session, who: access.Principal, at: datetime, key: str) -> dict[str, Any]:
        step = queue.call_number(
            session, counter_id=counter, number=body.number, actor=who.actor, at=at, request_key=key
        )
        return called_view(session, step, "picked")

    return answer_called(at_counter(counter, Function.CALL, work))
