"""How long a visit to several counters takes, and how a row of counters is named."""

from app.domain.visit import Choice, Stop, next_stop, row, whole
from app.domain.wait import Range


def stop(low: int, high: int, **minutes: float) -> Stop:
    return Stop(wait=Range(low, high), **({"accept": 5} | minutes))


def test_a_visit_of_nothing_takes_no_time() -> None:
    assert whole([]) is None


def test_one_counter_is_its_wait_and_its_work() -> None:
    found = whole([stop(10, 20, back=10, deliver=5)])
    assert found is not None
    assert found.low <= 30
    assert found.high >= 40


def test_the_second_line_moves_on_while_one_is_at_the_first_counter() -> None:
    """Two waits of 20 minutes are not 40: the arrival counts in both lines."""
    both, first = whole([stop(20, 20), stop(20, 20)]), whole([stop(20, 20)])
    assert both is not None
    assert first is not None
    assert both.high < first.high + 20
    assert both.high >= 30  # but the two hearings follow each other


def test_a_wait_that_is_longer_than_all_before_it_decides() -> None:
    short, long = whole([stop(0, 0), stop(60, 60)]), whole([stop(60, 60)])
    assert short == long


def test_work_behind_the_counter_runs_beside_the_next_hearing() -> None:
    beside = whole([stop(0, 0, accept=5, back=30), stop(0, 0, accept=5)])
    after = whole([stop(0, 0, accept=5, back=30)])
    assert beside == after


def test_counters_are_named_in_runs() -> None:
    assert row(["4", "5", "6", "7", "9"]) == [("4", "7"), ("9", "9")]
    assert row(["A", "B", "3", "4"]) == [("A", "A"), ("B", "B"), ("3", "4")]
    assert row([]) == []


def choice(position: int, ahead: int, *, counters: int = 1, accept: float = 10) -> Choice:
    return Choice(position=position, ahead=ahead, counters=counters, accept=accept)


def test_the_next_stop_is_where_the_turn_comes_soonest() -> None:
    assert next_stop([]) is None
    assert next_stop([choice(1, 5), choice(2, 1)]) == choice(2, 1)
    assert next_stop([choice(1, 3, counters=3), choice(2, 2)]) == choice(1, 3, counters=3)
    assert next_stop([choice(1, 2, accept=20), choice(2, 3, accept=4)]) == choice(2, 3, accept=4)


def test_the_given_order_stays_where_it_makes_no_difference() -> None:
    assert next_stop([choice(1, 0), choice(2, 0, accept=3)]) == choice(1, 0)


def test_a_line_without_a_counter_comes_last() -> None:
    assert next_stop([choice(1, 0, counters=0), choice(2, 9)]) == choice(2, 9)
    assert next_stop([choice(1, 4, counters=0), choice(2, 9, counters=0)]) == choice(1, 4, counters=0)
