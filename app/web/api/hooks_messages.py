"""What Twilio and LINE tell us: believed by signature against our configured public address, never by a header.

Twilio signs no instant, so that an old report can be sent again for ever: states only move forward (receipts.py).
"""

import base64
import hashlib
import hmac
import json
import logging
import unicodedata
from typing import Any

from flask import Blueprint, Response, current_app, request
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.channels.base import Fate, Taken
from app.channels.sms_twilio import WORDS, reason_of
from app.db.sealed import Sealer
from app.domain import contact as rules
from app.domain.delivery import Channel
from app.domain.errors import Forbidden, InvalidInput, NotFound
from app.domain.roles import Function
from app.models.place import Municipality
from app.services import contacts, line_links, receipts
from app.web import security
from app.web.api.body import answer
from config.settings import Settings

blueprint = Blueprint("api_hooks_messages", __name__, url_prefix="/api/v1/hooks")
log = logging.getLogger(__name__)
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "停止", "配信停止", "ストップ"})
START_WORDS = frozenset({"START", "UNSTOP", "YES", "再開", "配信再開"})
_LONGEST_ID = 18


def _settings() -> Settings:
    found: Settings = current_app.config["SETTINGS"]
    return found


def _sealer() -> Sealer:
    found = current_app.extensions.get("sealer")
    if not isinstance(found, Sealer):
        found = current_app.extensions["sealer"] = Sealer(_settings().secret_key.encode())
    return found


def _believed() -> dict[str, str]:
    """The form of a request that Twilio signed for this very address; raises Forbidden, NotFound while it is off."""
    token = _settings().twilio_auth_token
    if not token:
        raise NotFound(what="hook")
    from twilio.request_validator import RequestValidator

    query = request.query_string.decode("ascii", "replace")
    url = current_app.config["ADDRESS"] + request.path + (f"?{query}" if query else "")
    signature = request.headers.get("X-Twilio-Signature", "")
    form = request.form.to_dict()
    # The signature covers the set of values: a value sent twice would pass.
    once = all(len(request.form.getlist(name)) == 1 for name in request.form)
    if not (once and signature and RequestValidator(token).validate(url, form, signature)):
        log.warning("a webhook of Twilio was refused: wrong signature for %s", request.path)
        raise Forbidden()
    return form


@blueprint.post("/twilio/status")
@security.policy(Function.PUBLIC)
def status() -> Response:
    """What became of a message; 204 whatever it is, so that Twilio does not send it again for ever."""
    form = _believed()
    word, sid = form.get("MessageStatus", ""), form.get("MessageSid", "")
    if word in WORDS and sid and form.get("AccountSid", "") == _settings().twilio_account_sid:
        told = Taken(
            provider_id=sid, fate=WORDS[word], word=word,
            reason=reason_of(form.get("ErrorCode")) if WORDS[word] is Fate.FAILED else "",
        )  # fmt: skip
        named = request.args.get("d", "")
        number = int(named) if named.isascii() and named.isdigit() and len(named) <= _LONGEST_ID else None
        with security.database().transaction() as session:
            receipts.learn(session, told, at=security.now(), delivery_id=number)
    return Response(status=204)


@blueprint.post("/twilio/inbound")
@security.policy(Function.PUBLIC)
def inbound() -> Response:
    """Somebody answered: STOP and 停止 end all messages to that number, START and 再開 allow them again."""
    form = _believed()
    said = unicodedata.normalize("NFKC", form.get("Body", "")).strip().upper()
    try:
        number = rules.mobile(form.get("From", ""))
    except InvalidInput:
        return Response(status=204)
    if said in STOP_WORDS | START_WORDS:
        with security.database().transaction() as session:
            _opt(session, Channel.SMS, number, stop=said in STOP_WORDS)
    return Response(status=204)


def _opt(session: Session, channel: Channel, value: str, *, stop: bool) -> None:
    """One number writes to one sender: it is meant for every city of this installation."""
    for city in session.scalars(select(Municipality.id)):
        index = contacts.blind(_sealer(), city, channel, value)
        if stop:
            receipts.stop(session, index, at=security.now())
        else:
            receipts.resume(session, index)


@blueprint.post("/line")
@security.policy(Function.PUBLIC)
def line() -> Response:
    """Events of LINE: the word of a ticket's page links its sender, leaving ends all messages. Others are ignored."""
    secret = _settings().line_channel_secret
    if not secret:
        raise NotFound(what="hook")
    raw = request.get_data(cache=True)
    signed = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256))
    if not hmac.compare_digest(signed, request.headers.get("X-Line-Signature", "").encode("utf-8", "replace")):
        log.warning("a webhook of LINE was refused: wrong signature")
        raise Forbidden()
    for event in _events(raw):
        _heard(event)
    return answer({})


def _events(raw: bytes) -> list[dict[str, Any]]:
    """The events of a body with LINE's signature; none where it is not what LINE sends."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return []
    events = body.get("events") if isinstance(body, dict) else None
    return [each for each in events if isinstance(each, dict)] if isinstance(events, list) else []


def _heard(event: dict[str, Any]) -> None:
    source, said = event.get("source"), event.get("message")
    user = source.get("userId") if isinstance(source, dict) else None
    if not isinstance(user, str) or not 0 < len(user) <= 100:
        return
    with security.database().transaction() as session:
        if event.get("type") in ("unfollow", "follow"):
            _opt(session, Channel.LINE, user, stop=event["type"] == "unfollow")
        elif event.get("type") == "message" and isinstance(said, dict) and isinstance(said.get("text"), str):
            line_links.link(
                session, sealer=_sealer(), secret=_settings().secret_key.encode(), text=said["text"], user=user,
                at=security.now(),
            )  # fmt: skip
