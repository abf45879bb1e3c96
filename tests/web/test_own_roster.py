"""A published roster reaches whom it is for: the clerk's own days, the word that it is out, the lead's seats."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import icalendar
import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.calendar import JST, business_date
from app.domain.roles import Role
from app.models.people import Account
from app.models.staffing import RosterDay, StaffMember
from app.services import own_roster, staff_members
from app.services.own_roster import Stretch
from tests.standins import planned
from tests.web.conftest import SignIn

LINE = "ward-certificates"
MORNING = datetime(2026, 4, 1, 10, 15, tzinfo=JST)


def cells(work: str, since: int, until: int) -> dict[str, str]:
    return {str(minute): work for minute in range(since, until, 30)}


def publish(database: Database, day: date, *, at: datetime) -> None:
    """Sato at the certificates till noon, lunch, the back office; Kimura at the certificates all day."""
    with database.transaction() as session:
        ids = dict(
            session.execute(select(StaffMember.name, StaffMember.id).where(StaffMember.office_id == "ward")).all()
        )
        session.merge(
            RosterDay(
                office_id="ward", day=day, version=1, draft={}, undo=[], edited_at=at, edited_by="t", before={},
                published={
                    str(ids["佐藤 由美子"]): (
                        cells(LINE, 510, 720) | cells("@lunch", 720, 780) | cells("@back", 780, 870)
                    ),
                    str(ids["木村 直樹"]): cells(LINE, 510, 1020),
                },
                published_at=at, published_by="t",
            )
        )  # fmt: skip


def test_a_person_reads_the_own_day_and_the_lead_who_sits_where(database: Database) -> None:
    publish(database, MORNING.date(), at=MORNING - timedelta(days=1))
    with database.snapshot() as session:
        sato = session.scalars(select(StaffMember).where(StaffMember.name == "佐藤 由美子")).one()
        (day,) = own_roster.days(session, sato, at=MORNING)
        assert day.stretches == [
            Stretch(begins=510, ends=720, work=LINE, counter="2"),
            Stretch(begins=720, ends=780, work="@lunch", counter=None),
            Stretch(begins=780, ends=870, work="@back", counter=None),
        ]  # fmt: skip
        sits = {counter: each.name for counter, each in own_roster.sitting(session, "ward", at=MORNING).items()}
        assert sits == {"2": "佐藤 由美子", "3": "木村 直樹"}
        noon = own_roster.sitting(session, "ward", at=MORNING.replace(hour=12, minute=5))
        assert {counter: each.ends for counter, each in noon.items()} == {"3": 1020}
        assert own_roster.sitting(session, "ward", at=MORNING + timedelta(days=1)) == {}
        assert own_roster.days(session, sato, at=MORNING + timedelta(days=1)) == []


def test_an_account_is_its_person_whatever_either_is_called_later(
    database: Database, staff: Callable[..., int], signed_in: SignIn
) -> None:
    signed_in("sato", name="佐藤 由美子")
    later = staff("sato2", name="鈴木 由美子")
    with database.transaction() as session:
        account = session.scalars(select(Account).where(Account.login == "sato")).one()
        person = own_roster.member_of(session, account.id)
        assert person is not None
        assert person.name == "佐藤 由美子"
        number, person.name, account.name = person.id, "鈴木 由美子", "木村 直樹"
        staff_members.bind(session, account)
        found = own_roster.member_of(session, account.id)
        assert found is not None
        assert found.id == number
        # Somebody who bears the old name now is somebody else.
        twin = session.get_one(Account, later)
        staff_members.bind(session, twin)
        assert own_roster.member_of(session, twin.id) is None


def test_of_two_people_of_one_name_a_manager_says_which(database: Database, staff: Callable[..., int]) -> None:
    number = staff("sato", name="佐藤 由美子")
    with database.transaction() as session:
        person = session.scalars(select(StaffMember).where(StaffMember.name == "佐藤 由美子")).one()
        session.add(
            StaffMember(office_id="ward", name=person.name, section="", lines=[], hours={}, lunch_min=0, rest_min=0)
        )
        session.flush()
        staff_members.bind(session, session.get_one(Account, number))
        assert own_roster.member_of(session, number) is None
        person.account_id = number
        session.flush()
        assert own_roster.member_of(session, number) == person


@pytest.fixture
def day(database: Database) -> date:
    """The next open day, published."""
    now = datetime.now(UTC)
    with database.snapshot() as session:
        found = planned.open_day(session, now)
    publish(database, found, at=now)
    return found


def test_the_desk_says_once_that_a_roster_is_out(database: Database, day: date, signed_in: SignIn) -> None:
    sato = signed_in("sato", name="佐藤 由美子")
    entered = sato.get("/desk").text
    assert "新しい配置表が出ました" in entered
    assert "8:30–12:00" in entered
    assert re.search(r'value="ward-2" required checked', entered) or business_date(datetime.now(UTC)) != day
    own = sato.get("/desk/roster").text
    assert "2番" in own
    assert "新しい配置表が出ました" not in sato.get("/desk").text
    publish(database, day, at=datetime.now(UTC) + timedelta(seconds=2))
    assert "新しい配置表が出ました" in sato.get("/desk").text
    (first, *rest) = icalendar.Calendar.from_ical(sato.get("/desk/roster.ics").data).walk("VEVENT")
    assert "2番窓口" in str(first["summary"])
    assert len(rest) == 2


def test_whoever_is_in_no_roster_is_told_so(day: date, signed_in: SignIn) -> None:
    nobody: FlaskClient = signed_in("nobody", name="どこにも いない")
    assert "新しい配置表が出ました" not in nobody.get("/desk").text
    assert "どこにも いないさんの名前はありません" in nobody.get("/desk/roster").text
    assert nobody.get("/desk/roster.ics").status_code == 404


def test_without_a_published_day_the_page_says_what_is_missing(signed_in: SignIn) -> None:
    sato = signed_in("sato", name="佐藤 由美子")
    assert "公開された配置表は、まだありません" in sato.get("/desk/roster").text
    assert sato.get("/desk/roster.ics").status_code == 409


def test_the_lead_sees_who_is_missing_from_a_seat(database: Database, signed_in: SignIn) -> None:
    with time_machine.travel(MORNING, tick=False):
        publish(database, MORNING.date(), at=MORNING - timedelta(days=1))
        lead = signed_in("lead", role=Role.FLOOR_LEAD)
        page = lead.get("/lead?office=ward").text
    seats = page.split("配置表では")[1]
    assert seats.count("まだ開いていません") == 2
    assert "佐藤 由美子" in seats
