"""A day played again under its own dials is the day that was; under others the groups change places as promised."""

import random
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.errors import InvalidInput, NotFound
from app.models.place import Category
from app.services import what_if
from tests.bench.blend import FIRST, LINE, Day, Outcome, people

DIALS = {"allowance": 30.0, "early_window": 5, "late_penalty": 10, "late_grace": 5}


@pytest.fixture(scope="module")
def database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One day for all tests of this file; nothing here depends on the kind of database."""
    file = tmp_path_factory.mktemp("what_if") / "hall.db"
    shutil.copyfile(sqlite_template, file)
    opened = Database(f"sqlite:///{file}")
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def lived(database: Database) -> Outcome:
    """A rush of 40 people at the bench's five counters, half of them booked."""
    with database.transaction() as session:
        line = session.get_one(Category, LINE)
        line.booking = {"grid": 15, "capacity": 12, "window_days": 100, "lead_minutes": 0}
        line.policy = line.policy | DIALS
    dice = random.Random(3)
    minutes = sorted(dice.uniform(510, 560) for _ in range(60))
    parties = people(minutes, 0.125, dice)
    return Day(database, FIRST, parties, booking=True).play(dice)


def compare(session: Session, *settings: dict[str, float], day: date = FIRST) -> list[what_if.Compared]:
    return what_if.compare(session, office_id="ward", category_id=LINE, day=day, settings=settings)


def test_under_its_own_dials_a_day_is_what_it_was(database: Database, lived: Outcome) -> None:
    with database.snapshot() as session:
        own = compare(session)[0].played
    assert own.unserved == 0
    assert sorted(round(wait, 6) for wait in own.walk_in) == sorted(round(wait, 6) for wait in lived.walk_in)
    assert sorted(round(wait, 6) for wait in own.booked) == sorted(round(wait, 6) for wait in lived.booked)


def test_the_allowance_is_the_dial_between_the_groups(database: Database, lived: Outcome) -> None:
    assert lived.booked
    with database.snapshot() as session:
        _, none, wide = (each.played for each in compare(session, {"allowance": 0}, {"allowance": 90}))
    assert none.walk_ins
    assert none.bookings
    assert wide.walk_ins
    assert wide.bookings
    assert wide.bookings.within_10 >= none.bookings.within_10
    assert wide.bookings.mean <= none.bookings.mean
    assert wide.walk_ins.mean >= none.walk_ins.mean
    assert none.walk_ins.people + none.bookings.people == wide.walk_ins.people + wide.bookings.people


def test_what_cannot_be_compared(database: Database) -> None:
    with database.snapshot() as session:
        with pytest.raises(NotFound):
            compare(session, day=date(2026, 6, 2))
        with pytest.raises(NotFound):
            what_if.compare(session, office_id="branch", category_id=LINE, day=FIRST, settings=[])


@pytest.mark.parametrize("dials", [{"allowance": -1}, {"allowance": 241}, {"deliver": 5}, {"x": 1}])
def test_dials_that_are_none(database: Database, lived: Outcome, dials: dict[str, float]) -> None:
    assert lived.walk_in
    with database.snapshot() as session, pytest.raises(InvalidInput, match="bad_range"):
        compare(session, dials)
