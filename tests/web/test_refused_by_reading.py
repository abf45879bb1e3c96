"""Who asks for ever is refused by reading: no refusal of the public opens a writing transaction or takes a lock.

Counted in statements, so that it holds on any machine: on SQLite a writing transaction keeps every other writer
waiting, on PostgreSQL a locked row those of its office.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from app.channels.base import Ways
from app.channels.console import Console
from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.delivery import Channel, Limits
from app.factory import create_app
from app.models.booking import Booking
from app.models.delivery import Budget, ContactCode
from app.models.place import Offering, Office
from app.services import budgets, holds
from app.web.api.slots import MOST_HOLDS_OF_AN_ADDRESS
from app.web.sentences import SENTENCES
from config.settings import Settings
from tests.services.messages import SEALER, SECRET
from tests.web.conftest import Caller

_WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE|BEGIN IMMEDIATE)|FOR UPDATE|pg_advisory", re.IGNORECASE)


@pytest.fixture
def web(database: Database) -> Flask:
    made = create_app(Settings(secret_key=SECRET.decode(), database_url=database.url), database)
    made.extensions["ways"] = Ways(channels={name: Console(name) for name in (Channel.SMS, Channel.EMAIL)})
    return made


@pytest.fixture
def writes(database: Database) -> Iterator[list[str]]:
    """What is sent that writes, or makes others wait."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if _WRITES.search(statement):
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield found
    event.remove(Engine, "before_cursor_execute", note)


class Attacker:
    """A browser with a number of its own, that sends the same form again."""

    def __init__(self, client: FlaskClient, database: Database) -> None:
        self.client, self.database = client, database
        self.token = str(Caller(client).ticket("juminhyo")["token"])
        page = client.get(f"/t/{self.token}/notify").text
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found
        self.csrf = found[1]

    def post(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.csrf, **form})

    def wish(self, tel: str = "090-1234-5678") -> TestResponse:
        return self.post(f"/t/{self.token}/notify", by="ahead:3", ch="sms", tel=tel)

    def fill(self, key: str, used: int) -> None:
        with self.database.transaction() as session:
            assert budgets.use(session, key, used, most=used, until=datetime.now(UTC) + timedelta(days=1))


@pytest.fixture
def attacker(web: Flask, database: Database) -> Attacker:
    return Attacker(web.test_client(), database)


def fourth_code_of_ten_minutes(attacker: Attacker) -> Callable[[], TestResponse]:
    for _ in range(3):
        assert attacker.wish().status_code == 303
    return attacker.wish


def another_code_of_ten_minutes(attacker: Attacker) -> Callable[[], TestResponse]:
    fourth_code_of_ten_minutes(attacker)
    return lambda: attacker.post(f"/t/{attacker.token}/notify/again")


def codes_of_the_hour_are_used_up(attacker: Attacker) -> Callable[[], TestResponse]:
    assert attacker.wish().status_code == 303
    with attacker.database.transaction() as session:
        for row in session.scalars(select(Budget).where(Budget.key.like("code:office:ward:%"))):
            row.used = Limits().codes_per_hour
    return lambda: attacker.wish("080-2222-3333")


def the_yen_of_the_day_are_used_up(attacker: Attacker) -> Callable[[], TestResponse]:
    with attacker.database.snapshot() as session:
        most = Limits.of(session.get_one(Office, "ward").settings).yen_per_day
    attacker.fill(f"yen:ward:{business_date(datetime.now(UTC))}", most)
    return attacker.wish


def no_mobile(attacker: Attacker) -> Callable[[], TestResponse]:
    return lambda: attacker.wish("03-1234-5678")


def a_code_that_is_dead(attacker: Attacker) -> Callable[[], TestResponse]:
    assert attacker.wish().status_code == 303
    with attacker.database.transaction() as session:
        session.scalars(select(ContactCode)).one().tries = 5
    return lambda: attacker.post(f"/t/{attacker.token}/notify/code", code="123456")


def no_notice_to_stop(attacker: Attacker) -> Callable[[], TestResponse]:
    return lambda: attacker.post(f"/t/{attacker.token}/notify/stop")


def cancelled_again(attacker: Attacker) -> Callable[[], TestResponse]:
    assert attacker.post(f"/t/{attacker.token}/cancel").status_code == 303
    return lambda: attacker.post(f"/t/{attacker.token}/cancel")


def cancelled_again_by_a_program(attacker: Attacker) -> Callable[[], TestResponse]:
    assert attacker.post(f"/t/{attacker.token}/cancel").status_code == 303
    return lambda: attacker.client.delete(f"/api/v1/tickets/{attacker.token}")


def nothing_to_rejoin(attacker: Attacker) -> Callable[[], TestResponse]:
    return lambda: attacker.post(f"/t/{attacker.token}/rejoin")


def a_number_of_what_is_not_offered(attacker: Attacker) -> Callable[[], TestResponse]:
    with attacker.database.transaction() as session:
        session.get_one(Offering, ("ward", "juminhyo")).active = False
    return lambda: Caller(attacker.client).post("/offices/ward/tickets", {"services": ["juminhyo"]})


def starts(attacker: Attacker) -> list[str]:
    """The times of the first day that is free."""
    page = attacker.client.get("/o/ward/book/days?s=tennyu").text
    soonest = re.search(r'class="btn line wide" href="([^"]+)"', page)
    assert soonest
    times = attacker.client.get(soonest[1].replace("&amp;", "&")).text
    return re.findall(r'name="start" value="([^"]+)"', times)


def a_sixth_hold_of_a_browser(attacker: Attacker) -> Callable[[], TestResponse]:
    *some, last = starts(attacker)[-6:]

    def hold(start: str) -> TestResponse:
        return attacker.post("/o/ward/book/hold?s=tennyu", start=start, idempotency_key=f"hold-{start}")

    assert [hold(start).status_code for start in some] == [303] * 5
    return lambda: hold(last)


def too_many_holds_of_an_address(attacker: Attacker) -> Callable[[], TestResponse]:
    start, who = starts(attacker)[-1], SEALER.index("holder", "127.0.0.1")
    row = {"holder": who, "expires_at": datetime.now(UTC) + timedelta(minutes=5)}
    with attacker.database.transaction() as session:
        for number in range(MOST_HOLDS_OF_AN_ADDRESS):
            asked = holds.Asked(office_id="ward", services=["tennyu"], start=datetime.fromisoformat(start), staff=True)
            made = holds.hold(
                session, asked=asked, seed=f"s{number}", secret=SECRET, actor="test", at=datetime.now(UTC)
            )
            session.execute(update(Booking).where(Booking.id == made.id).values(row))
            holds.give_back(session, session.get_one(Booking, made.id))
    body = {"services": ["tennyu"], "start": start}
    return lambda: Caller(attacker.client).post("/offices/ward/holds", body)


def a_wish_for_a_day_with_places(attacker: Attacker) -> Callable[[], TestResponse]:
    page = attacker.client.get("/o/ward/book/days?s=tennyu").text
    day = re.search(r"day=(\d{4}-\d\d-\d\d)", page)
    assert day
    return lambda: attacker.post("/o/ward/book/wait?s=tennyu", day=day[1], contact="a@example.jp")


REFUSALS: list[tuple[Callable[[Attacker], Callable[[], TestResponse]], int, str]] = [
    (fourth_code_of_ten_minutes, 429, "message_limit"),
    (another_code_of_ten_minutes, 429, "message_limit"),
    (codes_of_the_hour_are_used_up, 429, "message_limit"),
    (the_yen_of_the_day_are_used_up, 429, "message_limit"),
    (no_mobile, 422, "bad_mobile"),
    (a_code_that_is_dead, 409, "code_dead"),
    (no_notice_to_stop, 303, ""),
    (cancelled_again, 303, ""),
    (cancelled_again_by_a_program, 200, ""),
    (nothing_to_rejoin, 303, ""),
    (a_number_of_what_is_not_offered, 404, "not_found"),
    (a_sixth_hold_of_a_browser, 409, "too_many_holds"),
    (too_many_holds_of_an_address, 429, "too_many_holds"),
    (a_wish_for_a_day_with_places, 409, "day_not_full"),
]


@pytest.mark.parametrize(("prepared", "status", "code"), REFUSALS, ids=lambda each: getattr(each, "__name__", None))
def test_a_refusal_writes_nothing_and_locks_nobody(
    attacker: Attacker, writes: list[str], prepared: Any, status: int, code: str
) -> None:
    ask = prepared(attacker)
    writes.clear()
    answer = ask()
    assert (answer.status_code, writes) == (status, [])
    if code:
        said = answer.get_json()["error"]["message"] if answer.is_json else answer.text
        assert SENTENCES[code] in said


def test_what_is_not_refused_is_seen_to_write(attacker: Attacker, writes: list[str]) -> None:
    """The ruler measures: a wish that is kept does write."""
    writes.clear()
    assert attacker.wish().status_code == 303
    assert writes
