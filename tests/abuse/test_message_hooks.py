"""The abuse table's rows of Twilio's hooks, answered as written; and LINE's."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from app.channels.base import Taken
from app.db.session import Database
from app.domain.delivery import Channel, State
from app.domain.errors import Conflict
from app.factory import create_app
from app.models.delivery import Delivery, NoticeWish, OptOut
from app.services import contacts, line_links, notices, sending, tickets
from config.settings import Settings
from tests.services.messages import SEALER, SECRET, Clock, put, row, sender
from tests.standins import twilio

PUBLIC = "https://madoguchi.example.jp"
STATUS, INBOUND, LINE = (f"/api/v1/hooks/{name}" for name in ("twilio/status", "twilio/inbound", "line"))
LINE_SECRET = "a secret of the LINE channel"


@pytest.fixture
def web(database: Database) -> Flask:
    settings = Settings(
        secret_key=SECRET.decode(), database_url=database.url, public_url=PUBLIC, twilio_account_sid=twilio.ACCOUNT,
        twilio_auth_token=twilio.TOKEN, twilio_from=twilio.NUMBER, line_channel_secret=LINE_SECRET,
        line_channel_token="t",
    )  # fmt: skip
    return create_app(settings, database)


@pytest.fixture
def client(web: Flask) -> FlaskClient:
    return web.test_client()


def told(client: FlaskClient, path: str, form: dict[str, Any], *, signed_for: str | None = None,
         token: str = twilio.TOKEN, sign: dict[str, Any] | None = None) -> TestResponse:  # fmt: skip
    """A request as Twilio sends it, or signed for something else."""
    signature = RequestValidator(token).compute_signature(signed_for or PUBLIC + path, sign or form)
    return client.post(path, data=form, headers={"X-Twilio-Signature": signature, "Host": "madoguchi.example.jp"})


@pytest.fixture
def sent(database: Database) -> int:
    """A message that Twilio has taken as SM1."""
    at = datetime.now(UTC)
    number = put(database, at=at)
    me = sender(database, twilio_way(), clock=Clock(at))
    with database.transaction() as session:
        claimed = sending.claim(session, me.outfit, at=at)
        assert claimed is not None
        assert sending.mark(session, claimed, Taken(provider_id="SM1"), at=at)
    return number


def twilio_way() -> Any:
    from tests.services.messages import sms_of

    return sms_of(twilio.TwilioStandIn())


def report(word: str, sid: str = "SM1", **more: str) -> dict[str, str]:
    return {"MessageSid": sid, "MessageStatus": word, "AccountSid": twilio.ACCOUNT, **more}


def test_a_report_moves_the_message_forward_only(client: FlaskClient, database: Database, sent: int) -> None:
    for word in ("sent", "delivered", "sent", "undelivered", "delivered"):
        assert told(client, STATUS, report(word)).status_code == 204
    assert row(database, sent).state == State.DELIVERED


def test_a_failure_is_told_with_its_reason(client: FlaskClient, database: Database, sent: int) -> None:
    assert told(client, STATUS, report("undelivered", ErrorCode="30003")).status_code == 204
    assert (row(database, sent).state, row(database, sent).reason) == (State.FAILED, "switched_off")
    assert told(client, STATUS, report("delivered")).status_code == 204
    assert row(database, sent).state == State.FAILED


@pytest.mark.parametrize(
    ("form", "more"),
    [
        (report("delivered"), {"token": "another"}),
        (report("delivered"), {"signed_for": f"http://madoguchi.example.jp{STATUS}"}),
        (report("delivered", To="+81"), {"sign": report("delivered")}),
        (report("delivered"), {"sign": report("delivered", To="+81")}),
        (report("delivered") | {"MessageSid": ["SM1", "SM1"]}, {"sign": report("delivered")}),
        (report("delivered"), {"signed_for": f"{PUBLIC}{INBOUND}"}),
    ],
    ids=["wrong", "http", "added", "removed", "duplicated", "another address"],
)
def test_what_is_not_signed_for_us_is_refused(
    client: FlaskClient, database: Database, sent: int, form: dict[str, Any], more: dict[str, Any]
) -> None:
    assert told(client, STATUS, form, **more).status_code == 403
    assert row(database, sent).state == State.SENT


@pytest.mark.parametrize("path", [STATUS, INBOUND])
def test_no_signature_the_wrong_method_and_too_much(client: FlaskClient, path: str) -> None:
    assert client.post(path, data=report("delivered")).status_code == 403
    assert client.get(f"{path}?MessageSid=SM1&MessageStatus=delivered").status_code == 405
    assert client.post(path, data={"Body": "x" * 1_000_000}).status_code == 413


@pytest.mark.parametrize(
    "form",
    [
        report("foo"), report("delivered", "SM-of-nobody"), report(""), {},
        report("delivered") | {"AccountSid": "AC-another"},
    ],
)  # fmt: skip
def test_what_is_not_ours_is_heard_and_changes_nothing(
    client: FlaskClient, database: Database, sent: int, form: dict[str, str]
) -> None:
    assert told(client, STATUS, form).status_code == 204
    assert row(database, sent).state == State.SENT


def test_an_id_of_another_message_changes_only_its_own(client: FlaskClient, database: Database, sent: int) -> None:
    path = f"{STATUS}?d={sent + 1}"
    assert told(client, path, report("delivered", "SM-other")).status_code == 204
    assert told(client, f"{STATUS}?d={sent}", report("delivered", "SM-other")).status_code == 204
    assert told(client, f"{STATUS}?d=99999999999999999999", report("delivered", "x")).status_code == 204
    found = row(database, sent)
    assert (found.state, found.provider_id) == (State.SENT, "SM1")


@pytest.mark.parametrize("said", ["STOP", "stop ", "停止", "配信停止", "ＳＴＯＰ", "ｽﾄｯﾌﾟ"])
def test_stop_ends_all_messages_to_the_number(client: FlaskClient, database: Database, said: str) -> None:
    for _ in range(2):
        assert told(client, INBOUND, {"From": "+819012345678", "Body": said}).status_code == 204
    with database.snapshot() as session:
        assert session.get(OptOut, contacts.blind(SEALER, "aonami", "sms", "+819012345678")) is not None
    assert told(client, INBOUND, {"From": "+819012345678", "Body": "再開"}).status_code == 204
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(OptOut)) == 0


@pytest.mark.parametrize(
    "form", [{"From": "+15005550001", "Body": "STOP"}, {"From": "+819012345678", "Body": "はい"}, {}]
)
def test_other_words_and_numbers_are_heard_and_change_nothing(
    client: FlaskClient, database: Database, form: dict[str, str]
) -> None:
    assert told(client, INBOUND, form).status_code == 204
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(OptOut)) == 0


def _line(client: FlaskClient, body: object, secret: str = LINE_SECRET) -> TestResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    return client.post(LINE, data=raw, headers={"X-Line-Signature": signature}, content_type="application/json")


def test_the_word_of_a_page_links_line_to_the_ticket(client: FlaskClient, database: Database) -> None:
    at = datetime.now(UTC)
    with database.transaction() as session:
        wish = tickets.Wish(services=["juminhyo"], channel="web")
        ticket = tickets.issue(session, office_id="ward", wish=wish, seed="s", secret=SECRET, actor="test", at=at)
        notices.wish(session, ticket=ticket, channel=Channel.LINE, contact_id=None, rule="ahead", amount=3,
                     language="ja", active=False, at=at)  # fmt: skip
    event = {"type": "message", "source": {"userId": "U1"}, "message": {"type": "text", "text": "WRONGWRD"}}
    assert _line(client, {"events": [event]}).status_code == 200
    event["message"] = {"type": "text", "text": line_links.word(SECRET, ticket.id).lower()}
    assert _line(client, {"events": [event]}, secret="another").status_code == 403
    with database.snapshot() as session:
        assert not session.get_one(NoticeWish, ticket.id).active
    for _ in range(2):
        assert _line(client, {"events": [event]}).status_code == 200
    with database.snapshot() as session:
        found = session.get_one(NoticeWish, ticket.id)
        assert found.active
        assert found.contact_id is not None
    assert _line(client, {"events": [{"type": "unfollow", "source": {"userId": "U1"}}]}).status_code == 200
    with database.snapshot() as session:
        assert session.get(OptOut, contacts.blind(SEALER, "aonami", "line", "U1")) is not None


_ODD = {"type": "message", "source": {"userId": 3}, "message": []}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b"[" * 9000, {"events": 3}, {"events": [3, {}]}, {"events": [_ODD]}]
)
def test_nonsense_with_a_signature_is_heard(client: FlaskClient, body: object) -> None:
    assert _line(client, body).status_code == 200


def test_without_keys_there_is_no_hook(database: Database) -> None:
    client = create_app(Settings(secret_key=SECRET.decode(), database_url=database.url), database).test_client()
    for path in (STATUS, INBOUND, LINE):
        assert client.post(path).status_code == 404


def test_the_states_are_final_in_the_database_too(database: Database, sent: int) -> None:
    with pytest.raises(Conflict), database.transaction() as session:
        session.get_one(Delivery, sent).state = State.FAILED
