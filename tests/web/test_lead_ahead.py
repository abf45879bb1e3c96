"""The lead's plan against the day, and what a counter more would do to the longest wait."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from app.db.session import Database
from app.domain.calendar import JST, business_date, instant
from app.domain.calling import Line as Served
from app.domain.floor import Counter, Floor, Party
from app.domain.floor import Line as FloorLine
from app.domain.roles import Role
from app.domain.ticket import State
from app.models.arrivals import ForecastInterval, ForecastSeries, ServiceRate
from app.services import advice_record, counters, day_course, queue, rosters, tickets
from app.services.advice_record import Told
from app.services.forecasts import Interval
from app.web.lead import ahead
from app.web.lead.standing import Place, Standing, Together, of_floor
from tests.web.conftest import SignIn

LINE = "ward-moving"


@pytest.fixture(autouse=True)
def a_morning() -> Iterator[None]:
    """A look ahead needs half-hours of the same day before and behind it, which a late evening has not."""
    with time_machine.travel(datetime(2026, 4, 1, 10, 10, tzinfo=JST), tick=True):
        yield


@pytest.fixture
def forecast(database: Database) -> datetime:
    """A forecast of one line around now: a half-hour is over, one runs, three are to come."""
    now = datetime.now(UTC)
    half = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
    with database.transaction() as session:
        session.add(
            ForecastSeries(category_id=LINE, office_id="ward", attempted_at=now, error="", made_at=now, model="sn4",
                           scores={}, history_days=60, day_wape=0.1, cover=0.8, low_z=-1, high_z=1, cpu_seconds=0.1,
                           peak_mb=1, reforecast_at=None, held_share=None)
        )  # fmt: skip
        session.add(ServiceRate(office_id="ward", category_id=LINE, service_id="tennyu", hour=-1, share=1.0,
                                minutes=13.0, spread=0.5, no_show=0.0, samples=100))  # fmt: skip
        for number in range(-1, 4):
            start = half + timedelta(minutes=30 * number)
            if business_date(start) == business_date(now):
                session.add(ForecastInterval(category_id=LINE, office_id="ward", business_date=business_date(now),
                                             start_at=start, expected=6, low=3, high=9, bookings=1))  # fmt: skip
    return now


def waiting(database: Database, now: datetime, people: int) -> None:
    with database.transaction() as session:
        counters.open_counter(session, counter_id="ward-4", actor="test", at=now - timedelta(minutes=50))
    for number in range(people):
        with database.transaction() as session:
            tickets.issue(session, office_id="ward", wish=tickets.Wish(services=["tennyu"], channel="kiosk"),
                          seed=f"s{number}", secret=b"s" * 32, actor="test",
                          at=now - timedelta(minutes=40 - number))  # fmt: skip


def lead(client: FlaskClient, token: Callable[..., str]) -> str:
    answer = client.get("/lead?office=ward", headers={"Authorization": f"Bearer {token(Role.FLOOR_LEAD)}"})
    assert answer.status_code == 200
    return answer.text


def test_a_late_line_is_told_what_a_counter_more_would_do(
    client: FlaskClient, token: Callable[..., str], database: Database, forecast: datetime
) -> None:
    waiting(database, forecast, 12)
    found = re.search(r"いちばん長い待ち (\d+)→(\d+)分\(10回に8回は(\d+)〜(\d+)分\)", lead(client, token))
    assert found
    now, then, low, high = map(int, found.groups())
    assert now > then
    assert low <= then <= high


def test_without_a_forecast_nothing_is_promised(
    client: FlaskClient, token: Callable[..., str], database: Database
) -> None:
    waiting(database, datetime.now(UTC), 12)
    page = lead(client, token)
    assert "いちばん長い待ち " not in page
    assert "今日の予測はありません" in page


def test_a_calm_floor_is_told_its_next_peak(
    client: FlaskClient, token: Callable[..., str], database: Database, forecast: datetime
) -> None:
    with database.transaction() as session:
        for number in range(4, 8):
            counters.open_counter(session, counter_id=f"ward-{number}", actor="test", at=forecast)
        tickets.issue(session, office_id="ward", wish=tickets.Wish(services=["tennyu"], channel="kiosk"), seed="calm",
                      secret=b"s" * 32, actor="test", at=forecast)  # fmt: skip
        queue.call_next(session, counter_id="ward-4", actor="test", at=forecast)
    page = lead(client, token)
    assert 'data-state="calm"' in page
    assert "次の山は 10:30〜11:00 です(予測 6件、10日に8日は3〜9件)。" in page


def test_who_came_stands_beside_who_was_expected(database: Database, forecast: datetime) -> None:
    waiting(database, forecast, 5)
    with database.snapshot() as session:
        course = day_course.read(session, "ward", at=forecast)
    assert course.came == 5
    assert sum(each.came or 0 for each in course.half_hours) <= 5
    assert all(each.came is None for each in course.half_hours if each.start > forecast)
    (line,) = course.lines
    assert line.rostered is None
    assert line.expected + line.coming == pytest.approx(6 * len(course.half_hours))


def test_a_published_roster_says_who_should_sit_there(database: Database) -> None:
    at = datetime(2026, 4, 1, 10, 5, tzinfo=JST)
    needs = {LINE: {600: 2}}
    with database.transaction() as session:
        assert day_course.rostered(session, "ward", at=at) is None
        sheet = rosters.read(session, "ward", at.date(), needs=needs)
        rosters.publish(session, sheet, version=0, actor="test", at=instant(at.date(), at.time()))
        found = day_course.rostered(session, "ward", at=at)
    assert found is not None
    assert found[LINE] == sum(cells[3] == LINE for cells in sheet.shifts.values())


def standing(*, already: tuple[int, ...] = (5, 10), counters: int = 2, arrivals: float = 1.0) -> Standing:
    return Standing(
        arrivals=(arrivals,) * 24, already=already, counters=counters, busy=min(counters, 1), service_min=12, spread=0.5
    )


def middle(*lines: Standing, more: int = 0, helping: tuple[tuple[tuple[int, float | None], ...], ...] = ()) -> float:
    """The longest wait of the first of the lines; ``helping``: what the counters of the second call besides."""
    others = tuple(helping if number == 1 else () for number in range(len(lines)))
    place = Place(together=Together(standings=lines, helping=others), number=0, served=True)
    return ahead._middle(ahead._maxima(place, more))


def test_more_people_or_fewer_counters_wait_longer() -> None:
    assert middle(standing(), more=1) < middle(standing())
    assert middle(standing(already=tuple(range(5, 25)))) > middle(standing())
    assert middle(standing(counters=1)) > middle(standing())


def test_a_counter_that_helps_is_played_as_it_calls() -> None:
    full, calm = standing(counters=1), standing(already=(), counters=3, arrivals=0.2)
    alone = middle(full, calm)
    at_once, late = (middle(full, calm, helping=(((0, after),),) * 3) for after in (None, 15.0))
    assert at_once < late < alone
    # Whom nobody serves of their own is still called by who helps.
    assert middle(standing(counters=0), calm, helping=(((0, 5.0),),) * 3) < 60


def test_open_counters_are_played_with_the_work_they_have_now() -> None:
    at = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)

    def counter(name: str, *calls: tuple[str, float | None], state: str = "open") -> Counter:
        serves = tuple(Served(category_id=line, after_minutes=after) for line, after in calls)
        return Counter(id=name, number=name, state=state, serves=serves)

    held = Party(
        step=1, ticket=1, number="1", category="b", service="x", phase="accept", state=State.SERVING, counter="3"
    )
    place = Floor(
        lines=tuple(FloorLine(id=line, target=timedelta(minutes=10)) for line in "abcd"), parties=(held,),
        counters=(counter("1", ("a", None)), counter("2", ("b", None), ("a", 10)), counter("3", ("b", None)),
                  counter("4", ("c", None)), counter("5", ("c", None), ("b", 5), state="closed")),
    )  # fmt: skip
    expected = {line: [Interval(start=at, expected=6, low=3, high=9, bookings=0)] for line in "abcd"}
    found = of_floor(place, expected, dict.fromkeys("abcd", (12.0, 0.5)), begins=at, steps=24, at=at)
    # The busy one of its counters comes first; a closed one joins nobody.
    assert found["a"].together.helping == (((),), ((), ((0, 10),)))
    assert found["b"].together == found["a"].together
    assert (found["b"].standing.counters, found["b"].standing.busy, found["a"].standing.busy) == (2, 1, 0)
    assert len(found["c"].together.standings) == 1
    assert [found[line].served for line in "abcd"] == [True, True, True, False]
    assert found["a"].standing.arrivals == (1.0,) * 6 + (0.0,) * 18


def test_what_a_proposal_achieved_is_shown_beside_what_was_told(
    signed_in: SignIn, database: Database, forecast: datetime
) -> None:
    """Taken with one press; until two hours are over the wait may still grow, then it is held against what was told."""
    waiting(database, forecast, 12)
    floor_lead = signed_in("lead", role=Role.FLOOR_LEAD)
    page = floor_lead.get("/lead?office=ward").text
    assert "提案の結果" not in page
    form = next(each for each in re.findall(r"<form.*?</form>", page, re.S) if 'name="advised"' in each)
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    begins = datetime.fromisoformat(fields["begins"])
    now, then, low, high = map(int, fields["told"].split(","))
    bad = fields | {"told": "1,x,2,3", "idempotency_key": "bad-key-of-this-test"}
    assert floor_lead.post("/lead/ward/act", data=bad).status_code == 422
    assert floor_lead.post("/lead/ward/act", data=fields).status_code == 303
    assert "まだ途中です" in floor_lead.get("/lead?office=ward").text
    with database.transaction() as session:
        (running,) = advice_record.of_days(session, "ward", begins.date(), begins.date(), at=begins)
        assert (running.told, running.over) == (Told(now=now, then=then, low=low, high=high), False)
        assert running.line.id == LINE
        # Nobody has been called since: the one who waits longest waits on.
        (over,) = advice_record.of_days(session, "ward", begins.date(), begins.date(), at=begins + timedelta(hours=3))
        assert (over.over, over.held) == (True, False)
        assert over.came is not None
        assert over.came > 180
    with time_machine.travel(begins + timedelta(hours=3)):
        again = signed_in("lead2", role=Role.FLOOR_LEAD)
        assert "見込みより長い" in again.get("/lead?office=ward").text
    month = signed_in("boss", role=Role.DEPARTMENT_ADMIN).get("/manage/reports?office=ward&month=2026-04").text
    assert "フロア責任者が取った提案は1件" in month


@pytest.mark.parametrize("begins", ["", "x", "2026-04-01T10:15:00", "2026-04-02T10:15:00+09:00"])
def test_what_no_screen_told_is_not_kept(
    signed_in: SignIn, database: Database, forecast: datetime, begins: str
) -> None:
    page = signed_in("lead", role=Role.FLOOR_LEAD)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.get("/lead?office=ward").text)
    assert token
    fields = {"csrf_token": token[1], "idempotency_key": f"key-of-this-test-{len(begins)}", "action": "open",
              "counter": "ward-5", "advised": LINE, "told": "34,18,12,25", "begins": begins}  # fmt: skip
    assert page.post("/lead/ward/act", data=fields).status_code == 422
    fields |= {"begins": forecast.isoformat(), "advised": "nowhere", "idempotency_key": "another-key-of-this-test"}
    assert page.post("/lead/ward/act", data=fields).status_code == 404
    with database.snapshot() as session:
        assert advice_record.of_days(session, "ward", forecast.date(), forecast.date(), at=forecast) == []
