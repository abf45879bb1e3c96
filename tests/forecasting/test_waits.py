"""The fit finds the curves it was fed, tells later days by earlier ones, and agrees with the formula on the glass."""

import math
import random
from datetime import date, timedelta

import numpy as np
import pytest

from app.domain.wait import DEFAULT
from app.domain.wait_history import Case, LineDay, score
from forecasting import waits

FIRST = date(2026, 3, 2)


def history(days: int = 10, a_day: int = 120, seed: int = 4) -> tuple[list[Case], list[LineDay]]:
    """Two lines whose waits follow the formula with log-normal noise (sigma 0.4)."""
    chance, cases, lines = random.Random(seed), [], []
    for number in range(days):
        day = FIRST + timedelta(days=number)
        for line, rate, usual in (("quick", 0.8, 8.0), ("slow", 0.2, 30.0)):
            for _ in range(a_day):
                ahead, last = chance.randint(0, 25), chance.uniform(1, 40)
                middle = 1.2 * ((ahead + 1) / rate) ** 0.65 * usual**0.3 * last**0.05
                cases.append(Case(line=line, day=day, queue_ahead=ahead, last_wait_min=last,
                                  actual_min=middle * chance.lognormvariate(0, 0.4)))  # fmt: skip
            lines.append(LineDay(line=line, day=day, calls=int(rate * 400), busy_min=400, waits=100,
                                 wait_sum_min=100 * usual))  # fmt: skip
    return cases, lines


def test_quantile_curves_are_found_again() -> None:
    chance = np.random.default_rng(3)
    features = chance.uniform(0, 4, size=(3000, 3))
    noise = chance.normal(0, 0.5, size=3000)
    targets = 0.3 + features @ np.array([0.6, 0.3, 0.1]) + noise
    for quantile, shift in ((0.1, -1.2816), (0.5, 0.0), (0.9, 1.2816)):
        curve = waits.quantile_curve(features, targets, quantile)
        assert (curve.a, curve.b, curve.d) == (pytest.approx(0.6, abs=0.05), pytest.approx(0.3, abs=0.05),
                                               pytest.approx(0.1, abs=0.05))  # fmt: skip
        assert curve.c == pytest.approx(0.3 + shift * 0.5, abs=0.15)
        assert np.mean(targets <= curve.c + features @ np.array([curve.a, curve.b, curve.d])) == pytest.approx(
            quantile, abs=0.01
        )


def test_exponents_are_never_negative_even_where_the_past_says_so() -> None:
    chance = np.random.default_rng(3)
    features = chance.uniform(0, 4, size=(500, 3))
    curve = waits.quantile_curve(features, 3.0 - features[:, 0], 0.5)
    assert min(curve.a, curve.b, curve.d) >= 0


def test_figures_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ArithmeticError):
        waits.quantile_curve(np.full((3, 3), math.nan), np.ones(3), 0.5)


def test_later_days_are_told_by_earlier_ones_and_the_range_holds() -> None:
    cases, days = history()
    told = waits.rehearse(cases, days)
    assert {case.day for case, _ in told} == {FIRST + timedelta(days=n) for n in (7, 8, 9)}
    found = score([each for _, each in told])
    assert found.cover == pytest.approx(0.8, abs=0.05)
    assert found.cover_ten is not None
    assert found.cover_ten >= 0.75


def test_later_days_do_not_leak_into_what_is_told() -> None:
    cases, days = history()
    wild = [
        Case(line=c.line, day=c.day, queue_ahead=c.queue_ahead, last_wait_min=c.last_wait_min,
             actual_min=c.actual_min * (9 if c.day >= FIRST + timedelta(days=7) else 1))
        for c in cases
    ]  # fmt: skip
    before, after = waits.rehearse(cases, days), waits.rehearse(wild, days)
    assert [(t.low, t.median, t.high) for _, t in before] == [(t.low, t.median, t.high) for _, t in after]


def test_a_fit_knows_its_lines_and_its_error() -> None:
    fitted = waits.fit(*history())
    assert fitted is not None
    assert fitted.samples == 2400
    assert set(fitted.usual) == set(fitted.by_line) == {"quick", "slow"}
    assert fitted.usual["slow"].call_rate_per_min == pytest.approx(0.2, rel=0.05)
    assert fitted.model.median.a == pytest.approx(0.65, abs=0.05)
    assert fitted.score.n == 720


def test_few_waits_keep_the_default_with_the_lines_own_figures() -> None:
    cases, days = history(days=2, a_day=10)
    fitted = waits.fit(cases, days)
    assert fitted is not None
    assert fitted.model == DEFAULT
    assert fitted.score.n == 20
    assert waits.fit([], []) is None


def test_one_day_has_no_later_day_to_be_judged_on() -> None:
    cases, days = history(days=1)
    fitted = waits.fit(cases, days)
    assert fitted is not None
    assert fitted.score.n == 0
    assert fitted.score.mae is None


def test_a_long_history_is_thinned_evenly() -> None:
    cases, days = history(days=20, a_day=400)
    fitted = waits.fit(cases, days)
    assert fitted is not None
    assert fitted.samples == 16000
    assert fitted.model.median.a == pytest.approx(0.65, abs=0.05)
