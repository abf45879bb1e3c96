"""A right ends at once: token taken away, account closed, session over, role changed; every role, both kinds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import AccessToken, Account, StaffSession
from app.services import access
from tests.policy import city
from tests.policy.callers import STAFF, Doors, Kind, everyone

# One door a role may use, by program and by browser.
ASKS = {
    Role.CLERK: "/api/v1/offices/ward/queue",
    Role.FLOOR_LEAD: "/api/v1/offices/ward/queue",
    Role.DEPARTMENT_ADMIN: "/api/v1/offices/ward/queue",
    Role.CITY_ADMIN: "/admin/log",
    Role.AUDITOR: "/admin/log",
    Role.KIOSK: "/kiosk/ward/staff/menu",
    Role.DISPLAY: "/api/v1/offices",
}


@pytest.fixture
def web(database: Database) -> Flask:
    return city.application(database)


@pytest.fixture
def callers(web: Flask, database: Database) -> Doors:
    return Doors(web, database)


def _ask(callers: Doors, kind: Kind) -> tuple[int, str]:
    assert kind.role is not None
    answer = callers.call(kind, "GET", ASKS[kind.role])
    return answer.status_code, answer.location or ""


def _turned_away(seen: tuple[int, str]) -> bool:
    return seen[0] == 401 or (seen[0] == 302 and seen[1].startswith("/sign-in?next="))


@pytest.mark.parametrize("role", list(Role))
def test_a_token_that_was_taken_away(callers: Doors, database: Database, role: Role) -> None:
    kinds = [kind for kind in everyone() if kind.role is role and kind.how == "bearer"]
    before = [_ask(callers, kind)[0] for kind in kinds]
    assert 401 not in before
    with database.transaction() as session:
        session.execute(update(AccessToken).values(revoked_at=datetime.now(UTC)))
    # A token that does not stand is refused everywhere, public doors too: its holder must learn of it.
    assert all(_turned_away(_ask(callers, kind)) for kind in kinds)


def test_a_device_that_was_taken_away(callers: Doors, database: Database) -> None:
    kiosk = Kind("device", Role.KIOSK)
    assert _ask(callers, kiosk)[0] == 403  # staff mode asks for its PIN
    with database.transaction() as session:
        session.execute(update(AccessToken).values(revoked_at=datetime.now(UTC)))
    assert _turned_away(_ask(callers, kiosk))


def _closed(session: Session, account: Account) -> None:
    access.end_account(session, account)


def _closed_by_hand(session: Session, account: Account) -> None:
    account.active = False


def _too_long_ago(session: Session, account: Account) -> None:
    over = datetime.now(UTC) - timedelta(seconds=1)
    session.execute(update(StaffSession).where(StaffSession.account_id == account.id).values(expires_at=over))


@pytest.mark.parametrize("ending", [_closed, _closed_by_hand, _too_long_ago])
@pytest.mark.parametrize("role", STAFF)
def test_a_session_whose_reason_is_gone(
    callers: Doors, database: Database, role: Role, ending: Callable[[Session, Account], None]
) -> None:
    kind = next(kind for kind in everyone() if kind.role is role and kind.how == "session")
    assert _ask(callers, kind)[0] == 200
    with database.transaction() as session:
        ending(session, session.get_one(Account, callers.account_of(kind)))
    assert _turned_away(_ask(callers, kind))


@pytest.mark.parametrize("role", [role for role in STAFF if role is not Role.AUDITOR])
def test_a_role_that_was_changed(callers: Doors, database: Database, role: Role) -> None:
    """The session's next request has the rights of the new role, not of the one it began with."""
    kind = next(kind for kind in everyone() if kind.role is role and kind.how == "session")
    assert _ask(callers, kind)[0] == 200
    lesser = Role.AUDITOR if ASKS[role].startswith("/api") else Role.CLERK
    with database.transaction() as session:
        session.get_one(Account, callers.account_of(kind)).role = lesser
    assert _ask(callers, kind)[0] == 403


def test_a_password_somebody_else_knows_opens_nothing(callers: Doors, database: Database) -> None:
    kind = Kind("session", Role.CLERK)
    callers.session(kind)
    with database.transaction() as session:
        session.get_one(Account, callers.account_of(kind)).must_change = True
    answer = callers.call(kind, "GET", "/api/v1/offices/ward/queue")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "password_must_change")
    assert callers.call(kind, "GET", "/desk").location == "/password"


def test_staff_of_another_office_after_the_move(callers: Doors, database: Database) -> None:
    kind = Kind("session", Role.FLOOR_LEAD)
    assert _ask(callers, kind)[0] == 200
    with database.transaction() as session:
        session.get_one(Account, callers.account_of(kind)).office_id = "branch"
    assert _ask(callers, kind)[0] == 404
