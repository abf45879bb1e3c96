"""Forecasts as they are read: by line, service and office, with their age; laid-down visits and what follows."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.db.session import Database
from app.domain.errors import InvalidInput, NotFound
from app.services import forecast_inputs, forecast_store, forecasts
from app.services.forecast_store import Made

NIGHT = datetime(2026, 4, 5, 18, 0, tzinfo=UTC)
TODAY = date(2026, 4, 6)
NINE = datetime(2026, 4, 6, 0, 0, tzinfo=UTC)
LINE = "ward-certificates"


def rows(value: float) -> list[list[float | None]]:
    day: list[float | None] = [None] * 48
    day[18] = value
    return [list(day) for _ in range(3)]


def made(line: str = LINE, expected: float = 10.0) -> Made:
    flat = [[0.0] * 48 for _ in range(3)]
    low = [[expected - 3 if slot == 18 else 0.0 for slot in range(48)] for _ in flat]
    high = [[expected + 4 if slot == 18 else 0.0 for slot in range(48)] for _ in flat]
    return Made(category_id=line, model="sn4", expected=rows(expected), low=low, high=high, bookings={TODAY: {18: 2}})


def put(database: Database, *found: Made, at: datetime = NIGHT) -> None:
    with database.transaction() as session:
        for each in found:
            forecast_store.put(session, "ward", each, today=TODAY, at=at)


def test_a_line_is_read_as_it_was_put(database: Database) -> None:
    put(database, made())
    with database.snapshot() as session:
        found = forecasts.intervals(
            session, office_id="ward", category_id=LINE, since=NINE, until=NINE + timedelta(days=1)
        )
    assert [(each.start, each.expected, each.low, each.high, each.bookings) for each in found] == [
        (NINE, 10.0, 7.0, 14.0, 2)
    ]


def test_services_share_their_line_and_add_up_to_it(database: Database) -> None:
    put(database, made())
    with database.snapshot() as session:
        services = [each.service for each in forecast_inputs.offered(session, "ward") if each.line == LINE]
        parts = [
            forecasts.intervals(session, office_id="ward", service_id=each, since=NINE, until=NINE + timedelta(hours=1))
            for each in services
        ]
    assert len(services) > 1
    assert sum(part[0].expected for part in parts) == pytest.approx(10.0)
    assert all(0 <= part[0].low <= part[0].expected <= part[0].high for part in parts)


def test_lines_add_up_to_the_office_and_their_doubts_do_not(database: Database) -> None:
    put(database, made(), made("ward-tax"))
    with database.snapshot() as session:
        (found, *_) = forecasts.intervals(session, office_id="ward", since=NINE, until=NINE + timedelta(hours=1))
    assert found.expected == 20.0
    assert 20 - found.low == pytest.approx(3 * 2**0.5)
    assert found.bookings == 4


def test_a_new_night_replaces_the_days_ahead_and_keeps_the_past(database: Database) -> None:
    put(database, made())
    with database.transaction() as session:
        later = TODAY + timedelta(days=1)
        forecast_store.put(session, "ward", made(expected=20.0), today=later, at=NIGHT + timedelta(days=1))
    with database.snapshot() as session:
        found = forecasts.intervals(session, office_id="ward", since=NINE, until=NINE + timedelta(days=9))
    assert [each.expected for each in found] == [10.0, 20.0, 20.0, 20.0]


def test_the_age_is_told_and_a_failed_night_leaves_the_last_one_standing(database: Database) -> None:
    with database.snapshot() as session:
        nothing = forecasts.age(session, office_id="ward", at=NIGHT)
    assert (nothing.made_at, nothing.stale, nothing.models) == (None, True, [])
    put(database, made())
    failed = NIGHT + timedelta(days=1)
    with database.transaction() as session:
        forecast_store.fail(session, "ward", LINE, error="timeout", at=failed)
    with database.snapshot() as session:
        age = forecasts.age(session, office_id="ward", at=failed)
        late = forecasts.age(session, office_id="ward", at=NIGHT + timedelta(hours=31))
        still = forecasts.intervals(session, office_id="ward", since=NINE, until=NINE + timedelta(days=1))
    assert (age.made_at, age.attempted_at, age.error, age.stale) == (NIGHT, failed, "timeout", False)
    assert late.stale
    assert len(still) == 1


def test_what_is_not_there_and_too_long_a_period_are_refused(database: Database) -> None:
    span = {"since": NINE, "until": NINE + timedelta(days=1)}
    with database.snapshot() as session:
        for place in ({"office_id": "nowhere"}, {"office_id": "ward", "service_id": "nothing"},
                      {"office_id": "ward", "category_id": "branch-moving"}):  # fmt: skip
            with pytest.raises(NotFound):
                forecasts.intervals(session, **place, **span)  # type: ignore[arg-type]
        for days in (0, 93):
            with pytest.raises(InvalidInput):
                forecasts.intervals(session, office_id="ward", since=NINE, until=NINE + timedelta(days=days))


def test_one_runner_takes_a_night_and_a_killed_one_is_taken_over(database: Database) -> None:
    def claim(token: str, at: datetime) -> bool:
        with database.transaction() as session:
            return forecast_store.claim(session, "ward", today=TODAY, token=token, at=at)

    assert claim("a", NIGHT)
    assert not claim("b", NIGHT + timedelta(minutes=1))
    late = NIGHT + forecast_store.RUN_LASTS + timedelta(seconds=1)
    assert claim("b", late)
    with database.transaction() as session:
        assert not forecast_store.finish(session, "ward", today=TODAY, token="a", error="", at=late)
        assert forecast_store.finish(session, "ward", today=TODAY, token="b", error="", at=late)
    assert not claim("c", late + timedelta(hours=2))
