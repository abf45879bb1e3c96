"""Every socket event × every role, generated from the events' own declarations in displays/live.py."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask_socketio import SocketIOTestClient

from app.db.session import Database
from app.domain.roles import Function, Role, may
from app.services import access
from displays import live
from tests.policy import city
from tests.policy.callers import Doors, Kind

PLACES = {"here": city.HERE, "another office": city.BRANCH, "another city": city.ELSEWHERE}
city.application(Database("sqlite://"))  # the events declare themselves when an application is made
EVENTS = sorted(key for key in live.POLICIES if key[1] not in ("connect", "disconnect", "*"))


@pytest.fixture(scope="module")
def callers(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    file = tmp_path_factory.mktemp("sockets") / "hall.db"
    shutil.copyfile(sqlite_template, file)
    database = Database(f"sqlite:///{file}")
    web = city.application(database)
    city.furnish(database)
    yield Doors(web, database)
    database.dispose()


def _connected(callers: Doors, namespace: str, token: str | None) -> SocketIOTestClient:
    sockets = callers.web.extensions["live"].sockets
    return sockets.test_client(callers.web, namespace=namespace, auth={"token": token} if token else None)


def _joined(client: SocketIOTestClient, namespace: str, event: str, **wish: Any) -> str:
    """``in`` or the code of the refusal."""
    answer = client.emit(event, wish, namespace=namespace, callback=True)
    body = answer[0] if isinstance(answer, list) else answer
    return str(body["error"]["code"]) if "error" in body else "in"


def test_events_are_known() -> None:
    assert {namespace for namespace, _ in EVENTS} == set(live.VIEWS)


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("role", [None, *Role], ids=str)
@pytest.mark.parametrize(("namespace", "event"), EVENTS, ids=str)
def test_each_role_joins_exactly_its_rooms(
    callers: Doors, namespace: str, event: str, role: Role | None, place: str
) -> None:
    function = live.POLICIES[namespace, event]
    open_to_all = function is Function.PUBLIC
    allowed = open_to_all or (role is not None and may(role, function))
    token = callers.bearer(Kind("bearer", role, PLACES[place])) if role else None
    client = _connected(callers, namespace, token)
    assert client.is_connected(namespace) == allowed
    if not allowed:
        return
    at_home = place == "here" or role is None
    assert _joined(client, namespace, event, office="ward") == ("in" if at_home else "forbidden")
    client.disconnect(namespace)


@pytest.mark.parametrize("namespace", list(live.VIEWS))
def test_a_token_of_nobody_opens_no_socket(callers: Doors, namespace: str) -> None:
    assert not _connected(callers, namespace, "a token that nobody has given").is_connected(namespace)


def test_a_device_joins_its_own_hall_only(callers: Doors) -> None:
    with callers.database.transaction() as session:
        access.issue_token(
            session, token="the board of one hall", role=Role.DISPLAY, municipality_id=city.OWN, office_id="ward",
            hall_id="ward-citizen", at=datetime.now(UTC),
        )  # fmt: skip
    client = _connected(callers, live.LIVE, "the board of one hall")
    assert _joined(client, live.LIVE, "join", office="ward", hall="ward-citizen") == "in"
    assert _joined(client, live.LIVE, "join", office="ward") == "forbidden"
    assert _joined(client, live.LIVE, "join", office="ward", hall="ward-tax") == "forbidden"
