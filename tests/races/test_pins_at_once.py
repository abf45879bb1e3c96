"""Many PINs tried at one kiosk at once are many tries: five are looked at, then none."""

import threading
from datetime import UTC, datetime

from sqlalchemy import select

from app.db.session import Database
from app.domain.errors import TooMany
from app.domain.roles import Role
from app.models.people import AccessToken
from app.services import access, kiosk_staff

NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
AT_ONCE = 16


def machine(database: Database) -> int:
    with database.transaction() as session:
        access.issue_token(
            session, token="k" * 30, role=Role.KIOSK, municipality_id="aonami", office_id="ward", at=NOON
        )  # fmt: skip
        return session.scalars(select(AccessToken.id)).one()


def looked_at(database: Database, token_id: int, *, guarded: bool) -> int:
    """How many of the tries got as far as the PIN."""
    begin, counted, done = threading.Barrier(AT_ONCE), threading.Barrier(AT_ONCE), []

    def work() -> None:
        begin.wait()
        try:
            with database.transaction() as session:
                session.info["unguarded"] = not guarded
                kiosk_staff.begin(session, office_id="ward", token_id=token_id, at=NOON)
                if not guarded:  # all have counted the tries before one is written down: what the lock forbids
                    counted.wait(timeout=100)
            done.append(True)
        except TooMany:
            pass

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done)


def test_five_of_many_at_once(database: Database) -> None:
    assert looked_at(database, machine(database), guarded=True) == kiosk_staff.MOST_TRIES


def test_without_the_lock_more_get_through(fresh_postgres: str) -> None:
    """The worst order, made to happen: without the lock it stands open to every one of them."""
    database = Database(fresh_postgres)
    assert looked_at(database, machine(database), guarded=False) == AT_ONCE
    database.dispose()
