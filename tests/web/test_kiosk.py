"""The kiosk: every purpose on one screen, what is closed stays closed, one number for one confirmed list."""

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Office
from app.models.ticket import Event, Ticket
from app.services import kiosk_layout
from app.web import security
from app.web.locale import LANGUAGES
from tests.web.conftest import Caller

TOKYO = ZoneInfo("Asia/Tokyo")
AFTER_FOUR = datetime(2026, 4, 1, 16, 10, tzinfo=TOKYO)
NIGHT = datetime(2026, 4, 1, 20, 0, tzinfo=TOKYO)


def settings_of(database: Database, office_id: str = "ward", **changes: object) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, office_id)
        office.settings = office.settings | changes


@contextmanager
def at(database: Database, moment: datetime) -> Iterator[None]:
    """A real day at the office: no training, and the clock of the wall."""
    settings_of(database, training=False)
    with time_machine.travel(moment, tick=True):
        yield


@pytest.fixture
def paired(web: Flask, token: Callable[..., str]) -> FlaskClient:
    """The browser of a paired kiosk of the ward."""
    client = web.test_client()
    client.set_cookie(security.DEVICE_COOKIE, token(Role.KIOSK))
    return client


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a confirmation."""
    return dict(re.findall(r'name="(csrf_token|idempotency_key)" value="([^"]+)"', page))


def confirm(client: FlaskClient, *purposes: str, **more: str) -> tuple[dict[str, object], TestResponse]:
    """Confirm a list; returns the form as it was sent, and the answer."""
    page = client.get("/kiosk/ward/visit", query_string={"p": list(purposes)} | more)
    assert page.status_code == 200, page.text
    form = {**fields(page.text), "p": list(purposes), **more}
    return form, client.post("/kiosk/ward/ticket", data=form)


def number_on(page: str) -> str:
    found = re.search(r'<p class="no[^"]*">([A-Z]\d+)</p>', page)
    assert found
    return found[1]


def issued(database: Database) -> int:
    with database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(Ticket)) or 0


def test_ten_or_more_purposes_with_their_lines_on_one_screen(client: FlaskClient, public: Caller) -> None:
    public.ticket("tennyu")
    page = client.get("/kiosk/ward").text
    assert len(re.findall(r'href="/kiosk/ward/visit\?p=', page)) == 18
    assert len(re.findall(r'<section class="k-group">', page)) == 8
    assert "1人待ち" in page
    assert [code for code in LANGUAGES if f'lang="{code}" href' in page] == list(LANGUAGES)


def test_every_mode_in_every_language(client: FlaskClient) -> None:
    modes = ("", "big=1", "big=1&line=ward-moving", "low=1", "dark=1", "pri=1")
    for code, mode in itertools.product(LANGUAGES, modes):
        for path in ("/kiosk/ward?", "/kiosk/ward/visit?p=move_in&p=kokuho&"):
            answer = client.get(f"{path}lang={code}&{mode}")
            assert answer.status_code == 200
            assert "style=" not in answer.text
            assert "《" not in answer.text


def test_the_next_resident_finds_the_first_screen_as_it_was(client: FlaskClient) -> None:
    standard = client.get("/kiosk/ward").text
    client.get("/kiosk/ward?lang=ko&big=1&dark=1")
    client.get("/o/ward?lang=en")
    assert client.get("/kiosk/ward", headers={"Accept-Language": "en"}).text == standard


def test_published_words_and_order_are_the_screen(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        by = {"office_id": "ward", "actor": "x", "at": datetime(2026, 4, 1, 12, tzinfo=TOKYO)}
        kiosk_layout.edit(session, key="purpose.move_in.title.ja", value="ようこそ", **by)
        kiosk_layout.move(session, purpose_id="welfare", position=0, **by)
        kiosk_layout.publish(session, based_on=None, **by)
    page = client.get("/kiosk/ward").text
    assert "ようこそ" in page
    assert re.findall(r"visit\?p=(\w+)", page)[0] == "welfare"


def test_a_double_tap_is_one_ticket(client: FlaskClient, database: Database) -> None:
    form, first = confirm(client, "move_in", "kokuho")
    again = client.post("/kiosk/ward/ticket", data=form)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    assert issued(database) == 1


def test_one_number_for_several_procedures(paired: FlaskClient, database: Database) -> None:
    _, answer = confirm(paired, "move_in", "kokuho", "mnc_other.mnc_address", pri="1", lang="en")
    page = paired.get(answer.location).text
    with database.snapshot() as session:
        ticket = session.scalars(select(Ticket)).one()
        assert (ticket.channel, ticket.priority, ticket.language) == ("kiosk", True, "en")
    assert number_on(page) == ticket.number
    assert [name in page for name in ("Moving in", "National Health Insurance", "4–7", "13–15")] == [True] * 4


def test_a_closed_purpose_is_seen_with_its_time_and_refused_by_hand(client: FlaskClient, database: Database) -> None:
    with at(database, AFTER_FOUR):
        page = client.get("/kiosk/ward").text
        button = re.search(r'<a class="key" aria-disabled="true" href="[^"]*p=nursery">.*?</a>', page)
        assert button
        assert "今日の受付は16時までです" in button[0]
        answer = client.get("/kiosk/ward/visit?p=nursery")
        assert answer.status_code == 409
        assert "明日 8時30分から" in answer.text
        form = fields(client.get("/kiosk/ward/visit?p=juminhyo").text)
        assert client.post("/kiosk/ward/ticket", data=form | {"p": "nursery"}).status_code == 409
    assert issued(database) == 0


def test_a_number_given_before_the_hour_is_given_again_after_it(client: FlaskClient, database: Database) -> None:
    with at(database, datetime(2026, 4, 1, 15, 59, 59, tzinfo=TOKYO)):
        form, first = confirm(client, "nursery")
    with at(database, AFTER_FOUR):
        assert client.post("/kiosk/ward/ticket", data=form).location == first.location


def test_evening_and_morning_say_when_it_opens(client: FlaskClient, database: Database) -> None:
    with at(database, NIGHT):
        page = client.get("/kiosk/ward").text
        assert "今日の受付は終わりました" in page
        assert "明日 8時30分から" in page
    with at(database, datetime(2026, 4, 2, 7, 0, tzinfo=TOKYO)):
        page = client.get("/kiosk/ward").text
        assert "まだ受付の時間ではありません" in page
        assert "おわりました" not in client.get("/kiosk/ward?lang=ja-Hira").text
        assert "8時30分から" in page


def test_booked_people_are_led_to_staff(client: FlaskClient, database: Database) -> None:
    page = client.get("/kiosk/ward").text
    assert re.search(r'aria-disabled="true" href="[^"]*p=mnc_pickup"', page)
    assert client.get("/kiosk/ward/visit?p=mnc_pickup").status_code == 409
    form = fields(client.get("/kiosk/ward/visit?p=juminhyo").text)
    assert client.post("/kiosk/ward/ticket", data=form | {"p": "mnc_pickup"}).status_code == 409
    assert issued(database) == 0


@pytest.mark.parametrize(
    ("chosen", "status"),
    [(["nothing"], 404), (["move_in.juminhyo"], 404), ([], 302), ([f"p{n}" for n in range(40)], 422), (["\x00"], 404)],
)
def test_what_is_not_on_the_screen_is_refused(client: FlaskClient, chosen: list[str], status: int) -> None:
    assert client.get("/kiosk/ward/visit", query_string={"p": chosen}).status_code == status
    form = fields(client.get("/kiosk/ward/visit?p=juminhyo").text)
    assert 400 <= client.post("/kiosk/ward/ticket", data=form | {"p": chosen}).status_code < 500


def test_a_form_without_a_key_or_from_a_stranger_is_refused(client: FlaskClient) -> None:
    form = fields(client.get("/kiosk/ward/visit?p=juminhyo").text) | {"p": "juminhyo"}
    assert client.post("/kiosk/ward/ticket", data=form | {"idempotency_key": ""}).status_code == 400
    assert client.post("/kiosk/ward/ticket", data=form | {"csrf_token": "no"}).status_code == 403
    assert client.post("/kiosk/ward/ticket", data=form | {"idempotency_key": "kk-123456789"}).status_code == 303
    other = form | {"idempotency_key": "kk-123456789", "p": "move_in"}
    assert client.post("/kiosk/ward/ticket", data=other).status_code == 409


def test_an_unpaired_machine_is_served_only_where_the_office_allows_it(
    client: FlaskClient, paired: FlaskClient, database: Database, token: Callable[..., str]
) -> None:
    settings_of(database, open_kiosk=False)
    refused = client.get("/kiosk/ward")
    assert refused.status_code == 403
    assert 'href="/pair"' in refused.text
    assert paired.get("/kiosk/ward").status_code == 200
    client.set_cookie(security.DEVICE_COOKIE, token(Role.KIOSK, office_id="branch"))
    assert client.get("/kiosk/ward").status_code == 403
    client.set_cookie(security.DEVICE_COOKIE, token(Role.DISPLAY))
    assert client.get("/kiosk/ward").status_code == 403


def test_the_machine_is_the_caller_whoever_is_signed_in_there(paired: FlaskClient, database: Database) -> None:
    _, answer = confirm(paired, "juminhyo")
    assert "print=1" in answer.location
    with database.snapshot() as session:
        actors = set(session.scalars(select(Event.actor)))
    assert len(actors) == 1
    assert next(iter(actors)).startswith("token:")


def test_the_ticket_screen_is_private_and_leaves_by_itself(paired: FlaskClient) -> None:
    _, answer = confirm(paired, "juminhyo")
    page = paired.get(answer.location)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert 'data-return="30"' in page.text
    assert 'http-equiv="refresh"' in page.text
    stays = paired.get(answer.location.replace("print=1", "stay=1")).text
    assert "data-return" not in stays
    assert 'http-equiv="refresh"' not in stays


def test_a_sensitive_procedure_has_a_neutral_name_on_screen_and_paper(paired: FlaskClient) -> None:
    _, answer = confirm(paired, "welfare")
    page = paired.get(answer.location).text
    assert "障がい" not in page
    assert page.count("相談") >= 2


def test_the_paper_is_japanese_and_the_residents_language(paired: FlaskClient, database: Database) -> None:
    _, answer = confirm(paired, "move_in", lang="pt")
    page = paired.get(answer.location).text
    paper = page[page.index('<section class="paper') : page.index("</section>", page.index('<section class="paper'))]
    assert "訓練 この番号は使えません" in paper
    assert "4〜7番窓口の前" in paper
    assert 'lang="pt">Mudei para esta cidade' in paper
    settings_of(database, training=False)
    assert "訓練" not in paired.get(answer.location).text


def test_a_link_of_another_office_or_of_nobody(paired: FlaskClient, public: Caller) -> None:
    elsewhere = public.post("/offices/branch/tickets", {"services": ["juminhyo"]}).get_json()["token"]
    assert paired.get(f"/kiosk/ward/ticket/{elsewhere}").status_code == 302
    assert paired.get("/kiosk/ward/ticket/nobody").status_code == 404


def test_refusals_are_screens_of_the_kiosk_that_go_back(client: FlaskClient) -> None:
    for path in ("/kiosk/nowhere", "/kiosk/ward/visit?p=nothing", "/kiosk/ward/ticket/nobody"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert 'class="kiosk"' in answer.text
    wrong_method = client.get("/kiosk/ward/ticket")
    assert wrong_method.status_code in (404, 405)


def brought(client: FlaskClient, code: str) -> tuple[TestResponse, dict[str, str]]:
    """What the kiosk says of a number taken at home, and the form that confirms it."""
    seen = client.get("/kiosk/ward/read", query_string={"code": code})
    return seen, dict(re.findall(r'name="(csrf_token|code)" value="([^"]+)"', seen.text))


@pytest.mark.parametrize("by", ["status_url", "number"])
def test_a_number_taken_at_home_joins_its_line_when_its_holder_has_come(
    paired: FlaskClient, public: Caller, database: Database, by: str
) -> None:
    settings_of(database, web_ticket_confirm=True)
    ticket = public.ticket("juminhyo")
    assert (ticket["status"], ticket["ahead"]) == ("pending", None)
    seen, form = brought(paired, ticket[by].lower())
    assert seen.status_code == 200
    assert "まだ 列に入っていません" in seen.text
    assert "住民票" not in seen.text
    first, again = (paired.post("/kiosk/ward/confirm", data=form) for _ in range(2))
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    assert public.get(f"/tickets/{ticket['token']}").get_json()["status"] == "waiting"
    shown = paired.get(first.location).text
    assert number_on(shown) == ticket["number"]
    # A number can be typed by anybody: its page and its paper are for whoever holds the code.
    assert (ticket["token"] in first.location) == (by == "status_url")
    assert ticket["token"] not in shown or by == "status_url"
    assert "列に入っています" in brought(paired, ticket["number"])[0].text


def test_a_number_is_not_confirmed_too_late_nor_elsewhere(
    paired: FlaskClient, client: FlaskClient, public: Caller, database: Database
) -> None:
    settings_of(database, web_ticket_confirm=True)
    ticket = public.ticket("juminhyo")
    _, form = brought(paired, ticket["number"])
    assert client.get("/kiosk/branch/read", query_string={"code": ticket["token"]}).status_code == 404
    with database.transaction() as session:
        session.scalars(select(Ticket)).one().confirm_by = datetime.now(UTC) - timedelta(minutes=1)
    seen, nothing = brought(paired, ticket["number"])
    assert "もう一度番号をおとりください" in seen.text
    assert "csrf_token" not in nothing
    assert paired.post("/kiosk/ward/confirm", data=form).status_code == 409
    assert paired.post("/kiosk/ward/confirm", data=form | {"code": "Z999"}).status_code == 404
    settings_of(database, web_ticket_confirm=False)
    assert public.ticket("juminhyo")["status"] == "waiting"
