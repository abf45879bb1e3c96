"""P16: a name and a telephone nobody else has go through every door, and are found nowhere outside the sealed columns.

The database file with its log, what the program logs, what sockets tell, pages of error and figures for operators.
"""

import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import text

from app.db.sealed import Sealer
from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Category, Office
from app.services import board, booking_search, snapshots, staff_queue
from app.services.access import Principal
from app.services.booking_search import By, Look, Reason
from tests.abuse.conftest import Hall
from tests.services.booking_desk import SECRET

NOW = datetime(2026, 4, 8, 3, 0, tzinfo=UTC)
START = datetime(2026, 4, 8, 6, 0, tzinfo=UTC)
NAME, KANA, PHONE, EMAIL = "鰐淵 珊瑚", "ワニブチサンゴ", "060-7391-8264", "sango.wanibuchi@canary.example"
NOTES = "青い傘の人です"
CANARIES = ("鰐淵", "珊瑚", "7391-8264", "73918264", "sango.wanibuchi", "青い傘")


def spellings() -> list[bytes]:
    """Each canary as UTF-8, as JSON escapes and as UTF-16, as a file or log could hold it."""
    found = []
    for word in CANARIES:
        found += [word.encode(), word.encode("unicode_escape"), word.encode("utf-16-le")]
    return found


def hits(where: str, content: bytes) -> list[str]:
    return [f"{where}: {spelling!r}" for spelling in spellings() if spelling in content]


@pytest.fixture
def shared_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A file of its own: what is looked at is the file."""
    file = tmp_path / "canary.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def canary_hall(shared_url: str) -> Hall:
    return Hall(shared_url)


def test_a_persons_name_and_telephone_are_nowhere(
    canary_hall: Hall, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hall = canary_hall
    caplog.set_level(logging.DEBUG)
    said: dict[str, bytes] = {}
    with time_machine.travel(NOW, tick=False) as clock:
        public = hall.caller()
        hold = public.post("/offices/ward/holds", {"services": ["tennyu"], "start": START.isoformat()}).get_json()
        person = {"hold": hold["token"], "name": NAME, "phone": PHONE, "email": EMAIL, "notes": NOTES}
        for number, wrong in enumerate(
            ({"phone": PHONE + "99"}, {"email": EMAIL + "@"}, {"price": NAME}, {"hold": NAME})
        ):
            said[f"refusal {number}"] = public.post("/bookings", person | wrong).data
        answer = public.post("/bookings", person)
        assert answer.status_code == 201
        token = answer.get_json()["token"]
        said |= {"answer": answer.data, "look": public.get(f"/bookings/{token}").data}
        said["not found"] = public.client.get(f"/b/{NAME}").data
        said["page"] = public.client.get(f"/b/{token}", headers={"Accept-Language": "ja"}).data
        _search(hall, said)
        clock.move_to(START - timedelta(minutes=10))
        said["ticket"] = public.post(f"/bookings/{token}/check-in").data
        _screens(hall, said)
        said["metrics"] = public.client.get("/metrics").data
    said["log"] = caplog.text.encode()
    hall.database.dispose()
    found = [hit for where, content in said.items() if where != "page" for hit in hits(where, content)]
    for file in tmp_path.glob("canary.db*"):
        found += hits(file.name, file.read_bytes())
    assert found == []
    assert hits("page", said["page"]) == []
    _erased(hall.database.url)


def test_what_is_planted_is_found(canary_hall: Hall, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The negative control: the same search finds the name where somebody left it, in every place it looks at."""
    hall, said = canary_hall, dict[str, bytes]()
    caplog.set_level(logging.DEBUG)
    with time_machine.travel(NOW, tick=False):
        public = hall.caller()
        with hall.database.transaction() as session:
            line = session.get_one(Category, "ward-moving")
            line.name, line.short_name, line.public_name = {"ja": NAME}, {"ja": NAME}, None
            office = session.get_one(Office, "ward")
            office.settings = office.settings | {"left": PHONE}
        logging.getLogger("app").warning("could not reach %s", EMAIL)
        _screens(hall, said)
        said["page"] = public.client.get("/o/ward", headers={"Accept-Language": "ja"}).data
        said["json"] = public.get("/offices/ward").data
    said["log"] = caplog.text.encode()
    # The log of writes has not been folded into the file yet: both are looked at, together and each.
    files = {file.name: file.read_bytes() for file in tmp_path.glob("canary.db*")}
    assert hits("wal", files["canary.db-wal"]) != []
    hall.database.dispose()
    folded = (tmp_path / "canary.db").read_bytes()
    assert hits("file", folded) != []
    for word in (NAME, PHONE):
        assert any(spelling in folded for spelling in (word.encode(), word.encode("unicode_escape")))
    for where in ("socket board", "board", "page", "json", "log"):
        assert hits(where, said[where]) != [], where


def _search(hall: Hall, said: dict[str, bytes]) -> None:
    """The look-up itself leaves no trace of what was typed; its owner sees it in full, on purpose."""
    who = Principal(kind="staff", id=1, role=Role.FLOOR_LEAD, municipality_id="aonami", office_id="ward")
    look = Look(who=who, reason=Reason.CALLED_US, audit_key=b"k" * 32)
    sealer = Sealer(SECRET)
    with hall.database.transaction() as session:
        for by, typed in ((By.NAME, NAME), (By.PHONE, PHONE), (By.EMAIL, EMAIL), (By.NAME, KANA)):
            rows = booking_search.find(session, office_id="ward", by=by, typed=typed, look=look, sealer=sealer, at=NOW)
            assert len(rows) == (typed != KANA)
        seen = booking_search.reveal(session, rows[0].id if rows else 1, look=look, sealer=sealer, at=NOW)
        assert seen.name == NAME
    with hall.database.engine.connect() as connection:
        said["audit"] = str(connection.execute(text("SELECT * FROM audit_entry")).all()).encode()


def _screens(hall: Hall, said: dict[str, bytes]) -> None:
    """What boards, phones and staff are told over their sockets (displays/live.py sends these and nothing else)."""
    kept = snapshots.Snapshots(hall.database)
    for kind in ("board", "counters", "queue"):
        said[f"socket {kind}"] = kept.read(kind, "ward", at=START).body
    with hall.database.snapshot() as session:
        said["board"] = str(board.read(session, office_id="ward", at=START)).encode()
        said["staff"] = str(staff_queue.read(session, office_id="ward", at=START)).encode()


def _erased(url: str) -> None:
    """The negative control: the canaries are there, sealed, and open with the secret."""
    database = Database(url)
    with database.engine.connect() as connection:
        row = connection.execute(text("SELECT seed, sealed_name FROM booking")).one()
    assert Sealer(SECRET).open(row.sealed_name, f"booking.name:{row.seed}") == NAME
    database.dispose()
