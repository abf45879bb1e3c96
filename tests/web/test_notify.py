"""Being told, from the number's page to the message and its link; each refusal where it is typed."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.channels.base import Ways
from app.channels.console import Console
from app.db.session import Database
from app.domain.delivery import Channel, Occasion
from app.domain.refs import token_hash
from app.factory import create_app
from app.models.delivery import Contact, ContactCode, Delivery
from app.services import bookings, counters, queue, waiting_list
from app.services.sending import code_digits
from config.settings import Settings
from tests.services.booking_desk import AT, FULL_DAY, fill_day
from tests.services.messages import SEALER, SECRET, Clock, put, sender
from tests.web.conftest import Caller

WAYS = (Channel.SMS, Channel.EMAIL, Channel.LINE)


@pytest.fixture
def web(database: Database) -> Flask:
    made = create_app(Settings(secret_key=SECRET.decode(), database_url=database.url), database)
    made.extensions["ways"] = Ways(channels={name: Console(name) for name in WAYS})
    return made


class Page:
    """A number's page in a browser."""

    def __init__(self, client: FlaskClient, database: Database, token: str) -> None:
        self.client, self.database, self.token = client, database, token

    def post(self, path: str, **form: str) -> TestResponse:
        page = self.client.get(f"/t/{self.token}/notify").get_data(as_text=True)
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert csrf
        return self.client.post(f"/t/{self.token}/notify{path}", data={"csrf_token": csrf[1], **form})

    def wish(self, **form: str) -> TestResponse:
        return self.post("", **({"by": "ahead:3", "ch": "sms", "tel": "090-1234-5678"} | form))

    def text(self, path: str = "") -> str:
        return self.client.get(f"/t/{self.token}{path}").get_data(as_text=True)

    def digits(self) -> str:
        with self.database.snapshot() as session:
            number = session.scalar(select(func.max(ContactCode.id)))
            return code_digits(SECRET, number or 0)


@pytest.fixture
def page(web: Flask, database: Database) -> Page:
    return Page(web.test_client(), database, Caller(web.test_client()).ticket("juminhyo")["token"])


def test_a_number_is_proved_then_told_about(page: Page) -> None:
    assert "順番が近づいたら 知らせる" in page.text()
    answer = page.wish()
    assert (answer.status_code, answer.location) == (303, f"/t/{page.token}/notify/code")
    assert "090-****-5678" in page.text("/notify/code")
    assert "確認の番号を入れると、知らせます" in page.text()
    answer = page.post("/code", code=" １２３" + "4" if page.digits() == "000000" else "000000")
    assert answer.status_code == 422
    assert "番号が違います" in answer.get_data(as_text=True)
    assert page.post("/code", code=page.digits()).location == f"/t/{page.token}"
    said = page.text()
    assert "あと3人になったら 知らせます" in said
    assert "090-****-5678" in said
    assert "1234-5678" not in said
    assert "12345678" not in said
    assert page.post("/stop").status_code == 303
    assert "あと3人になったら" not in page.text()


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"tel": "03-1234-5678"}, 422, "060・070・080・090"), ({"tel": "+1 900 555 1234"}, 422, "060・070・080・090"),
        ({"ch": "email", "mail": "a b"}, 422, "メールアドレスを確かめて"), ({"ch": "push"}, 409, "この知らせ方は"),
        ({"ch": "fax"}, 422, "いつ、どこに"), ({"by": "ahead:2"}, 422, "いつ、どこに"),
        ({"by": "x"}, 422, "いつ、どこに"),
        ({"by": "ahead:٣"}, 422, "いつ、どこに"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_on_the_form(page: Page, form: dict[str, str], status: int, said: str) -> None:
    answer = page.wish(**form)
    assert answer.status_code == status
    assert said in answer.get_data(as_text=True)
    with page.database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_too_many_codes_are_refused_on_the_form(page: Page) -> None:
    assert [page.wish().status_code for _ in range(5)] == [303, 303, 303, 429, 429]
    answer = page.wish()
    assert answer.headers["Retry-After"] == "600"
    assert "これ以上送れません" in answer.get_data(as_text=True)
    assert page.post("/again").status_code == 429


def test_the_answer_is_the_same_whether_the_number_is_known(page: Page, web: Flask) -> None:
    page.wish()
    page.post("/code", code=page.digits())
    other = Page(web.test_client(), page.database, Caller(web.test_client()).ticket("juminhyo")["token"])
    known, unknown = other.wish(), other.wish(tel="090-8888-7777")
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)


def test_five_wrong_tries_end_a_code(page: Page) -> None:
    page.wish()
    wrong = "000000" if page.digits() != "000000" else "000001"
    assert [page.post("/code", code=wrong).status_code for _ in range(5)] == [422] * 4 + [409]
    assert page.post("/code", code=page.digits()).status_code == 409
    assert page.post("/again").status_code == 303
    assert page.post("/code", code=page.digits()).status_code == 303


def test_line_shows_the_word_to_send(page: Page) -> None:
    assert page.wish(ch="line").location == f"/t/{page.token}"
    assert "LINEで この言葉を送ってください" in page.text()


def test_a_channel_that_is_off_is_not_offered(page: Page, web: Flask) -> None:
    web.extensions["ways"] = Ways()
    assert "順番が近づいたら" not in page.text()
    assert "いまは知らせることができません" in page.text("/notify")


def test_a_link_in_a_message_leads_to_the_number(page: Page, database: Database) -> None:
    page.wish(ch="email", mail="tanaka@example.jp")
    page.post("/code", code=page.digits())
    with database.transaction() as session:
        _call(session)
    sent: list[str] = []

    class Kept(Console):
        def send(self, message: Any) -> Any:
            sent.append(message.link)
            return super().send(message)

    me = sender(database, Kept(Channel.EMAIL), clock=Clock(datetime.now(UTC)))
    while me.step():
        pass
    answer = page.client.get(f"/s/{sent[-1].rpartition('/')[2]}")
    assert (answer.status_code, answer.location) == (302, f"/t/{page.token}")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert page.client.get("/s/abcdefghij").status_code == 404


def test_every_link_of_a_message_opens_what_it_is_about(page: Page, database: Database) -> None:
    """An offer of the waiting list, a booking, a payment; the letters of the link open nothing else."""
    at = datetime.now(UTC)
    with database.transaction() as session:
        fill_day(session)
        wanted = waiting_list.Wanted(
            office_id="ward", services=("okuyami",), first_day=FULL_DAY, last_day=FULL_DAY
        )  # fmt: skip
        person = bookings.person_of(name="佐藤", phone="090-1234-5601")
        wish = waiting_list.ask(session, wanted=wanted, person=person, seed="w", secret=SECRET, sealer=SEALER, at=AT)
        token, target = waiting_list.token_of(wish, SECRET), f"wish:{wish.id}"
    put(database, at=at, occasion=Occasion.OFFER, target=target)
    with database.transaction() as session:
        session.scalars(select(Delivery)).one().link_hash = token_hash("kept")
    answer = page.client.get("/s/kept")
    assert (answer.status_code, answer.location) == (302, f"/w/{token}")
    assert page.client.get(answer.location).status_code == 200
    with database.transaction() as session:
        session.scalars(select(Delivery)).one().target = "wish:999"
    assert page.client.get("/s/kept").status_code == 404


def _call(session: Session) -> None:
    at = datetime.now(UTC)
    counters.open_counter(session, counter_id="ward-1", actor="test", at=at, categories=["ward-certificates"])
    assert queue.call_next(session, counter_id="ward-1", actor="test", at=at)


def test_no_stranger_reads_or_changes_it(page: Page) -> None:
    for path in ("", "/code"):
        assert page.client.get(f"/t/nobody{path and '/notify' + path}").status_code == 404
    assert page.client.post(f"/t/{page.token}/notify", data={"by": "ahead:3"}).status_code == 403


def test_nothing_personal_is_readable_in_the_file(page: Page, database: Database) -> None:
    page.wish(tel="080-4321-8765")
    page.wish(ch="email", mail="canary.person@example.jp")
    with database.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Contact)) == 2
        assert {SEALER.open(row.sealed, f"contact:{row.blind}") for row in session.scalars(select(Contact))} == {
            "+818043218765", "canary.person@example.jp",
        }  # fmt: skip
    if database.is_sqlite:
        file = Path(database.url.removeprefix("sqlite:///"))
        raw = b"".join(Path(f"{file}{end}").read_bytes() for end in ("", "-wal"))
        assert b"43218765" not in raw
        assert b"canary" not in raw


@pytest.mark.parametrize("language", ["ja", "ja-Hira", "en", "zh-Hans", "zh-Hant", "ko", "vi", "pt"])
def test_the_form_in_every_language(page: Page, language: str) -> None:
    said = page.text(f"/notify?lang={language}")
    assert said.count('name="by"') == 6
    assert ("いつ知らせますか" in said) == (language == "ja")


def test_the_console_stands_in_only_when_asked(web: Flask) -> None:
    from app.channels.registry import ways

    assert ways(Settings(secret_key=SECRET.decode())).channels == {}
    assert set(ways(Settings(secret_key=SECRET.decode())).off) == set(Channel)
    assert set(ways(Settings(secret_key=SECRET.decode(), message_console=True)).channels) == set(Channel)
