"""How long a visit to several counters takes, and how a row of counters is named."""

from app.domain.visit import Stop, row, whole
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
