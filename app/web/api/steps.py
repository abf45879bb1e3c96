"""Every other action of the state table over HTTP: POST /steps/{step}/{action}."""

from typing import Any

from flask import Blueprint, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.roles import Function, Role
from app.domain.ticket import Action
from app.services import access, events, queue, requests
from app.web import security
from app.web.api.body import Body, answer, read
from app.web.api.counters import step_view

blueprint = Blueprint("api_steps", __name__, url_prefix="/api/v1/steps")
_ACTIONS = {action.value: action for action in Action if action is not Action.CALL}
# Actions on a party that sits at a counter: a clerk acts only at the own one.
_AT_OWN = {Action.RECALL, Action.UNCALL, Action.START, Action.RETURN, Action.FINISH, Action.MISS, Action.TRANSFER,
           Action.PARK, Action.REOPEN}  # fmt: skip


class Doing(Body):
    service: str | None = None
    reason: str | None = Field(default=None, max_length=100)


def own_counter(session: Session, who: access.Principal, action: Action) -> str | None:
    """The only counter at which this caller may do this; None: any. Raises Forbidden for a clerk without a seat."""
    if who.role is not Role.CLERK or action not in _AT_OWN:
        return None
    access.require(session, who, Function.CALL, counter_id=who.counter_id or "")
    return who.counter_id


@blueprint.post("/<int:step>/<action>")
@security.policy(Function.CALL)
def act(step: int, action: str) -> Response:
    """The step after the action, or 409 illegal_transition; 404 for an unknown action or step."""
    doing, body = _ACTIONS.get(action), read(Doing)
    if doing is None or step >= 2**63:
        raise NotFound(what="action")
    who, at, asked = security.caller(), security.now(), security.idempotency()
    with security.database().transaction() as session:
        office, _ = events.lock_step(session, step)
        access.require(session, who, Function.CALL, office_id=office.id)
        own = own_counter(session, who, doing)

        def work() -> dict[str, Any]:
            moved = queue.act(
                session, step_id=step, action=doing, actor=who.actor, at=at, counter_id=own,
                service_id=body.service, request_key=asked.key, reason=body.reason,
            )  # fmt: skip
            return step_view(session, moved)

        found, _ = requests.once(session, asked, at=at, work=work)
    return answer(found)
