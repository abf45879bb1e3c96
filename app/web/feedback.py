"""How was it? One tap on the page of a number that is done; without JavaScript, without a name, without free words."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, redirect, request, url_for
from sqlalchemy.orm import Session

from app.domain.errors import InvalidInput
from app.domain.feedback import Topic, Verdict
from app.domain.roles import Function
from app.models.ticket import Ticket
from app.services import feedback, tickets
from app.web import security
from app.web.limits import limit_public

blueprint = Blueprint("feedback", __name__)
VERDICTS: Mapping[Verdict, str] = {Verdict.GOOD: "よかった", Verdict.FAIR: "ふつう", Verdict.BAD: "こまった"}
TOPICS: Mapping[Topic, str] = {
    Topic.WAIT: "待ち時間",
    Topic.EXPLANATION: "説明のわかりやすさ",
    Topic.MANNER: "職員の対応",
    Topic.WAY: "場所・案内",
    Topic.PAPERS: "書類・持ちもの",
    Topic.MACHINE: "受付機・スマートフォンの画面",
}
_Word = TypeVar("_Word", bound=StrEnum)


def shown(session: Session, ticket: Ticket, token: str, *, at: Any) -> dict[str, Any] | None:
    """What the page of a number asks, and what it was told; None where it does not ask."""
    if not feedback.asked(session, ticket, at=at):
        return None
    found = feedback.given(session, token)
    return {
        "verdicts": VERDICTS, "topics": TOPICS, "given": Verdict(found.verdict) if found else None,
        "topic": Topic(found.topic) if found and found.topic else None, "again": "again" in request.args,
    }  # fmt: skip


@blueprint.post("/t/<token>/feedback")
@security.policy(Function.PUBLIC)
@limit_public("write")
def give(token: str) -> Any:
    """Keep the tap, or what it was about; said twice it is kept once."""
    verdict, topic = _one_of(Verdict, "verdict"), _one_of(Topic, "topic")
    if verdict is None and topic is None:
        raise InvalidInput(fields=["verdict"])
    with security.database().transaction() as session:
        found = tickets.by_token(session, token)
        feedback.give(session, found, token=token, verdict=verdict, topic=topic, at=security.now())
    return redirect(url_for("resident.ticket", token=token, _anchor="feedback"), 303)


def _one_of(words: type[_Word], name: str) -> _Word | None:
    given = request.form.get(name)
    if given is None:
        return None
    if given not in list(words):
        raise InvalidInput(fields=[name])
    return words(given)
