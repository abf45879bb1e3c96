"""Two leads who take the same alert at the same moment: one does, the other reads who. And its negative control."""

import threading
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from app.db.session import Database
from app.domain.alerts import Alert, Code, Severity
from app.domain.errors import Conflict
from app.models.ticket import Event
from app.services import seen

NOON = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
LEADS, TURNS = 6, 20


def _alert(turn: int) -> Alert:
    return Alert(code=Code.NOT_COME, severity=Severity.SOON, since=NOON, counter="ward-2", steps=(turn,))


def _race(database: Database, *, guarded: bool) -> int:
    """How many alerts were taken more than once, or refused by the log's own key."""
    together = threading.Barrier(LEADS)
    refused: list[int] = []

    def press(who: int) -> None:
        for turn in range(TURNS):
            together.wait()
            try:
                with database.transaction() as session:
                    session.info["unguarded"] = not guarded
                    at = NOON + timedelta(seconds=turn)
                    seen.mark(session, _alert(turn), office_id="ward", actor=f"staff:{who}", at=at)
            except Conflict:
                refused.append(turn)

    threads = [threading.Thread(target=press, args=(who,)) for who in range(LEADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.snapshot() as session:
        taken = session.scalar(select(func.count()).where(Event.action == seen.ACTION)) or 0
    return taken - TURNS + len(set(refused))


def test_one_lead_takes_an_alert(database: Database) -> None:
    assert _race(database, guarded=True) == 0


def test_without_the_office_s_lock_it_is_seen(fresh_postgres: str) -> None:
    database = Database(fresh_postgres)
    assert _race(database, guarded=False) > 0
    database.dispose()
