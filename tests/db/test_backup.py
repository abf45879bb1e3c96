"""Backup and restore: the same rows on either kind of database, all or nothing, and not the same database after."""

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text

from app.db import backup, backup_file, restore, schema
from app.db.base import Base
from app.db.session import Database
from app.domain.errors import Conflict, InvalidInput, Unavailable
from app.models.people import Account, StaffSession
from app.models.place import Office
from app.models.scheduling import SchedulerLease
from app.models.ticket import Event, Ticket
from app.services import access, counters, proof, queue, tickets
from tests.conftest import copy_of

AT = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
WISH = tickets.Wish(services=["juminhyo"], channel="kiosk")
CHANGED = ("office", "staff_session", "pairing", "scheduler_lease", "number_line", "budget")


def quiet(_table: str, _rows: int) -> None:
    """Nobody watches."""


def take(database: Database, number: int, *, at: datetime = AT) -> Ticket:
    with database.transaction() as session:
        return tickets.issue(session, office_id="ward", wish=WISH, seed=f"s{number}", secret=b"x", actor="test", at=at)


@pytest.fixture
def busy(database: Database) -> Database:
    """A morning's work: numbers, a call, a clerk who is signed in."""
    for number in range(5):
        take(database, number)
    with database.transaction() as session:
        counters.open_counter(session, counter_id="ward-2", actor="test", at=AT, categories=["ward-certificates"])
        queue.call_next(session, counter_id="ward-2", actor="test", at=AT)
        clerk = Account(municipality_id="aonami", login="tanaka", name="田中 👩", role="clerk", password_hash="!",
                        created_at=AT)  # fmt: skip
        session.add(clerk)
        session.flush()
        access.start_session(session, clerk, token="t" * 20, at=AT)
    return database


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database of each kind without a table."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path}/empty.db")
        yield database
        database.dispose()
        return
    server = request.getfixturevalue("postgres_server")
    with copy_of(server, "template1") as url:
        database = Database(url)
        yield database
        database.dispose()


def rows(database: Database, *, without: tuple[str, ...] = CHANGED) -> dict[str, list[tuple[Any, ...]]]:
    with database.snapshot() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
            for table in Base.metadata.sorted_tables
            if table.name not in without
        }


def test_a_round_trip_to_either_kind(busy: Database, empty: Database, tmp_path: Path) -> None:
    file = tmp_path / "city.backup"
    written = backup.dump(busy, file, at=AT, mark="m", progress=quiet)
    assert file.stat().st_mode & 0o777 == 0o600
    read = restore.load(empty, file, at=LATER, leap=0, progress=quiet)
    assert written == read
    assert written.rows > 250
    assert rows(empty) == rows(busy)
    assert rows(empty, without=())["number_line"] == rows(busy, without=())["number_line"]
    with empty.snapshot() as session:
        assert list(proof.check(session, "ward").violations) == []
        assert schema.current(empty) == schema.newest()


def test_work_goes_on_in_what_was_restored(busy: Database, empty: Database, tmp_path: Path) -> None:
    """Ids go on after the last one, numbers beyond those that are on paper, and boards see another database."""
    backup.dump(busy, tmp_path / "b", at=AT, mark="m", progress=quiet)
    since = [take(busy, number).number for number in range(5, 8)]
    restore.load(empty, tmp_path / "b", at=LATER, leap=200, progress=quiet)
    with empty.snapshot() as session, busy.snapshot() as old:
        epochs = {row.id: row.epoch for row in session.scalars(select(Office))}
        before = {row.id: row.epoch for row in old.scalars(select(Office))}
        last = session.scalar(select(func.max(Ticket.id)))
        assert session.scalar(select(func.count()).select_from(StaffSession)) == 0
    assert all(epochs[office] > before[office] for office in before)
    fresh = take(empty, 8, at=LATER)
    assert fresh.id == (last or 0) + 1
    assert fresh.number not in since
    assert fresh.serial > 200
    with empty.transaction() as session:
        other = tickets.Wish(services=["tennyu"], channel="kiosk")
        first = tickets.issue(session, office_id="ward", wish=other, seed="o", secret=b"x", actor="t", at=LATER)
        assert first.serial > 200  # a line nobody had used when the backup was made


def test_a_backup_while_people_take_numbers(database: Database, tmp_path: Path) -> None:
    """One snapshot: as many events as the office's seq says, whatever is committed meanwhile."""
    stop, done = threading.Event(), list[int]()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            take(database, number)
            done.append(number)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while len(done) < 5:
            pass
        backup.dump(database, tmp_path / "live", at=AT, mark="m", progress=lambda *_: None)
        during = len(done)
    finally:
        stop.set()
        thread.join()
    found = Database(f"sqlite:///{tmp_path}/found.db")
    restore.load(found, tmp_path / "live", at=LATER, leap=0, progress=quiet)
    with found.snapshot() as session:
        seq = session.scalar(select(Office.seq).where(Office.id == "ward"))
        assert session.scalar(select(func.count()).select_from(Event).where(Event.office_id == "ward")) == seq
        given = session.scalar(select(func.count()).select_from(Ticket)) or 0
        assert 5 <= given <= during + 1
        assert list(proof.check(session, "ward").violations) == []
    found.dispose()


@pytest.fixture
def whole(busy: Database, tmp_path: Path) -> Path:
    backup.dump(busy, tmp_path / "whole", at=AT, mark="m", progress=quiet)
    return tmp_path / "whole"


def _lines(file: Path) -> list[bytes]:
    with gzip.open(file, "rb") as raw:
        return raw.readlines()


def _broken(file: Path, how: str) -> bytes:
    raw, lines = file.read_bytes(), _lines(file)
    row = next(number for number, line in enumerate(lines) if line.startswith(b"[") and b"A001" in line)
    return {
        "half of it": raw[: len(raw) // 2],
        "a byte less": raw[:-1],
        "a bit turned": raw[:5000] + bytes([raw[5000] ^ 4]) + raw[5001:],
        "a word changed": gzip.compress(
            b"".join([*lines[:row], lines[row].replace(b"A001", b"A002"), *lines[row + 1 :]])
        ),
        "a row less": gzip.compress(b"".join([*lines[:row], *lines[row + 1 :]])),
        "the end cut off": gzip.compress(b"".join(lines[:-1])),
        "another program's": gzip.compress(b'{"pg_dump": 1}\n'),
        "no gzip": b"SQLite format 3\x00" * 100,
        "nothing": b"",
        "an empty gzip": gzip.compress(b""),
    }[how]


@pytest.mark.parametrize(
    "how",
    ["half of it", "a byte less", "a bit turned", "a word changed", "a row less", "the end cut off",
     "another program's", "no gzip", "nothing", "an empty gzip"],
)  # fmt: skip
def test_a_broken_file_changes_nothing(busy: Database, whole: Path, how: str) -> None:
    before = rows(busy, without=())
    whole.write_bytes(_broken(whole, how))
    with pytest.raises(InvalidInput, match="backup_broken"):
        restore.load(busy, whole, at=LATER, leap=0, progress=quiet)
    assert rows(busy, without=()) == before


def test_a_restore_that_ends_half_way_changes_nothing(busy: Database, whole: Path) -> None:
    take(busy, 99)
    before = rows(busy, without=())

    def fall(table: str, _rows: int) -> None:
        if table == "ticket":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore.load(busy, whole, at=LATER, leap=0, progress=fall)
    assert rows(busy, without=()) == before
    restore.load(busy, whole, at=LATER, leap=0, progress=quiet)
    assert len(rows(busy)["ticket"]) == len(before["ticket"]) - 1


def test_a_backup_of_a_newer_release_is_refused(busy: Database, whole: Path) -> None:
    header = backup_file.verify(whole)
    with backup_file.writing(whole, backup_file.Header(schema="9999", made_at=AT, source="sqlite", mark="")):
        pass
    assert header.schema == schema.newest()
    with pytest.raises(Unavailable, match="schema_newer"):
        restore.load(busy, whole, at=LATER, leap=0, progress=quiet)


def test_a_backup_of_an_older_release_is_brought_up(empty: Database, tmp_path: Path) -> None:
    file = tmp_path / "old"
    header = backup_file.Header(schema="0001", made_at=AT, source="sqlite", mark="")
    with backup_file.writing(file, header) as out:
        out.table("municipality", [("id", "plain"), ("name", "json"), ("settings", "json")])
        out.row(["aonami", {"ja": "青波市"}, {}])
        columns = ("id", "municipality_id", "name", "position", "epoch", "seq", "changed_at", "settings")
        kinds = {"name": "json", "settings": "json", "changed_at": "instant"}
        out.table("office", [(name, kinds.get(name, "plain")) for name in columns])
        out.row(["ward", "aonami", {"ja": "区役所"}, 0, "1", 7, AT, {}])
    restore.load(empty, file, at=LATER, leap=200, progress=quiet)
    assert schema.current(empty) == schema.newest()
    with empty.snapshot() as session:
        office = session.get_one(Office, "ward")
        assert (office.seq, office.changed_at, office.name) == (7, AT, {"ja": "区役所"})


def test_an_older_database_is_migrated_before_it_is_backed_up(empty: Database, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="schema_older"):
        backup.dump(empty, tmp_path / "never", at=AT, mark="m", progress=quiet)
    assert list(tmp_path.glob("never*")) == []


def test_nothing_is_left_of_a_backup_that_failed(busy: Database, tmp_path: Path) -> None:
    def fall(table: str, _rows: int) -> None:
        if table == "step":
            raise OSError("no space left")

    (tmp_path / "kept").write_text("yesterday's")
    with pytest.raises(OSError, match="no space"):
        backup.dump(busy, tmp_path / "kept", at=AT, mark="m", progress=fall)
    assert (tmp_path / "kept").read_text() == "yesterday's"
    assert [file.name for file in tmp_path.glob("kept*")] == ["kept"]


def test_a_damaged_sqlite_file_is_not_backed_up_as_if_it_were_whole(sqlite_template: Path, tmp_path: Path) -> None:
    file = tmp_path / "damaged.db"
    file.write_bytes(sqlite_template.read_bytes())
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.execute(text("UPDATE hall SET office_id = 'gone' WHERE id = 'ward-citizen'"))
    engine.dispose()
    database = Database(f"sqlite:///{file}")
    with pytest.raises(Conflict, match="database_damaged"):
        backup.dump(database, tmp_path / "never", at=AT, mark="m", progress=quiet)
    database.dispose()


def test_a_running_service_is_not_restored_over(busy: Database) -> None:
    assert not restore.is_empty(busy)
    restore.refuse_running(busy, at=AT)
    with busy.transaction() as session:
        session.add(SchedulerLease(name="scheduler", holder="x", fence=1, expires_at=AT + timedelta(seconds=30)))
    with pytest.raises(Conflict, match="still_running"):
        restore.refuse_running(busy, at=AT)
    restore.refuse_running(busy, at=AT + timedelta(minutes=1))
