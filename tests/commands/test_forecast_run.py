"""An office's forecast from its rows: bookings are arrivals that are known, and an office leans on all its lines."""

from datetime import UTC, datetime, time, timedelta

import pytest

from app.commands import forecast_run
from app.db.session import Database
from app.domain.calendar import JST, business_date, instant
from app.models.booking import Booking
from app.models.place import Municipality
from app.models.visits import PastVisit
from app.services import forecasts, hours, practice

LINE = "ward-certificates"
NOW = datetime.now(UTC)


@pytest.fixture
def weeks(database: Database) -> datetime:
    """Four weeks with six people in each hour from nine to noon; returns ten o'clock of the next open day."""
    today = business_date(NOW)
    with database.transaction() as session:
        for back in range(1, 29):
            day = today - timedelta(days=back)
            for number in range(18 if day.weekday() < 5 else 0):
                at = instant(day, time(9 + number // 6, number % 6 * 10))
                session.add(
                    PastVisit(
                        office_id="ward", business_date=day, category_id=LINE, service_id="juminhyo", issued_at=at,
                        called_at=None, started_at=None, finished_at=None, counter="", booked=False, no_show=False,
                        step_id=None, fingerprint=f"{day}-{number}",
                    )
                )  # fmt: skip
        tomorrow = instant(today + timedelta(days=1), time())
        opens = hours.next_opening(session, "ward", tomorrow)
    assert opens is not None
    return instant(business_date(opens), time(10))


def made(database: Database, at: datetime) -> forecasts.Interval:
    assert not forecast_run.of_office(database, "ward", at=NOW, heard=lambda _: None).failed
    with database.snapshot() as session:
        (found,) = forecasts.intervals(
            session, office_id="ward", category_id=LINE, since=at, until=at + timedelta(minutes=30)
        )
    return found


def book(database: Database, at: datetime, *, parties: int) -> None:
    with database.transaction() as session:
        city = session.query(Municipality).first()
        assert city is not None
        for number in range(parties):
            session.add(
                Booking(
                    municipality_id=city.id, office_id="ward", state="booked", reference=f"R{number}", seed="",
                    token_hash=f"b{number}", category_id=LINE, services=["juminhyo"], plan=[], party=1,
                    business_date=at.astimezone(JST).date(), start_at=at, end_at=at + timedelta(minutes=15),
                    no_show_at=at + timedelta(minutes=15), language="ja", channel="web", staff=False, created_at=NOW,
                    changed_at=NOW, moves=0,
                )
            )  # fmt: skip


def test_bookings_times_their_show_rate_come_on_top_of_those_who_walk_in(database: Database, weeks: datetime) -> None:
    before = made(database, weeks)
    assert before.bookings == 0
    assert before.expected == pytest.approx(3, abs=1)
    book(database, weeks, parties=10)
    after = made(database, weeks)
    # Nine of ten come until an office knows better.
    assert after.bookings == 10
    assert after.expected - before.expected == pytest.approx(9, abs=0.5)
    assert after.low <= after.expected <= after.high


def test_the_first_forecast_is_of_now_and_practised_weeks_are_told_after_it(database: Database) -> None:
    """A stranger who opens the plan in the first minutes reads of no forecast of a day long past."""
    seen: list[datetime | None] = []

    def heard(_line: str) -> None:
        with database.snapshot() as session:
            seen.append(forecasts.age(session, office_id="branch", at=NOW).made_at)

    with database.transaction() as session:
        practice.lay(session, "branch", at=NOW, weeks=8)
    run = forecast_run.of_office(database, "branch", at=NOW, heard=heard)
    assert (seen, run.failed) == ([None, NOW, NOW, NOW, NOW, NOW], {})
    today = business_date(NOW)
    with database.snapshot() as session:
        assert forecasts.age(session, office_id="branch", at=NOW).made_at == NOW
        told = forecasts.errors(session, office_id="branch", since=today - timedelta(days=28), until=today)
    assert len(told) >= 15
