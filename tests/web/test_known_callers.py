"""Who is remembered, for how long, and that a right which ends here ends at once."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import AccessToken
from app.services.access import Principal
from app.web.known_callers import BLOCKED, LASTS, KnownCallers
from tests.web.conftest import Caller


def somebody(number: int) -> Principal:
    return Principal(kind="token", id=number, role=Role.CLERK, municipality_id="aonami", office_id="ward")


def test_the_database_is_asked_once_in_two_seconds(database: Database) -> None:
    now = [1_000.0]
    known, asked = KnownCallers(database, clock=lambda: now[0]), []

    def ask() -> Principal:
        asked.append(now[0])
        return somebody(len(asked))

    assert [known.find("s", ask) for _ in range(3)] == [somebody(1)] * 3
    now[0] += LASTS
    assert known.find("s", ask) == somebody(2)
    assert known.find("nobody", lambda: None) is None


def test_what_is_written_to_rights_is_forgotten_and_not_learned_again_too_soon(database: Database) -> None:
    now = [1_000.0]
    known = KnownCallers(database, clock=lambda: now[0])
    known.find("s", lambda: somebody(1))
    with database.transaction() as session:
        session.execute(update(AccessToken).where(AccessToken.id == -1).values(label="x"))
    assert known.find("s", lambda: somebody(2)) == somebody(2)
    # Not remembered while a transaction may still be taking the right away.
    assert known.find("s", lambda: somebody(3)) == somebody(3)
    now[0] += BLOCKED
    known.find("s", lambda: somebody(4))
    assert known.find("s", lambda: somebody(5)) == somebody(4)


def test_a_clicking_counter_asks_who_it_is_once(
    client: FlaskClient, database: Database, token: Callable[..., str]
) -> None:
    caller, looked = Caller(client, token(Role.CLERK)), []
    client.application.extensions["known_callers"]._blocked_until = 0.0

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        looked.append("FROM access_token" in statement)

    event.listen(database.read_engine, "before_cursor_execute", note)
    for _ in range(4):
        assert caller.get("/offices/ward/queue").status_code == 200
    assert sum(looked) == 1


def test_a_revoked_token_is_refused_at_once(client: FlaskClient, database: Database, token: Callable[..., str]) -> None:
    caller = Caller(client, token(Role.CLERK))
    client.application.extensions["known_callers"]._blocked_until = 0.0
    assert caller.get("/offices/ward/queue").status_code == 200
    with database.transaction() as session:
        for row in session.scalars(select(AccessToken)):
            row.revoked_at = datetime.now(UTC)
    assert caller.get("/offices/ward/queue").status_code == 401
