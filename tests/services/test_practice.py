"""Practice data: made up only where there is no past, always marked, gone as soon as there is a real one."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from app.db.session import Database
from app.domain import practice as rules
from app.domain.calendar import business_date, instant
from app.domain.errors import Conflict
from app.domain.past_visits import Row
from app.domain.practice import Line
from app.models.place import Office
from app.models.visits import PastVisit
from app.services import congestion, practice, reports, tickets, visit_history, visit_import
from app.services.practice import Span
from app.services.visit_import import Import

NOW = datetime(2026, 6, 22, 3, 0, tzinfo=UTC)
TODAY = business_date(NOW)
LINE = Line(id="l", services=[("a", 6.0), ("b", 12.0)], counters=["1", "2"])
OPENS = [(8 * 60 + 30, 17 * 60)]


def visits(database: Database) -> int:
    with database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(PastVisit)) or 0


def lay(database: Database, weeks: int = 2) -> int:
    with database.transaction() as session:
        return practice.lay(session, "ward", at=NOW, weeks=weeks)


def test_the_same_day_is_made_up_the_same_and_has_the_shape_of_a_real_one() -> None:
    days = [date(2026, 4, 13) + timedelta(days=number) for number in range(60)]
    plain = {day: list(rules.of_day(LINE, day, OPENS, after_closed=False)) for day in days}
    assert plain[days[0]] == list(rules.of_day(LINE, days[0], OPENS, after_closed=False))
    by_weekday = [sum(len(plain[day]) for day in days if day.weekday() == number) for number in range(5)]
    assert by_weekday[0] == max(by_weekday)
    noon = sum(11 * 60 <= visit.issued < 13 * 60 for each in plain.values() for visit in each)
    late = sum(15 * 60 <= visit.issued < 17 * 60 for each in plain.values() for visit in each)
    assert noon > late * 1.3
    for each in plain.values():
        assert all(visit.called >= visit.issued for visit in each)
        at_one = sorted((v.called, v.finished or v.called) for v in each if v.counter == "1")
        assert all(end <= begin for (_, end), (begin, _) in pairwise(at_one))
    assert len(list(rules.of_day(LINE, days[0], OPENS, after_closed=True))) > len(plain[days[0]])


@pytest.mark.parametrize(
    "line", [Line(id="l", services=[], counters=["1"]), Line(id="l", services=[("a", 5)], counters=[])]
)
def test_a_line_nobody_serves_has_no_visits(line: Line) -> None:
    assert list(rules.of_day(line, TODAY, OPENS, after_closed=False)) == []


def test_every_screen_can_tell_it_and_a_second_time_makes_nothing(database: Database) -> None:
    made = lay(database)
    assert made == visits(database) > 500
    with database.transaction() as session:
        assert practice.span(session.get_one(Office, "ward")) == Span(
            since=TODAY - timedelta(weeks=2), until=TODAY - timedelta(days=1)
        )
        assert practice.span(session.get_one(Office, "branch")) is None
        with pytest.raises(Conflict, match="past_exists"):
            practice.lay(session, "ward", at=NOW)
        days = reports.facts(session, "ward", TODAY - timedelta(weeks=2), TODAY)
        assert {fact.channel for fact in days} == {reports.IMPORTED}
        assert len(days) == made
        month = congestion.of_days(
            session, office_id="ward", category_id=None, since=TODAY, until=TODAY + timedelta(days=13), at=NOW
        )
        assert any(day.level is not None for day in month)
        practice.lay_where_none(session, at=NOW)
        assert practice.span(session.get_one(Office, "branch")) is not None


def test_a_real_past_takes_its_place(database: Database) -> None:
    made, done = lay(database), Import()
    issued = instant(TODAY - timedelta(days=3), time(9))
    row = Row(line=2, service="juminhyo", issued_at=issued, called_at=None, finished_at=None, counter="",
              booked=False, no_show=False)  # fmt: skip
    with database.transaction() as session:
        visit_import.store(session, "ward", [], done)
        assert (done.practice, practice.span(session.get_one(Office, "ward")) is None) == (0, False)
        visit_import.store(session, "ward", [row], done)
        assert (done.practice, practice.span(session.get_one(Office, "ward"))) == (made, None)
    assert visits(database) == 1
    with database.transaction() as session, pytest.raises(Conflict, match="past_exists"):
        practice.lay(session, "ward", at=NOW)


def test_a_past_of_its_own_outgrows_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(database)
    with database.transaction() as session:
        tickets.issue(session, office_id="ward", wish=tickets.Wish(services=["juminhyo"], channel="staff"), seed="own",
                      secret=b"test", actor="t", at=NOW)  # fmt: skip
    with database.transaction() as session:
        visit_history.learn(session, "ward", at=NOW + timedelta(days=1))
        assert practice.outgrow(session, "ward") == 0
        monkeypatch.setattr(practice, "OUTGROWN_DAYS", 1)
        assert practice.outgrow(session, "ward") > 500
        assert practice.span(session.get_one(Office, "ward")) is None
        assert practice.outgrow(session, "ward") == 0
    assert visits(database) == 1


def test_the_mean_of_the_last_same_weekdays_is_of_days_that_were(database: Database) -> None:
    lay(database, weeks=3)
    with database.snapshot() as session:
        seen = visit_history.counts(session, "ward", since=TODAY - timedelta(weeks=3), until=TODAY)
        for day in (TODAY + timedelta(days=1), TODAY - timedelta(days=6)):
            mean = visit_history.weekday_mean(session, "ward", "ward-moving", day=day, at=NOW)
            same = [each for each in seen if each.category_id == "ward-moving" and each.day.weekday() == day.weekday()]
            same = [each for each in same if each.day < day]
            assert sum(mean.values()) == pytest.approx(sum(each.people for each in same) / len({e.day for e in same}))
        assert visit_history.weekday_mean(session, "branch", "branch-moving", day=TODAY, at=NOW) == {}
