"""A year of which the truth is known: effects come back within bounds, and a forecast beats the baseline."""

from datetime import date, timedelta

import numpy as np
import pytest

from forecasting import base, cleaning, line, registry, rolling, scoring
from forecasting.days import table
from forecasting.series import Ahead, Floats, Series
from forecasting.task import Task
from tests.forecasting import synthetic

METHODS = ("level", "glm", "trees", "hybrid")


@pytest.fixture(scope="module")
def year() -> synthetic.Year:
    return synthetic.year()


def coming(year: synthetic.Year, origin: int, days: int = 14) -> tuple[Series, Ahead, Floats]:
    mean = year.mean[origin : origin + days]
    return year.series.until(origin), Ahead(mean > 0), mean


@pytest.mark.parametrize("name", METHODS)
def test_day_totals_come_back_within_a_tenth(year: synthetic.Year, name: str) -> None:
    origin = 364 - 28
    past, ahead, mean = coming(year, origin)
    found = registry.forecast(name, past, ahead)
    off = np.abs(found.sum(1) - mean.sum(1))[mean.sum(1) > 0] / mean.sum(1)[mean.sum(1) > 0]
    assert float(np.median(off)) < 0.1
    assert (found[mean <= 0] == 0).all()


def of_days(year: synthetic.Year, name: str, days: list[date]) -> float:
    """What a method makes of these days beside the level of the same weekdays, each told the week before."""
    ratios = []
    for day in days:
        row = (day - year.series.first).days
        past, ahead, _ = coming(year, row, 7)
        plain = registry.forecast("sn4", past, ahead)
        found = registry.forecast(name, past, ahead)
        ratios.append(found[0].sum() / max(plain[0].sum(), 1e-9))
    return float(np.mean(ratios))


@pytest.mark.parametrize("name", ["glm", "hybrid"])
def test_month_end_and_the_day_after_a_holiday_are_learned(year: synthetic.Year, name: str) -> None:
    month_ends = [date(2026, 4, 30), date(2026, 5, 29)]
    assert of_days(year, name, month_ends) == pytest.approx(synthetic.MONTH_END, rel=0.2)
    assert of_days(year, name, [date(2026, 6, 18)]) == pytest.approx(synthetic.AFTER_HOLIDAY, rel=0.25)


def test_weekdays_and_growth_are_learned(year: synthetic.Year) -> None:
    history = cleaning.clean(year.series)
    level = base.smooth(history, 7).level
    last_week = level[364:369] / level[364:369].mean()
    assert last_week == pytest.approx(np.array(synthetic.WEEKDAY) / np.mean(synthetic.WEEKDAY), rel=0.08)
    autumn, summer = np.nanmean(level[70:126]), np.nanmean(level[308:364])
    assert summer / autumn == pytest.approx(
        (1 + synthetic.GROWTH * 336 / 365) / (1 + synthetic.GROWTH * 98 / 365), rel=0.06
    )


def test_the_profile_of_a_day_comes_back(year: synthetic.Year) -> None:
    found = base.base(cleaning.clean(year.series), 7).profile[366]
    assert found == pytest.approx(synthetic.shape(), abs=0.01)
    assert found.sum() == pytest.approx(1.0)


def test_a_moved_holiday_is_closed_where_it_is_and_not_where_it_was(year: synthetic.Year) -> None:
    row = (synthetic.MOVED - year.series.first).days
    past = year.series.until(row - 3)
    opens = rolling.open_ahead(past, 7)
    assert not opens[3].any()
    was = year.series.until(row - 10)
    assert rolling.open_ahead(was, 7)[3].any()


def test_the_turn_of_the_fiscal_year_is_learned_from_an_earlier_one() -> None:
    two = synthetic.year(first=date(2024, 1, 8), days=460, seed=4)
    row = (date(2025, 3, 26) - two.series.first).days
    past, ahead, mean = coming(two, row, 7)
    plain, found = (registry.forecast(name, past, ahead) for name in ("sn4", "glm"))
    assert scoring.wape(mean, found) < 0.75 * scoring.wape(mean, plain)


def test_the_whole_line_is_forecast_better_than_the_baseline_and_its_band_holds(year: synthetic.Year) -> None:
    origin = 364 - 14
    past, ahead, mean = coming(year, origin)
    task = Task(
        first=past.first, interval_min=30, open=ahead.open.tolist(), holidays=sorted(past.holidays),
        counts=[[None if np.isnan(n) else n for n in row] for row in past.counts.tolist()],
        methods=["sn4", "level", "glm"],
    )  # fmt: skip
    found = line.forecast(task)
    expected = np.array(found.expected)
    assert found.model in ("level", "glm")
    assert scoring.wape(mean, expected) < scoring.wape(mean, registry.forecast("sn4", past, ahead))
    actual = year.series.counts[origin:]
    cover = scoring.cover80(actual, expected, np.array(found.low), np.array(found.high))
    assert 65 <= cover <= 95
    assert found.cover is not None
    assert 0.68 <= found.cover <= 0.92
    assert found.held_share is not None
    # Its days come out as a whole above or below: mornings tell.
    assert found.held_share < 0.5


@pytest.mark.parametrize("steady", [60, 400])
def test_where_volumes_are_large_the_hybrid_is_a_seventh_better_than_the_baseline(steady: float) -> None:
    """2,000 a day, told on the six last origins of a year; what nobody can know is a large part of the error."""
    series = synthetic.year(level=2000, steady=steady).series
    at = rolling.plan(series.days, most_judged=1)
    told = {name: rolling.tell(series, name, at).told[at.judged :] for name in ("sn4", "hybrid")}
    error = {
        name: scoring.wape(
            *(np.concatenate(side) for side in zip(*((t.actual, t.expected) for t in each), strict=True))
        )
        for name, each in told.items()
    }
    assert error["hybrid"] < 0.85 * error["sn4"]


def test_broken_stretches_and_odd_days_are_set_apart(year: synthetic.Year) -> None:
    counts = year.series.counts.copy()
    counts[100, 18:22] = 0
    counts[106] *= 0.2
    history = cleaning.clean(Series(year.series.first, 30, counts, synthetic.HOLIDAYS))
    assert history.totals[100] == pytest.approx(np.nansum(year.series.counts[100]), rel=0.15)
    assert history.odd[106]
    assert not history.odd[100]
    assert history.odd.sum() <= 12


def test_the_future_is_not_known_to_the_past(year: synthetic.Year) -> None:
    past, ahead, _ = coming(year, 300)
    spoiled = year.series.counts.copy()
    spoiled[300:] = 10_000
    other = Series(year.series.first, 30, spoiled, synthetic.HOLIDAYS).until(300)
    for name in ("sn4", "sn1", "cold", "level", "glm"):
        assert (registry.forecast(name, past, ahead) == registry.forecast(name, other, ahead)).all()


def test_a_table_says_how_days_came_out_beside_their_base(year: synthetic.Year) -> None:
    days = table(year.series, Ahead(np.ones((14, 48), dtype=np.bool_)))
    after = [row for row in range(60, 364) if year.series.day(row) - timedelta(days=1) in synthetic.HOLIDAYS
             and np.isfinite(days.ratio[row])]  # fmt: skip
    assert len(after) > 5
    assert float(np.nanmean(days.ratio[after])) > 0.1
