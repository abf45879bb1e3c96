"""What a migration makes of the rows of an older release: upgraded from just before it, on both databases."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.db import backup_file, restore, schema
from app.db.engines import sqlite_module
from app.db.session import Database
from app.domain.errors import Conflict

OFFICES = ("ward", "branch")
# login, name, office, active
ACCOUNTS = [
    ("known", "鈴木 一郎", "ward", True),
    ("twice-1", "佐藤 花子", "ward", True),
    ("twice-2", "佐藤 花子", "ward", True),
    ("left", "田中 実", "ward", False),
    ("shared", "高橋 誠", "ward", True),
    ("away", "伊藤 直子", "branch", True),
    ("back", "渡辺 聡", "ward", True),
    ("before", "渡辺 聡", "ward", False),
    ("every-office", "山本 健", None, True),
    ("again", "中村 愛", "ward", True),
]
# name, office, active, the login that is this person; None where no name or more than one name tells
ROSTER = [
    ("鈴木 一郎", "ward", True, "known"),
    ("鈴木 一郎", "branch", True, None),
    ("小林 進", "ward", True, None),
    ("佐藤 花子", "ward", True, None),
    ("田中 実", "ward", True, None),
    ("高橋 誠", "ward", True, None),
    ("高橋 誠", "ward", True, None),
    ("伊藤 直子", "ward", True, None),
    ("渡辺 聡", "ward", True, "back"),
    ("山本 健", "ward", True, None),
    ("中村 愛", "ward", True, "again"),
    ("中村 愛", "ward", False, None),
]


@pytest.fixture(params=["sqlite", "postgres"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database on each kind."""
    sqlite = request.param == "sqlite"
    opened = Database(f"sqlite:///{tmp_path}/old.db" if sqlite else request.getfixturevalue("fresh_empty_postgres"))
    yield opened
    opened.dispose()


def put(database: Database, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
    with database.engine.begin() as connection:
        connection.execute(text(statement), rows)


def with_a_roster(database: Database) -> None:
    """A roster of before 0014, with a leave of everybody on it."""
    put(database, "municipality", [{"id": "city", "name": "{}", "settings": "{}"}])
    put(database, "office", [
        {"id": name, "municipality_id": "city", "name": "{}", "position": 0, "epoch": "e", "seq": 0, "settings": "{}"}
        for name in OFFICES
    ])  # fmt: skip
    put(database, "account", [
        {"id": number, "municipality_id": "city", "office_id": office, "login": login, "name": name, "section": "",
         "role": "clerk", "password_hash": "", "active": active, "must_change": False,
         "created_at": "2026-04-01 00:00:00+00:00"}
        for number, (login, name, office, active) in enumerate(ACCOUNTS, 1)
    ])  # fmt: skip
    put(database, "staff_member", [
        {"id": number, "office_id": office, "name": name, "section": "", "lines": "[]", "hours": "{}", "lunch_min": 60,
         "rest_min": 15, "position": number, "active": active}
        for number, (name, office, active, _) in enumerate(ROSTER, 1)
    ])  # fmt: skip
    put(database, "staff_leave", [
        {"member_id": number, "day": "2026-04-02", "from_min": 0, "until_min": 1440}
        for number in range(1, len(ROSTER) + 1)
    ])  # fmt: skip


def test_a_person_of_the_roster_gets_the_account_of_a_name_that_is_one_account_s_alone(older: Database) -> None:
    schema.migrate(older, "0013")
    with_a_roster(older)
    schema.migrate(older, "0014")
    with older.engine.begin() as connection:
        joined = "SELECT staff_member.id, login FROM staff_member LEFT JOIN account ON account.id = account_id"
        found = dict(connection.execute(text(joined)).all())
        leaves = connection.execute(text("SELECT count(*) FROM staff_leave")).scalar_one()
    assert found == {number: login for number, (_, _, _, login) in enumerate(ROSTER, 1)}
    assert leaves == len(ROSTER)
    schema.migrate(older)
    assert schema.current(older) == schema.newest()


def test_references_are_kept_again_after_an_upgrade_and_an_orphan_takes_it_back(older: Database) -> None:
    schema.migrate(older, "0013")
    with_a_roster(older)
    gone = {"member_id": 9999, "day": "2026-04-02", "from_min": 0, "until_min": 1440}
    if older.is_sqlite:
        plain = sqlite_module().connect(older.url.removeprefix("sqlite:///"))
        with plain:
            names, places = ", ".join(gone), ", ".join(f":{name}" for name in gone)
            plain.execute(f"INSERT INTO staff_leave ({names}) VALUES ({places})", gone)
        with pytest.raises(Conflict, match="database_damaged"):
            schema.migrate(older)
        assert schema.current(older) == "0013"
        with plain:
            plain.execute("DELETE FROM staff_leave WHERE member_id = 9999")
        plain.close()
    schema.migrate(older)
    with pytest.raises(IntegrityError):
        put(older, "staff_leave", [gone])


def test_a_backup_of_a_roster_with_leaves_is_brought_up(older: Database, tmp_path: Path) -> None:
    file, at = tmp_path / "old", datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
    with backup_file.writing(file, backup_file.Header(schema="0013", made_at=at, source="sqlite", mark="")) as out:
        for name, row in {
            "municipality": {"id": "city", "name": {}, "settings": {}},
            "office": {"id": "ward", "municipality_id": "city", "name": {}, "position": 0, "epoch": "1", "seq": 0,
                       "settings": {}},
            "staff_member": {"id": 1, "office_id": "ward", "name": "鈴木", "section": "", "lines": [], "hours": {},
                             "lunch_min": 60, "rest_min": 0, "position": 0, "active": True},
            "staff_leave": {"id": 1, "member_id": 1, "day": at.date(), "from_min": 0, "until_min": 1440},
        }.items():  # fmt: skip
            kinds = {dict: "json", list: "json", date: "date"}
            out.table(name, [(key, kinds.get(type(value), "plain")) for key, value in row.items()])
            out.row(list(row.values()))
    restore.load(older, file, at=at, leap=0, progress=lambda _table, _rows: None)
    with older.engine.begin() as connection:
        assert connection.execute(text("SELECT member_id FROM staff_leave")).scalars().all() == [1]
