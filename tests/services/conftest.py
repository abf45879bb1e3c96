"""Callers of the services, as the web or the command line makes them."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.roles import Role
from app.models.people import Account, StaffSession
from app.services import audit
from app.services.access import Principal, start_session

AT = datetime(2026, 4, 1, 3, 0, tzinfo=UTC)
KEY = audit.chain_key("kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac")
Member = Callable[..., Principal]


def principal_of(account: Account) -> Principal:
    return Principal(
        kind="staff", id=account.id, role=Role(account.role), municipality_id=account.municipality_id,
        office_id=account.office_id, name=account.name,
    )  # fmt: skip


@pytest.fixture
def member() -> Member:
    """An account without a password: member(session, Role.CITY_ADMIN, login="aoki", office_id=None)."""

    def make(
        session: Session, role: Role, *, login: str, office_id: str | None = None, city: str = "aonami"
    ) -> Principal:
        account = Account(
            municipality_id=city, office_id=office_id, login=login, name=login, role=role, password_hash="!",
            created_at=AT,
        )  # fmt: skip
        session.add(account)
        session.flush()
        start_session(session, account, token=f"session of {login}", at=AT)
        session.flush()
        return principal_of(account)

    return make


def signed_in(session: Session, account_id: int) -> bool:
    """Whether the account has a session left."""
    return bool(session.scalars(select(StaffSession).where(StaffSession.account_id == account_id)).all())
