"""The managers' week: every day of it, the same figures as the day's own pages, closed days, nothing forecast yet."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, update
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain import roster
from app.domain.calendar import business_date
from app.domain.roles import Role
from app.domain.roster import BACK, OFF, REST
from app.models.staffing import StaffMember
from app.services import hours, roster_days, rosters
from app.services.roster_days import Made
from app.services.rosters import Sheet
from app.web import day_plan
from tests.standins import planned

ADDRESS = "/manage/week?office=ward"
DAYS = 7


@pytest.fixture
def first(database: Database) -> date:
    """A forecast of the coming days; the next day on which the office opens."""
    with database.transaction() as session:
        planned.forecasts(session, business_date(datetime.now(UTC)), days=16)
        return planned.open_day(session, datetime.now(UTC))


@pytest.fixture
def ask(client: FlaskClient, token: Callable[..., str]) -> Callable[..., str]:
    """``ask(path, status, role)``: the page of a manager."""
    bearers: dict[Role, str] = {}

    def call(path: str, status: int = 200, role: Role = Role.DEPARTMENT_ADMIN) -> str:
        bearer = bearers.setdefault(role, token(role))
        answer = client.get(path, headers={"Authorization": f"Bearer {bearer}"})
        assert answer.status_code == status, answer.text[:500]
        return answer.text

    return call


def week(first: date) -> list[date]:
    return [first + timedelta(days=ahead) for ahead in range(DAYS)]


def row(page: str, day: date) -> str:
    """What stands in a day's row of the first table."""
    found = re.search(rf'<tr><th scope="row"><a href="/manage/plan\?office=ward&amp;date={day}">.*?</tr>', page, re.S)
    assert found
    return found[0]


def test_each_day_tells_the_same_as_its_own_pages(ask: Callable[..., str], database: Database, first: date) -> None:
    page = ask(f"{ADDRESS}&date={first}")
    with database.snapshot() as session:
        for day in week(first):
            if not hours.opening(session, "ward", day):
                assert "閉庁日" in row(page, day)
                continue
            plans = day_plan.of_day(session, office_id="ward", day=day, at=datetime.now(UTC))
            sheet = rosters.read(session, "ward", day, needs=day_plan.needs(plans))
            missing = sum(gap.missing for gap in roster.gaps(sheet.plan, sheet.shifts))
            told = row(page, day)
            assert f"<b>{sum(plan.people for plan in plans):.0f}</b>件" in told
            assert (f"−{missing}<" if missing else "なし") in told
            assert f"/manage/roster?office=ward&amp;date={day}" in told
            assert "自動の案" in told


def test_the_rosters_of_a_week_are_those_of_its_days(database: Database, first: date) -> None:
    """Untouched, changed by hand, published, and changed since."""
    steps = {Made.RULE: "", Made.DRAFT: "d", Made.PUBLISHED: "dp", Made.CHANGED: "dpd"}
    now = datetime.now(UTC)
    with database.transaction() as session:
        told = day_plan.of_days(session, office_id="ward", since=first, days=DAYS, at=now)
        starts = {day: rosters.half_hours(session, "ward", day) for day in week(first)}
        needs = {day: day_plan.needs(plans) for day, plans in told.items() if starts[day]}
        made = dict(zip(needs, steps, strict=False))
        for day, wanted in made.items():
            for number, step in enumerate(steps[wanted]):
                _step(session, rosters.read(session, "ward", day, needs=needs[day]), step, number)
        found = roster_days.of_days(session, "ward", starts=starts, needs=needs)
        assert {day: each.made for day, each in found.items()} == dict.fromkeys(needs, Made.RULE) | made
        for day, each in found.items():
            assert each.shifts == rosters.read(session, "ward", day, needs=needs[day]).shifts


def _step(session: Session, sheet: Sheet, step: str, slot: int) -> None:
    """Publish the day, or put somebody who is there elsewhere in one half-hour."""
    now = datetime.now(UTC)
    if step == "p":
        rosters.publish(session, sheet, version=sheet.version, actor="t", at=now)
        return
    who = next(person.id for person in sheet.plan.people if person.present[slot])
    begins, work = sheet.plan.starts[slot], REST if sheet.shifts[who][slot] == BACK else BACK
    rosters.place(session, sheet, member=who, since=begins, until=begins + 30, work=work, version=sheet.version,
                  actor="t", at=now)  # fmt: skip


@contextmanager
def looks() -> Iterator[list[str]]:
    """What is asked of any database meanwhile."""
    said: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.usefixtures("first")
def test_a_week_asks_the_database_hardly_more_than_a_day(ask: Callable[..., str]) -> None:
    ask("/manage/plan?office=ward")
    with looks() as of_day:
        ask("/manage/plan?office=ward")
    with looks() as of_week:
        ask(ADDRESS)
    assert 0 < len(of_week) <= len(of_day) + 6


def test_nothing_forecast_yet_is_said_for_each_open_day(ask: Callable[..., str], database: Database) -> None:
    page = ask(ADDRESS)
    assert "予測はまだありません" in page
    assert "この日の予測は、まだありません。" in page
    assert "data-cell=" not in page
    with database.snapshot() as session:
        first = planned.open_day(session, datetime.now(UTC))
        assert page.count("閉庁日") == sum(not hours.opening(session, "ward", day) for day in week(first))


def test_who_may_not_plan_people_reads_without_ways_to_the_roster(ask: Callable[..., str], first: date) -> None:
    page = ask(f"{ADDRESS}&date={first}", role=Role.AUDITOR)
    assert "自動の案" in page
    assert "/manage/roster" not in page
    ask(ADDRESS, 403, role=Role.CLERK)
    for wrong in ("date=x", "date=2030-01-01", "date="):
        ask(f"{ADDRESS}&{wrong}", 404)
    ask("/manage/week?office=nowhere", 404)


def test_an_office_without_people_counts_its_usual_counters(
    ask: Callable[..., str], database: Database, first: date
) -> None:
    with database.transaction() as session:
        session.execute(update(StaffMember).where(StaffMember.office_id == "ward").values(active=False))
    assert "いつもの窓口" in row(ask(f"{ADDRESS}&date={first}"), first)


def test_a_day_tells_what_becomes_of_it_as_it_is_planned(
    ask: Callable[..., str], database: Database, first: date
) -> None:
    """Reckoned and played beside each other, with the roster; with nobody at the counters nobody is called."""
    address = f"/manage/plan?office=ward&date={first}&line=ward-certificates"
    page = ask(address)
    assert "いまの配置だと" in page
    with database.snapshot() as session:
        plans = day_plan.of_day(session, office_id="ward", day=first, at=datetime.now(UTC))
        sheet = rosters.read(session, "ward", first, needs=day_plan.needs(plans))
    lacks = [gap for gap in roster.gaps(sheet.plan, sheet.shifts) if gap.line == "ward-certificates"]
    assert (f"{sum(gap.missing for gap in lacks)}枠" if lacks else "窓口は足り") in page
    with database.transaction() as session:
        rosters.use(session, sheet, dict.fromkeys(sheet.shifts, (OFF,) * len(sheet.plan.starts)), version=0, actor="t",
                    at=datetime.now(UTC))  # fmt: skip
    page = ask(address)
    assert re.search(r"10分以内\(計算\)</dt><dd><b>0</b>%.*10分以内\(模擬\)</dt><dd><b>0</b>%", page, re.S)
    assert "足りず" in page
    assert "呼べずに閉庁" in row(ask(f"{ADDRESS}&date={first}"), first)
