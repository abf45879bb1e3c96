"""Waits of the past weeks as the database holds them, by Japanese day and hour, on both kinds of database."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.calendar import business_date, instant
from app.domain.crowd import Level, Seen
from app.domain.outlook import Why
from app.models.ticket import Step, Ticket
from app.models.visits import PastVisit
from app.services import congestion, crowd, forecast_store
from app.services.forecast_store import Made
from app.services.forecasts import STALE_AFTER

AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
LINE = "ward-certificates"


def step(session: Session, since: datetime, waited: int, *, day: date, category: str = LINE) -> None:
    """Somebody who came at ``since`` and was called after ``waited`` minutes."""
    serial = step.serial = getattr(step, "serial", 0) + 1  # type: ignore[attr-defined]
    ticket = Ticket(
        office_id="ward", business_date=day, category_id=category, number=f"T{serial}", serial=serial, seed="",
        token_hash=f"t{serial}", channel="kiosk", issued_at=since,
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    session.add(
        Step(
            ticket_id=ticket.id, office_id="ward", business_date=day, position=0, service_id="juminhyo",
            category_id=category, phase="accept", state="done", serial=serial, waiting_since=since,
            called_at=since + timedelta(minutes=waited), ended_at=since + timedelta(hours=1), changed_at=since,
        )
    )  # fmt: skip


def test_waits_are_summed_by_day_and_hour(database: Database) -> None:
    day = date(2026, 3, 25)
    nine = datetime(2026, 3, 25, 0, 59, tzinfo=UTC)  # 9:59 in Japan
    with database.transaction() as session:
        step(session, nine, 10, day=day)
        step(session, nine, 20, day=day)
        step(session, nine + timedelta(minutes=2), 30, day=day)
        step(session, nine, 99, day=day, category="ward-moving")
        step(session, AT - timedelta(hours=1), 99, day=date(2026, 4, 1))  # today is not past
        step(session, nine - timedelta(weeks=9), 99, day=day - timedelta(weeks=9))  # too long ago
    with database.snapshot() as session:
        found = crowd.seen(session, categories=[LINE], at=AT)
    assert sorted(found, key=lambda each: each.hour) == [
        Seen(day=day, hour=9, people=2, minutes=30.0),
        Seen(day=day, hour=10, people=1, minutes=30.0),
    ]


def test_imported_weeks_count_as_our_own_but_never_twice(database: Database) -> None:
    day = date(2026, 3, 25)
    nine = datetime(2026, 3, 25, 0, 0, tzinfo=UTC)

    def visit(on: date, begins: datetime, mark: str, called: int | None = 15) -> PastVisit:
        return PastVisit(
            office_id="ward", business_date=on, category_id=LINE, service_id="juminhyo", issued_at=begins,
            called_at=begins + timedelta(minutes=called) if called is not None else None, started_at=None,
            finished_at=None, counter="", booked=False, no_show=False, step_id=None, fingerprint=mark,
        )  # fmt: skip

    with database.transaction() as session:
        session.add_all([visit(day, nine, "a"), visit(day, nine, "b"), visit(day, nine, "c", called=None)])
        own = day + timedelta(days=1)
        step(session, nine + timedelta(days=1), 40, day=own)
        session.add(visit(own, nine + timedelta(days=1), "d"))
        session.add(visit(day - timedelta(weeks=9), nine - timedelta(weeks=9), "e"))
    with database.snapshot() as session:
        found = crowd.seen(session, categories=[LINE], at=AT)
    assert sorted(found, key=lambda each: each.day) == [
        Seen(day=day, hour=9, people=2, minutes=30.0),
        Seen(day=own, hour=9, people=1, minutes=40.0),
    ]


def working_weeks(session: Session, at: datetime, line: str = LINE, *, days: int = 42) -> None:
    """At ten of the working days before ``at``, by weeks in turn, 10 people wait 21 minutes and 14 wait 41."""
    today = business_date(at)
    working = [day for back in range(1, days + 1) if (day := today - timedelta(days=back)).weekday() < 5]
    session.execute(
        insert(PastVisit),
        [
            {"office_id": "ward", "business_date": day, "category_id": line, "service_id": "juminhyo",
             "issued_at": (begins := instant(day, time(10))),
             "called_at": begins + timedelta(minutes=21 if day.isocalendar().week % 2 else 41), "started_at": None,
             "finished_at": None, "counter": "", "booked": False, "no_show": False, "step_id": None,
             "fingerprint": f"{line}{day}{number}"}
            for day in working for number in range(10 if day.isocalendar().week % 2 else 14)
        ],
    )  # fmt: skip


def forecast(
    session: Session, at: datetime, people: dict[date, float], *, line: str = LINE, since: date | None = None,
    days: int = 62, made_at: datetime | None = None,
) -> None:  # fmt: skip
    """A forecast of 12 people at ten on each day, but for ``people``."""
    first = since or business_date(at)
    rows: list[list[float | None]] = []
    for ahead in range(days):
        row: list[float | None] = [None] * 48
        row[20] = people.get(first + timedelta(days=ahead), 12.0)
        rows.append(row)
    flat = [[0.0] * 48] * days
    forecast_store.put(session, "ward", Made(category_id=line, model="sn4", expected=rows, low=flat, high=flat),
                       today=first, at=made_at or at)  # fmt: skip


FULL, EMPTY_DAY, AFTER_HOLIDAY = date(2026, 4, 15), date(2026, 4, 22), date(2026, 4, 30)


def told(database: Database, *, line: str | None = LINE) -> dict[date, congestion.Day]:
    until = business_date(AT) + timedelta(days=congestion.AHEAD_DAYS)
    with database.snapshot() as session:
        days = congestion.of_days(
            session, office_id="ward", category_id=line, since=business_date(AT), until=until, at=AT
        )
    return {each.day: each for each in days if each.open and each.day.weekday() < 5}


def test_days_follow_the_forecast_as_far_as_it_reaches(database: Database) -> None:
    with database.transaction() as session:
        working_weeks(session, AT)
    alone = told(database)
    assert {each.level for each in alone.values()} == {Level.FAIR}
    assert {each.forecast for each in alone.values()} == {False}
    assert [day for day, each in alone.items() if each.untold][:2] == [date(2026, 4, 1), date(2026, 4, 2)]
    with database.transaction() as session:
        forecast(session, AT, {FULL: 18.0, EMPTY_DAY: 7.5, AFTER_HOLIDAY: 17.0}, days=40)
    both = told(database)
    assert (both[FULL].level, both[FULL].hours, both[FULL].why) == (Level.PACKED, {10: Level.PACKED}, None)
    assert both[EMPTY_DAY].level is Level.QUIET
    assert both[AFTER_HOLIDAY].why is Why.AFTER_CLOSURE
    assert both[FULL - timedelta(days=1)].level is Level.FAIR
    last = business_date(AT) + timedelta(days=39)
    assert {day for day, each in both.items() if each.forecast} == {day for day in both if day <= last}
    beyond = [each for day, each in both.items() if day > last]
    assert {each.level for each in beyond} == {Level.FAIR}
    assert [each.day for each in beyond if each.untold] == [date(2026, 5, 28), date(2026, 5, 29)]
    assert not any(each.untold for each in both.values() if each.forecast)


def test_a_stale_forecast_and_one_of_some_lines_alone_tell_nothing(database: Database) -> None:
    with database.transaction() as session:
        working_weeks(session, AT)
        working_weeks(session, AT, "ward-moving")
        forecast(session, AT, {FULL: 18.0})
    assert told(database)[FULL].forecast
    assert not told(database, line=None)[FULL].forecast
    assert not told(database, line="ward-moving")[FULL].forecast
    with database.transaction() as session:
        forecast(session, AT, {FULL: 18.0}, line="ward-moving")
        working_weeks(session, AT, "ward-tax", days=2)  # hardly anybody comes to it
    house = told(database, line=None)[FULL]
    assert (house.forecast, house.level) == (True, Level.PACKED)
    with database.transaction() as session:
        forecast(session, AT, {FULL: 18.0}, made_at=AT - STALE_AFTER - timedelta(minutes=1))
    assert {each.forecast for each in told(database).values()} == {False}
    assert not told(database, line=None)[FULL].forecast


def test_last_weeks_are_judged_by_what_was_forecast_for_them(database: Database) -> None:
    week = business_date(AT) - timedelta(days=7)
    with database.transaction() as session:
        working_weeks(session, AT)
        before = congestion.judged(session, office_id="ward", category_id=LINE, at=AT)
        people = {week + timedelta(days=n): 19.0 for n in range(7)}
        forecast(session, AT, people, since=week)
        after = congestion.judged(session, office_id="ward", category_id=LINE, at=AT)
        look = crowd.outlook(session, categories=[LINE], at=AT, since=week)
        ahead = crowd.outlook(session, categories=[LINE], at=AT)
    assert after.days == before.days
    assert after.same < before.same
    assert look.forecast(week)
    assert not ahead.forecast(week)
    assert ahead.forecast(business_date(AT))
