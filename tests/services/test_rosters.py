"""A day's roster in its row: changed step by step, taken back, published; searches asked for, claimed, stopped."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.db.session import Database
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.roster import BACK, LUNCH, OFF, broken
from app.models.staffing import RosterDay, StaffMember
from app.services import roster_searches, rosters, staff_members
from app.services.rosters import Sheet
from app.services.staff_members import Member

DAY = date(2026, 4, 1)
AT = datetime(2026, 3, 31, 7, 0, tzinfo=UTC)
LINE = "ward-certificates"
NEEDS = {LINE: {510 + 30 * slot: 2 for slot in range(18)}}


def sheet(database: Database, day: date = DAY) -> Sheet:
    with database.snapshot() as session:
        return rosters.read(session, "ward", day, needs=NEEDS)


def put(database: Database, who: str, since: int, until: int, work: str, version: int) -> Sheet:
    with database.transaction() as session:
        seen = rosters.read(session, "ward", DAY, needs=NEEDS)
        rosters.place(
            session, seen, member=who, since=since, until=until, work=work, version=version, actor="staff:1", at=AT
        )
    return sheet(database)


def test_a_day_begins_with_a_roster_that_keeps_the_rules(database: Database) -> None:
    found = sheet(database)
    assert (found.version, found.published, found.plan.starts[0]) == (0, {}, 510)
    assert len(found.members) == 28
    assert all(broken(person, found.shifts[person.id]) == [] for person in found.plan.people)


def test_changes_are_kept_counted_and_taken_back(database: Database) -> None:
    who = next(iter(sheet(database).members))
    first = sheet(database).shifts[who]
    changed = put(database, who, 540, 600, BACK, 0)
    assert changed.version == 1
    assert changed.shifts[who][1:3] == (BACK, BACK)
    assert changed.earlier[who] == first
    with database.transaction() as session:
        rosters.undo(session, rosters.read(session, "ward", DAY, needs=NEEDS), version=1, actor="staff:1", at=AT)
    assert sheet(database).shifts[who] == first
    with database.transaction() as session, pytest.raises(Conflict, match="nothing_to_undo"):
        rosters.undo(session, rosters.read(session, "ward", DAY, needs=NEEDS), version=2, actor="staff:1", at=AT)


def test_two_who_plan_at_once_do_not_overwrite_each_other(database: Database) -> None:
    who = next(iter(sheet(database).members))
    put(database, who, 540, 600, BACK, 0)
    with pytest.raises(Conflict, match="roster_changed"):
        put(database, who, 540, 600, LUNCH, 0)


@pytest.mark.parametrize(
    ("since", "until", "work"), [(0, 30, BACK), (600, 600, BACK), (600, 660, "minato-x"), (600, 660, "@x")]
)
def test_what_is_no_change_is_refused(database: Database, since: int, until: int, work: str) -> None:
    who = next(iter(sheet(database).members))
    with pytest.raises(InvalidInput, match="bad_roster_change"):
        put(database, who, since, until, work, 0)
    with pytest.raises(NotFound):
        put(database, "999999", 600, 660, BACK, 0)


def test_a_stretch_moves_within_a_row_and_to_another(database: Database) -> None:
    one, other = list(sheet(database).members)[:2]
    before = sheet(database).shifts

    def moved(to: str, begin: int, since: int, version: int) -> Sheet:
        with database.transaction() as session:
            seen = rosters.read(session, "ward", DAY, needs=NEEDS)
            rosters.move(session, seen, member=one, since=since, until=since + 60, to=to, begin=begin, version=version,
                         actor="staff:1", at=AT)  # fmt: skip
        return sheet(database)

    lunch = 510 + 30 * before[one].index(LUNCH)
    slid = moved(one, lunch + 30, lunch, 0)
    assert slid.shifts[one].count(LUNCH) == 2
    assert slid.shifts[one].index(LUNCH) == before[one].index(LUNCH) + 1
    assert sorted(slid.shifts[one]) == sorted(before[one])
    taken = slid.shifts[one][0:2]
    given = moved(other, 510, 510, 1)
    assert given.shifts[other][0:2] == taken


def test_publishing_keeps_the_one_before(database: Database) -> None:
    who = next(iter(sheet(database).members))
    with database.transaction() as session:
        seen = rosters.read(session, "ward", DAY, needs=NEEDS)
        assert len(rosters.publish(session, seen, version=0, actor="staff:1", at=AT)) == 28
    changed = put(database, who, 540, 600, BACK, 1)
    assert changed.changed == [who]
    with database.transaction() as session:
        seen = rosters.read(session, "ward", DAY, needs=NEEDS)
        assert rosters.publish(session, seen, version=2, actor="staff:1", at=AT) == [who]
    with database.transaction() as session:
        rosters.go_back(session, rosters.read(session, "ward", DAY, needs=NEEDS), version=3, actor="staff:1", at=AT)
    assert sheet(database).changed == [who]


def test_leave_and_part_time_are_seen(database: Database) -> None:
    with database.transaction() as session:
        one = staff_members.add(
            session, "ward", Member(name="早番", section="", lines=[LINE], hours={2: (510, 720)}, lunch_min=60)
        )
        staff_members.give_leave(session, "ward", one.id, day=DAY, from_min=510, until_min=570)
        who, number = str(one.id), one.id
    person = next(each for each in sheet(database).plan.people if each.id == who)
    assert person.present == (False, False, True, True, True, True, True, *(False,) * 11)
    assert (person.lunch, person.rests) == (0, 0)
    assert sheet(database).shifts[who][0] == OFF
    with database.transaction() as session:
        staff_members.end_leave(session, "ward", number, day=DAY)
    assert sum(next(each for each in sheet(database).plan.people if each.id == who).present) == 7


def test_a_member_that_cannot_be_is_refused(database: Database) -> None:
    good = {"name": "名", "section": "", "lines": [LINE], "hours": {0: (510, 1035)}}
    bad = ({"name": " "}, {"lines": ["branch-x"]}, {"hours": {0: (600, 600)}}, {"lunch_min": 500})
    for wrong in bad:
        with database.transaction() as session, pytest.raises(InvalidInput, match="bad_member"):
            staff_members.add(session, "ward", Member(**(good | wrong)))
    with database.transaction() as session:
        other = session.scalars(select(StaffMember).where(StaffMember.office_id == "branch")).first()
        assert other is not None
        with pytest.raises(NotFound):
            staff_members.change(session, "ward", other.id, Member(**good))


def test_what_was_served_in_the_week_is_carried(database: Database) -> None:
    monday = date(2026, 3, 30)
    with database.transaction() as session:
        rosters.publish(session, rosters.read(session, "ward", monday, needs=NEEDS), version=0, actor="s", at=AT)
    carried = {person.id: person.carried for person in sheet(database).plan.people}
    assert max(carried.values()) > 0
    assert all(person.carried == 0 for person in sheet(database, date(2026, 4, 6)).plan.people)


def _ask(database: Database, at: datetime = AT) -> None:
    with database.transaction() as session:
        roster_searches.ask(session, office_id="ward", day=DAY, seconds=30, token="t1", actor="staff:1", at=at)


def test_a_search_is_claimed_once_heard_and_stopped(database: Database) -> None:
    _ask(database)
    with pytest.raises(Conflict, match="roster_search_runs"):
        _ask(database)
    with database.transaction() as session:
        assert roster_searches.waiting(session, at=AT)
        claimed = roster_searches.claim(session, at=AT)
        assert claimed is not None
        assert roster_searches.claim(session, at=AT) is None
    with database.transaction() as session:
        told = ({"1": {"510": LINE}}, 0.05)
        assert roster_searches.hear(session, office_id="ward", day=DAY, token="t1", at=AT, better=told, plans=3)
        assert not roster_searches.hear(session, office_id="ward", day=DAY, token="other", at=AT)
        roster_searches.stop(session, office_id="ward", day=DAY, at=AT)
        assert not roster_searches.hear(session, office_id="ward", day=DAY, token="t1", at=AT)
        roster_searches.end(session, office_id="ward", day=DAY, token="t1", error="", at=AT)
        search = roster_searches.find(session, "ward", DAY)
        assert search is not None
        assert (search.state, search.plans, search.shortfall, search.found) == ("done", 3, 0.05, told[0])


def test_a_search_whose_process_was_killed_is_over(database: Database) -> None:
    _ask(database)
    with database.transaction() as session:
        roster_searches.claim(session, at=AT)
        search = roster_searches.find(session, "ward", DAY)
        assert roster_searches.going(search, AT + timedelta(seconds=40))
        assert not roster_searches.going(search, AT + timedelta(seconds=60))
    _ask(database, AT + timedelta(seconds=60))


def test_a_search_that_nobody_takes_up_can_be_asked_for_again(database: Database) -> None:
    _ask(database)
    _ask(database, AT + timedelta(minutes=3))
    with database.transaction() as session:
        roster_searches.stop(session, office_id="ward", day=DAY, at=AT)
        assert roster_searches.claim(session, at=AT) is None
        assert session.scalars(select(RosterDay)).all() == []


def test_old_rosters_and_leave_are_erased(database: Database) -> None:
    with database.transaction() as session:
        rosters.publish(session, rosters.read(session, "ward", DAY, needs=NEEDS), version=0, actor="s", at=AT)
        who = staff_members.members(session, "ward")[0].id
        staff_members.give_leave(session, "ward", who, day=DAY)
        rosters.forget(session, at=AT + timedelta(days=300))
        assert session.get(RosterDay, ("ward", DAY)) is not None
        rosters.forget(session, at=AT + timedelta(days=403))
        session.expire_all()
        assert session.get(RosterDay, ("ward", DAY)) is None
        assert staff_members.leave(session, "ward", since=DAY, until=DAY) == {}


def test_without_a_forecast_a_day_begins_with_the_usual_counters(database: Database) -> None:
    with database.snapshot() as session:
        found = rosters.read(session, "ward", DAY, needs={})
    assert found.plan.needs == {}
    assert all(broken(person, found.shifts[person.id]) == [] for person in found.plan.people)
    assert sum(cells[4] == LINE for cells in found.shifts.values()) in (2, 3)
