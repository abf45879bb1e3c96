"""What must hold of every date and every set of opening rules."""

import itertools
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar import (
    Interval,
    MonthDay,
    OpeningCalendar,
    Rule,
    Season,
    business_date,
    era_year,
    instant,
    japanese_date,
    nth_weekday,
    parse_date,
)

DAYS = st.dates(date(1868, 10, 23), date(2100, 12, 31))
# Hypothesis wants its bounds naive and adds the time zone itself.
EARLY, LATE = datetime(2020, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001
NEAR = st.dates(date(2026, 1, 1), date(2027, 12, 31))
CATEGORIES = ("a", "b", "c")


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    quarters = draw(st.lists(st.integers(0, 95), min_size=3, max_size=3, unique=True).map(sorted))
    opens, reception, closes = (time(quarter // 4, quarter % 4 * 15) for quarter in quarters)
    categories = draw(st.frozensets(st.sampled_from(CATEGORIES)))
    return Interval(opens=opens, reception_closes=reception, closes=closes, categories=categories)


month_days = st.dates(date(2024, 1, 1), date(2024, 12, 31)).map(lambda day: MonthDay(day.month, day.day))
seasons = st.builds(Season, first=month_days, last=month_days)
rules = st.builds(
    Rule,
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    interval=intervals(),
    nth=st.frozensets(st.integers(1, 5), max_size=2),
    season=st.none() | seasons,
)
calendars = st.builds(
    OpeningCalendar,
    rules=st.lists(rules, max_size=4).map(tuple),
    closures=st.lists(seasons, max_size=1).map(tuple),
    special=st.dictionaries(NEAR, st.lists(intervals(), max_size=2).map(tuple), max_size=3),
)


@given(DAYS)
def test_a_written_date_is_read_back(day: date) -> None:
    assert parse_date(japanese_date(day)) == day
    assert parse_date(f"{day.year}/{day.month}/{day.day}") == day


@given(DAYS)
def test_era_years_count_without_a_gap(day: date) -> None:
    era, year = era_year(day)
    following = era_year(day + timedelta(days=1))
    assert year >= 1
    assert following in ((era, year), (era, year + 1)) or following[1] == 1


@given(st.datetimes(EARLY, LATE, timezones=st.just(UTC)))
def test_an_instant_lies_in_its_business_date(at: datetime) -> None:
    day = business_date(at)
    assert instant(day, time.min) <= at < instant(day + timedelta(days=1), time.min)


@given(DAYS)
def test_the_nth_weekday_counts_the_same_weekdays_before_it(day: date) -> None:
    before = [day - timedelta(weeks=back) for back in range(5)]
    assert nth_weekday(day) == sum(1 for other in before if other.month == day.month and other <= day)


@given(seasons, st.dates(date(2023, 1, 1), date(2028, 12, 31)))
def test_a_season_and_its_rest_share_the_year(season: Season, day: date) -> None:
    first = MonthDay(day.month, day.day)
    assert Season(first=first, last=first).__contains__(day)
    if MonthDay(day.month, day.day) in (season.first, season.last):
        assert day in season


@given(calendars, NEAR, st.sampled_from((None, *CATEGORIES)))
def test_intervals_are_in_order_apart_and_well_formed(city: OpeningCalendar, day: date, category: str | None) -> None:
    hours = city.intervals(day, category)
    assert all(item.opens < item.reception_closes <= item.closes for item in hours)
    assert all(earlier.closes < later.opens for earlier, later in itertools.pairwise(hours))


@given(calendars, NEAR, st.times(), st.sampled_from(CATEGORIES))
def test_where_a_category_is_open_the_house_is_open(
    city: OpeningCalendar, day: date, clock: time, category: str
) -> None:
    at = instant(day, clock)
    if city.takes_numbers(at, category):
        assert city.is_open(at, category)
    if city.is_open(at, category):
        assert city.is_open(at)


@given(calendars, NEAR, st.times(), st.sampled_from((None, *CATEGORIES)))
def test_the_next_opening_is_the_first_one(city: OpeningCalendar, day: date, clock: time, category: str | None) -> None:
    at = instant(day, clock)
    following = city.next_opening(at, category, days=10)
    openings = [
        instant(other, hours.opens)
        for other in (business_date(at) + timedelta(days=ahead) for ahead in range(11))
        for hours in city.intervals(other, category)
    ]
    assert following == min((opening for opening in openings if opening > at), default=None)
    if following is not None:
        assert city.is_open(following, category)
        assert not city.is_open(following - timedelta(microseconds=1), category)


@given(calendars, NEAR)
def test_a_special_day_wins_and_a_holiday_closes(city: OpeningCalendar, day: date) -> None:
    holidays = OpeningCalendar(rules=city.rules, closures=city.closures, special=city.special, holiday=lambda _: "祝日")
    if day in city.special:
        assert holidays.intervals(day) == city.intervals(day)
        assert bool(city.intervals(day)) == bool(city.special[day])
    else:
        assert holidays.intervals(day) == ()
