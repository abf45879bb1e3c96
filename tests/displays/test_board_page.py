"""The lobby board: new calls share the hero, settle after the hold, and no procedure is named."""

from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient

from displays.routes import split_calls
from tests.web.conftest import Caller, client, lead, public, token, web

__all__ = ["client", "lead", "public", "token", "web"]
AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)


def call(seconds_ago: int, number: str) -> dict[str, object]:
    return {"number": number, "called_at": (AT - timedelta(seconds=seconds_ago)).isoformat()}


def test_young_calls_share_the_hero_three_at_most() -> None:
    calls = [call(age, f"A{age:03d}") for age in (1, 5, 9, 12, 40, 60)]
    hero, fresh, before = split_calls(calls, AT)
    assert [each["number"] for each in hero] == ["A001", "A005", "A009"]
    assert fresh
    assert [each["number"] for each in before] == ["A012", "A040", "A060"]


def test_an_old_call_has_settled() -> None:
    hero, fresh, before = split_calls([call(21, "A001"), call(30, "A002")], AT)
    assert ([each["number"] for each in hero], fresh, len(before)) == (["A001"], False, 1)


def test_the_glass_shows_numbers_and_counters_only(client: FlaskClient, lead: Caller) -> None:
    number = lead.ticket("juminhyo")["number"]
    lead.post("/counters/ward-2/open", {"categories": ["ward-certificates"]})
    lead.post("/counters/ward-2/call-next")
    page = client.get("/board/ward/ward-citizen", headers={"Accept-Language": "en"}).text
    assert number in page
    assert "住民票の写し" not in page
    assert "お呼びした番号" in page
    assert client.get("/board/ward/nowhere").status_code == 404
