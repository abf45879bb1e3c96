"""The glass tells the truth: across midnight and for an unknown hall."""

from datetime import UTC, datetime, timedelta

import time_machine

from app.db.session import Database
from scheduler.tasks import day_close
from tests.web.conftest import Caller, client, kiosk, lead, public, token, web

__all__ = ["client", "kiosk", "lead", "public", "token", "web"]
EVENING = datetime(2026, 4, 1, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
MORNING = EVENING + timedelta(minutes=2)
BOARD = "/api/v1/offices/ward/board"


def test_yesterdays_board_is_not_confirmed_today(kiosk: Caller) -> None:
    with time_machine.travel(EVENING, tick=False):
        kiosk.ticket("juminhyo")
        seen = kiosk.client.get(BOARD)
        assert kiosk.client.get(BOARD, headers={"If-None-Match": seen.headers["ETag"]}).status_code == 304
    with time_machine.travel(MORNING, tick=False):
        after = kiosk.client.get(BOARD, headers={"If-None-Match": seen.headers["ETag"]})
    assert after.status_code == 200
    assert after.get_json()["business_date"] == "2026-04-02"
    assert after.get_json()["waiting"] == {}


def test_the_new_day_has_a_new_seq(database: Database, kiosk: Caller) -> None:
    """Socket clients keep the newest (epoch, seq): an empty hall must change its seq at midnight too."""
    before = kiosk.client.get(BOARD).get_json()["seq"]
    with database.transaction() as session:
        day_close.sweep(session, "ward", MORNING)
    assert kiosk.client.get(BOARD).get_json()["seq"] > before


def test_an_unknown_hall_is_never_confirmed(kiosk: Caller) -> None:
    etag = kiosk.client.get(BOARD).headers["ETag"]
    for hall in ("nowhere", "branch-hall"):
        answer = kiosk.client.get(f"{BOARD}?hall={hall}", headers={"If-None-Match": etag})
        assert answer.status_code == 404
