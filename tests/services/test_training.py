"""Training mode: numbers at every hour, one event for each change, and the hours again afterwards."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.errors import Closed, NotFound
from app.models.place import Office
from app.models.ticket import Event
from app.services import tickets, training
from tests.conftest import NOON
from tests.services.messages import SECRET

NIGHT = NOON + timedelta(hours=11)


def take(database: Database, seed: str) -> str:
    with database.transaction() as session:
        wish = tickets.Wish(services=["juminhyo"], channel="web")
        return tickets.issue(session, office_id="ward", wish=wish, seed=seed, secret=SECRET, actor="test",
                             at=NIGHT).number  # fmt: skip


def switch(database: Database, *, on: bool, office: str = "ward") -> bool:
    with database.transaction() as session:
        return training.switch(session, office, on=on, actor="okada", at=NIGHT)


def test_the_hours_hold_only_outside_training(database: Database) -> None:
    before = take(database, "in training")
    assert switch(database, on=False)
    assert not switch(database, on=False)
    with pytest.raises(Closed, match="office_closed"):
        take(database, "after hours")
    assert switch(database, on=True)
    assert take(database, "in training again") > before
    with database.snapshot() as session:
        told = select(Event.seq, Event.details).where(Event.office_id == "ward", Event.action == "training")
        rows = [(seq, details["on"]) for seq, details in session.execute(told.order_by(Event.seq))]
        assert [on for _, on in rows] == [False, True]
        seqs = session.scalar(select(func.count()).select_from(Event).where(Event.office_id == "ward"))
        assert seqs == session.get_one(Office, "ward").seq


def test_an_office_that_is_not_there(database: Database) -> None:
    with pytest.raises(NotFound):
        switch(database, on=True, office="nowhere")
