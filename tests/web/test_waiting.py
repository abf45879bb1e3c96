"""A full day without a script: the half of it somebody can come in, and what is free elsewhere."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.channels.base import Ways
from app.channels.console import Console
from app.db.session import Database
from app.domain.delivery import Channel
from app.factory import create_app
from app.models.booking import Booking, BookingWish
from app.services import booking_cells, bookings
from config.settings import Settings
from tests.services.booking_desk import AT, FULL_STARTS, fill_day
from tests.web.conftest import SECRET

FULL = "/o/ward/book/full?s=okuyami&day=2026-04-14"
WAIT = "/o/ward/book/wait?s=okuyami&day=2026-04-14"
TIMES = "/o/ward/book/times?s=okuyami&day=2026-04-14"


@pytest.fixture(autouse=True)
def _at_noon() -> Iterator[None]:
    with time_machine.travel(AT, tick=True):
        yield


@pytest.fixture
def client(database: Database) -> FlaskClient:
    """In a city that can tell people something."""
    settings = Settings(secret_key=SECRET, database_url=database.url, message_console=True)
    return create_app(settings, database).test_client()


@pytest.fixture
def booked(database: Database) -> list[int]:
    """The bookings of a full day, in order."""
    with database.transaction() as session:
        return [each.id for each in fill_day(session)]


def give_back(database: Database, booking: int) -> None:
    with database.transaction() as session:
        bookings.cancel(session, session.get_one(Booking, booking), actor="test", at=datetime.now(UTC))


def ask(client: FlaskClient, half: str | None, page: str = FULL, contact: str = "hanako@example.jp") -> Any:
    """Onto the list by the form of the page."""
    form = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', client.get(page).text))
    return client.post(WAIT, data=form | {"contact": contact} | ({"half": half} if half else {}))


def test_only_a_time_of_the_chosen_half_is_offered(client: FlaskClient, database: Database, booked: list[int]) -> None:
    page = client.get(FULL).text
    assert re.findall(r'name="half" value="(\w+)"( checked)?', page) == [
        ("either", " checked"), ("morning", ""), ("afternoon", "")
    ]  # fmt: skip
    place = ask(client, "afternoon").location
    assert "4月14日(火)の午後" in client.get(place).text
    give_back(database, booked[0])
    assert "まだ予約は できていません。" in client.get(place).text
    give_back(database, booked[2])
    offered = client.get(place).text
    assert "空きが出ました" in offered
    assert "13時00分" in offered
    assert "いちばん早い空き" not in offered


def test_nobody_is_promised_a_word_that_cannot_be_sent(web: Flask, database: Database, booked: list[int]) -> None:
    """The default setting has no channel: what else can be done is told, and no list that would never be read out."""
    client = web.test_client()
    full = client.get(FULL).text
    assert "いちばん早い空き" in full
    assert 'name="contact"' not in full
    assert "空きが出たら" not in client.get("/o/ward/book/days?s=okuyami&month=2026-04").text
    another = client.get(TIMES.replace("-14", "-15")).text
    form = dict(re.findall(r'type="hidden" name="(csrf_token|idempotency_key)" value="([^"]*)"', another))
    answer = client.post(WAIT, data=form | {"contact": "hanako@example.jp"})
    assert answer.status_code == 422
    assert "この知らせ方は、いまは使えません。" in answer.text
    give_back(database, booked[0])
    assert "空きが出たら" not in client.get(TIMES).text
    with database.snapshot() as session:
        assert session.scalars(select(BookingWish)).all() == []


@pytest.mark.parametrize(
    ("way", "label", "other"), [("email", "メールアドレス", "090-1234-5678"), ("sms", "携帯電話の番号", "a@b.example")]
)
def test_the_list_asks_for_what_it_can_use(web: Flask, booked: list[int], way: str, label: str, other: str) -> None:
    alone = Ways(channels={Channel(way): Console(Channel(way))})
    web.extensions["ways"] = alone
    page = web.test_client().get(FULL).text
    assert f'<label for="contact">{label}' in page
    answer = ask(web.test_client(), "either", contact=other)
    assert answer.status_code == 422
    assert "この知らせ方は、いまは使えません。" in answer.text


def test_what_was_chosen_stays_chosen_beside_a_wrong_contact(client: FlaskClient, booked: list[int]) -> None:
    answer = ask(client, "morning", contact="だれか")
    assert answer.status_code == 422
    assert 'id="contact-fault"' in answer.text
    assert 'value="morning" checked' in answer.text
    assert ask(client, "evening").status_code == 422


def test_a_full_half_is_told_over_the_times_and_has_a_list_of_its_own(
    client: FlaskClient, database: Database, booked: list[int]
) -> None:
    assert client.get(TIMES).location.startswith("/o/ward/book/full")
    give_back(database, booked[3])
    assert client.get(FULL).location.startswith("/o/ward/book/times")
    link = re.search(r'4月14日\(火\)の午前は 満員です <a href="([^"]+)"', client.get(TIMES).text)
    assert link
    page = client.get(link[1].replace("&amp;", "&")).text
    assert "4月14日(火)の午前は 満員です" in page
    assert 'type="radio"' not in page
    assert "この日の ほかの時間を見る" in page
    assert ask(client, None, f"{FULL}&half=morning").status_code == 303
    with database.snapshot() as session:
        assert session.scalars(select(BookingWish)).one().half == "morning"
    refused = ask(client, "afternoon", f"{FULL}&half=morning")
    assert refused.status_code == 409
    assert "この日は まだ空きがあります" in refused.text


def test_the_earliest_free_time_elsewhere_and_the_forecast_are_a_link_away(
    client: FlaskClient, booked: list[int]
) -> None:
    for page in (FULL, ask(client, "either").location):
        seen = client.get(page).text
        soonest = re.search(r'href="([^"]+)"><span>いちばん早い空き', seen)
        assert soonest, page
        times = client.get(soonest[1].replace("&amp;", "&")).text
        assert 'name="start"' in times
    assert client.get(re.findall(r'href="(/o/ward/congestion[^"]*)"', seen)[0]).status_code == 200


def test_where_nothing_is_free_it_is_said_until_when(
    client: FlaskClient, database: Database, booked: list[int]
) -> None:
    with database.transaction() as session:
        day = timedelta(days=1)
        for first, last in (
            (AT, FULL_STARTS[0]),
            *((FULL_STARTS[0] + n * day, FULL_STARTS[0] + (n + 25) * day) for n in (1, 26, 51)),
        ):
            booking_cells.set_places(
                session, office_id="ward", category_id="ward-bereavement", first=first, last=last, capacity=0
            )
    for page in (FULL, ask(client, "either").location):
        seen = client.get(page).text
        assert re.search(r"5月\d+日\(.\)まで、ほかに空きは ありません。", seen), page
        assert "いちばん早い空き" not in seen


def test_nobody_is_sent_to_a_line_that_takes_bookings_only(
    client: FlaskClient, database: Database, booked: list[int]
) -> None:
    page = client.get(FULL).text
    assert "予約なしで来ることもできます" not in page
    assert "この手続きは予約制です" in page
