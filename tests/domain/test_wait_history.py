"""Usual figures of a line and the error of what was told."""

from datetime import date

import pytest

from app.domain.wait import Range
from app.domain.wait_history import LineDay, Told, busy_minutes, score, usual_figures

DAY = date(2026, 4, 1)


def line_day(line: str, calls: int, busy: float, waited: float) -> LineDay:
    return LineDay(line=line, day=DAY, calls=calls, busy_min=busy, waits=calls, wait_sum_min=waited)


def told(ahead: int, actual: float) -> Told:
    return Told(queue_ahead=ahead, low=9.0, median=12.0, high=19.0, shown=Range(9, 20), actual_min=actual)


def test_minutes_in_which_anybody_waits_are_counted_once() -> None:
    assert busy_minutes([(0, 10), (5, 12), (20, 20.1)]) == pytest.approx(13)
    assert busy_minutes([]) == 0


def test_a_young_line_leans_on_its_office_and_an_old_one_on_itself() -> None:
    old, young = line_day("old", 600, 3000, 6000), line_day("young", 2, 2, 2)
    office, lines = usual_figures([old, young])
    assert office is not None
    assert lines["old"].call_rate_per_min == pytest.approx(0.2, rel=0.01)
    assert lines["young"].call_rate_per_min == pytest.approx(0.25, rel=0.01)
    assert lines["young"].mean_wait_min == pytest.approx((2 + 5 * office.mean_wait_min) / 7)


def test_nobody_called_is_nothing_known() -> None:
    assert usual_figures([]) == (None, {})
    assert usual_figures([line_day("a", 0, 0, 0)]) == (None, {})


def test_the_error_counts_what_people_read() -> None:
    found = score([told(0, 9.5), told(12, 19.5), told(12, 30)])
    assert found.n == 3
    assert found.mae == pytest.approx((2.5 + 7.5 + 18) / 3)
    assert (found.cover, found.cover_ten) == (pytest.approx(1 / 3), 0)
    assert (found.shown_cover, found.shown_cover_ten) == (pytest.approx(2 / 3), 0.5)
    assert found.longer == pytest.approx(1 / 3)


def test_no_waits_have_no_error() -> None:
    found = score([])
    assert (found.n, found.mae, found.cover, found.cover_ten, found.longer) == (0, None, None, None, None)
