"""Staff mode at the kiosk (T3): behind a PIN that cannot be guessed, short, on one machine, every act on record."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.errors import TooMany
from app.domain.roles import Role
from app.models.people import AccessToken
from app.models.place import Office
from app.models.ticket import Event, Step
from app.services import access, kiosk_staff
from app.web import security
from tests.web.conftest import SECRET, Caller
from tests.web.test_kiosk import confirm, number_on, settings_of

PIN = "274951"
NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def pin_hash() -> str:
    return access.hash_password(kiosk_staff.pin_material(SECRET.encode(), "ward", PIN))


@pytest.fixture
def with_pin(database: Database, pin_hash: str) -> None:
    with database.transaction() as session:
        kiosk_staff.set_pin(session, office_id="ward", pin_hash=pin_hash, actor="test", at=datetime.now(UTC))


@pytest.fixture
def machine(web: Flask, token: Callable[..., str], with_pin: None) -> Callable[[], FlaskClient]:
    """Browsers of paired kiosks, each with a token of its own."""

    def pair() -> FlaskClient:
        client = web.test_client()
        client.set_cookie(security.DEVICE_COOKIE, token(Role.KIOSK))
        return client

    return pair


@pytest.fixture
def paired(machine: Callable[[], FlaskClient]) -> FlaskClient:
    return machine()


def send(client: FlaskClient, act: str, **form: str) -> TestResponse:
    """Post a form of staff mode with the token of its page."""
    path = "/kiosk/ward/staff"
    csrf = csrf_of(client, path) or csrf_of(client, "/kiosk/ward/visit?p=juminhyo")
    return client.post(path + act, data={"csrf_token": csrf, **form})


def csrf_of(client: FlaskClient, path: str = "/kiosk/ward/visit?p=juminhyo") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    return found[1] if found else ""


def enter(client: FlaskClient, pin: str = PIN) -> TestResponse:
    return send(client, "", pin=pin)


def log(database: Database) -> list[tuple[str, str, str | None]]:
    with database.snapshot() as session:
        rows = session.execute(select(Event.action, Event.actor, Event.reason).order_by(Event.seq))
        return [(row.action, row.actor, row.reason) for row in rows if row.actor.startswith("token:")]


def test_the_pin_opens_counts_and_status(paired: FlaskClient) -> None:
    _, answer = confirm(paired, "juminhyo")
    number = number_on(paired.get(answer.location).text)
    assert paired.get("/kiosk/ward/staff/menu").status_code == 403
    assert enter(paired).location.endswith("/staff/menu")
    page = paired.get("/kiosk/ward/staff/menu").text
    assert re.search(rf"最後の発券</dt><dd>{number} ", page)
    assert "今日の発券</dt><dd>1枚" in page
    assert re.search(r"証明書</th><td class=\"n\">1人", page)


def test_five_wrong_pins_lock_this_machine_alone_for_ten_minutes(
    machine: Callable[[], FlaskClient], database: Database
) -> None:
    bad, good = machine(), machine()
    with time_machine.travel(NOON, tick=False) as clock:
        answers = [enter(bad, f"00000{n}") for n in range(5)]
        assert [answer.status_code for answer in answers] == [403] * 5
        assert answers[0].text.count("暗証番号が違います") == answers[3].text.count("暗証番号が違います") == 1
        refused = enter(bad)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "600"
        assert "12時10分から使えます" in refused.text
        assert confirm(bad, "juminhyo")[1].status_code == 303
        assert enter(good).status_code == 303
        clock.shift(timedelta(minutes=10, seconds=1))
        assert enter(bad).status_code == 303
    wrong = [reason for action, _, reason in log(database) if action == "kiosk_pin_wrong"]
    assert wrong == [None, None, None, None, "locked"]


def test_the_machines_of_an_office_have_one_budget(database: Database, token: Callable[..., str]) -> None:
    for _ in range(13):
        token(Role.KIOSK)
    with database.snapshot() as session:
        machines = list(session.scalars(select(AccessToken.id).order_by(AccessToken.id)))

    def tries(token_id: int, moment: datetime) -> int:
        for done in range(5):
            try:
                with database.transaction() as session:
                    kiosk_staff.begin(session, office_id="ward", token_id=token_id, at=moment)
            except TooMany:
                return done
        return 5

    assert [tries(token_id, NOON) for token_id in machines] == [5] * 12 + [0]
    assert tries(machines[-1], NOON + timedelta(minutes=61)) == 5


def test_a_right_pin_forgets_the_wrong_ones(paired: FlaskClient) -> None:
    for _ in range(3):
        for _ in range(4):
            assert enter(paired, "000001").status_code == 403
        assert enter(paired).status_code == 303


@pytest.mark.parametrize("pin", ["", "2", PIN + "0" * 30, "２７４９５１", "\x00", "' OR 1=1"])
def test_anything_else_is_a_wrong_pin(paired: FlaskClient, pin: str) -> None:
    assert enter(paired, pin).status_code == 403


def test_no_pin_is_set_so_none_is_right(web: Flask, token: Callable[..., str]) -> None:
    client = web.test_client()
    client.set_cookie(security.DEVICE_COOKIE, token(Role.KIOSK))
    assert enter(client, "").status_code == 403
    assert enter(client, "None").status_code == 403


def test_staff_mode_ends_after_two_minutes_and_with_the_button(paired: FlaskClient) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        enter(paired)
        for _ in range(3):
            clock.shift(timedelta(seconds=110))
            assert paired.get("/kiosk/ward/staff/menu").status_code == 200
        clock.shift(timedelta(seconds=121))
        over = paired.get("/kiosk/ward/staff/menu")
        assert over.status_code == 403
        assert "職員モードは終わりました" in over.text
        enter(paired)
        assert send(paired, "/leave").status_code == 303
        assert paired.get("/kiosk/ward/staff/menu").status_code == 403


def test_a_copied_session_opens_nothing_elsewhere(machine: Callable[[], FlaskClient], web: Flask) -> None:
    first, second = machine(), machine()
    enter(first)
    cookie = first.get_cookie("madoguchi")
    assert cookie is not None
    second.set_cookie("madoguchi", cookie.value)
    assert second.get("/kiosk/ward/staff/menu").status_code == 403
    bare = web.test_client()
    device = first.get_cookie(security.DEVICE_COOKIE)
    assert device is not None
    bare.set_cookie(security.DEVICE_COOKIE, device.value)
    assert bare.get("/kiosk/ward/staff/menu").status_code == 403
    other = machine()
    enter(other)
    other.set_cookie(security.DEVICE_COOKIE, device.value)
    assert other.get("/kiosk/ward/staff/menu").status_code == 403
    assert first.get("/kiosk/ward/staff/menu").status_code == 200


def test_a_new_pin_ends_what_is_open(paired: FlaskClient, database: Database, pin_hash: str) -> None:
    enter(paired)
    with database.transaction() as session:
        kiosk_staff.set_pin(session, office_id="ward", pin_hash=pin_hash, actor="test", at=datetime.now(UTC))
    assert paired.get("/kiosk/ward/staff/menu").status_code == 403


def test_a_revoked_machine_is_out_at_once(paired: FlaskClient, database: Database) -> None:
    enter(paired)
    with database.transaction() as session:
        for row in session.scalars(select(AccessToken)):
            row.revoked_at = datetime.now(UTC)
    assert paired.get("/kiosk/ward/staff/menu").status_code in (401, 403)


def test_an_unpaired_machine_and_a_signed_in_clerk_have_no_staff_mode(
    client: FlaskClient, with_pin: None, token: Callable[..., str]
) -> None:
    answer = client.get("/kiosk/ward/staff")
    assert answer.status_code == 403
    assert 'href="/pair"' in answer.text
    client.set_cookie(security.DEVICE_COOKIE, token(Role.DISPLAY))
    form = {"pin": PIN, "csrf_token": csrf_of(client)}
    assert client.post("/kiosk/ward/staff", data=form).status_code == 403
    clerk = {"Authorization": f"Bearer {token(Role.CLERK)}"}
    assert client.post("/kiosk/ward/staff", data={"pin": PIN}, headers=clerk).status_code == 403


def test_cancel_shows_the_number_and_asks_why(paired: FlaskClient, database: Database) -> None:
    _, answer = confirm(paired, "move_in", "kokuho")
    number = number_on(paired.get(answer.location).text)
    enter(paired)
    page = paired.get(f"/kiosk/ward/staff/number/cancel?number={number.lower()}").text
    assert f"{number}を取り消す" in page
    assert send(paired, "/cancel", number=number).status_code == 422
    enter(paired)
    assert send(paired, "/cancel", number=number, reason="left").status_code == 303
    with database.snapshot() as session:
        assert set(session.scalars(select(Step.state))) == {"cancelled"}
    action, actor, reason = log(database)[-1]
    assert (action, reason) == ("cancel", "left")
    assert actor.startswith("token:")


def test_a_number_at_a_counter_is_not_cancelled_here(paired: FlaskClient, lead: Caller) -> None:
    _, answer = confirm(paired, "juminhyo")
    number = number_on(paired.get(answer.location).text)
    lead.post("/counters/ward-2/open", {"categories": ["ward-certificates"]})
    lead.post("/counters/ward-2/call-next")
    enter(paired)
    page = paired.get(f"/kiosk/ward/staff/number/cancel?number={number}").text
    assert "2番窓口の職員に知らせてください" in page
    assert send(paired, "/cancel", number=number, reason="left").status_code == 409


@pytest.mark.parametrize("number", ["Z999", "", "%", "' OR 1=1", "A" * 100])
def test_a_number_that_is_not_there(paired: FlaskClient, number: str) -> None:
    enter(paired)
    assert paired.get("/kiosk/ward/staff/number/reprint", query_string={"number": number}).status_code == 200
    assert send(paired, "/cancel", number=number, reason="left").status_code == 404
    enter(paired)
    assert send(paired, "/reprint", number=number).status_code == 404


def test_a_reprint_carries_the_same_link_and_figures(paired: FlaskClient, lead: Caller, database: Database) -> None:
    lead.ticket("juminhyo")
    _, answer = confirm(paired, "juminhyo", lang="en")
    first = paired.get(answer.location).text
    number = number_on(first)
    enter(paired)
    again = paired.get(send(paired, "/reprint", number=number).location).text
    assert paper_of(again) == paper_of(first)
    assert "data-print" in again
    assert [action for action, _, _ in log(database)][-1] == "kiosk_reprint"


def paper_of(page: str) -> str:
    found = re.search(r'<section class="paper.*?</section>', page, re.DOTALL)
    assert found
    return found[0]


def test_switches_of_the_machine(paired: FlaskClient, machine: Callable[[], FlaskClient], database: Database) -> None:
    enter(paired)
    assert send(paired, "/switch", name="closed", value="yes").status_code == 303
    assert "この受付機はお休みしています" in paired.get("/kiosk/ward").text
    assert "総合案内" in paired.get("/kiosk/ward").text
    assert paired.get("/kiosk/ward/visit?p=juminhyo").status_code == 302
    neighbour = machine()
    form, _ = confirm(neighbour, "juminhyo")
    closed = paired.post("/kiosk/ward/ticket", data=form | {"csrf_token": csrf_of(paired, "/kiosk/ward/staff")})
    assert closed.status_code == 409
    enter(paired)
    send(paired, "/switch", name="closed", value="no")
    enter(paired)
    send(paired, "/switch", name="paper", value="out")
    _, answer = confirm(paired, "juminhyo")
    assert "print=1" not in answer.location
    page = paired.get(answer.location).text
    assert "画面の番号を控えてください" in page
    assert "data-return" not in page
    enter(paired)
    assert send(paired, "/switch", name="paper", value="gone").status_code == 422
    assert send(paired, "/switch", name="role", value="clerk").status_code == 422
    switched = [(action, reason) for action, _, reason in log(database) if action in ("kiosk_closed", "kiosk_paper")]
    assert switched == [("kiosk_closed", "yes"), ("kiosk_closed", "no"), ("kiosk_paper", "out")]


def test_low_paper_is_told(paired: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        row = session.scalars(select(AccessToken).where(AccessToken.role == Role.KIOSK)).one()
        row.settings = {"roll": 51}
    enter(paired)
    send(paired, "/switch", name="paper", value="ok")
    assert "○ 残り約51枚" in paired.get("/kiosk/ward/staff/menu").text
    confirm(paired, "juminhyo")
    confirm(paired, "juminhyo")
    assert "▲ 残り約49枚" in paired.get("/kiosk/ward/staff/menu").text


def test_never_a_name(paired: FlaskClient, lead: Caller, database: Database) -> None:
    """The names of staff are at their counters; no page of the kiosk, in staff mode or not, shows one."""
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        assert office is not None
    lead.post("/counters/ward-2/open", {"categories": ["ward-certificates"]})
    _, answer = confirm(paired, "juminhyo")
    enter(paired)
    pages = [paired.get(path).text for path in ("/kiosk/ward", answer.location, "/kiosk/ward/staff/menu")]
    assert not any("佐藤" in page or "staff_name" in page for page in pages)


def test_training_of_the_office_is_seen_on_paper_only(paired: FlaskClient, database: Database) -> None:
    settings_of(database, training=True)
    _, answer = confirm(paired, "juminhyo")
    assert "訓練" in paper_of(paired.get(answer.location).text)
