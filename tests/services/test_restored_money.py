"""A restored copy charges nobody and gives nothing back until it is released, and never gives back twice after it."""

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.db import backup, restore
from app.db.session import Database
from app.domain import errors
from app.domain.payment import Line, RefundState
from app.models.payment import Refund
from app.services import holding, refunds
from tests.services.test_money import SECRET, Till, standin, till
from tests.standins.stripe import KEY

__all__ = ["standin", "till"]


def quiet(_table: str, _rows: int) -> None:
    """Nobody watches."""


def restored(till: Till, path: Path) -> None:
    restore.load(till.database, path, at=till.now(), leap=0, progress=quiet)


def kept(till: Till, path: Path) -> Path:
    backup.dump(till.database, path, at=till.now(), mark="m", progress=quiet)
    return path


def released(till: Till) -> None:
    with till.database.transaction() as session:
        assert holding.release(session, holding.MONEY)
        assert not holding.release(session, holding.MONEY)


def paid(till: Till) -> int:
    ticket = till.ticket("juminhyo", "koseki_cert")
    till.start(ticket)
    till.standin.ledger.pay(till.session_of(ticket))
    till.sweep(minutes=10)
    return ticket


def asked_back(till: Till, ticket: int) -> int:
    attempt = till.bill(ticket).paid[0]
    wish = refunds.Wish(lines=[Line(service="juminhyo", unit=300, copies=1)], reason="not_issued", note="", actor="a")
    with till.database.transaction() as session:
        return refunds.request(session, attempt.id, wish, at=till.now()).id


def approved(till: Till, refund: int) -> None:
    with till.database.transaction() as session:
        refunds.decide(session, refund, approve=True, actor="b", at=till.now())


def state(database: Database, refund: int) -> str:
    with database.snapshot() as session:
        return session.get_one(Refund, refund).state


def test_no_call_leaves_a_restored_copy_until_it_is_released(till: Till, tmp_path: Path) -> None:
    ticket, back = paid(till), paid(till)
    opened = till.ticket("juminhyo")
    till.start(opened)
    refund = asked_back(till, back)
    approved(till, refund)
    till.standin.webhooks.kept.clear()
    till.standin.ledger.pay(till.session_of(opened))
    told = till.events(opened)
    path = kept(till, tmp_path / "b.gz")
    till.cancel(ticket)
    restored(till, path)
    till.cancel(ticket)
    before = len(till.standin.ledger.sessions)
    with pytest.raises(errors.Conflict, match="payment_off"):
        till.start(till.ticket("juminhyo"))
    assert till.hear(told[0]) == "heard"
    till.sweep(minutes=30)
    assert (till.calls.look(), till.calls.look_over(), till.calls.reconcile(hours=2.0)) == (False, 0, 0)
    assert (till.bill(opened).state, state(till.database, refund)) == ("owed", RefundState.SENDING)
    assert not till.bill(ticket).refunds
    assert (len(till.standin.ledger.sessions), till.standin.ledger.refunds) == (before, {})
    released(till)
    till.sweep(minutes=1)
    till.calls.look_over()
    till.sweep(minutes=1)
    assert till.bill(opened).state == "paid"
    assert state(till.database, refund) == RefundState.DONE
    assert len(till.standin.ledger.refunds) == 2


@pytest.mark.parametrize("hours", [1, 72])
def test_a_refund_sent_after_the_backup_is_not_sent_again(till: Till, tmp_path: Path, hours: int) -> None:
    ticket = paid(till)
    refund = asked_back(till, ticket)
    path = kept(till, tmp_path / "b.gz")
    approved(till, refund)
    till.sweep(minutes=1)
    assert state(till.database, refund) == RefundState.DONE
    till.late += timedelta(hours=hours)
    if hours > 24:
        # The provider forgets its keys after a day.
        till.standin.ledger.replies.clear()
    restored(till, path)
    approved(till, refund)
    released(till)
    till.sweep(minutes=1)
    assert state(till.database, refund) == RefundState.DONE
    assert len(till.standin.ledger.refunds) == 1


def test_a_part_given_back_after_the_backup_is_found_in_the_ledger(till: Till, tmp_path: Path) -> None:
    ticket = paid(till)
    path = kept(till, tmp_path / "b.gz")
    approved(till, asked_back(till, ticket))
    till.sweep(minutes=1)
    restored(till, path)
    till.calls.go_through(hours=2.0)
    assert till.bill(ticket).paid[0].alarm == "refunded_elsewhere"


def test_the_command_reads_the_ledger_before_it_releases(
    till: Till, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", till.database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", SECRET.decode())
    path = kept(till, tmp_path / "b.gz")
    ticket = paid(till)
    key = till.bill(ticket).paid[0].key
    restored(till, path)
    assert "no keys" in run("resume").stderr
    monkeypatch.setenv("MADOGUCHI_STRIPE_API_KEY", KEY)
    monkeypatch.setenv("MADOGUCHI_STRIPE_WEBHOOK_SECRET", "whsec_x")
    monkeypatch.setenv("MADOGUCHI_STRIPE_API_BASE", till.standin.url)
    till.standin.down = True
    assert "no answer from stripe" in run("resume").stderr
    till.standin.down = False
    assert key in run("resume").stderr
    assert '"held": true' in run("status", "--json").stdout
    assert run("resume", "--accept").exit_code == 0
    assert "not held back" in run("resume").stdout


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["payments", *arguments])
