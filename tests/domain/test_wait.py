"""The range residents read, the lamp of a line, and when nothing is told."""

import math

import pytest

from app.domain import wait
from app.domain.wait import Curve, Lamp, WaitInputs, WaitModel


def figures(ahead: int = 3, rate: float = 0.3, mean: float = 20, last: float = 15) -> WaitInputs:
    return WaitInputs(queue_ahead=ahead, call_rate_per_min=rate, mean_wait_min=mean, last_wait_min=last)


def test_the_formula_is_the_published_one() -> None:
    queue = 4 / 0.3
    low, median, high = wait.minutes(figures(), (3,))[0]
    assert median == pytest.approx(queue**0.65 * 20**0.33 * 15**0.06)
    assert (low, high) == (pytest.approx(median * 0.4), pytest.approx(median * 2))


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.0, 0.2, (1, 2)),
        (2.4, 7.6, (2, 8)),
        (9.6, 10.4, (10, 15)),
        (12.0, 23.0, (10, 25)),
        (13.0, 13.5, (15, 20)),
        (900.0, 2000.0, (475, 480)),
    ],
)
def test_ranges_are_rounded_for_reading(low: float, high: float, shown: tuple[int, int]) -> None:
    assert wait.rounded(low, high) == shown


@pytest.mark.parametrize(
    "unknown",
    [None, figures(rate=0), figures(rate=-1), figures(rate=math.nan), figures(mean=math.inf), figures(last=-1)],
)
def test_below_enough_data_nothing_is_told(unknown: WaitInputs | None) -> None:
    assert wait.estimate(unknown) is None
    assert wait.ranges(unknown, range(3)) is None


def test_crossed_quantile_lines_are_put_in_order() -> None:
    crossed = WaitModel(median=Curve(c=0.0), low=Curve(c=1.0), high=Curve(c=-1.0))
    low, median, high = wait.minutes(figures(), (3,), crossed)[0]
    assert low < median < high


@pytest.mark.parametrize(
    ("estimated", "waiting", "lamp"),
    [
        (None, 0, Lamp.FREE),
        (None, 2, Lamp.UNKNOWN),
        ((60, 90), 0, Lamp.FREE),
        ((10, 25), 4, Lamp.FREE),
        ((10, 30), 4, Lamp.BUSY),
        ((30, 50), 9, Lamp.BUSY),
        ((35, 50), 9, Lamp.CROWDED),
    ],
)
def test_lamps_change_at_twenty_and_forty(estimated: tuple[int, int] | None, waiting: int, lamp: Lamp) -> None:
    assert wait.lamp(estimated, waiting) is lamp


def test_one_minute_is_the_least_that_is_told_so_less_is_inside() -> None:
    assert wait.kept((1, 3), 0.2)
    assert not wait.kept((2, 5), 1.5)
    assert not wait.kept((1, 3), 3.1)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"median": {}, "low": {}},
        {"median": {"c": "x"}, "low": {}, "high": {}},
        {"median": {"a": -0.1}, "low": {}, "high": {}},
        {"median": {"c": math.nan}, "low": {}, "high": {}},
        {"median": {"z": 1.0}, "low": {}, "high": {}},
    ],
)
def test_what_is_not_a_model_is_refused(stored: dict[str, dict[str, float]]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        WaitModel.from_json(stored)
