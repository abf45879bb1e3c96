"""Acts of a desk that are more than one move of the table: undo the last one, and no-show with the next call."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.domain.roles import Function
from app.domain.ticket import Action
from app.services import access, desk_acts
from app.web import security
from app.web.api.body import Body, answer, read
from app.web.api.counters import answer_called, at_counter, called_view, step_view

blueprint = Blueprint("api_desk", __name__, url_prefix="/api/v1/counters")


class Undoing(Body):
    """What the screen said would be taken back; something else is never."""

    step: int = Field(gt=0, lt=2**63)
    action: Action


class NoShow(Body):
    step: int = Field(gt=0, lt=2**63)


@blueprint.post("/<counter>/undo")
@security.policy(Function.CALL)
def undo(counter: str) -> Response:
    """Take back the last act on a step at this counter; 409 undo_gone when something happened since."""
    body = read(Undoing)

    def work(session: Session, who: access.Principal, at: datetime, key: str) -> dict[str, Any]:
        step = desk_acts.undo(
            session, counter_id=counter, step_id=body.step, action=body.action, actor=who.actor, at=at, request_key=key
        )
        return step_view(session, step)

    return answer(at_counter(counter, Function.CALL, work))


@blueprint.post("/<counter>/miss-next")
@security.policy(Function.CALL)
def miss_next(counter: str) -> Response:
    """Mark a party that did not come and call whose turn it is; 204 when nobody waits."""
    body = read(NoShow)

    def work(session: Session, who: access.Principal, at: datetime, key: str) -> dict[str, Any]:
        called = desk_acts.miss_and_next(
            session, counter_id=counter, step_id=body.step, actor=who.actor, at=at, request_key=key
        )
        return called_view(session, called[0], called[1].reason.code) if called else {}

    return answer_called(at_counter(counter, Function.CALL, work))
