"""The dials of a line on a manager's screen: compared on a day that was, switched once, written into the audit log."""

import random
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import AuditEntry
from app.models.place import Category
from tests.bench.blend import LINE, Day, people
from tests.web.conftest import Caller

# The Friday after the fortnight's first Monday; the manager looks at it on Saturday.
LIVED, NOW = date(2026, 4, 3), "2026-04-04T10:00:00+09:00"


@pytest.fixture(scope="module")
def lived(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a rush of 40 people of whom half had booked, played by the real services."""
    file = tmp_path_factory.mktemp("dials") / "hall.db"
    shutil.copyfile(sqlite_template, file)
    database = Database(f"sqlite:///{file}")
    with database.transaction() as session:
        line = session.get_one(Category, LINE)
        line.booking = {"grid": 15, "capacity": 12, "window_days": 100, "lead_minutes": 0}
        line.policy = line.policy | {"allowance": 0}
    dice = random.Random(3)
    Day(database, LIVED, people(sorted(dice.uniform(510, 560) for _ in range(60)), 0.125, dice), booking=True).play(
        dice
    )
    database.dispose()
    return file


@pytest.fixture
def database_url(lived: Path, tmp_path: Path) -> Iterator[str]:
    """Nothing here depends on the kind of database: a copy of the lived day for each test."""
    for file in lived.parent.glob("hall.db*"):
        shutil.copyfile(file, tmp_path / file.name)
    with time_machine.travel(NOW, tick=True):
        yield f"sqlite:///{tmp_path / 'hall.db'}"


def manager(client: FlaskClient, token: Callable[..., str], role: Role = Role.DEPARTMENT_ADMIN) -> Caller:
    return Caller(client, token(role))


def page(client: FlaskClient, token: Callable[..., str], query: str = "", role: Role = Role.DEPARTMENT_ADMIN) -> str:
    found = client.get(
        f"/manage/dials?office=ward&line={LINE}{query}", headers={"Authorization": f"Bearer {token(role)}"}
    )
    assert found.status_code == 200
    return found.get_data(as_text=True)


def test_both_groups_stand_side_by_side(client: FlaskClient, token: Callable[..., str]) -> None:
    assert "もう一度" in page(client, token, "&date=2026-04-06")
    same, other = page(client, token), page(client, token, "&allowance=90")
    assert "いまと同じ決めかたです" in same
    assert "この決めかたに切りかえる" not in same
    assert re.search(r"予約のかたは\d+%が10分以内に呼ばれます", other)
    assert other.count('<section class="group">') == 2
    assert other.count('class="try"') == 4
    assert "この決めかたに切りかえる" in other
    assert "この決めかたに切りかえる" not in page(client, token, "&allowance=90", Role.FLOOR_LEAD)


def send(client: FlaskClient, token: Callable[..., str], key: str, role: Role = Role.DEPARTMENT_ADMIN, **form: str):  # type: ignore[no-untyped-def]
    headers = {"Authorization": f"Bearer {token(role)}", "Idempotency-Key": key}
    return client.post(f"/manage/dials?office=ward&line={LINE}", headers=headers, data=form)


def test_the_switch_holds_once_and_is_in_the_audit_log(
    client: FlaskClient, database: Database, token: Callable[..., str]
) -> None:
    secret = token(Role.DEPARTMENT_ADMIN)
    for _ in range(2):
        done = send(client, lambda _: secret, "switch-once-1", allowance="60", seen_allowance="0", day="2026-04-03")
        assert done.status_code == 303
    with database.snapshot() as session:
        assert session.get_one(Category, LINE).policy["allowance"] == 60
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "dials_changed")).one()
    assert entry.subject == f"category:{LINE}"
    assert entry.details == {"office": "ward", "changed": {"allowance": [0, 60]}, "compared_day": "2026-04-03"}


def test_what_somebody_else_set_meanwhile_is_not_overwritten(
    client: FlaskClient, database: Database, token: Callable[..., str]
) -> None:
    assert send(client, token, "meanwhile-1", allowance="60", seen_allowance="30").status_code == 409
    assert send(client, token, "meanwhile-2", allowance="241").status_code == 422
    assert send(client, token, "meanwhile-3", Role.FLOOR_LEAD, allowance="60").status_code == 403
    with database.snapshot() as session:
        assert session.get_one(Category, LINE).policy["allowance"] == 0
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "dials_changed")).all() == []


def test_a_line_without_a_day_says_so(client: FlaskClient, token: Callable[..., str]) -> None:
    found = client.get("/manage/dials?office=ward&line=ward-tax", headers={
        "Authorization": f"Bearer {token(Role.AUDITOR, office_id=None)}"})  # fmt: skip
    assert "この受付区分の記録は、まだありません" in found.get_data(as_text=True)


@pytest.mark.parametrize("query", ["line=x", "date=x", "office=nowhere"])
def test_what_is_not_there_is_not_found(client: FlaskClient, token: Callable[..., str], query: str) -> None:
    headers = {"Authorization": f"Bearer {token(Role.CITY_ADMIN, office_id=None)}"}
    assert client.get(f"/manage/dials?{query}", headers=headers).status_code == 404
