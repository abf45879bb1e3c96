"""What must hold of every range that is ever told: total, never negative, never less for more people."""

import math
import timeit
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain import wait
from app.domain.wait import Curve, WaitInputs, WaitModel

ANY = st.floats(allow_nan=True, allow_infinity=True)
EXPONENTS = st.floats(0, 2)
CURVES = st.builds(Curve, c=st.floats(-20, 20), a=EXPONENTS, b=EXPONENTS, d=EXPONENTS)
MODELS = st.builds(WaitModel, median=CURVES, low=CURVES, high=CURVES)
INPUTS = st.builds(
    WaitInputs, queue_ahead=st.integers(0, 5000), call_rate_per_min=st.floats(1e-6, 100),
    mean_wait_min=st.floats(0, 1000), last_wait_min=st.floats(0, 1000),
)  # fmt: skip


@given(st.builds(WaitInputs, queue_ahead=st.integers(), call_rate_per_min=ANY, mean_wait_min=ANY, last_wait_min=ANY),
       MODELS)  # fmt: skip
def test_any_figures_give_a_range_or_nothing(inputs: WaitInputs, model: WaitModel) -> None:
    found = wait.estimate(inputs, model)
    if found is not None:
        assert 1 <= found.low < found.high <= wait.LONGEST_MINUTES


@given(INPUTS, MODELS)
def test_more_people_never_mean_less_wait(inputs: WaitInputs, model: WaitModel) -> None:
    found = wait.ranges(inputs, range(60), model)
    assert found is not None
    for fewer, more in pairwise(found):
        assert fewer.low <= more.low
        assert fewer.high <= more.high


@given(INPUTS, MODELS)
def test_the_median_lies_between_the_quantiles(inputs: WaitInputs, model: WaitModel) -> None:
    low, median, high = wait.minutes(inputs, (inputs.queue_ahead,), model)[0]
    assert 0 <= low <= median <= high
    assert math.isfinite(high)


@given(INPUTS, MODELS)
def test_ranges_are_read_in_minutes_to_ten_and_in_fives_above(inputs: WaitInputs, model: WaitModel) -> None:
    found = wait.estimate(inputs, model)
    assert found is not None
    for shown in found:
        assert shown <= 10 or shown % 5 == 0


@given(MODELS)
def test_a_model_comes_back_from_its_coefficients(model: WaitModel) -> None:
    assert WaitModel.from_json(model.to_json()) == model


@given(st.one_of(st.none(), st.tuples(st.integers(1, 400), st.integers(1, 400))), st.integers(0, 500))
def test_every_line_has_a_lamp(estimated: tuple[int, int] | None, waiting: int) -> None:
    shown = wait.lamp(estimated, waiting)
    assert (shown is wait.Lamp.UNKNOWN) == (estimated is None and waiting > 0)


def test_a_line_of_two_hundred_costs_little() -> None:
    inputs = WaitInputs(queue_ahead=0, call_rate_per_min=0.4, mean_wait_min=25, last_wait_min=20)
    best = min(timeit.repeat(lambda: wait.ranges(inputs, range(200)), number=5, repeat=10)) / 5
    assert best < 0.002
