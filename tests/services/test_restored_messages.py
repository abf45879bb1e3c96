"""A restored copy sends nothing until somebody says so, and never what may have been sent since the backup."""

from datetime import timedelta
from pathlib import Path

from app.db import backup, restore
from app.db.session import Database
from app.domain.delivery import Occasion, State
from app.services import holding, sending
from tests.conftest import NOON
from tests.services.messages import Clock, put, row, sender, sms_of, work
from tests.standins import twilio


def quiet(_table: str, _rows: int) -> None:
    """Nobody watches."""


def test_a_restored_copy_waits_and_repeats_nothing(database: Database, tmp_path: Path) -> None:
    late = NOON + timedelta(hours=1)
    old, coming = put(database, "1", at=NOON), put(database, "2", at=NOON, due_at=late + timedelta(hours=1),
                                                   occasion=Occasion.REMINDER_HOURS, target="booking:1")  # fmt: skip
    doubtful = put(database, "3", at=NOON)
    with twilio.running() as provider:
        me = sender(database, sms_of(provider), clock=Clock(NOON))
        with database.transaction() as session:
            for _ in range(2):
                claimed = sending.claim(session, me.outfit, at=NOON)
                assert claimed is not None
                if claimed.id != doubtful:
                    assert sending.mark(session, claimed, sending.NotSent(reason="x"), at=NOON)
        backup.dump(database, tmp_path / "b.gz", at=NOON, mark="m", progress=quiet)
        restore.load(database, tmp_path / "b.gz", at=late, leap=0, progress=quiet)
        assert (row(database, old).state, row(database, old).reason) == (State.FAILED, "restored")
        assert (row(database, doubtful).state, row(database, doubtful).reason) == (State.UNKNOWN, "restored")
        later = sender(database, sms_of(provider), clock=Clock(late + timedelta(hours=1)))
        assert work(later) == 0
        assert provider.ledger.messages == []
        with database.transaction() as session:
            assert holding.release(session, holding.MESSAGES)
            assert not holding.release(session, holding.MESSAGES)
        work(later)
        assert len(provider.ledger.messages) == 1
        assert row(database, coming).state == State.SENT
