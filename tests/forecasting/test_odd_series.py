"""Series as nobody would wish them: every method answers with finite figures or says that it cannot."""

from datetime import date
from typing import Any

import numpy as np
import pytest

from forecasting import bands, known, line, midday, midday_judged, registry, regression, rolling, scoring
from forecasting.bands import Told
from forecasting.line import forecast
from forecasting.series import Ahead, Floats, NotEnough, Series
from forecasting.task import Task

LIGHT = ("sn4", "sn1", "cold", "level", "glm", "trees")
FIRST = date(2026, 1, 5)


def of(counts: Floats) -> Series:
    return Series(FIRST, 60, counts)


def flat(days: int, people: float = 3.0) -> Floats:
    found = np.zeros((days, 24))
    found[:, 9:17] = people
    return found


ODD: dict[str, Floats] = {
    "no day at all": np.zeros((0, 24)),
    "nothing known": np.full((100, 24), np.nan),
    "one day only": flat(1),
    "two days": flat(2),
    "nobody ever": np.zeros((100, 24)),
    "always the same": flat(100),
    "one person in a hundred days": np.eye(100, 24),
    "closed but for one weekday": np.where((np.arange(100) % 7 == 2)[:, None], flat(100), np.nan),
    "a wild day": flat(100) * np.where(np.arange(100) == 60, 10_000, 1)[:, None],
    "gaps everywhere": np.where(np.random.default_rng(1).random((100, 24)) < 0.6, np.nan, flat(100)),
    "a hole of two months": np.where(((np.arange(150) > 40) & (np.arange(150) < 100))[:, None], np.nan, flat(150)),
    "closed for the last month": np.where((np.arange(150) > 120)[:, None], np.nan, flat(150)),
}


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether they stand the figures does not hang on their number, only the seconds do."""
    monkeypatch.setattr(regression, "_TREES", 8)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("what", ODD)
@pytest.mark.parametrize("name", LIGHT)
def test_a_method_answers_or_says_that_it_cannot(name: str, what: str) -> None:
    series, ahead = of(ODD[what]), Ahead(np.ones((14, 24), dtype=np.bool_))
    try:
        found = registry.forecast(name, series, ahead)
    except NotEnough:
        return
    assert found.shape == (14, 24)
    assert np.isfinite(found).all()
    assert (found >= 0).all()


@pytest.mark.parametrize("what", ODD)
def test_a_line_is_forecast_or_has_no_history(what: str) -> None:
    rows = [[None if np.isnan(n) else n for n in row] for row in ODD[what].tolist()]
    task = Task(first=FIRST, interval_min=60, counts=rows, open=[[True] * 24] * 3, methods=list(LIGHT[:4]))
    try:
        found = forecast(task)
    except NotEnough:
        assert what in ("no day at all", "nothing known")
        return
    low, expected, high = (np.array(each) for each in (found.low, found.expected, found.high))
    assert ((low <= expected) & (expected <= high) & (low >= 0)).all()


def test_a_library_that_breaks_leaves_the_line_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise ValueError("odd figures")

    monkeypatch.setattr(regression, "PoissonRegressor", breaks)
    rows: list[list[float | None]] = [list(row) for row in (flat(100) + np.arange(100)[:, None] % 3).tolist()]
    task = Task(first=FIRST, interval_min=60, counts=rows, open=[[True] * 24] * 3, methods=["sn4", "level", "glm"])
    found = forecast(task)
    assert found.model in ("sn4", "level")
    assert set(found.scores) == {"sn4", "level"}
    with pytest.raises(NotEnough, match="glm broke"):
        registry.forecast("glm", of(flat(100)), Ahead(np.ones((14, 24), dtype=np.bool_)))


def test_closed_time_ahead_is_masked() -> None:
    opens = np.zeros((14, 24), dtype=np.bool_)
    opens[0, 10] = True
    found = registry.forecast("level", of(flat(100)), Ahead(opens))
    assert found[0, 10] > 0
    assert found.sum() == found[0, 10]


def test_the_baseline_wins_ties() -> None:
    told = [Told(flat(7), flat(7, 4.0))]
    same = rolling.Rolled(told=told, naive=[1.0])
    better = rolling.Rolled(told=[Told(flat(7, 3.9), flat(7, 4.0))], naive=[1.0])
    assert rolling.choose({"sn4": same, "level": same}, 1)[0] == "sn4"
    assert rolling.choose({"sn4": same, "level": better}, 1)[0] == "level"
    assert rolling.choose({"sn4": same, "level": rolling.Rolled(failed="no")}, 1)[0] == "sn4"


def test_the_choice_has_not_seen_the_scored_days() -> None:
    at = rolling.plan(365)
    assert (at.judged, at.scored) == (4, 6)
    assert at.origins[at.judged] == 365 - 84
    assert at.origins[at.judged - 1] + at.horizon <= at.origins[at.judged]
    with pytest.raises(NotEnough):
        rolling.plan(2)


@pytest.mark.parametrize(("mean", "spread"), [(1.0, 1.0), (6.0, 3.0), (45.0, 6.0)])
def test_bands_hold_what_they_promise_when_counts_are_over_dispersed(mean: float, spread: float) -> None:
    chance = np.random.default_rng(5)
    shape = mean / max(spread - 1, 1e-6)

    def told() -> Told:
        rate = chance.gamma(shape, mean / shape, (14, 24)) if spread > 1 else np.full((14, 24), mean)
        return Told(np.full((14, 24), mean), chance.poisson(rate).astype(np.float64))

    past, coming = [told() for _ in range(5)], told()
    low, high = bands.fit(past).around(coming.expected)
    assert 72 <= scoring.cover80(coming.actual, coming.expected, low, high) <= 97


def test_a_band_that_held_too_little_widens() -> None:
    chance = np.random.default_rng(5)
    calm = Told(np.full((14, 24), 20.0), chance.poisson(20.0, (14, 24)).astype(np.float64))
    wild = Told(np.full((14, 24), 20.0), chance.poisson(chance.gamma(4, 5, (14, 24))).astype(np.float64))
    held, shaken = bands.fit([calm, calm, calm]), bands.fit([calm, calm, wild])
    assert (shaken.z[-1] > 1.3 * held.z[-1]).all()


def test_a_morning_with_twice_as_many_raises_the_rest_but_not_blindly() -> None:
    by = midday.factor(came=400, expected_so_far=200, expected_of_day=1000)
    assert by == pytest.approx(1400 / 1200)
    assert midday.factor(came=400, expected_so_far=200, expected_of_day=1000, held_share=0.2) == pytest.approx(1.5)
    assert midday.factor(came=8, expected_so_far=4, expected_of_day=20, held_share=0.2) == pytest.approx(12 / 8)
    assert midday.factor(came=8, expected_so_far=4, expected_of_day=20) == pytest.approx(48 / 44)
    assert midday.factor(came=0, expected_so_far=0, expected_of_day=0) == 1.0
    assert midday.factor(came=0, expected_so_far=1, expected_of_day=1000) == pytest.approx(1000 / 1001)
    ((expected, low, high),) = midday.told_again([10.0], [6.0], [16.0], 4.0)
    assert (expected, low, high) == (40.0, 32.0, 52.0)


def test_the_rest_of_the_day_is_judged_as_told_at_midday() -> None:
    past, coming = (days_of(people=10.0, shape=8, seed=seed) for seed in (3, 4))
    found = midday_judged.judge([past, coming], judged=1)
    assert found is not None
    assert found.days == 60
    assert found.again < 0.8 * found.night
    assert found.gain == pytest.approx(100 * (1 - found.again / found.night))
    assert midday_judged.judge([Told(flat(3, 0.0), flat(3, 0.0))]) is None
    assert midday_judged.judge([]) is None


def days_of(*, people: float, shape: float, seed: int) -> Told:
    """60 days that as a whole come out as chance with ``shape`` has it; every day alike where it is 0."""
    chance = np.random.default_rng(seed)
    busy = chance.gamma(shape, 1 / shape, (60, 1)) if shape else np.ones((60, 1))
    return Told(flat(60, people), chance.poisson(flat(60, people) * busy).astype(np.float64))


@pytest.mark.parametrize("people", [4.0, 12.0, 90.0])
def test_a_line_whose_mornings_say_nothing_is_left_as_it_was_told(people: float) -> None:
    past, coming = (days_of(people=people, shape=0, seed=seed) for seed in (3, 4))
    held = midday_judged.learned([past])
    assert held is not None
    assert held > 2
    found = midday_judged.judge([past, coming], judged=1)
    assert found is not None
    assert found.again < 1.05 * found.night


def test_a_line_learns_from_its_own_days_only() -> None:
    lively, calm = days_of(people=90.0, shape=8, seed=3), days_of(people=90.0, shape=0, seed=3)
    share = midday_judged.learned([lively])
    assert share is not None
    assert share < 0.1
    both = Told(np.concatenate([lively.expected, calm.expected]), np.concatenate([lively.actual, calm.actual]))
    together = midday_judged.judge([both, both], judged=1, lines=2)
    alone = [midday_judged.judge([each, each], judged=1) for each in (lively, calm)]
    assert together is not None
    assert together.days == 120
    assert together.again == pytest.approx(np.mean([each.again for each in alone if each]))
    assert midday_judged.learned([]) is None
    assert midday_judged.learned([Told(flat(3, 0.0), flat(3, 0.0))]) is None


def test_bookings_are_known_arrivals_and_those_still_to_come_are_expected() -> None:
    days = 60
    booked = [[2 if 9 <= slot < 13 else 0 for slot in range(24)] for _ in range(days)]
    task = Task(
        first=FIRST, interval_min=60, counts=[list(map(float, row)) for row in flat(days, 5.0)], booked=booked,
        open=[[9 <= slot < 17 for slot in range(24)] for _ in range(14)], show_rate=0.5, leads=[20] * 100,
        bookings=[[10 if slot == 9 else 0 for slot in range(24)]], methods=["sn4"],
    )  # fmt: skip
    found = np.array(forecast(task).expected)
    # Three walk in; ten have booked and half of them come; hardly anybody books on the day itself.
    assert found[0, 9] == pytest.approx(3 + 5, abs=0.2)
    assert found[0, 16] == pytest.approx(5, abs=0.2)
    assert known.made_by([20] * 100, 0) > 0.95
    assert known.made_by([0] * 100, 0) < 0.1
    assert known.made_by([], 7) == pytest.approx(0.5)


def test_a_young_line_is_judged_by_what_its_office_was_like_then() -> None:
    counts = [list(map(float, row)) for row in flat(40, 5.0)]
    office = flat(40, 20.0)
    task = Task(first=FIRST, interval_min=60, counts=counts, open=[[True] * 24], office=office.tolist())
    shape = line._shape(task, task.series())
    assert shape is not None
    before = shape(30).copy()
    office[30:] *= 9
    spoiled = line._shape(Task(**(vars_of(task) | {"office": office.tolist()})), task.series())
    assert spoiled is not None
    assert (spoiled(30) == before).all()
    assert (spoiled(40) != shape(40)).any()


def vars_of(task: Task) -> dict[str, Any]:
    return {name: getattr(task, name) for name in task.__slots__}
