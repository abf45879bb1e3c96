"""Levels bent by a forecast: how waits follow people is learned, the borders stay, reasons are borne out."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from app.domain.crowd import Level, Seen, of_day, of_hours
from app.domain.outlook import Outlook, Why, occasion

MONDAY = date(2026, 6, 29)  # the last but one working day of its month
PLAIN = date(2026, 6, 17)
CLOSED = frozenset({date(2026, 4, 29), date(2026, 5, 4), date(2026, 5, 5), date(2026, 5, 6)})


def is_open(day: date) -> bool:
    return day.weekday() < 5 and day not in CLOSED


def past(
    until: date, *, weeks: int = 8, power: float = 2.0, minutes: float = 30, more: Callable[[date], float] | None = None
) -> tuple[list[Seen], dict[date, int]]:
    """Working days before ``until``: 100 people, weeks by turns 85 and 115; waits follow them with ``power``."""
    seen, came = [], {}
    for back in range(1, weeks * 7 + 1):
        day = until - timedelta(days=back)
        if day.weekday() >= 5:
            continue
        people = round((85 if day.isocalendar().week % 2 else 115) * (more(day) if more else 1))
        came[day] = people
        seen.append(Seen(day=day, hour=9, people=people, minutes=people * minutes * (people / 100) ** power))
    return seen, came


def look(day: date, people: float, **given: float) -> Outlook:
    seen, came = past(day, **given)  # type: ignore[arg-type]
    return Outlook(seen, came=came, expected={day: people})


def test_many_more_people_than_usual_raise_a_day_and_few_lower_it() -> None:
    assert look(PLAIN, 100).of_day(PLAIN) is Level.FAIR
    assert look(PLAIN, 150).of_day(PLAIN) is Level.PACKED
    assert look(PLAIN, 70).of_day(PLAIN) is Level.QUIET
    assert look(PLAIN, 150).of_hours(PLAIN) == {9: Level.PACKED}


def test_waits_that_do_not_follow_the_people_are_not_bent_by_them() -> None:
    assert look(PLAIN, 130, power=0.0).of_day(PLAIN) is Level.FAIR
    assert look(PLAIN, 130, power=3.0).of_day(PLAIN) is Level.PACKED


def test_as_many_as_usual_tell_what_past_weeks_alone_tell() -> None:
    for minutes in (5, 12, 30, 50, 70):
        seen, came = past(PLAIN, minutes=minutes)
        alone, both = Outlook(seen, came=came), Outlook(seen, came=came, expected={PLAIN: 100.5})
        assert alone.of_day(PLAIN) == both.of_day(PLAIN) == of_day(seen, PLAIN)
        assert alone.of_hours(PLAIN) == both.of_hours(PLAIN) == of_hours(seen, PLAIN)
        assert (alone.forecast(PLAIN), both.forecast(PLAIN)) == (False, True)


def test_too_few_days_to_learn_from_leave_the_past_weeks_as_they_are() -> None:
    few = look(PLAIN, 200, weeks=2)
    assert not few.forecast(PLAIN)
    assert few.of_day(PLAIN) is look(PLAIN, 100, weeks=2).of_day(PLAIN)


def test_a_day_like_none_before_is_told_no_further_than_was_seen() -> None:
    assert look(PLAIN, 160, minutes=12).of_day(PLAIN) is look(PLAIN, 9000, minutes=12).of_day(PLAIN)
    assert look(PLAIN, 0).of_day(PLAIN) is look(PLAIN, 62, minutes=30).of_day(PLAIN)


def test_a_day_is_told_by_days_before_it_alone() -> None:
    seen, came = past(PLAIN + timedelta(weeks=3), weeks=5)
    early = Outlook(seen, came=came, expected={PLAIN - timedelta(days=1): 200})
    assert not early.forecast(PLAIN - timedelta(days=1))


def test_nothing_known_says_nothing() -> None:
    nothing = Outlook([], came={}, expected={PLAIN: 100})
    assert (nothing.of_day(PLAIN), nothing.of_hours(PLAIN), nothing.forecast(PLAIN)) == (None, {}, False)
    assert nothing.why(PLAIN, is_open) is None
    assert not Outlook([], came={PLAIN - timedelta(weeks=1): 0}, expected={PLAIN: 1}).forecast(PLAIN)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 3, 13), None),
        (date(2026, 3, 16), Why.SPRING),
        (date(2026, 4, 10), Why.SPRING),
        (date(2026, 4, 13), None),
        (date(2026, 4, 30), Why.AFTER_CLOSURE),
        (date(2026, 5, 7), Why.AFTER_CLOSURE),
        (date(2026, 5, 8), None),
        (date(2026, 5, 27), None),
        (date(2026, 5, 28), Why.MONTH_END),  # the 30th and 31st are no working days
        (date(2026, 5, 29), Why.MONTH_END),
        (date(2026, 6, 1), None),  # after an ordinary weekend
        (date(2026, 6, 30), Why.MONTH_END),
    ],
)
def test_the_calendar_has_its_full_days(day: date, expected: Why | None) -> None:
    assert occasion(day, is_open) is expected


def test_a_reason_is_given_where_the_day_is_full_and_the_forecast_bears_it_out() -> None:
    assert look(MONDAY, 130).why(MONDAY, is_open) is Why.MONTH_END
    assert look(MONDAY, 95).why(MONDAY, is_open) is None  # no more than usual
    assert look(MONDAY, 130, minutes=4).why(MONDAY, is_open) is None  # nobody waits long
    assert look(PLAIN, 150).why(PLAIN, is_open) is None  # an ordinary day
    seen, came = past(MONDAY)
    assert Outlook(seen, came=came).why(MONDAY, is_open) is None


@pytest.mark.parametrize(("share", "expected"), [(1.3, Why.MONDAY), (1.0, None)])
def test_a_monday_is_a_reason_where_mondays_are_full(share: float, expected: Why | None) -> None:
    monday = date(2026, 6, 15)
    seen, came = past(monday, more=lambda day: share if day.weekday() == 0 else 1.0)
    assert Outlook(seen, came=came).why(monday, is_open) is expected
    assert Outlook(seen, came=came).why(monday + timedelta(days=1), is_open) is None
