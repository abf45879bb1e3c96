"""The roster's pages: what is needed, changes by plain forms, publishing, spreadsheets and calendars."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import icalendar
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.roles import Role
from app.domain.roster import BACK
from app.models.people import AuditEntry
from app.models.staffing import RosterDay, RosterSearch, StaffMember
from tests.standins import planned

ADDRESS = "/manage/roster"


@pytest.fixture
def day(database: Database) -> date:
    with database.transaction() as session:
        found = planned.open_day(session, datetime.now(UTC))
        planned.forecasts(session, business_date(datetime.now(UTC)))
    return found


@pytest.fixture
def ask(client: FlaskClient, token: Callable[..., str]) -> Callable[..., str]:
    """``ask(path, **form)``: the page of a manager, after the redirect."""
    headers = {"Authorization": f"Bearer {token(Role.DEPARTMENT_ADMIN)}"}

    def call(path: str, status: int = 200, **form: object) -> str:
        answer = (
            client.post(path, data=form, headers=headers, follow_redirects=True)
            if form
            else client.get(path, headers=headers)
        )
        assert answer.status_code == status, answer.text[:500]
        return answer.text

    return call


def version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


def first(database: Database) -> int:
    with database.snapshot() as session:
        query = select(StaffMember.id).where(StaffMember.office_id == "ward").order_by(StaffMember.position)
        found = session.scalars(query).first()
        assert found is not None
        return found


def test_the_table_tells_what_is_needed_and_how_long_people_wait(ask: Callable[..., str], day: date) -> None:
    page = ask(f"{ADDRESS}?office=ward&date={day}")
    assert page.count("data-member=") == 28
    assert re.search(r"<b>.*\d+/\d+</b><small>\d+分</small>", page)
    assert ask(f"{ADDRESS}?office=ward&date={day}&section=税務課").count("data-member=") == 2


def test_a_change_is_kept_its_effect_told_and_taken_back(
    ask: Callable[..., str], database: Database, day: date
) -> None:
    who, path = first(database), f"{ADDRESS}/ward/{day}"
    page = ask(path, action="place", version=0, member=who, since=540, until=660, work=BACK)
    assert "さきほどの変更" in page
    with database.snapshot() as session:
        row = session.get(RosterDay, ("ward", day))
        assert row is not None
        assert row.draft[str(who)]["540"] == BACK
    assert "さきほどの変更" not in ask(path, action="undo", version=version(page))


def test_who_was_slower_is_told_and_sees_the_fresh_table(
    ask: Callable[..., str], database: Database, day: date
) -> None:
    who, path = first(database), f"{ADDRESS}/ward/{day}"
    given = {"action": "place", "version": 0, "member": who, "since": 540, "until": 660, "work": BACK}
    ask(path, **given)
    page = ask(path, 409, **given)
    assert "ほかの職員が配置表を変えました" in page
    assert "data-member=" in page


@pytest.mark.parametrize(
    "form", [{"action": "nothing"}, {"action": "place", "version": "x"}, {"action": "place", "version": 0}]
)
def test_a_form_that_is_none_is_refused(ask: Callable[..., str], day: date, form: dict[str, object]) -> None:
    assert "data-member=" in ask(f"{ADDRESS}/ward/{day}", 422, **form)


def test_publishing_is_asked_first_logged_and_told_to_calendars(
    ask: Callable[..., str], database: Database, day: date
) -> None:
    who, path = first(database), f"{ADDRESS}/ward/{day}"
    ask(f"{ADDRESS}.ics?office=ward&member={who}&date={day}", 409)
    page = ask(f"{ADDRESS}/publish?office=ward&date={day}")
    assert "28人の一日が決まります" in page
    page = ask(path, action="publish", version=version(page))
    assert "公開中" in page
    with database.snapshot() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "roster_published")).one()
        assert (entry.details["day"], entry.details["people"]) == (day.isoformat(), 28)
    calendar = icalendar.Calendar.from_ical(ask(f"{ADDRESS}.ics?office=ward&member={who}&date={day}"))
    events = list(calendar.walk("VEVENT"))
    assert sum((event.end - event.start).total_seconds() for event in events) == 18 * 1800
    assert {"昼", "休憩"} <= {str(event["summary"]) for event in events}


def test_the_table_for_a_spreadsheet(ask: Callable[..., str], database: Database, day: date) -> None:
    with database.transaction() as session:
        session.get_one(StaffMember, first(database)).name = "=1+1"
    text = ask(f"{ADDRESS}.csv?office=ward&date={day}")
    assert text.startswith("\ufeff職員,係,08:30")
    assert "\n'=1+1,市民課," in text.replace("\r", "")
    assert not ask(f"{ADDRESS}.csv?office=ward&date={day}&plain=1").startswith("\ufeff")


def test_a_search_is_asked_for_and_stopped(ask: Callable[..., str], database: Database, day: date) -> None:
    path = f"{ADDRESS}/ward/{day}"
    assert "案をさがしています" in ask(path, action="search", version=0, seconds=30)
    ask(path, 409, action="search", version=0)
    assert "案をさがしています" not in ask(path, action="stop", version=0)
    ask(path, 409, action="use", version=0)
    with database.transaction() as session:
        search = session.get_one(RosterSearch, ("ward", day))
        search.found = {str(first(database)): {"510": BACK}}
        search.shortfall = 0.1
    assert "この案にする" in ask(f"{ADDRESS}?office=ward&date={day}")
    assert "さきほどの変更" in ask(path, action="use", version=0)


def test_a_closed_day_and_one_without_a_forecast_say_so(ask: Callable[..., str], day: date) -> None:
    later = date.fromordinal(day.toordinal() + 40)
    monday = date.fromordinal(later.toordinal() - later.weekday())
    page = ask(f"{ADDRESS}?office=ward&date={monday}")
    assert "この日の予測がまだない" in page or "この日は閉庁日です" in page
    assert 'value="ward-moving" data-press="B"' in page or "閉庁日" in page
    ask(f"{ADDRESS}?office=ward&date=x", 404)


def test_people_are_kept_with_their_hours_and_leave(
    ask: Callable[..., str], database: Database, day: date, staff: Callable[..., int]
) -> None:
    path = "/manage/members/ward"
    given = {"action": "save", "member": "new", "name": "新人 花", "lines": "ward-tax", "from0": "08:30",
             "until0": "12:00", "lunch": "60", "rest": "15", "active": "1"}  # fmt: skip
    assert "新人 花" in ask(path, **given)
    with database.snapshot() as session:
        row = session.scalars(select(StaffMember).where(StaffMember.name == "新人 花")).one()
    assert (row.hours, row.lines) == ({"0": [510, 720]}, ["ward-tax"])
    assert "取り消す" in ask(path, action="leave", member=row.id, day=day)
    assert "これから5週間に休む予定はありません" in ask(path, action="here", member=row.id, day=day)
    ask(path, 422, **(given | {"from0": "8時"}))
    ask(path, 422, **(given | {"name": " "}))
    account, elsewhere = staff("hana", name="花"), staff("other", office_id="branch")
    assert f'value="{account}" selected' in ask(path, **(given | {"member": row.id, "account": account}))
    assert "ほかの職員とつながっています" in ask(path, 409, **(given | {"account": account}))
    for wrong in (elsewhere, 999999, "x", "9" * 30):
        ask(path, 422, **(given | {"member": row.id, "account": wrong}))
    ask("/manage/members?office=ward&member=999999", 404)
