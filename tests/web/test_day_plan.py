"""Counters needed on a day, from a stored forecast and usual minutes; the hall that verifies; the manager's screen."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.calendar import business_date, instant
from app.domain.errors import NotFound
from app.domain.roles import Role
from app.models.arrivals import ForecastInterval, ForecastSeries, ServiceRate
from app.models.place import Counter
from app.services import counters, forecast_store, lines, staffing
from app.web import day_plan, played
from tests.web.conftest import Caller

LINE = "ward-certificates"
EXPECTED = [6, 10, 14, 16, 15, 12, 10, 8, 6, 4]


def tomorrow() -> date:
    """A day that is forecast: no clock is read but the one of the screens."""
    return (datetime.now(UTC) + timedelta(days=1)).date()


@pytest.fixture
def forecast(database: Database) -> date:
    """A forecast of one line for a day, with minutes learned."""
    day = tomorrow()
    with database.transaction() as session:
        session.add(
            ForecastSeries(
                category_id=LINE, office_id="ward", attempted_at=datetime.now(UTC), error="", made_at=datetime.now(UTC),
                model="sn4", scores={}, history_days=60, day_wape=0.1, cover=0.8, low_z=-1, high_z=1, cpu_seconds=0.1,
                peak_mb=1, reforecast_at=None, held_share=None,
            )
        )  # fmt: skip
        session.add(ServiceRate(office_id="ward", category_id=LINE, service_id="juminhyo", hour=-1, share=1.0,
                                minutes=8.0, spread=0.5, no_show=0.02, samples=400))  # fmt: skip
        for number, people in enumerate(EXPECTED):
            session.add(
                ForecastInterval(
                    category_id=LINE, office_id="ward", business_date=day,
                    start_at=instant(day, time(9)) + timedelta(minutes=30 * number), expected=people,
                    low=people * 0.6, high=people * 1.5, bookings=number % 3,
                )
            )  # fmt: skip
    return day


def test_counters_follow_the_forecast(database: Database, forecast: date) -> None:
    with database.snapshot() as session:
        plans = day_plan.of_day(session, office_id="ward", day=forecast, at=datetime.now(UTC))
    assert [plan.category_id for plan in plans] == [LINE]
    plan = plans[0]
    assert plan.facts.service_min == pytest.approx(8.0)
    assert plan.people == sum(EXPECTED)
    counters = [need.counters for need in plan.needs]
    assert counters.index(max(counters)) in (2, 3, 4)
    assert all(high.counters >= need.counters for high, need in zip(plan.high, plan.needs, strict=True))
    assert all(need.share >= 0.8 for need in plan.needs)
    assert played.office(plans, day_plan.needs(plans), policies={}, days=20)[LINE].within >= 0.8


def test_a_day_without_a_forecast_has_no_plan(database: Database) -> None:
    with database.snapshot() as session:
        assert day_plan.of_day(session, office_id="ward", day=tomorrow(), at=datetime.now(UTC)) == []
        with pytest.raises(NotFound):
            day_plan.of_day(session, office_id="nowhere", day=tomorrow(), at=datetime.now(UTC))


def test_the_api_tells_each_half_hour(client: FlaskClient, token: Callable[..., str], forecast: date) -> None:
    caller = Caller(client, token(Role.FLOOR_LEAD))
    told = caller.get(f"/offices/ward/staffing?date={forecast}").get_json()
    assert len(told["intervals"]) == len(EXPECTED)
    assert {"start", "category", "load", "counters", "service_level"} <= set(told["intervals"][0])
    assert told["target"] == {"minutes": 10, "share": 0.8}
    assert told["forecast"]["stale"] is False


@pytest.mark.parametrize(("query", "status"), [("", 422), ("?date=x", 422), ("?date=2026-02-30", 422)])
def test_a_day_that_is_none_is_refused(client: FlaskClient, token: Callable[..., str], query: str, status: int) -> None:
    assert Caller(client, token(Role.FLOOR_LEAD)).get(f"/offices/ward/staffing{query}").status_code == status


def test_a_clerk_plans_nobody(client: FlaskClient, token: Callable[..., str]) -> None:
    assert Caller(client, token(Role.CLERK)).get("/offices/ward/staffing?date=2026-04-01").status_code == 403


def test_the_plan_is_shown_and_verified(client: FlaskClient, token: Callable[..., str], forecast: date) -> None:
    headers = {"Authorization": f"Bearer {token(Role.CITY_ADMIN, office_id=None)}"}
    page = client.get(f"/manage/plan?office=ward&date={forecast}", headers=headers).get_data(as_text=True)
    assert f"<title>計画 {forecast} | Madoguchi</title>" in page
    assert "模擬で確かめる" in page
    assert "予測(件)" in page
    assert "山 10:30 16.0件" in page
    assert page.count('class="booked"') == sum(number % 3 > 0 for number in range(len(EXPECTED)))
    assert "同じ曜日4週の平均" not in page
    tried = client.get(f"/manage/plan?office=ward&date={forecast}&verify=1", headers=headers).get_data(as_text=True)
    assert "本当の呼び出しの決まりで確かめた結果" in tried


def test_the_plan_says_when_there_is_none(client: FlaskClient, token: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {token(Role.CITY_ADMIN, office_id=None)}"}
    page = client.get("/manage/plan?office=ward", headers=headers)
    assert page.status_code == 200
    assert "予測はまだありません" in page.get_data(as_text=True)
    for query in ("date=x", "date=2030-01-01", "office=nowhere"):
        assert client.get(f"/manage/plan?{query}", headers=headers).status_code == 404


def test_the_plan_says_that_the_first_forecast_is_being_made(
    client: FlaskClient, token: Callable[..., str], database: Database
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.CITY_ADMIN, office_id=None)}"}
    at = datetime.now(UTC)
    with database.transaction() as session:
        assert forecast_store.claim(session, "ward", today=business_date(at), token="t", at=at)
    page = client.get("/manage/plan?office=ward", headers=headers).get_data(as_text=True)
    assert "最初の予測を、いま作っています。" in page
    assert "予測はまだありません" not in page


def test_played_counters_help_as_open_ones_do(database: Database, forecast: date) -> None:
    """What a counter calls beside its first line in a played day is what its usual profile has it call when open."""
    real: dict[str, list[tuple[tuple[str, float | None], ...]]] = {}
    with database.transaction() as session:
        usual = select(Counter).where(Counter.office_id == "ward", Counter.default_profile_id.is_not(None))
        for counter in session.scalars(usual.order_by(Counter.position, Counter.number)).all():
            counters.open_counter(session, counter_id=counter.id, actor="t", at=datetime.now(UTC))
            (first, *others) = [(line.category_id, line.after_minutes) for line in lines.profile(counter)]
            assert first[1] is None
            real.setdefault(first[0], []).append(tuple(others))
        plans = day_plan.of_day(session, office_id="ward", day=forecast, at=datetime.now(UTC))
        assert staffing.helping_counters(session, "ward") == real
    assert plans[0].facts.helping == tuple(real[LINE])
    assert any(real[LINE])
