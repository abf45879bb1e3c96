"""Settings side by side: more people, a counter less, somebody ill, another call policy, against today's."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient

from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.roles import Role
from app.domain.roster import served
from app.services import rosters
from app.web import day_plan, played
from tests.standins import planned


@pytest.fixture
def page(database: Database, client: FlaskClient, token: Callable[..., str]) -> Callable[..., str]:
    with database.transaction() as session:
        planned.forecasts(session, business_date(datetime.now(UTC)))
    headers = {"Authorization": f"Bearer {token(Role.FLOOR_LEAD)}"}

    def call(query: str = "", status: int = 200) -> str:
        answer = client.get(f"/manage/what-if?office=ward&line=ward-moving{query}", headers=headers)
        assert answer.status_code == status
        return answer.text

    return call


def shares(page: str) -> list[int]:
    return [int(found) for found in re.findall(r"</i>(\d+)%</span></dd>", page)]


def test_five_settings_stand_side_by_side(page: Callable[..., str]) -> None:
    text = page()
    now, more, closed, ill, policy = shares(text)
    assert more < now
    assert closed < now
    assert ill < now
    assert policy >= 0
    assert "予約のない人の持ち時間 30分 → 60分" in text


def test_what_is_asked_decides_what_is_compared(page: Callable[..., str]) -> None:
    assert shares(page("&volume=100"))[1] < shares(page("&volume=10"))[1]
    assert shares(page("&volume=0"))[0] == shares(page("&volume=0"))[1]
    assert "30分 → 90分" in page("&allowance=90")


@pytest.mark.parametrize(("query", "status"), [("&volume=x", 422), ("&allowance=999", 422), ("&person=0", 404)])
def test_a_setting_that_is_none_is_refused(page: Callable[..., str], query: str, status: int) -> None:
    assert shares(page(query, status)) == []


def test_the_allowance_decides_between_booked_and_walk_ins(database: Database, page: Callable[..., str]) -> None:
    with database.snapshot() as session:
        day = planned.open_day(session, datetime.now(UTC))
        plans = day_plan.of_day(session, office_id="ward", day=day, at=datetime.now(UTC))
        plan = next(each for each in plans if each.category_id == "ward-moving")
        sheet = rosters.read(session, "ward", day, needs=day_plan.needs(plans))
    assert sum(map(served, sheet.shifts.values())) > 0
    staffed = {start: max(number - 1, 1) for start, number in day_plan.needs([plan])[plan.category_id].items()}
    tight, wide = (
        played.office([plan], {plan.category_id: staffed}, policies={plan.category_id: {"allowance": minutes}})[
            plan.category_id
        ]
        for minutes in (0, 90)
    )
    assert None not in (tight.booked_wait, wide.booked_wait, tight.walk_in_wait, wide.walk_in_wait)
    assert (wide.booked_wait or 0) < (tight.booked_wait or 0)
    assert (wide.walk_in_wait or 0) > (tight.walk_in_wait or 0)
