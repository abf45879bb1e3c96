"""Erlang C to the ninth digit, the counters a target needs, and the hall that verifies them with the real policy."""

from fractions import Fraction
from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calling import Policy
from forecasting import erlang, hall, staffing
from forecasting.hall import Day, Help
from forecasting.staffing import Target

NOON = [8, 14, 18, 22, 24, 20, 22, 24, 20, 16, 14, 12, 10, 8, 6, 4, 3]


def exact(servers: int, load: Fraction) -> Fraction:
    """The textbook's sum, in whole numbers: independent of the recursion."""
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / factorial(k) for k in range(servers)) + last)


@pytest.mark.parametrize(
    ("servers", "load", "known"),
    [(2, 1, Fraction(1, 3)), (3, 2, Fraction(4, 9)), (5, 4, Fraction(128, 231)), (25, 20, None), (120, 111, None)],
)
def test_the_chance_to_wait_is_exact(servers: int, load: int, known: Fraction | None) -> None:
    truth = exact(servers, Fraction(load))
    assert known is None or truth == known
    assert erlang.waits(servers, load) == pytest.approx(float(truth), abs=1e-9)


def test_it_does_not_overflow() -> None:
    assert erlang.waits(25, 20) == pytest.approx(0.209103, abs=5e-7)
    assert erlang.waits(12_421, 12_345) == pytest.approx(0.381225, abs=5e-7)


@given(load=st.floats(0.01, 300), service=st.floats(0.5, 60), target=st.floats(0, 60), share=st.floats(0.05, 0.99))
def test_the_fewest_servers_are_enough_and_one_less_is_not(
    load: float, service: float, target: float, share: float
) -> None:
    found = erlang.servers_for(load, service_min=service, target_min=target, share=share)
    assert erlang.within(found, load, service_min=service, target_min=target) >= share
    assert found - 1 <= load or erlang.within(found - 1, load, service_min=service, target_min=target) < share


@pytest.mark.parametrize(("servers", "load"), [(0, 1.0), (2, -1.0), (2, float("nan"))])
def test_what_is_no_hall_is_refused(servers: int, load: float) -> None:
    with pytest.raises(ValueError, match="servers"):
        erlang.waits(servers, load)


def test_nobody_comes_nobody_sits() -> None:
    found = staffing.needs([0, 0, 6], service_min=10)
    assert [need.counters for need in found[:2]] == [0, 0]
    assert found[2].counters >= 3


@given(
    arrivals=st.lists(st.floats(0, 40), min_size=1, max_size=12), service=st.floats(1, 29), before=st.floats(0, 20),
)  # fmt: skip
def test_all_service_is_some_interval_s_load(arrivals: list[float], service: float, before: float) -> None:
    """With an empty interval after the last, every minute of service is in the load, and none twice."""
    loads = staffing.loads([*arrivals, 0], service_min=service, interval_min=30, before=before)
    assert sum(loads) * 30 == pytest.approx((sum(arrivals) + before) * service, abs=1e-6)
    assert min(loads) >= -1e-9


def test_a_long_service_weighs_on_the_intervals_that_follow() -> None:
    loads = staffing.loads([6, 0, 0, 0], service_min=60, interval_min=30)
    assert loads == pytest.approx([3, 6, 3, 0])


def test_people_at_the_door_load_the_first_interval() -> None:
    plain, early = (staffing.needs(NOON, service_min=9, before=people) for people in (0, 12))
    assert early[0].counters > plain[0].counters
    assert [need.counters for need in early[2:]] == [need.counters for need in plain[2:]]


@pytest.mark.parametrize(("arrivals", "service", "before"), [(NOON, 9, 6), ([30] * 17, 5, 0), ([3] * 17, 20, 4)])
def test_the_simulated_hall_reaches_the_target(arrivals: list[float], service: float, before: float) -> None:
    found, outcome = staffing.verified(arrivals, service_min=service, before=before)
    assert outcome.within >= Target().share
    # Fresh chance, not that which the plan was made with.
    again = staffing.verify(arrivals, [need.counters for need in found], service_min=service, before=before, seed=99)
    assert again.within >= Target().share - 0.03


def test_the_bare_load_does_not() -> None:
    """The negative control: ceil(load) is what a spreadsheet says, and people wait."""
    found = staffing.needs(NOON, service_min=9)
    bare = [-int(-need.load // 1) for need in found]
    assert staffing.verify(NOON, bare, service_min=9).within < Target().share


def test_the_steady_hall_agrees_with_the_formula() -> None:
    """Exponential-like services in a long steady day: the formula's share within a few points."""
    outcome = staffing.verify([20] * 40, [8] * 40, service_min=10, spread=1.0, days=40)
    assert outcome.within == pytest.approx(erlang.within(8, 20 * 10 / 30, service_min=10, target_min=10), abs=0.06)


def test_booked_people_keep_their_slot_under_a_wide_allowance() -> None:
    def waits(allowance: float) -> float:
        day = Day(arrivals=[16] * 16, counters=[5] * 16, service_min=9, booked=0.5, policy=Policy(allowance=allowance))
        return hall.simulate(day, target_min=10, days=30, seed=3).mean_wait

    assert waits(90) == pytest.approx(waits(0), rel=0.25), "the dial moves waits between people, it makes none"


BUSY, CALM = (
    Day(arrivals=[14] * 8, counters=[3] * 8, service_min=9),
    Day(arrivals=[4] * 8, counters=[3] * 8, service_min=9),
)


def helped(after: float | None) -> tuple[hall.Outcome, ...]:
    """A line with too few counters beside one with too many that help after so many minutes (None: never)."""
    helping = () if after is None else ((Help(line=0, after=after),),) * 3
    return hall.together((BUSY, CALM), ((), helping), target_min=10, days=30, seed=5)


def test_counters_that_help_are_played_as_the_policy_calls() -> None:
    (alone, calm), (soon, lent), (late, _) = helped(None), helped(5), helped(20)
    assert alone.mean_wait > late.mean_wait > soon.mean_wait
    assert soon.mean_wait < alone.mean_wait / 3
    # Who helps keeps some of the own line waiting.
    assert calm.mean_wait < lent.mean_wait < 10
    # Nobody is helped before the head has waited that long.
    assert late.longest > 20
    assert late.within == pytest.approx(alone.within, abs=0.1)
    assert hall.simulate(BUSY, target_min=10, days=30, seed=5).people > 0


def test_a_counter_whose_profile_joins_two_lines_serves_both_as_one() -> None:
    joined = hall.together((BUSY, CALM), (((Help(line=1, after=None),),) * 3, ((Help(line=0, after=None),),) * 3),
                           target_min=10, days=30, seed=5)  # fmt: skip
    one = hall.simulate(Day(arrivals=[18] * 8, counters=[6] * 8, service_min=9), target_min=10, days=30, seed=6)
    people = [outcome.people for outcome in joined]
    mean = sum(outcome.mean_wait * of for outcome, of in zip(joined, people, strict=True)) / sum(people)
    assert mean == pytest.approx(one.mean_wait, rel=0.35)


def test_a_line_that_opens_later_is_helped_only_while_its_helper_is_there() -> None:
    """From the second hour on; the other line's counters go home at its end."""
    early = Day(arrivals=[1] * 2, counters=[2] * 2, service_min=5)
    late = Day(arrivals=[8] * 4, counters=[1] * 4, service_min=9, begins=60)
    _, alone = hall.together((early, late), ((), ()), target_min=10, days=20, seed=2)
    _, gone = hall.together((early, late), (((Help(line=1, after=0.1),),) * 2, ()), target_min=10, days=20, seed=2)
    assert gone.mean_wait == pytest.approx(alone.mean_wait, rel=0.05)


def test_a_line_that_nobody_serves_reaches_no_target() -> None:
    outcome = hall.simulate(Day(arrivals=[6] * 4, counters=[0] * 4, service_min=9), target_min=10, days=3, seed=1)
    assert (outcome.within, outcome.worst) == (0.0, 0.0)
    assert outcome.left == outcome.people / 3 > 0
    nobody = hall.simulate(Day(arrivals=[0] * 4, counters=[0] * 4, service_min=9), target_min=10, days=3, seed=1)
    assert (nobody.within, nobody.left) == (1.0, 0.0)
