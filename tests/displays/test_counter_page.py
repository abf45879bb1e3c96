"""The display above a counter as the server draws it: its state in words, a neutral name, eight languages."""

from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from displays.counter import SECOND, state_of
from tests.web.conftest import Caller, client, lead, public, token, web

__all__ = ["client", "lead", "public", "token", "web"]
LINES = {"categories": ["ward-certificates"]}
CALLED = {"state": "called", "phase": "accept"}


@pytest.mark.parametrize(
    ("state", "back", "now", "said"),
    [
        ("open", None, CALLED, "called"),
        ("open", None, CALLED | {"phase": "deliver"}, "deliver"),
        ("open", None, {"state": "serving", "phase": "deliver"}, "serving"),
        # A party sent to a counter that has closed meanwhile must still find it.
        ("closed", None, CALLED, "called"),
        ("open", None, None, "open"),
        ("paused", "2026-04-01T13:00+09:00", None, "back"),
        ("paused", None, None, "soon"),
        ("closed", None, None, "closed"),
    ],
)
def test_each_state_is_one_screen(state: str, back: str | None, now: dict[str, str] | None, said: str) -> None:
    assert state_of({"state": state, "back_at": back, "now": now}) == said
    assert said in SECOND


def shown(client: FlaskClient, counter: str = "ward-2", lang: str = "en") -> str:
    """What the server drew, without the templates that wait for the script."""
    return client.get(f"/counter/{counter}?lang={lang}").text.partition("<template")[0]


def test_the_day_of_a_counter(client: FlaskClient, lead: Caller) -> None:
    assert "この窓口は閉じています" in shown(client)
    assert "1番「総合案内」でおたずねください。" in shown(client)
    lead.post("/counters/ward-2/open", LINES)
    assert "番号でお呼びします" in shown(client)
    number = lead.ticket("juminhyo")["number"]
    called = lead.post("/counters/ward-2/call-next").get_json()
    page = shown(client)
    assert number in page
    assert "ct-called" in page
    assert f"Number {number}, please come to this counter." in page
    assert "住民票" not in page
    lead.post(f"/steps/{called['step']['id']}/start")
    assert "ご案内中" in shown(client)
    assert "ct-called" not in shown(client)
    lead.post(f"/steps/{called['step']['id']}/finish")
    lead.post("/counters/ward-3/open", LINES)
    back = datetime.now(UTC) + timedelta(hours=1)
    lead.post("/counters/ward-2/pause", {"back_at": back.isoformat()})
    page = shown(client)
    assert "に再開します" in page
    assert "証明書の手続きは、3番窓口でお呼びします。" in page
    assert number not in page
    lead.post("/counters/ward-2/pause", {"back_at": None})
    assert "まもなく再開します" in shown(client)


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("ja-Hira", "この 窓口は 閉まっています。"), ("en", "Counter closed."), ("zh-Hans", "本窗口已关闭。"),
        ("zh-Hant", "本櫃台已關閉。"), ("ko", "이 창구는 닫혀 있습니다."), ("vi", "Quầy này đã đóng."),
        ("pt", "Guichê fechado."),
    ],
)  # fmt: skip
def test_the_second_line_in_every_language(client: FlaskClient, lang: str, said: str) -> None:
    page = shown(client, lang=lang)
    assert said in page
    assert "この窓口は閉じています" in page


def test_a_line_with_a_neutral_name_never_shows_its_other_one(client: FlaskClient, lead: Caller) -> None:
    """A name that changed with the service would tell which one it is."""
    assert "<em>市民課</em>" in shown(client)
    page = shown(client, "ward-22")
    assert "相談" in page
    assert "Consultation" in page
    for name in ("介護", "障がい", "disability"):
        assert name not in page


def test_a_counter_that_is_not_there(client: FlaskClient) -> None:
    assert client.get("/counter/nowhere").status_code == 404


def test_its_snapshot_is_asked_by_etag(client: FlaskClient, lead: Caller) -> None:
    path = "/api/v1/offices/ward/counters?hall=ward-citizen"
    lead.post("/counters/ward-2/open", LINES)
    seen = client.get(path)
    assert {each["id"] for each in seen.get_json()["counters"]} >= {"ward-2", "ward-3"}
    assert client.get(path, headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304
