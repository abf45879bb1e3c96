"""Forecast jobs: past days laid down, a night claimed once and started in a process of its own, today told again."""

import secrets
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select, update

from app.db.session import Database
from app.domain.calendar import JST
from app.models.arrivals import ForecastNight
from app.models.ticket import Step
from app.models.visits import PastVisit
from app.services import forecast_store, forecasts, practice, tickets
from app.services.forecast_store import Made
from app.services.tickets import Wish
from scheduler.tasks import forecasts as jobs

DAY = date(2026, 4, 6)
NINE = datetime(2026, 4, 6, 9, 0, tzinfo=JST)
LINE = "ward-certificates"


def issue(database: Database, at: datetime, services: tuple[str, ...] = ("juminhyo",)) -> None:
    with database.transaction() as session:
        tickets.issue(
            session, office_id="ward", wish=Wish(services=services, channel="staff"), seed=secrets.token_hex(8),
            secret=b"s" * 32, actor="test", at=at,
        )  # fmt: skip


def told(database: Database, expected: float, *, held_share: float | None = None) -> None:
    """The same expected in each half-hour from nine to noon."""
    rows = [[expected if 18 <= slot < 24 else None for slot in range(48)]]
    flat = [[0.5 * expected] * 48]
    made = Made(category_id=LINE, model="sn4", expected=rows, low=flat, high=[[2 * expected] * 48],
                held_share=held_share)  # fmt: skip
    with database.transaction() as session:
        forecast_store.put(session, "ward", made, today=DAY, at=NINE - timedelta(hours=6))


def rest(database: Database, at: datetime) -> list[forecasts.Interval]:
    with database.snapshot() as session:
        return forecasts.intervals(session, office_id="ward", category_id=LINE, since=at, until=at + timedelta(hours=9))


def test_past_days_are_laid_down_once(database: Database) -> None:
    issue(database, NINE)
    for expected in (1, 0):
        with database.transaction() as session:
            assert jobs.learn(session, "ward", NINE + timedelta(days=1)) == expected
    with database.transaction() as session:
        assert jobs.learn(session, "ward", NINE + timedelta(hours=3)) == 0
        (visit,) = session.scalars(select(PastVisit))
    assert (visit.service_id, visit.issued_at, visit.no_show, visit.booked) == ("juminhyo", NINE, False, False)


def test_a_busy_morning_raises_the_rest_of_the_day_and_the_night_stays_on_record(database: Database) -> None:
    told(database, 2.0)
    for minute in range(0, 60, 6):
        issue(database, NINE + timedelta(minutes=minute))
    ten = NINE + timedelta(hours=1)
    with database.transaction() as session:
        assert jobs.today(session, "ward", ten) == 1
    # Ten came where four were expected; forty more hold back a line of which nothing was learned.
    (first, *_) = rest(database, ten)
    assert first.expected == pytest.approx(2.0 * 50 / 44)
    assert 0 < first.low < first.expected < first.high
    with database.snapshot() as session:
        as_told = forecasts.intervals(
            session, office_id="ward", category_id=LINE, since=ten, until=ten + timedelta(hours=1), as_of_night=True
        )
        assert forecasts.age(session, office_id="ward", at=ten).reforecast_at == ten
    assert as_told[0].expected == 2.0


def test_how_much_a_morning_says_is_what_the_night_has_learned_of_the_line(database: Database) -> None:
    told(database, 2.0, held_share=0.5)
    for minute in range(0, 60, 6):
        issue(database, NINE + timedelta(minutes=minute))
    ten = NINE + timedelta(hours=1)
    with database.transaction() as session:
        jobs.today(session, "ward", ten)
    assert rest(database, ten)[0].expected == pytest.approx(2.0 * (10 + 6) / (4 + 6))


def test_before_the_first_half_hour_is_over_and_after_the_last_nothing_is_told_again(database: Database) -> None:
    told(database, 2.0)
    for at in (NINE - timedelta(hours=1), NINE + timedelta(minutes=10), NINE + timedelta(hours=8)):
        with database.transaction() as session:
            assert jobs.today(session, "ward", at) == 0


def sweep(database: Database, at: datetime) -> int:
    with database.transaction() as session:
        return jobs.night(session, "ward", at)


def test_a_night_is_started_once_and_only_where_there_is_something_to_learn(
    database: Database, nights: list[tuple[str, str]]
) -> None:
    night = datetime(2026, 4, 7, 2, 45, tzinfo=JST)
    assert sweep(database, night) == 0
    issue(database, NINE)
    with database.transaction() as session:
        jobs.learn(session, "ward", night)
    assert sweep(database, night - timedelta(minutes=10)) == 0
    assert [sweep(database, night + timedelta(minutes=5 * again)) for again in range(3)] == [1, 0, 0]
    with database.snapshot() as session:
        assert [("ward", session.scalars(select(ForecastNight.token)).one())] == nights


def test_practice_data_do_not_wait_for_the_night(database: Database, nights: list[tuple[str, str]]) -> None:
    midnight = NINE.replace(hour=0, minute=30)
    with database.transaction() as session:
        practice.lay(session, "ward", at=midnight, weeks=1)
        assert jobs.night(session, "ward", midnight) == 1
    told(database, 2.0)
    with database.transaction() as session:
        assert jobs.night(session, "ward", midnight + timedelta(days=1)) == 0
    assert [office for office, _ in nights] == ["ward"]


def test_a_failed_night_is_tried_again_but_not_for_ever(database: Database, nights: list[tuple[str, str]]) -> None:
    night = datetime(2026, 4, 7, 2, 45, tzinfo=JST)
    issue(database, NINE)
    with database.transaction() as session:
        jobs.learn(session, "ward", night)
    for _ in range(5):
        sweep(database, night)
        with database.transaction() as session:
            session.execute(update(ForecastNight).values(state="failed"))
    assert len(nights) == forecast_store.MOST_ATTEMPTS


def test_hand_overs_and_what_never_waited_are_no_visits(database: Database) -> None:
    issue(database, NINE, ("koseki_cert",))
    with database.transaction() as session:
        steps = session.scalar(select(func.count(Step.id)))
        assert jobs.learn(session, "ward", NINE + timedelta(days=1)) == 1
    assert steps is not None
    assert steps > 1
    assert NINE.astimezone(UTC).date() == DAY
