"""The campaign in small, on both databases, and its controls: what they take out must be missed."""

from pathlib import Path

from app.db.session import Database
from tests.faults.payments import campaign


def test_a_faulty_provider_charges_nobody_twice_or_for_nothing(database: Database) -> None:
    figures, found = campaign(database.url, count=16, seed=3)
    assert found.clean, figures
    assert figures["faults"]
    assert figures["webhooks"]["duplicated"]
    assert figures["webhooks"]["lost"]
    assert figures["settlement"]["balances"]


def test_without_a_stored_key_two_tabs_pay_twice(sqlite_template: Path, tmp_path: Path) -> None:
    file = tmp_path / "hall.db"
    file.write_bytes(sqlite_template.read_bytes())
    _, found = campaign(f"sqlite:///{file}", count=12, seed=3, control="no-key")
    assert found.charged_for_nothing
    assert found.double


def test_without_the_sweeps_lost_webhooks_are_missed(sqlite_template: Path, tmp_path: Path) -> None:
    file = tmp_path / "hall.db"
    file.write_bytes(sqlite_template.read_bytes())
    _, found = campaign(f"sqlite:///{file}", count=24, seed=3, control="no-sweep")
    assert found.unequal
