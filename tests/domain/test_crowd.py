"""Five levels from the waits of past weeks: lately counts more, too little says nothing."""

from datetime import date, timedelta

import pytest

from app.domain.crowd import Level, Seen, level, of_day, of_hours, quietest

MONDAY = date(2026, 3, 30)


def seen(weeks: int, minutes: float, *, people: int = 20, hour: int = 9, days: int = 0) -> Seen:
    """An hour so many weeks before MONDAY in which each of ``people`` waited ``minutes``."""
    day = MONDAY - timedelta(weeks=weeks, days=days)
    return Seen(day=day, hour=hour, people=people, minutes=people * minutes)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (0, Level.EMPTY),
        (9.9, Level.EMPTY),
        (10, Level.QUIET),
        (20, Level.FAIR),
        (40, Level.CROWDED),
        (60, Level.PACKED),
    ],
)
def test_the_borders_are_those_of_the_lamps(minutes: float, expected: Level) -> None:
    assert level(minutes) is expected


def test_a_day_is_told_by_its_own_weekday_alone() -> None:
    assert of_day([seen(1, 5), seen(1, 90, days=1)], MONDAY) is Level.EMPTY


def test_what_was_lately_counts_more() -> None:
    assert of_day([seen(1, 15), seen(8, 60)], MONDAY) is Level.FAIR
    assert of_day([seen(8, 15), seen(1, 60)], MONDAY) is Level.CROWDED


def test_too_few_people_say_nothing() -> None:
    assert of_day([seen(1, 90, people=4)], MONDAY) is None
    assert of_day([], MONDAY) is None


def test_what_is_not_past_is_not_looked_at() -> None:
    assert of_day([seen(0, 90), seen(-1, 90)], MONDAY) is None


def test_each_hour_has_a_level_of_its_own() -> None:
    assert of_hours([seen(1, 5, hour=9), seen(1, 50, hour=11), seen(1, 50, hour=12, people=2)], MONDAY) == {
        9: Level.EMPTY,
        11: Level.CROWDED,
    }


def test_the_quietest_days_are_the_next_of_the_emptiest() -> None:
    days = [MONDAY + timedelta(days=n) for n in range(4)]
    assert quietest({days[0]: Level.FAIR, days[1]: Level.QUIET, days[2]: None, days[3]: Level.QUIET}) == [
        days[1], days[3],
    ]  # fmt: skip
    assert quietest(dict.fromkeys(days, Level.FAIR)) == []
