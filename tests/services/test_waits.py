"""Waits told, kept on record, learned from and published, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.db.session import Database
from app.domain import wait
from app.domain.wait import Curve, WaitModel
from app.domain.wait_history import Fit, Score, Usual
from app.models.forecast import WaitModelRow, WaitSample
from app.models.place import Counter
from app.models.ticket import Step, Ticket
from app.services import board, counters, queue, tickets, wait_learning, waits

DAY_ONE = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
DAY_TWO = DAY_ONE + timedelta(days=1)
LINE = "ward-certificates"
NOTHING = Score(
    n=0, mae=None, cover=None, cover_ten=None, shown_cover=None, shown_cover_ten=None, longer=None
)  # fmt: skip
FITTED = Fit(
    model=WaitModel(median=Curve(c=0.5), low=Curve(c=0.0), high=Curve(c=1.0)), samples=400, score=replace(NOTHING, n=9),
    usual={LINE: Usual(call_rate_per_min=0.5, mean_wait_min=12)}, by_line={LINE: replace(NOTHING, n=9, mae=4.0)},
)  # fmt: skip


def issue(database: Database, number: int, at: datetime) -> int:
    with database.transaction() as session:
        ticket = tickets.issue(session, office_id="ward", wish=tickets.Wish(services=["juminhyo"], channel="kiosk"),
                               seed=f"{at}{number}", secret=b"test", actor="test", at=at)  # fmt: skip
        return session.scalars(select(Step.id).where(Step.ticket_id == ticket.id).order_by(Step.position)).first() or 0


def place(database: Database, at: datetime) -> str:
    with database.transaction() as session:
        counter = session.scalars(select(Counter.id).where(Counter.office_id == "ward")).first() or ""
        counters.open_counter(session, counter_id=counter, actor="test", at=at, categories=[LINE])
        session.get_one(Counter, counter).capacity = 99
    return counter


def morning(database: Database, *, people: int, at: datetime, called: int) -> None:
    """People come every minute; one is called every two minutes, from ten minutes on."""
    counter = place(database, at)
    for number in range(people):
        issue(database, number, at + timedelta(minutes=number))
    for number in range(called):
        with database.transaction() as session:
            assert queue.call_next(session, counter_id=counter, actor="test",
                                   at=at + timedelta(minutes=people + 10 + 2 * number))  # fmt: skip


def test_below_enough_calls_only_people_ahead_are_told(database: Database) -> None:
    morning(database, people=8, at=DAY_ONE, called=wait.LEAST_CALLS - 1)
    with database.snapshot() as session:
        shown = board.read(session, office_id="ward", at=DAY_ONE + timedelta(hours=1))
        line = next(category for category in shown["categories"] if category["id"] == LINE)
        assert (line["estimate"], line["lamp"], line["waiting"]) == (None, "unknown", 4)
        assert all(low is high is None for _, low, high in shown["waiting"]["A"])


def test_todays_calls_tell_a_line_without_history(database: Database) -> None:
    morning(database, people=9, at=DAY_ONE, called=wait.LEAST_CALLS)
    with database.snapshot() as session:
        at = DAY_ONE + timedelta(minutes=40)
        line = waits.of_lines(session, "ward", (LINE,), day=DAY_ONE.date(), at=at)[LINE]
        assert line.inputs is not None
        assert line.inputs.call_rate_per_min == pytest.approx(5 / 21)
        assert line.inputs.last_wait_min == pytest.approx(9 + 10 + 8 - 4)
        told = waits.ranges(line, range(3))
        assert told is not None
        assert told == sorted(told)


def test_a_fitted_office_tells_from_the_first_minute_of_the_day(database: Database) -> None:
    with database.transaction() as session:
        wait_learning.store(session, "ward", FITTED, at=DAY_ONE)
        wait_learning.store(session, "ward", FITTED, at=DAY_ONE)
    place(database, DAY_ONE)
    step_id = issue(database, 1, DAY_ONE)
    expected = FITTED.model.median.level(12, 12) * (1 / 0.5) ** 0.65
    with database.snapshot() as session:
        kept = session.get_one(WaitSample, step_id)
        assert kept.promised_median == pytest.approx(expected)
        assert waits.model_for(session, "ward", LINE) == FITTED.model
        assert waits.model_for(session, "branch", LINE) == wait.DEFAULT
        step = session.get_one(Step, step_id)
        assert waits.estimate(session, step, ahead=0, at=DAY_ONE) == {
            "low": kept.promised_low, "high": kept.promised_high,
        }  # fmt: skip
        assert session.scalar(select(func.count()).where(WaitModelRow.category_id.is_(None))) == 1


def test_no_time_is_told_while_no_counter_is_open(database: Database) -> None:
    with database.transaction() as session:
        wait_learning.store(session, "ward", FITTED, at=DAY_ONE)
    step_id = issue(database, 1, DAY_ONE)
    with database.snapshot() as session:
        shown = board.read(session, office_id="ward", at=DAY_ONE)
        assert {(line["estimate"], line["lamp"]) for line in shown["categories"]} == {(None, "unknown")}
        assert shown["waiting"] == {"A": [["A001", None, None]]}
        assert waits.estimate(session, session.get_one(Step, step_id), ahead=0, at=DAY_ONE) is None
        assert session.get_one(WaitSample, step_id).promised_low is None
    place(database, DAY_ONE)
    with database.snapshot() as session:
        line = next(c for c in board.read(session, office_id="ward", at=DAY_ONE)["categories"] if c["id"] == LINE)
        assert line["estimate"] is not None


def test_a_new_model_makes_a_new_board(database: Database) -> None:
    place(database, DAY_ONE)
    with database.snapshot() as session:
        before = board.read(session, office_id="ward", at=DAY_ONE)
    with database.transaction() as session:
        wait_learning.store(session, "ward", FITTED, at=DAY_ONE)
    with database.snapshot() as session:
        after = board.read(session, office_id="ward", at=DAY_ONE)
    assert before["categories"] != after["categories"]
    assert before["seq"] < after["seq"]


def test_coefficients_that_are_not_a_model_fall_back_to_the_default(database: Database) -> None:
    with database.transaction() as session:
        wait_learning.store(session, "ward", FITTED, at=DAY_ONE)
        for row in session.scalars(select(WaitModelRow)):
            row.coefficients = {"median": {"a": -1}}
    with database.snapshot() as session:
        assert waits.model_for(session, "ward", LINE) == wait.DEFAULT


def test_every_walk_in_is_recorded_and_learned_once_its_day_is_over(database: Database) -> None:
    morning(database, people=6, at=DAY_ONE, called=5)
    with database.transaction() as session:
        assert wait_learning.learn(session, "ward", at=DAY_ONE + timedelta(hours=2)) == 0
        assert wait_learning.learn(session, "ward", at=DAY_TWO) == 5
        assert wait_learning.learn(session, "ward", at=DAY_TWO) == 0
        assert wait_learning.learn(session, "branch", at=DAY_TWO) == 0
    with database.snapshot() as session:
        known = wait_learning.cases(session, "ward", at=DAY_TWO)
        assert [(case.queue_ahead, case.actual_min) for case in known] == [
            (n, pytest.approx(16 + 2 * n - n)) for n in range(5)
        ]
        (day,) = wait_learning.line_days(session, "ward", at=DAY_TWO)
        assert (day.line, day.calls, day.busy_min) == (LINE, 5, pytest.approx(24))


def test_a_party_called_twice_waited_until_the_first_call(database: Database) -> None:
    counter, step_id = place(database, DAY_ONE), issue(database, 1, DAY_ONE)
    with database.transaction() as session:
        queue.call_next(session, counter_id=counter, actor="test", at=DAY_ONE + timedelta(minutes=7))
        queue.act(session, step_id=step_id, action=queue.Action.UNCALL, actor="test",
                  at=DAY_ONE + timedelta(minutes=8))  # fmt: skip
        queue.call_next(session, counter_id=counter, actor="test", at=DAY_ONE + timedelta(minutes=30))
        wait_learning.learn(session, "ward", at=DAY_TWO)
        assert session.get_one(WaitSample, step_id, populate_existing=True).actual_minutes == pytest.approx(7)


def test_managers_read_the_error_of_what_was_told(database: Database) -> None:
    with database.transaction() as session:
        wait_learning.store(session, "ward", FITTED, at=DAY_ONE)
    morning(database, people=3, at=DAY_ONE, called=3)
    with database.transaction() as session:
        samples = session.scalars(select(WaitSample).order_by(WaitSample.issued_at)).all()
        for sample in samples:
            sample.promised_low, sample.promised_median, sample.promised_high = 10, 15.0, 20
        samples[-1].promised_high = 14
        session.flush()
        wait_learning.learn(session, "ward", at=DAY_TWO)
    with database.snapshot() as session:
        found = wait_learning.report(session, "ward", at=DAY_TWO)
        assert (found["n"], found["untold"], found["sample_size"]) == (3, 0, 400)
        assert found["mae"] == pytest.approx((2 + 1 + 0) / 3)
        assert found["cover"] == pytest.approx(2 / 3)
        assert found["longer"] == pytest.approx(1 / 3)
        line = next(each for each in found["categories"] if each["id"] == LINE)
        assert line["n"] == 3
        later = wait_learning.report(session, "ward", at=DAY_TWO + timedelta(days=60))
        assert (later["n"], later["mae"]) == (0, None)


def test_old_samples_are_erased(database: Database) -> None:
    issue(database, 1, DAY_ONE)
    with database.transaction() as session:
        assert wait_learning.forget(session, "ward", at=DAY_TWO) == 0
        assert wait_learning.forget(session, "ward", at=DAY_ONE + timedelta(days=500)) == 1
        assert session.scalar(select(func.count()).select_from(Ticket)) == 1


def test_a_wait_that_was_told_nothing_is_counted_apart(database: Database) -> None:
    morning(database, people=2, at=DAY_ONE, called=2)
    with database.transaction() as session:
        wait_learning.learn(session, "ward", at=DAY_TWO)
    with database.snapshot() as session:
        found = wait_learning.report(session, "ward", at=DAY_TWO)
    assert (found["untold"], found["n"], found["cover"], found["fitted_at"]) == (2, 0, None, None)


def test_a_party_that_waits_again_is_no_finished_wait(database: Database) -> None:
    counter, step_id = place(database, DAY_ONE), issue(database, 1, DAY_ONE)
    with database.transaction() as session:
        queue.call_next(session, counter_id=counter, actor="test", at=DAY_ONE + timedelta(minutes=5))
        for minute, action in ((6, queue.Action.MISS), (9, queue.Action.REJOIN)):
            queue.act(session, step_id=step_id, action=action, actor="test", at=DAY_ONE + timedelta(minutes=minute))
    with database.snapshot() as session:
        assert wait_learning.line_days(session, "ward", at=DAY_TWO) == []
        line = waits.of_lines(session, "ward", (LINE,), day=DAY_ONE.date(), at=DAY_ONE + timedelta(minutes=10))[LINE]
        assert line.inputs is None
