"""A stand-in of Twilio's messages: ``python -m tests.standins.twilio --port 9011`` shows what was "sent".

Its ledger is the truth of the tests. ``faults`` is a script: each create call takes the next fault (None: none).
It is not Twilio: nothing reaches a telephone, and every page says so.
"""

import argparse
import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from inspect import signature
from typing import Any

import httpx
from flask import Flask, Response, jsonify, request
from markupsafe import escape
from twilio.request_validator import RequestValidator
from twilio.rest.api.v2010.account.message import MessageList
from werkzeug.serving import BaseWSGIServer, make_server

from app.domain import sms
from tests.standins import specs

ACCOUNT, TOKEN, NUMBER = "AC" + "0" * 31 + "1", "a token of the stand-in", "+15005550006"
_LIST = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
# What the SDK itself can ask for, by its own parameters: anything else is refused, with or without the document.
_FORM = frozenset(
    {"From" if name == "from_" else name.title().replace("_", "") for name in signature(MessageList.create).parameters}
) - {"Self"}
_QUERY = frozenset({"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"})
_MOST_LISTED = 1_000
_ONE = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"
# What happens instead of a plain 201: before the message is taken, or after it.
BEFORE = {"429": (429, 20429), "500_before": (500, 20500), "401": (401, 20003)}
AFTER = ("500_after", "cut_after", "slow_after")


@dataclass
class Kept:
    """A message as the ledger has it."""

    sid: str
    to: str
    body: str
    callback: str
    at: datetime
    status: str = "queued"
    error_code: int | None = None


@dataclass
class Ledger:
    """Everything that was taken, in order; ``complaints``: requests that break the provider's own document."""

    messages: list[Kept] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def take(self, to: str, body: str, callback: str) -> Kept:
        with self.lock:
            made = Kept(f"SM{len(self.messages) + 1:032x}", to, body, callback, self.clock())
            self.messages.append(made)
            return made


class TwilioStandIn:
    """The provider on a port of this machine. ``slow_seconds``: how long a slow answer takes."""

    def __init__(self, *, slow_seconds: float = 3.0) -> None:
        self.ledger, self.faults, self.slow_seconds = Ledger(), deque[str | None](), slow_seconds
        self.opted_out: set[str] = set()
        # What was asked of the API, as it came over the line: method, path, form or query.
        self.heard: list[tuple[str, str, dict[str, str]]] = []
        self.dice: Callable[[], str | None] = lambda: None
        self.app = _application(self)
        self._server: BaseWSGIServer | None = None
        self.url = ""

    def start(self, port: int = 0) -> None:
        # One line for each request says less than the ledger.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = make_server("127.0.0.1", port, self.app, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    def fault(self) -> str | None:
        return self.faults.popleft() if self.faults else self.dice()

    def report(self, kept: Kept, status: str, *, error: int | None = None, **more: str) -> httpx.Response:
        """Tell the address a message named what became of it, signed as Twilio signs."""
        kept.status, kept.error_code = status, error
        form = {"MessageSid": kept.sid, "MessageStatus": status, "To": kept.to, "AccountSid": ACCOUNT, **more}
        if error:
            form["ErrorCode"] = str(error)
        return signed_post(kept.callback, form)


def signed_post(url: str, form: dict[str, str], token: str = TOKEN) -> httpx.Response:
    """A POST with the signature Twilio would put on it."""
    signature = RequestValidator(token).compute_signature(url, form)
    return httpx.post(url, data=form, headers={"X-Twilio-Signature": signature}, timeout=10, trust_env=False)


@contextmanager
def running(**more: Any) -> Iterator[TwilioStandIn]:
    """A stand-in on a free port."""
    made = TwilioStandIn(**more)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _error(status: int, code: int, said: str) -> Response:
    answer = jsonify(code=code, message=said, more_info=f"https://www.twilio.com/docs/errors/{code}", status=status)
    answer.status_code = status
    return answer


def _shown(kept: Kept) -> dict[str, Any]:
    at, path = format_datetime(kept.at), f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{kept.sid}"
    return {
        "sid": kept.sid, "account_sid": ACCOUNT, "to": kept.to, "from": NUMBER, "body": kept.body,
        "status": kept.status, "direction": "outbound-api", "num_segments": str(sms.length(kept.body).parts),
        "num_media": "0", "date_created": at, "date_updated": at,
        "date_sent": None if kept.status == "queued" else at, "error_code": kept.error_code, "error_message": None,
        "price": None, "price_unit": None, "messaging_service_sid": None, "api_version": "2010-04-01",
        "uri": f"{path}.json", "subresource_uris": {"media": f"{path}/Media.json"},
    }  # fmt: skip


def _whole(text: str) -> int:
    """A number of the query; 0 for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _is_sender(form: dict[str, str]) -> bool:
    """Whether it leaves from the account's own number or from a messaging service."""
    return form.get("From") == NUMBER or re.fullmatch("MG[0-9a-f]{32}", form.get("MessagingServiceSid", "")) is not None


def refusal(form: dict[str, str], opted_out: set[str]) -> tuple[int, int, str] | None:
    """What Twilio itself answers to a form it does not like: status, code, words."""
    to, body = form.get("To", ""), form.get("Body", "")
    rules = (
        (not to, 21604, "A 'To' phone number is required."),
        (not to.startswith("+") or not to[1:].isdigit() or not 8 <= len(to) <= 16, 21211, "Invalid 'To' Phone Number"),
        (not _is_sender(form), 21606, "The 'From' number is not yours"),
        (not body, 21602, "Message body is required."),
        (len(body) > 1600, 21617, "The concatenated message body exceeds the 1600 character limit"),
        (not to.startswith("+81"), 21408, "Permission to send an SMS has not been enabled for the region"),
        (to[:5] not in ("+8160", "+8170", "+8180", "+8190"), 21614, "'To' number is not a valid mobile number"),
        (to in opted_out, 21610, "Attempt to send to unsubscribed recipient"),
        (
            not form.get("StatusCallback", "http://").startswith(("http://", "https://")),
            21609,
            "Invalid StatusCallback",
        ),
    )
    return next(((400, code, said) for wrong, code, said in rules if wrong), None)


class _Api:
    """The addresses of the messages API."""

    def __init__(self, me: TwilioStandIn) -> None:
        self.me, self.ledger = me, me.ledger

    def _closed(self, account: str) -> Response | None:
        self.me.heard.append((request.method, request.path, (request.form or request.args).to_dict()))
        given = request.authorization
        if given is None or given.username != ACCOUNT or given.password != TOKEN or account != ACCOUNT:
            return _error(401, 20003, "Authenticate")
        return None

    def _unknown(self, known: frozenset[str], given: dict[str, str], problems: list[str]) -> Response | None:
        """A 400 for what the SDK does not know or the document refuses; kept as a complaint."""
        found = [f"unknown parameter {name}" for name in given if name not in known] or problems
        self.ledger.complaints += found
        return _error(400, 20001, found[0]) if found else None

    def create(self, account: str) -> Response:
        form, fault = request.form.to_dict(), self.me.fault()
        closed = self._closed(account) or self._unknown(_FORM, form, specs.form_problems("twilio", _LIST, form))
        if closed is not None:
            return closed
        if fault in BEFORE:
            return _error(*BEFORE[fault], "as asked for")
        wrong = refusal(form, self.me.opted_out)
        if wrong is not None:
            self.ledger.refused.append(wrong[1])
            return _error(*wrong)
        return self._taken(self.ledger.take(form["To"], form["Body"], form.get("StatusCallback", "")), fault)

    def _taken(self, kept: Kept, fault: str | None) -> Response:
        if fault == "500_after":
            return _error(500, 20500, "as asked for")
        if fault == "slow_after":
            time.sleep(self.me.slow_seconds)
        if fault == "cut_after":
            # Half an answer, then nothing: the caller cannot know.
            broken = Response("{", status=201, mimetype="application/json")
            broken.headers["Content-Length"] = "400"
            return broken
        answer = _shown(kept)
        self.ledger.complaints += specs.answer_problems("twilio", _LIST, "post", 201, answer)
        made = jsonify(answer)
        made.status_code = 201
        return made

    def listed(self, account: str) -> Response:
        query = request.args.to_dict()
        closed = self._closed(account) or self._unknown(_QUERY, query, specs.query_problems("twilio", _LIST, query))
        if closed is not None:
            return closed
        size = _whole(query.get("PageSize", "50"))
        if not 1 <= size <= _MOST_LISTED:
            self.ledger.complaints.append("PageSize")
            return _error(400, 20001, "PageSize must be between 1 and 1000")
        with self.ledger.lock:
            found = [kept for kept in reversed(self.ledger.messages) if kept.to == query.get("To", kept.to)]
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        answer = {
            "messages": [_shown(kept) for kept in found[:size]], "page": 0, "page_size": size, "start": 0,
            "end": min(size, len(found)), "uri": path, "first_page_uri": path, "next_page_uri": None,
            "previous_page_uri": None,
        }  # fmt: skip
        return jsonify(answer)

    def fetched(self, account: str, sid: str) -> Response:
        closed = self._closed(account) or self._unknown(frozenset(), request.args.to_dict(), [])
        if closed is not None:
            return closed
        kept = next((each for each in self.ledger.messages if each.sid == sid), None)
        if kept is None:
            return _error(404, 20404, "The requested resource was not found")
        self.ledger.complaints += specs.answer_problems("twilio", _ONE, "get", 200, _shown(kept))
        return jsonify(_shown(kept))

    def page(self) -> str:
        return _page(self.ledger)

    def report(self, sid: str, status: str) -> Response:
        """A press on the page: tell our hooks what became of a message."""
        kept = next(each for each in self.ledger.messages if each.sid == sid)
        self.me.report(kept, status, error=30003 if status == "undelivered" else None)
        return Response(status=303, headers={"Location": "/"})


def _application(me: TwilioStandIn) -> Flask:
    app, api = Flask(__name__), _Api(me)
    app.add_url_rule(_LIST.replace("{AccountSid}", "<account>"), view_func=api.create, methods=["POST"])
    app.add_url_rule(_LIST.replace("{AccountSid}", "<account>"), view_func=api.listed, methods=["GET"])
    app.add_url_rule(_ONE.replace("{AccountSid}", "<account>").replace("{Sid}", "<sid>"), view_func=api.fetched)
    app.add_url_rule("/", view_func=api.page)
    app.add_url_rule("/report/<sid>/<status>", view_func=api.report, methods=["POST"])
    return app


def _page(ledger: Ledger) -> str:
    rows = "".join(
        f"<tr><td>{escape(kept.to)}<td>{escape(kept.body)}<td>{kept.status}<td>"
        + "".join(
            f'<form method=post action="/report/{kept.sid}/{word}"><button>{word}</button></form>'
            for word in ("delivered", "undelivered")
        )
        for kept in reversed(ledger.messages)
    )
    return (
        "<!doctype html><html lang=ja><meta charset=utf-8><meta http-equiv=refresh content=3><title>SMSの見本</title>"
        "<style>body{font:16px sans-serif;margin:2em}td{border:1px solid #999;padding:.5em}form{display:inline}"
        "h1{background:#ffd43d;padding:.5em}</style><h1>見本です。本物のTwilioではありません。どこにも届きません。</h1>"
        f"<table><tr><th>宛先<th>本文<th>状態<th>受け取りを知らせる</tr>{rows}</table>"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9011)
    made = TwilioStandIn()
    made.start(parser.parse_args().port)
    print(f"stand-in of Twilio (not the real one): {made.url}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
