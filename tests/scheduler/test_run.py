"""Rounds: what is due is done once, in order, and one failure stops nothing else."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.errors import NotFound
from app.domain.ticket import State
from app.models.forecast import WaitModelRow
from app.models.people import SignInAttempt
from app.models.place import Counter
from app.models.scheduling import JobRun, SchedulerLease
from app.models.ticket import Step
from app.services import counters, leases, queue, tickets
from scheduler import run
from scheduler.clock import Schedule
from scheduler.jobs import JOBS, Job
from scheduler.run import Scheduler

NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def runs(database: Database) -> set[str]:
    with database.snapshot() as session:
        return {f"{row.job} {row.period}" for row in session.scalars(select(JobRun))}


def issue(database: Database, at: datetime, *, confirm_by: datetime | None = None) -> int:
    wish = tickets.Wish(services=["juminhyo"], channel="web" if confirm_by else "kiosk", confirm_by=confirm_by)
    with database.transaction() as session:
        found = tickets.issue(session, office_id="ward", wish=wish, seed=f"{at}{confirm_by}", secret=b"test",
                              actor="test", at=at)  # fmt: skip
        return found.id


def test_a_late_start_makes_up_every_job_once(database: Database) -> None:
    clock = Clock(NOON)
    me = Scheduler(database, clock=clock)
    assert me.round() == sum(2 if job.by_office else 1 for job in JOBS.values())
    assert "day-close 2026-04-01 ward" in runs(database)
    assert "erase-old-rows 2026-04-01 *" in runs(database)
    assert me.round() == 0
    clock.at += timedelta(minutes=1)
    again = [job for job in JOBS.values() if job.schedule.period(clock.at) != job.schedule.period(NOON)]
    assert JOBS["unconfirmed-tickets"] in again
    assert JOBS["day-close"] not in again
    assert me.round() == sum(2 if job.by_office else 1 for job in again)


def test_a_clock_set_back_does_no_period_twice_and_set_ahead_does_each_once(database: Database) -> None:
    clock = Clock(NOON)
    me = Scheduler(database, clock=clock)
    me.round()
    clock.at -= timedelta(seconds=60)
    assert me.round(("unconfirmed-tickets",)) == 2
    clock.at += timedelta(seconds=60)
    assert me.round(("unconfirmed-tickets",)) == 0
    clock.at += timedelta(hours=1)
    assert me.round(("unconfirmed-tickets",)) == 2


def test_a_lease_written_by_a_clock_far_ahead_does_not_lock_everybody_out(database: Database) -> None:
    assert Scheduler(database, "wrong", clock=Clock(NOON + timedelta(hours=1))).lead() == 1
    assert Scheduler(database, "right", clock=Clock(NOON)).lead() == 2


def test_the_first_lease_is_taken_by_one(database: Database) -> None:
    found: list[int | None] = []
    begin = threading.Barrier(4)

    def reach(name: str) -> None:
        begin.wait()
        found.append(Scheduler(database, name, clock=Clock(NOON)).lead())

    threads = [threading.Thread(target=reach, args=(f"s{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [1, None, None, None]


def test_one_failure_stops_nothing_else_and_is_tried_again_later(database: Database) -> None:
    tried: list[str] = []

    def fail(_session: object, office: str, _at: datetime) -> int:
        tried.append(office)
        raise RuntimeError("a bug in a sweep")

    jobs = {"bad": Job(schedule=Schedule(1, 0), sweep=fail), "day-close": JOBS["day-close"]}
    me = Scheduler(database, clock=Clock(NOON), jobs=jobs)
    assert me.round() == 2
    me.round()
    assert tried == ["branch", "ward"]
    me.again_after = 0
    me.round()
    assert tried == ["branch", "ward"] * 2
    assert not any(key.startswith("bad") for key in runs(database))


def test_a_database_that_is_away_does_not_end_the_scheduler(caplog: pytest.LogCaptureFixture) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nowhere")
    Scheduler(database, clock=Clock(NOON)).look()
    database.dispose()
    assert "the scheduler could not look at its jobs" in caplog.text


def test_midnight_settles_what_the_day_left_and_closes_counters(database: Database) -> None:
    issue(database, NOON)
    with database.transaction() as session:
        place = session.scalars(select(Counter.id).where(Counter.office_id == "ward")).first() or ""
        counters.open_counter(session, counter_id=place, actor="test", at=NOON, categories=["ward-certificates"])
    clock = Clock(NOON)
    me = Scheduler(database, clock=clock)
    me.round()
    clock.at = datetime(2026, 4, 1, 15, 0, 3, tzinfo=UTC)
    me.round()
    with database.snapshot() as session:
        assert set(session.scalars(select(Step.state))) == {State.WAITING, State.PENDING}
    clock.at += timedelta(seconds=3)
    me.round()
    with database.snapshot() as session:
        assert set(session.scalars(select(Step.state))) == {State.CANCELLED}
        assert session.get_one(Counter, place).state == "closed"


def test_a_close_made_up_in_the_morning_leaves_the_morning_alone(database: Database) -> None:
    issue(database, NOON)
    morning = NOON + timedelta(hours=21)
    with database.transaction() as session:
        old, new = session.scalars(select(Counter.id).where(Counter.office_id == "ward").limit(2)).all()
        counters.open_counter(session, counter_id=old, actor="test", at=NOON, categories=["ward-certificates"])
        counters.open_counter(session, counter_id=new, actor="test", at=morning, categories=["ward-certificates"])
    Scheduler(database, clock=Clock(morning + timedelta(minutes=1))).round()
    with database.snapshot() as session:
        assert set(session.scalars(select(Step.state))) == {State.CANCELLED}
        assert session.get_one(Counter, old).state == "closed"
        assert session.get_one(Counter, new).state == "open"


def test_unconfirmed_tickets_and_old_rows_go(database: Database) -> None:
    issue(database, NOON, confirm_by=NOON + timedelta(minutes=30))
    with database.transaction() as session:
        session.add(SignInAttempt(subject="x", at=NOON - timedelta(days=3)))
        leases.record(session, job="day-close", period="long ago", fence=1, at=NOON - timedelta(days=30), effect=0)
    assert run.run_by_hand(database, "unconfirmed-tickets", NOON) == 0
    assert run.run_by_hand(database, "unconfirmed-tickets", NOON + timedelta(minutes=31)) == 1
    run.run_by_hand(database, "erase-old-rows", NOON)
    assert runs(database) == set()
    with database.snapshot() as session:
        assert set(session.scalars(select(Step.state))) == {State.CANCELLED}
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0


def test_a_night_learns_the_day_and_the_next_morning_is_told_from_it(database: Database) -> None:
    with database.transaction() as session:
        place = session.scalars(select(Counter.id).where(Counter.office_id == "ward")).first() or ""
        counters.open_counter(session, counter_id=place, actor="test", at=NOON, categories=["ward-certificates"])
        session.get_one(Counter, place).capacity = 99
    for number in range(3):
        issue(database, NOON + timedelta(minutes=number))
    with database.transaction() as session:
        for number in range(3):
            queue.call_next(session, counter_id=place, actor="test", at=NOON + timedelta(minutes=10 + 4 * number))
    Scheduler(database, clock=Clock(NOON + timedelta(hours=15))).round()
    with database.snapshot() as session:
        row = session.scalars(select(WaitModelRow).where(WaitModelRow.category_id == "ward-certificates")).one()
        assert row.call_rate_per_min == pytest.approx(3 / 18)
        assert row.mean_wait_min == pytest.approx((10 + 13 + 16) / 3)
        assert session.scalar(select(func.count()).where(WaitModelRow.office_id == "branch")) == 0


def test_an_unknown_job_is_named(database: Database) -> None:
    with pytest.raises(NotFound):
        run.run_by_hand(database, "no-such-job", NOON)


def test_forever_looks_at_once_and_gives_the_lease_back(database: Database) -> None:
    stop = threading.Event()
    stop.set()
    run.forever(database, stop)
    today = datetime.now(UTC)
    assert f"day-close {JOBS['day-close'].schedule.period(today)} ward" in runs(database)
    with database.snapshot() as session:
        assert session.scalars(select(SchedulerLease)).one().expires_at <= datetime.now(UTC)
    assert date.fromisoformat(JOBS["waits-refit"].schedule.period(today))


def test_apscheduler_is_set_up_against_its_traps(database: Database) -> None:
    scheduler = run.background(Scheduler(database))
    scheduler.start(paused=True)
    for job in scheduler.get_jobs():
        assert (job.coalesce, job.misfire_grace_time, job.max_instances) == (True, None, 1)
        assert str(job.trigger.timezone) == "Asia/Tokyo"
    scheduler.shutdown()
