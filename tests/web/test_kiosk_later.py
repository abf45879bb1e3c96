"""A walk-in at the kiosk may come back later today instead of waiting; nobody overtakes those who wait by it."""

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.booking import State
from app.domain.roles import Role
from app.models.booking import Booking
from app.models.place import Category, Office
from app.services import later_today
from app.web import security
from tests.web.test_kiosk import at, fields

NOON = datetime(2026, 4, 1, 10, 0, tzinfo=ZoneInfo("Asia/Tokyo"))
WAIT = 40.0


@pytest.fixture
def paired(web: Flask, token: Callable[..., str]) -> FlaskClient:
    """The browser of a paired kiosk of the ward."""
    client = web.test_client()
    client.set_cookie(security.DEVICE_COOKIE, token(Role.KIOSK))
    return client


@pytest.fixture
def busy(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Ten in the morning of a real day; the screen says forty minutes. The line's places are four each half-hour."""
    from app.services import kiosk_visit

    preview = kiosk_visit.Preview(ahead=9, estimate={"low": 25, "high": int(WAIT)}, whole=None)
    monkeypatch.setattr(kiosk_visit, "preview", lambda *_, **__: preview)
    with database.transaction() as session:
        rules = {"grid": 30, "capacity": 1, "lead_minutes": 0, "window_days": 30}
        session.get_one(Category, "ward-moving").booking = rules
    with at(database, NOON):
        yield database


def ask(client: FlaskClient, **more: str) -> str:
    page = client.get("/kiosk/ward/visit", query_string={"p": "move_in"} | more)
    assert page.status_code == 200
    return page.get_data(as_text=True)


def starts(page: str) -> list[datetime]:
    return [datetime.fromisoformat(each) for each in re.findall(r'name="start" value="([^"]+)"', page)]


def test_times_begin_where_the_wait_would_end_and_lie_apart(paired: FlaskClient, busy: Database) -> None:
    found = starts(ask(paired))
    assert len(found) == later_today.MOST
    assert found[0] >= NOON + timedelta(minutes=WAIT)
    assert all(after - before >= timedelta(minutes=30) for before, after in itertools.pairwise(found))
    assert starts(ask(paired, pri="1")) == []


def test_one_touch_books_once_shows_the_time_and_its_code(paired: FlaskClient, busy: Database) -> None:
    page = ask(paired)
    form = {**fields(page), "p": "move_in", "start": starts(page)[0].isoformat()}
    answers = [paired.post("/kiosk/ward/later", data=form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    with busy.snapshot() as session:
        made = session.scalars(select(Booking)).one()
        assert (made.state, made.channel, made.sealed_name) == (State.BOOKED, "kiosk", None)
    shown = paired.get(answers[0].location).get_data(as_text=True)
    assert made.reference
    assert f"{made.reference[:3]}-{made.reference[3:]}" in shown
    assert "きょう 11時00分" in shown
    assert "<span>この紙は番号札ではありません</span>" in shown


def test_a_time_somebody_else_took_leads_back_to_what_is_free(paired: FlaskClient, busy: Database) -> None:
    page = ask(paired)
    first = starts(page)[0].isoformat()
    assert paired.post("/kiosk/ward/later", data={**fields(page), "p": "move_in", "start": first}).status_code == 303
    again = ask(paired)
    late = paired.post("/kiosk/ward/later", data={**fields(again), "p": "move_in", "start": first})
    assert "full=1" in late.location
    told = paired.get(late.location).get_data(as_text=True)
    assert "先にうまりました" in told
    assert first not in told
    with busy.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Booking)) == 1


@pytest.mark.parametrize("start", ["", "x", "2026-04-01T11:00", "2026-04-02T11:00:00+09:00"])
def test_what_was_not_offered_is_refused(paired: FlaskClient, busy: Database, start: str) -> None:
    page = ask(paired)
    answer = paired.post("/kiosk/ward/later", data={**fields(page), "p": "move_in", "start": start})
    assert answer.status_code == 422
    with busy.snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Booking)) == 0
        assert session.get_one(Office, "ward")


def test_a_short_wait_is_not_worth_going_away_for(database: Database) -> None:
    with database.snapshot() as session:
        for wait in (None, later_today.WORTH - 1):
            assert later_today.offers(session, office_id="ward", services=["tennyu"], wait=wait, at=NOON) == []
