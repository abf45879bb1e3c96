"""A stand-in of LINE's push messages: its own ledger, its retry keys, its refusals; not the real one."""

import threading
import uuid
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

from tests.standins import specs

TOKEN = "a token of the stand-in"
_PATH = "/v2/bot/message/push"
_PUSH = frozenset({"to", "messages", "notificationDisabled", "customAggregationUnits"})
MOST_TEXTS, MOST_LETTERS = 5, 5_000
_TEXT = frozenset({"type", "text", "emojis", "quoteToken", "quickReply", "sender"})


class LineStandIn:
    """``messages``: what was taken, as (recipient, text); ``faults``: "500_after", "429" or None for each call."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.complaints: list[str] = []
        self.faults: deque[str | None] = deque()
        self.keys: dict[str, str] = {}
        # What was pushed, as it came over the line.
        self.heard: list[Any] = []
        self.url = ""

    def push(self) -> Response:
        body, key = request.get_json(silent=True), request.headers.get("X-Line-Retry-Key", "")
        self.heard.append(body)
        problems = [*_wrong(body), *specs.json_problems("line", _PATH, body)] or _unknown(body)
        self.complaints += problems
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._said(401, "Authentication failed.")
        if problems:
            return self._said(400, problems[0])
        try:
            uuid.UUID(key)
        except ValueError:
            return self._said(400, "Invalid retry key")
        if not body["to"].startswith("U"):
            return self._said(400, "The property, 'to', in the request body is invalid")
        fault = self.faults.popleft() if self.faults else None
        if fault == "429":
            return self._said(429, "You have reached your monthly limit.")
        if key in self.keys:
            return self._said(409, "The retry key is already accepted", {"x-line-accepted-request-id": self.keys[key]})
        self.keys[key] = str(uuid.uuid4())
        self.messages.append((body["to"], body["messages"][0]["text"]))
        if fault == "500_after":
            return self._said(500, "Internal server error")
        answer = {"sentMessages": [{"id": "461230966842064897", "quoteToken": "IStG5h1Tz7b"}]}
        self.complaints += specs.answer_problems("line", _PATH, "post", 200, answer)
        made = jsonify(answer)
        made.headers["x-line-request-id"] = self.keys[key]
        return made

    def _said(self, status: int, message: str, headers: dict[str, str] | None = None) -> Response:
        made = jsonify(message=message)
        self.complaints += specs.answer_problems("line", _PATH, "post", status, {"message": message}) if status in (
            400, 409, 429) else []  # fmt: skip
        made.status_code = status
        made.headers.update(headers or {})
        return made


def _unknown(body: dict[str, Any]) -> list[str]:
    """Fields of a push, or of a text in it, that LINE does not have."""
    texts = [name for each in body.get("messages", []) for name in each if name not in _TEXT]
    return [f"unknown field {name}" for name in [*(each for each in body if each not in _PUSH), *texts]]


def _wrong(body: Any) -> list[str]:
    """What is missing from a push or of another kind than LINE's reference says."""
    if not isinstance(body, dict):
        return ["the request body is no object"]
    texts = body.get("messages")
    if not isinstance(body.get("to"), str) or not body["to"]:
        return ["to"]
    if not isinstance(texts, list) or not 0 < len(texts) <= MOST_TEXTS:
        return ["messages"]
    return [f"messages[{place}]" for place, each in enumerate(texts) if not _is_text(each)]


def _is_text(each: Any) -> bool:
    said = each.get("text") if isinstance(each, dict) else None
    if not isinstance(said, str) or each.get("type") != "text":
        return False
    return 0 < len(said.encode("utf-16-le")) // 2 <= MOST_LETTERS and not specs.problems("line", "TextMessage", each)


@contextmanager
def running() -> Iterator[LineStandIn]:
    """A stand-in on a free port."""
    made, app = LineStandIn(), Flask(__name__)
    app.add_url_rule(_PATH, view_func=made.push, methods=["POST"])
    server: Any = make_server("127.0.0.1", 0, app, threaded=True)
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
