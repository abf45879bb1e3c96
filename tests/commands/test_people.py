"""``madoguchi user``: the machine's own way to people, in the audit log like every other."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.cli import main
from app.db.session import Database
from app.models.people import Account, AuditEntry, SecondFactor
from app.services import access

PASSWORD = "a good long password"


@pytest.fixture
def ready(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("MADOGUCHI_DATABASE_URL", database.url)
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
    return database


def user(*arguments: str, password: str = PASSWORD) -> Result:
    return CliRunner().invoke(main, ["user", *arguments, "--password", password])


def account(database: Database, login: str) -> Account:
    with database.snapshot() as session:
        return session.scalars(select(Account).where(Account.login == login)).one()


def test_an_account_is_added_and_written_down(ready: Database) -> None:
    told = user("add", "--login", "aoki", "--name", "青木 航", "--role", "city-admin")
    assert (told.exit_code, told.stdout) == (0, "added aoki\n")
    made = account(ready, "aoki")
    assert (made.role, made.active, made.must_change, made.office_id) == ("city-admin", True, True, None)
    assert access.verify_password(made.password_hash, PASSWORD)
    with ready.snapshot() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.actor, entry.action, entry.subject) == ("command:0", "account_added", f"account:{made.id}")


def test_a_new_password_opens_the_door_again(ready: Database) -> None:
    assert user("add", "--login", "sato", "--name", "佐藤", "--role", "clerk", "--office", "ward").exit_code == 0
    told = user("password", "sato", password="another long password")
    assert told.exit_code == 0, told.output
    assert access.verify_password(account(ready, "sato").password_hash, "another long password")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "--login", "sato", "--name", "佐藤", "--role", "clerk"), "office_required"),
        (("add", "--login", "sato", "--name", "佐藤", "--role", "clerk", "--office", "nowhere"), "not_found"),
        (("add", "--login", "s", "--name", "佐藤", "--role", "clerk", "--office", "ward"), "bad_login"),
        (("password", "nobody"), "not_found"),
    ],
)
def test_bad_input_ends_with_one_sentence(ready: Database, arguments: tuple[str, ...], said: str) -> None:
    told = user(*arguments)
    assert told.exit_code == 1
    assert said in told.stderr
    assert "Traceback" not in told.output


def test_a_short_password_is_refused(ready: Database) -> None:
    told = user("add", "--login", "sato", "--name", "佐藤", "--role", "auditor", password="short")
    assert (told.exit_code, "password_too_short" in told.stderr) == (1, True)


def test_a_login_cannot_be_added_twice(ready: Database) -> None:
    given = ("add", "--login", "kubo", "--name", "久保", "--role", "auditor")
    assert user(*given).exit_code == 0
    assert "login_taken" in user(*given).stderr


def test_a_lost_second_factor_is_taken_away(ready: Database) -> None:
    user("add", "--login", "aoki", "--name", "青木 航", "--role", "city-admin")
    at = datetime.now(UTC)
    with ready.transaction() as session:
        factor = SecondFactor(account_id=account(ready, "aoki").id, sealed="x", begun_at=at, confirmed_at=at)
        session.add(factor)
    told = CliRunner().invoke(main, ["user", "second-factor-off", "AOKI"])
    assert told.exit_code == 0, told.output
    with ready.snapshot() as session:
        assert session.scalars(select(SecondFactor)).all() == []
        assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()[-1] == "second_factor_reset"
