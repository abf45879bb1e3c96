"""The socket's door as a stranger tries it: origins, cookies without one, sessions that ended, broken engine.io."""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import socketio
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import Account, StaffSession
from app.models.place import Municipality
from app.services import access
from app.web import security
from displays import relay, wire
from tests.hall_server import serving
from tests.policy import city


class Hall:
    """A running server with its database, and an application of the same secret that signs cookies."""

    def __init__(self, url: str, address: str) -> None:
        self.address, self.database = address, Database(url)
        self.web: Flask = city.application(self.database)

    def cookie(self, login: str) -> str:
        """The cookie of a clerk who signed in on the web."""
        secret, at = secrets.token_urlsafe(24), datetime.now(UTC)
        with self.database.transaction() as session:
            account = city.account(session, login, role=Role.CLERK, place=city.HERE, at=at)
            access.start_session(session, account, token=secret, at=at)
        client = self.web.test_client()
        with client.session_transaction() as kept:
            kept[security.STAFF_COOKIE] = secret
        found = client.get_cookie("madoguchi")
        assert found is not None
        return f"madoguchi={found.value}"


@pytest.fixture(scope="module")
def hall(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    file = tmp_path_factory.mktemp("door") / "hall.db"
    shutil.copyfile(sqlite_template, file)
    with serving(f"sqlite:///{file}") as address:
        found = Hall(f"sqlite:///{file}", address)
        yield found
        found.database.dispose()


def connects(hall: Hall, namespace: str, **headers: str) -> bool:
    client = socketio.Client(reconnection=False)
    try:
        # By polling: the websocket client adds an Origin of its own to the one that is given.
        client.connect(hall.address, namespaces=[namespace], headers=headers, wait_timeout=30, transports=["polling"])
    except socketio.exceptions.ConnectionError:
        return False
    client.disconnect()
    return True


def test_a_cookie_counts_only_beside_our_own_origin(hall: Hall) -> None:
    """A cookie travels with anybody's page; the library lets a missing Origin pass."""
    cookie = hall.cookie("tanaka")
    assert connects(hall, "/staff", Cookie=cookie, Origin=hall.address)
    assert not connects(hall, "/staff", Cookie=cookie)
    for origin in ("http://evil.example", "null", hall.address + ".evil.example", "http://127.0.0.1:1"):
        assert not connects(hall, "/staff", Cookie=cookie, Origin=origin), origin
    assert not connects(hall, "/staff", Origin=hall.address)
    forwarded = {"Origin": "http://evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    assert not connects(hall, "/live", **forwarded)


def _half(session: Session, account: Account, on: bool) -> None:
    session.execute(update(StaffSession).where(StaffSession.account_id == account.id).values(second_due=on))


def _known_password(_session: Session, account: Account, on: bool) -> None:
    account.must_change = on


def _factor_wanted(session: Session, account: Account, on: bool) -> None:
    _staff_access(session, account, second_factor=["clerk"] if on else [])


def _another_network(session: Session, account: Account, on: bool) -> None:
    _staff_access(session, account, addresses=["10.20.0.0/16"] if on else [])


def _staff_access(session: Session, account: Account, **rules: list[str]) -> None:
    tenant = session.get_one(Municipality, account.municipality_id)
    tenant.settings = {**tenant.settings, "staff_access": rules}


@pytest.mark.parametrize("hold", [_half, _known_password, _factor_wanted, _another_network])
def test_a_session_that_opens_no_page_opens_no_socket(
    hall: Hall, hold: Callable[[Session, Account, bool], None]
) -> None:
    login = f"held{hold.__name__}"
    cookie = hall.cookie(login)
    for on in (True, False):
        with hall.database.transaction() as session:
            hold(session, session.scalars(select(Account).where(Account.login == login)).one(), on)
        assert connects(hall, "/staff", Cookie=cookie, Origin=hall.address) is not on


def _closed(session: Session, account: Account) -> None:
    access.end_account(session, account)


def _signed_out(session: Session, account: Account) -> None:
    row = session.query(StaffSession).filter_by(account_id=account.id).one()
    session.delete(row)


@pytest.mark.parametrize("ending", [_closed, _signed_out])
def test_a_socket_ends_within_five_seconds_of_its_reason(hall: Hall, ending: Callable[..., None]) -> None:
    login = ending.__name__.strip("_")
    cookie = hall.cookie(login)
    client = socketio.Client(reconnection=False)
    client.connect(
        hall.address, namespaces=["/staff"], headers={"Cookie": cookie, "Origin": hall.address}, wait_timeout=30,
        transports=["polling"],
    )  # fmt: skip
    assert "error" not in client.call("join", {"office": "ward"}, namespace="/staff")
    with hall.database.transaction() as session:
        ending(session, session.query(Account).filter_by(login=login).one())
    # The relay looks every so often; beyond that a busy machine may be late.
    assert relay.RECHECK_SECONDS + 1 < 5
    until = time.monotonic() + 20
    while "/staff" in client.namespaces and time.monotonic() < until:
        time.sleep(0.05)
    assert "/staff" not in client.namespaces
    client.disconnect()


@pytest.mark.parametrize(
    "query",
    ["", "EIO=3&transport=polling", "EIO=4&transport=carrier-pigeon", "EIO=four&transport=polling", "transport=polling",
     "EIO=4&transport=polling&sid=guess", "EIO=4&transport=polling&sid=%00", "EIO=4&transport=websocket",
     "EIO=4&transport=polling&j=alert(1)"],
)  # fmt: skip
def test_addresses_that_are_no_handshake(hall: Hall, query: str) -> None:
    for method in ("GET", "POST", "PUT", "OPTIONS"):
        answer = httpx.request(method, f"{hall.address}/socket.io/?{query}", content=b"4" if method == "POST" else None)
        assert answer.status_code < 500, (method, answer.status_code)
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "body",
    [b"", b"4", b"9", b"40/live,{", b"42", b"42[", b'42/live,["join"', b"451-[]", b"\x00\xff", b"4" + b"2" * 9_000,
     b'42/live,["join",' + b"[" * 3_000, b"6" * 200, b"40/admin,", b"40/live,null\x1e40/live,null"],
)  # fmt: skip
def test_packets_that_are_none(hall: Hall, body: bytes) -> None:
    """Sent by polling; the engine may end the session, never itself."""
    opened = httpx.get(f"{hall.address}/socket.io/?EIO=4&transport=polling")
    assert opened.status_code == 200
    sid = opened.text.split('"sid":"')[1].split('"')[0]
    answer = httpx.post(f"{hall.address}/socket.io/?EIO=4&transport=polling&sid={sid}", content=body)
    assert answer.status_code < 500
    assert "Traceback" not in answer.text
    assert connects(hall, "/live")


def test_an_empty_list_of_origins_stops_the_start(hall: Hall) -> None:
    """The library takes an empty list for no check at all."""
    web = city.application(hall.database)
    web.config["ORIGINS"] = []
    with pytest.raises(RuntimeError, match="origin"):
        wire.origins(web)
