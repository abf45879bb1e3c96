"""Signing in and changing the password while the account changes under one's hands."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.errors import TooMany, Unauthenticated
from app.domain.roles import Role
from app.models.people import Account, SignInAttempt, StaffSession
from app.services import access, accounts
from tests.services.conftest import Member

AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)


@pytest.fixture
def tanaka(database: Database, member: Member) -> int:
    with database.transaction() as session:
        return member(session, Role.CLERK, login="tanaka").id


def begin(database: Database, login: str = "tanaka", address: str = "192.0.2.1", at: datetime = AT) -> accounts.Try:
    with database.transaction() as session:
        return accounts.begin(session, login=login, address=address, at=at)


def test_tries_count_before_they_are_verified(database: Database, tanaka: int) -> None:
    """Twenty at once are twenty tries: the sixth is refused although none has been answered."""
    for _ in range(5):
        begin(database)
    with pytest.raises(TooMany):
        begin(database)
    assert begin(database, address="192.0.2.2").account_id == tanaka
    assert begin(database, at=AT + timedelta(minutes=6)).account_id == tanaka


def test_a_flood_from_everywhere_is_slowed(database: Database) -> None:
    with database.transaction() as session:
        session.add_all(SignInAttempt(subject=f"10.0.{n // 250}.{n % 250}|x", at=AT) for n in range(200))
    with pytest.raises(TooMany):
        begin(database, login="somebody", address="203.0.113.1")


@pytest.mark.parametrize("change", [{"active": False}, {"password_hash": "another"}])
def test_what_changed_while_the_hash_was_made_is_noticed(
    database: Database, tanaka: int, change: dict[str, object]
) -> None:
    tried = begin(database)
    with database.transaction() as session:
        for name, value in change.items():
            setattr(session.get_one(Account, tanaka), name, value)
    with database.transaction() as session, pytest.raises(Unauthenticated):
        accounts.complete(session, tried, verified=True, token="fresh", at=AT, address="192.0.2.1")
    with database.transaction() as session, pytest.raises(Unauthenticated):
        accounts.change_password(
            session, tanaka, stored="!", fresh="new", token="t", current_token="session of tanaka", at=AT
        )


def test_a_success_forgets_the_tries_of_that_place_alone(database: Database, tanaka: int) -> None:
    begin(database, address="198.51.100.1")
    tried = begin(database)
    with database.transaction() as session:
        who, last = accounts.complete(session, tried, verified=True, token="fresh", at=AT, address="192.0.2.1")
        assert (who.id, last) == (tanaka, AT)
        assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 1


def test_the_seat_is_kept_through_a_change_of_password(database: Database, tanaka: int) -> None:
    with database.transaction() as session:
        account = session.get_one(Account, tanaka)
        access.start_session(session, account, token="at the counter", at=AT, counter_id="ward-5")
    with database.transaction() as session:
        accounts.change_password(
            session, tanaka, stored="!", fresh="new", token="after", current_token="at the counter", at=AT
        )
    with database.snapshot() as session:
        left = session.scalars(select(StaffSession).where(StaffSession.account_id == tanaka)).all()
        who = access.by_session(session, "after", at=AT)
    assert len(left) == 1
    assert who is not None
    assert who.counter_id == "ward-5"


@pytest.mark.parametrize("typed", ["a\x00b", "a\nb", "x" * 101, "\u202ea"])
def test_what_cannot_be_a_staff_number(typed: str) -> None:
    assert accounts.normal_login(typed) == ""
