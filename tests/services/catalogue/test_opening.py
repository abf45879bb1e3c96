"""When the sample offices are open, and which numbers may be given."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.calendar import JST
from app.domain.errors import Closed, NotFound
from app.models.place import Offering
from app.models.publication import CatalogueItem
from app.services import hours


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=JST)


WEDNESDAY, THURSDAY = date(2026, 4, 1), date(2026, 4, 2)


@pytest.fixture
def session(city: Database) -> Iterator[Session]:
    with city.snapshot() as session:
        yield session


@pytest.mark.parametrize(
    ("office", "day", "category", "expected"),
    [
        ("ward", WEDNESDAY, None, "08:30-17:15"),
        ("ward", THURSDAY, "ward-moving", "08:30-19:00"),
        ("ward", THURSDAY, "ward-tax", "08:30-17:15"),
        ("branch", THURSDAY, None, "08:30-17:15"),
        ("ward", date(2026, 4, 4), "ward-insurance", "09:00-15:00"),  # season of moving
        ("ward", date(2026, 4, 4), "ward-tax", ""),
        ("ward", date(2026, 4, 11), None, "09:00-12:00"),  # second Saturday
        ("ward", date(2026, 4, 18), None, ""),
        ("ward", date(2026, 4, 20), None, "08:30-15:00"),  # special day
        ("ward", date(2026, 4, 29), None, ""),  # 昭和の日
        ("ward", date(2026, 5, 6), None, ""),  # 振替休日
        ("ward", date(2026, 12, 28), None, "08:30-17:15"),
        ("ward", date(2026, 12, 29), None, ""),
        ("ward", date(2027, 1, 3), None, ""),
        ("ward", date(2027, 1, 4), None, "08:30-17:15"),
    ],
)
def test_the_hours_of_a_day(session: Session, office: str, day: date, category: str | None, expected: str) -> None:
    found = hours.opening(session, office, day, category)
    assert ", ".join(f"{item.opens:%H:%M}-{item.closes:%H:%M}" for item in found) == expected
    assert hours.today(session, office, at=at(day, 12)) == hours.opening(session, office, day)


def test_open_and_next_opening(session: Session) -> None:
    assert hours.is_open(session, "ward", at(WEDNESDAY, 17, 5))
    assert not hours.takes_numbers(session, "ward", at(WEDNESDAY, 17, 5))
    assert hours.next_opening(session, "ward", at(WEDNESDAY, 18)) == at(THURSDAY, 8, 30)
    assert hours.next_opening(session, "ward", at(date(2026, 12, 28), 18)) == at(date(2027, 1, 4), 8, 30)


def test_the_words_and_the_cause_of_a_day(session: Session) -> None:
    assert "19時" in hours.notes(session, "ward", THURSDAY)[0]["ja"]
    assert hours.closed_reason(session, "ward", date(2026, 4, 29)) == "昭和の日"
    assert hours.closed_reason(session, "ward", date(2026, 4, 18)) is None
    assert hours.closed_reason(session, "ward", WEDNESDAY) is None


def test_an_unknown_office_has_no_hours(session: Session) -> None:
    with pytest.raises(NotFound):
        hours.is_open(session, "nowhere", at(WEDNESDAY, 9))


def test_a_number_is_refused_outside_the_reception_hours_of_its_category(session: Session) -> None:
    moving, tax = (session.get_one(Offering, ("ward", name)) for name in ("tennyu", "kazei_cert"))
    hours.require_reception(session, "ward", [moving, tax], at=at(THURSDAY, 16, 59))
    hours.require_reception(session, "ward", [moving], at=at(THURSDAY, 18))
    with pytest.raises(Closed) as caught:
        hours.require_reception(session, "ward", [moving, tax], at=at(THURSDAY, 18))
    assert caught.value.reason == "office_closed"
    assert caught.value.values["opens_at"] == at(date(2026, 4, 3), 8, 30)
    # Staff may still give a number while the house is open.
    with pytest.raises(Closed):
        hours.require_reception(session, "ward", [tax], at=at(WEDNESDAY, 17, 5))
    hours.require_reception(session, "ward", [tax], at=at(WEDNESDAY, 17, 5), staff=True)


def test_a_purpose_closed_at_a_time_of_day_gives_no_number(session: Session) -> None:
    nursery = session.get_one(Offering, ("ward", "nursery"))
    assert nursery.closed_times == [[960, 1440]]
    hours.require_reception(session, "ward", [nursery], at=at(WEDNESDAY, 15, 59))
    with pytest.raises(Closed) as caught:
        hours.require_reception(session, "ward", [nursery], at=at(WEDNESDAY, 16, 0))
    assert (caught.value.reason, caught.value.values["service"]) == ("service_closed", "nursery")
    hours.require_reception(session, "ward", [nursery], at=at(WEDNESDAY, 16, 0), staff=True)


def test_a_holiday_the_library_does_not_know_is_data(own_city: Database) -> None:
    day = date(2026, 4, 15)
    with own_city.transaction() as session:
        assert hours.opening(session, "ward", day)
        body = {"name": {"ja": "市制100周年"}}
        session.add(CatalogueItem(municipality_id="aonami", kind="holiday", id="2026-04-15", body=body))
        session.flush()
        assert hours.opening(session, "ward", day) == []
        assert hours.closed_reason(session, "ward", day) == "市制100周年"
