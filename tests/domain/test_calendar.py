"""Japanese dates, and when an office is open."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from app.domain.calendar import (
    JST,
    Interval,
    MonthDay,
    OpeningCalendar,
    Rule,
    Season,
    business_date,
    easy_date,
    era_year,
    instant,
    japanese_date,
    nth_weekday,
    parse_date,
)
from app.domain.errors import InvalidInput

DAY = Interval(opens=time(8, 30), closes=time(17, 15), reception_closes=time(17, 0))
EVENING = Interval(
    opens=time(17, 15), closes=time(19, 0), reception_closes=time(18, 45), categories=frozenset({"certificates"})
)
MORNING = Interval(
    opens=time(9, 0), closes=time(12, 0), reception_closes=time(11, 45), categories=frozenset({"certificates"})
)
HOLIDAYS = {date(2026, 4, 29): "昭和の日", date(2026, 5, 3): "憲法記念日"}
CITY = OpeningCalendar(
    rules=(
        Rule(weekdays=frozenset(range(5)), interval=DAY),
        Rule(weekdays=frozenset({3}), interval=EVENING),
        Rule(weekdays=frozenset({5}), nth=frozenset({2, 4}), interval=MORNING),
        Rule(
            weekdays=frozenset({5, 6}),
            season=Season(first=MonthDay(3, 25), last=MonthDay(4, 5)),
            interval=MORNING,
        ),
    ),
    closures=(Season(first=MonthDay(12, 29), last=MonthDay(1, 3)),),
    special={
        date(2026, 4, 20): (Interval(opens=time(8, 30), closes=time(15), reception_closes=time(14, 45)),),
        date(2026, 4, 21): (),
        date(2026, 5, 3): (MORNING,),
    },
    holiday=HOLIDAYS.get,
)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=JST)


def test_the_business_date_is_the_japanese_one() -> None:
    assert business_date(datetime(2026, 3, 31, 14, 59, 59, tzinfo=UTC)) == date(2026, 3, 31)
    assert business_date(datetime(2026, 3, 31, 15, 0, tzinfo=UTC)) == date(2026, 4, 1)
    with pytest.raises(ValueError, match="offset"):
        business_date(datetime(2026, 4, 1))  # noqa: DTZ001 - the naive time is the point


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 4, 1), "令和8年4月1日(水)"),
        (date(2019, 5, 1), "令和元年5月1日(水)"),
        (date(2019, 4, 30), "平成31年4月30日(火)"),
        (date(1989, 1, 7), "昭和64年1月7日(土)"),
        (date(1926, 12, 24), "大正15年12月24日(金)"),
        (date(1912, 7, 29), "明治45年7月29日(月)"),
        (date(1850, 1, 1), "1850年1月1日(火)"),
    ],
)
def test_dates_are_written_with_their_era(day: date, text: str) -> None:
    assert japanese_date(day) == text
    assert japanese_date(day, weekday=False) == text[:-3]


@pytest.mark.parametrize(
    "text",
    [
        "2026/4/1",
        "2026-04-01",
        "令和8年4月1日",
        "令和8年4月1日(水)",
        "R8.4.1",
        "r8/4/1",
        "R.8.4.1",
        "２０２６年４月１日",
        " 令和 8 年 4 月 1 日 ",
    ],
)
def test_a_date_is_read_as_people_write_it(text: str) -> None:
    assert parse_date(text) == date(2026, 4, 1)


def test_the_first_year_of_an_era_is_read() -> None:
    assert parse_date("令和元年5月1日") == date(2019, 5, 1)


@pytest.mark.parametrize(
    "text", ["", "4/1", "2026/2/29", "平成32年1月1日", "令和元年4月30日", "X8.4.1", "2026/13/1", "0/1/1", "明日"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_date(text)
    assert caught.value.reason == "bad_date"


@pytest.mark.parametrize(("day", "nth"), [(1, 1), (7, 1), (8, 2), (14, 2), (22, 4), (29, 5)])
def test_which_weekday_of_the_month(day: int, nth: int) -> None:
    assert nth_weekday(date(2026, 4, day)) == nth


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 4, 1), [("08:30", "17:15")]),  # an ordinary Wednesday
        (date(2026, 4, 2), [("08:30", "19:00")]),  # Thursday evening
        (date(2026, 4, 4), [("09:00", "12:00")]),  # first Saturday, in the season of moving
        (date(2026, 4, 5), [("09:00", "12:00")]),  # Sunday of that season
        (date(2026, 4, 11), [("09:00", "12:00")]),  # second Saturday
        (date(2026, 4, 12), []),
        (date(2026, 4, 18), []),  # third Saturday
        (date(2026, 4, 20), [("08:30", "15:00")]),  # special: shorter
        (date(2026, 4, 21), []),  # special: closed
        (date(2026, 4, 29), []),  # holiday on a Wednesday
        (date(2026, 5, 3), [("09:00", "12:00")]),  # special opening on a holiday
        (date(2026, 12, 28), [("08:30", "17:15")]),
        (date(2026, 12, 29), []),
        (date(2026, 12, 31), []),
        (date(2027, 1, 1), []),
        (date(2027, 1, 3), []),
        (date(2027, 1, 4), [("08:30", "17:15")]),
    ],
)
def test_the_hours_of_a_day(day: date, hours: list[tuple[str, str]]) -> None:
    assert [(f"{item.opens:%H:%M}", f"{item.closes:%H:%M}") for item in CITY.intervals(day)] == hours


def test_an_evening_is_only_for_its_categories() -> None:
    thursday = date(2026, 4, 2)
    assert CITY.is_open(at(thursday, 18), "certificates")
    assert not CITY.is_open(at(thursday, 18), "tax")
    assert CITY.is_open(at(thursday, 18))
    # Numbers go on without a gap between the day and the evening.
    assert CITY.takes_numbers(at(thursday, 17, 5), "certificates")
    assert not CITY.takes_numbers(at(thursday, 17, 5), "tax")
    assert CITY.is_open(at(thursday, 17, 5), "tax")


def test_the_edges_of_opening() -> None:
    wednesday = date(2026, 4, 1)
    assert not CITY.is_open(at(wednesday, 8, 29))
    assert CITY.is_open(at(wednesday, 8, 30))
    assert CITY.takes_numbers(at(wednesday, 16, 59))
    assert not CITY.takes_numbers(at(wednesday, 17, 0))
    assert CITY.is_open(at(wednesday, 17, 14))
    assert not CITY.is_open(at(wednesday, 17, 15))


def test_the_next_opening() -> None:
    assert CITY.next_opening(at(date(2026, 4, 1), 3)) == at(date(2026, 4, 1), 8, 30)
    assert CITY.next_opening(at(date(2026, 4, 1), 8, 30)) == at(date(2026, 4, 2), 8, 30)
    assert CITY.next_opening(at(date(2026, 4, 10), 18)) == at(date(2026, 4, 11), 9)
    assert CITY.next_opening(at(date(2026, 4, 10), 18), "tax") == at(date(2026, 4, 13), 8, 30)
    assert CITY.next_opening(at(date(2026, 12, 28), 18)) == at(date(2027, 1, 4), 8, 30)
    assert OpeningCalendar(rules=()).next_opening(at(date(2026, 4, 1), 3)) is None


def test_intervals_that_overlap_are_one_and_gaps_stay() -> None:
    lunch = OpeningCalendar(
        rules=(
            Rule(
                weekdays=frozenset({2}), interval=Interval(opens=time(13), closes=time(17), reception_closes=time(17))
            ),
            Rule(weekdays=frozenset({2}), interval=Interval(opens=time(9), closes=time(12), reception_closes=time(12))),
            Rule(
                weekdays=frozenset({2}), interval=Interval(opens=time(16), closes=time(18), reception_closes=time(18))
            ),
        )
    )
    hours = lunch.intervals(date(2026, 4, 1))
    assert [(item.opens.hour, item.closes.hour) for item in hours] == [(9, 12), (13, 18)]


def test_an_instant_and_back() -> None:
    moment = instant(date(2026, 4, 1), time(8, 30))
    assert moment == datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
    assert moment.utcoffset() == timedelta(0)
    assert era_year(business_date(moment)) == ("令和", 8)


@pytest.mark.parametrize("text", ["02-30", "13-01", "x"])
def test_a_day_that_never_is_is_no_month_day(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whichever message
        MonthDay.parse(text)


def test_a_month_day_is_read() -> None:
    assert MonthDay.parse("02-29") == (2, 29)


def test_a_date_in_easy_japanese_carries_its_readings() -> None:
    assert easy_date(date(2026, 4, 10)) == "4月《がつ》|10日《とおか》(金《きん》)"
    assert easy_date(date(2026, 4, 11)) == "4月《がつ》11日《にち》(土《ど》)"
