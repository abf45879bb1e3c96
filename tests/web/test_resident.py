"""What a resident sees: pages in every language, a number without JavaScript, and nothing personal."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.db.session import Database
from app.models.place import Category, Municipality, Offering, Office
from app.services.tickets import MOST_SERVICES
from app.web.limits import PER_MINUTE
from app.web.locale import LANGUAGES
from tests.web.conftest import Caller
from tests.web.test_congestion import past_weeks

NIGHT = datetime(2026, 4, 1, 10, 28, tzinfo=UTC)  # 19:28 in Tokyo


def token_of(page: str) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]  # type: ignore[index]


def take(client: FlaskClient, *services: str) -> str:
    """Take a number by the form; returns the address of its page."""
    page = client.get("/o/ward/take").text
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page)[1]  # type: ignore[index]
    form = {"csrf_token": token_of(page), "idempotency_key": key, "service": list(services)}
    first, again = client.post("/o/ward/take", data=form), client.post("/o/ward/take", data=form)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.location == again.location
    return str(first.location)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_page_speaks_every_language(client: FlaskClient, code: str) -> None:
    where = take(client, "juminhyo", "tennyu")
    about = [f"/o/ward/about/{what}" for what in ("how", "privacy", "accessibility")]
    for path in ("/", "/o/ward", "/o/ward/take", *about, where, f"{where}/cancel", f"{where}/cannot-come"):
        answer = client.get(path, query_string={"lang": code})
        assert answer.status_code == 200
        assert "style=" not in answer.text
        assert "《" not in answer.text


def test_the_foot_leads_to_what_is_so(client: FlaskClient, database: Database) -> None:
    foot = client.get("/o/ward").text.rpartition('<footer class="foot">')[2]
    for what, head in (("how", "使い方"), ("privacy", "個人情報の扱い"), ("accessibility", "アクセシビリティ")):
        assert f'<a href="/o/ward/about/{what}">{head}</a>' in foot
        assert f"<h1>{head}</h1>" in client.get(f"/o/ward/about/{what}").text
    assert "来庁の日から7日で消します" in client.get("/o/ward/about/privacy").text
    with database.transaction() as session:
        city = session.get_one(Municipality, "aonami")
        city.settings = city.settings | {"booking_kept_days": 3}
    assert "来庁の日から3日で消します" in client.get("/o/ward/about/privacy").text
    assert client.get("/o/nowhere/about/how").status_code == 404
    assert client.get("/o/ward/about/else").status_code == 404


def test_a_number_page_is_private(client: FlaskClient) -> None:
    answer = client.get(take(client, "juminhyo"))
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/t/wrong").status_code == 404


def test_a_form_of_a_stranger_is_refused(web: Flask, client: FlaskClient) -> None:
    form = {"service": "juminhyo", "idempotency_key": "a-key-of-ours"}
    assert client.post("/o/ward/take", data=form).status_code == 403
    page = client.get("/o/ward/take").text
    evil = client.post(
        "/o/ward/take", data=form | {"csrf_token": token_of(page)}, headers={"Origin": "https://evil.example"}
    )
    assert evil.status_code == 403


def test_a_page_without_referrer_posts_with_its_token_only(client: FlaskClient) -> None:
    """A browser sends ``Origin: null`` from a page whose Referrer-Policy is no-referrer."""
    where = take(client, "juminhyo")
    form = {"csrf_token": token_of(client.get(f"{where}/cancel").text)}
    assert client.post(f"{where}/cancel", data={}, headers={"Origin": "null"}).status_code == 403
    assert client.post(f"{where}/cancel", data=form, headers={"Origin": "null"}).status_code == 303


def test_cancel_asks_first_and_is_the_same_twice(client: FlaskClient) -> None:
    where = take(client, "juminhyo")
    page = client.get(f"{where}/cancel").text
    for _ in range(2):
        assert client.post(f"{where}/cancel", data={"csrf_token": token_of(page)}).status_code == 303
    assert "この番号は取り消しました" in client.get(where).text


def test_called_fills_the_page(client: FlaskClient, lead: Caller) -> None:
    where = take(client, "juminhyo")
    counter = lead.get("/offices/ward").get_json()["counters"][1]["id"]
    lead.post(f"/counters/{counter}/open", {"categories": ["ward-certificates"]})
    called = lead.post(f"/counters/{counter}/call-next").get_json()
    page = client.get(where).text
    assert "お呼びしています" in page
    assert called["ticket"]["number"] in page
    assert f'href="{where}/cannot-come"' in page
    assert "番号は なくなりません" in client.get(f"{where}/cannot-come").text
    lead.post(f"/steps/{called['step']['id']}/miss")
    missed = client.get(where).text
    assert "列にもどる" in missed
    client.post(f"{where}/rejoin", data={"csrf_token": token_of(missed)})
    assert "あなたの前" in client.get(where).text


def ended(client: FlaskClient, lead: Caller) -> str:
    """The address of a number whose one service is done."""
    where = take(client, "inkan_reg")
    counter = lead.get("/offices/ward").get_json()["counters"][1]["id"]
    lead.post(f"/counters/{counter}/open", {"categories": ["ward-moving"]})
    step = lead.post(f"/counters/{counter}/call-next").get_json()["step"]["id"]
    for action in ("start", "finish"):
        assert lead.post(f"/steps/{step}/{action}").status_code == 200
    return where


def test_one_tap_says_how_it_was(client: FlaskClient, lead: Caller) -> None:
    where = ended(client, lead)
    page = client.get(where).text
    assert "きょうの窓口は いかがでしたか" in page
    form = {"csrf_token": token_of(page)}
    for _ in range(2):
        answer = client.post(f"{where}/feedback", data=form | {"verdict": "good"})
        assert (answer.status_code, answer.location) == (303, f"{where}#feedback")
    page = client.get(where).text
    assert "「よかった」を受けとりました。" in page
    assert 'name="verdict"' not in page
    assert client.post(f"{where}/feedback", data=form | {"topic": "manner"}).status_code == 303
    assert "理由: 職員の対応" in client.get(where).text
    again = client.get(f"{where}?again=1").text
    assert 'value="good" aria-pressed="true"' in again
    for code in LANGUAGES:
        for query in ({"lang": code}, {"lang": code, "again": "1"}):
            assert "《" not in client.get(where, query_string=query).text


@pytest.mark.parametrize(
    "form", [{}, {"verdict": "great"}, {"topic": "name"}, {"verdict": ""}, {"verdict": "good", "topic": "x"}]
)
def test_an_answer_that_is_none_is_refused(client: FlaskClient, lead: Caller, form: dict[str, str]) -> None:
    where = ended(client, lead)
    token = token_of(client.get(where).text)
    assert client.post(f"{where}/feedback", data=form | {"csrf_token": token}).status_code == 422
    assert client.post(f"{where}/feedback", data={"verdict": "good"}).status_code == 403
    assert "きょうの窓口は いかがでしたか" in client.get(where).text


def test_nobody_is_asked_before_the_end(client: FlaskClient) -> None:
    where = take(client, "juminhyo")
    assert "いかがでしたか" not in client.get(where).text
    form = {"csrf_token": token_of(client.get(f"{where}/cancel").text), "verdict": "good"}
    answer = client.post(f"{where}/feedback", data=form)
    assert answer.status_code == 409
    assert "手続きがおわってから7日のあいだ" in answer.text


def test_answers_are_held_to_a_number_a_minute(client: FlaskClient) -> None:
    where = take(client, "juminhyo")
    form = {"csrf_token": token_of(client.get(f"{where}/cancel").text), "verdict": "good"}
    seen = [client.post(f"{where}/feedback", data=form).status_code for _ in range(PER_MINUTE["write"] + 1)]
    assert set(seen[:-1]) == {409}
    assert seen[-1] == 429


def test_the_end_says_what_was_done_and_what_it_took(client: FlaskClient, lead: Caller) -> None:
    where = ended(client, lead)
    for code in LANGUAGES:
        page = client.get(where, query_string={"lang": code}).text
        assert "《" not in page
        assert 'class="okhead"' in page
    client.set_cookie("lang", "ja")
    assert "待った時間 合計0分、窓口にいた時間 0分。" in client.get(where).text
    # There is nothing left that one could not come to.
    assert client.get(f"{where}/cannot-come").location == where


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_number_to_be_confirmed_says_how(client: FlaskClient, database: Database, code: str) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"web_ticket_confirm": True}
    where = take(client, "juminhyo")
    page = client.get(where, query_string={"lang": code}).text
    assert "《" not in page
    if code == "ja":
        assert "過ぎると番号は消えます" in page
        assert "いま着くと 前に" in page
        assert "までに着けば、この番号を使えます" in client.get(f"{where}/cannot-come").text


def test_a_line_that_gives_numbers_in_the_building_only_says_so(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        line = session.get_one(Offering, ("ward", "tennyu")).category_id
        session.get_one(Category, line).web_ticket = False
    page = client.get("/o/ward/take").text
    assert 'value="tennyu"' not in page
    assert 'value="juminhyo"' in page
    assert "庁舎の受付機でおとりください" in page
    form = {"service": ["juminhyo", "tennyu"], "csrf_token": token_of(page), "idempotency_key": "two-lines-at-once"}
    answer = client.post("/o/ward/take", data=form)
    assert answer.status_code == 409
    assert "この手続きの番号は、庁舎の受付機でおとりください。" in answer.text


def test_nothing_chosen_is_told(client: FlaskClient) -> None:
    page = client.get("/o/ward/take").text
    answer = client.post("/o/ward/take", data={"csrf_token": token_of(page), "idempotency_key": "nothing-chosen"})
    assert answer.status_code == 422
    assert f"手続きを1つから{MOST_SERVICES}個まで" in answer.text
    # On the list itself, so that the next touch can be the right one.
    again = {"csrf_token": token_of(answer.text), "idempotency_key": "nothing-chosen", "service": "juminhyo"}
    assert client.post("/o/ward/take", data=again).status_code == 303


def test_the_office_closed_says_when_it_opens_in_everybodys_words(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"training": False}
    said = {
        "ja": ("令和8年4月1日(水)", "明日 8時30分"),
        "ja-Hira": ("<ruby>令和<rt>れいわ</rt></ruby>8<ruby>年<rt>ねん</rt></ruby>", "<rt>あした</rt>"),
        "pt": ("quarta-feira, 1 de abril de 2026", "08:30"),
        "zh-Hans": ("2026年4月1日星期三", "08:30"),
        "ko": ("2026년 4월 1일 수요일", "08:30"),
        "en": ("Wednesday 1 April 2026", "08:30"),
    }
    with time_machine.travel(NIGHT, tick=False):
        for code, (day, opens) in said.items():
            for path in ("/o/ward", "/o/ward/take"):
                page = client.get(path, query_string={"lang": code}).text
                assert opens in page, (code, path)
                assert "&lt;" not in page, (code, path)
            assert day in client.get("/o/ward", query_string={"lang": code}).text
        assert 'data-line="' not in client.get("/o/ward").text


def test_the_forecast_of_the_day_stands_on_the_home_page(client: FlaskClient, database: Database) -> None:
    assert "きょうの予想" not in client.get("/o/ward").text
    day = past_weeks(database)
    with time_machine.travel(datetime(day.year, day.month, day.day, 0, 30, tzinfo=UTC), tick=False):
        page = client.get("/o/ward").text
        assert "きょうの予想" in page
        assert re.search(r"<span>10時</span>.*?混雑", page)
        for code in LANGUAGES:
            assert "《" not in client.get("/o/ward", query_string={"lang": code}).text


def test_a_line_asked_for_is_open_on_the_list(client: FlaskClient) -> None:
    page = client.get("/o/ward/take?line=ward-moving").text
    assert len(re.findall(r'<details class="pick" open>', page)) == 1
    assert re.search(r'<details class="pick" open>.*?value="tennyu"', page, re.S)


def test_the_page_says_where_to_wait(client: FlaskClient) -> None:
    page = client.get(take(client, "juminhyo", "jido_teate")).text
    assert "2〜3番窓口の前で、お待ちください" in page
    assert "2階 <span" in page
