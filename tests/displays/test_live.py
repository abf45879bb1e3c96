"""Socket.IO as other programs use it: a python and a node client against the real web process, on both databases."""

import json
import secrets
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import socketio
from sqlalchemy import update

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import AccessToken
from app.services import access, board, tickets
from tests.hall_server import serving

HERE = Path(__file__).parent
SOON = 30.0


@pytest.fixture(scope="module")
def address(shared_url: str) -> Iterator[str]:
    with serving(shared_url) as found:
        yield found


class Screen:
    """A client that keeps what it was sent."""

    def __init__(self, address: str, namespace: str = "/live", token: str | None = None, **headers: str) -> None:
        self.namespace = namespace
        self.got: list[tuple[str, Any]] = []
        self.came = threading.Condition()
        self.client = socketio.Client(reconnection=False)
        for event in ("board", "counters", "queue", "beat", "disconnect"):
            self.client.on(event, self._keep(event), namespace=namespace)
        self.client.connect(
            address, namespaces=[namespace], auth={"token": token} if token else None, headers=headers, wait_timeout=30
        )

    def _keep(self, event: str) -> Callable[..., None]:
        def keep(*args: Any) -> None:
            with self.came:
                self.got.append((event, args[0] if args else None))
                self.came.notify_all()

        return keep

    def call(self, event: str, data: Any) -> Any:
        return self.client.call(event, data, namespace=self.namespace, timeout=30)

    def until(self, wanted: Callable[[str, Any], bool], seconds: float = SOON) -> Any:
        """The first event that fits, or a failure after ``seconds``."""
        with self.came:
            assert self.came.wait_for(lambda: any(wanted(*each) for each in self.got), seconds), self.got
            return next(value for event, value in self.got if wanted(event, value))


@pytest.fixture
def screen() -> Iterator[Callable[..., Screen]]:
    opened: list[Screen] = []

    def open_(*args: Any, **more: Any) -> Screen:
        opened.append(Screen(*args, **more))
        return opened[-1]

    yield open_
    for each in opened:
        each.client.disconnect()


def take(address: str) -> dict[str, Any]:
    answer = httpx.post(
        f"{address}/api/v1/offices/ward/tickets", json={"services": ["juminhyo"]},
        headers={"Idempotency-Key": uuid.uuid4().hex},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def token(url: str, role: Role, office: str | None = "ward") -> str:
    secret, database = secrets.token_urlsafe(32), Database(url)
    with database.transaction() as session:
        access.issue_token(session, token=secret, role=role, municipality_id="aonami", office_id=office,
                           at=datetime.now(UTC))  # fmt: skip
    database.dispose()
    return secret


def fresh(url: str) -> dict[str, Any]:
    database = Database(url)
    with database.snapshot() as session:
        found = board.lean(board.read(session, office_id="ward", at=datetime.now(UTC)))
    database.dispose()
    return found


def test_a_board_follows_its_office(address: str, shared_url: str, screen: Callable[..., Screen]) -> None:
    lobby = screen(address)
    joined = lobby.call("join", {"office": "ward"})
    assert joined == fresh(shared_url)
    ticket = take(address)
    pushed = lobby.until(lambda event, value: event == "board" and value["seq"] > joined["seq"])
    assert [ticket["number"], None, None] in pushed["waiting"]["A"]
    assert pushed == fresh(shared_url)
    lobby.until(lambda event, value: (event, value) == ("beat", {"epoch": pushed["epoch"], "seq": pushed["seq"]}))
    hall = screen(address).call("join", {"office": "ward", "hall": "ward-citizen", "epoch": "x", "seq": 0})
    assert hall["hall"] == "ward-citizen"


def test_what_another_process_commits_arrives(address: str, shared_url: str, screen: Callable[..., Screen]) -> None:
    lobby = screen(address)
    before = lobby.call("join", {"office": "ward"})["seq"]
    database = Database(shared_url)
    with database.transaction() as session:
        tickets.issue(session, office_id="ward", wish=tickets.Wish(services=["juminhyo"], channel="kiosk"), seed="s",
                      secret=b"x" * 32, actor="test", at=datetime.now(UTC))  # fmt: skip
    database.dispose()
    assert lobby.until(lambda event, value: event == "board" and value["seq"] > before) == fresh(shared_url)


def test_a_counter_display_follows_its_hall(address: str, screen: Callable[..., Screen]) -> None:
    glass = screen(address)
    joined = glass.call("join", {"office": "ward", "hall": "ward-citizen", "view": "counters"})
    assert {"ward-2", "ward-3"} <= {each["id"] for each in joined["counters"]}
    assert glass.call("join", {"office": "ward", "view": "queue"})["error"]["code"] == "invalid_input"
    take(address)
    pushed = glass.until(lambda event, value: event == "counters" and value["seq"] > joined["seq"])
    assert "waiting" not in pushed
    assert not [event for event, _ in glass.got if event == "board"]


@pytest.mark.parametrize("transports", ["websocket", "polling,websocket"])
def test_a_node_client(address: str, shared_url: str, transports: str) -> None:
    node = shutil.which("node", path=f"{Path(__file__).parents[2] / '.venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin")
    assert node, "node is set up by make"
    with subprocess.Popen(
        [node, HERE / "node_client.mjs", address, "ward", transports], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    ) as client:  # fmt: skip
        assert client.stdout is not None
        assert json.loads(client.stdout.readline()) == ["ack", fresh(shared_url)]
        take(address)
        kind, pushed = json.loads(client.stdout.readline())
        while kind == "beat" or pushed["seq"] < fresh(shared_url)["seq"]:
            kind, pushed = json.loads(client.stdout.readline())
        assert (kind, pushed) == ("board", fresh(shared_url))
        client.communicate(timeout=60)


def test_staff_see_their_own_office_until_the_token_ends(
    address: str, shared_url: str, screen: Callable[..., Screen]
) -> None:
    secret = token(shared_url, Role.CLERK)
    desk = screen(address, "/staff", secret)
    seen = desk.call("join", {"office": "ward"})
    number = take(address)["number"]
    queue = desk.until(lambda event, value: event == "queue" and value["seq"] > seen["seq"])
    assert number in [step["number"] for step in queue["steps"]]
    assert desk.call("join", {"office": "branch"})["error"]["code"] == "forbidden"
    database = Database(shared_url)
    with database.transaction() as session:
        session.execute(update(AccessToken).values(revoked_at=datetime.now(UTC)))
    database.dispose()
    desk.until(lambda event, _: event == "disconnect")  # how soon: tests/abuse/test_sockets.py


def test_who_may_not_connect(address: str, shared_url: str, screen: Callable[..., Screen]) -> None:
    for secret in (None, "not-a-token-of-ours", token(shared_url, Role.DISPLAY), token(shared_url, Role.AUDITOR)):
        with pytest.raises(socketio.exceptions.ConnectionError):
            screen(address, "/staff", secret)
    with pytest.raises(socketio.exceptions.ConnectionError):
        screen(address, "/admin", token(shared_url, Role.CITY_ADMIN))
    for evil in (
        {"Origin": "http://evil.example"},
        {"Origin": "http://evil.example", "X-Forwarded-Host": "evil.example"},
    ):
        with pytest.raises(socketio.exceptions.ConnectionError):
            screen(address, "/live", None, **evil)


def test_a_device_stays_in_its_hall(address: str, shared_url: str, screen: Callable[..., Screen]) -> None:
    secret, database = secrets.token_urlsafe(32), Database(shared_url)
    with database.transaction() as session:
        access.issue_token(session, token=secret, role=Role.DISPLAY, municipality_id="aonami", office_id="ward",
                           hall_id="ward-citizen", at=datetime.now(UTC))  # fmt: skip
    database.dispose()
    lobby = screen(address, "/live", secret)
    for wish in ({"office": "branch"}, {"office": "ward"}, {"office": "ward", "hall": "ward-tax"}):
        assert lobby.call("join", wish)["error"]["code"] == "forbidden", wish
    assert lobby.call("join", {"office": "ward", "hall": "ward-citizen"})["hall"] == "ward-citizen"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"office": "nowhere"}, "not_found"),
        ({"office": "ward", "hall": "nowhere"}, "not_found"),
        ({"office": "ward", "seq": -1}, "invalid_input"),
        ({"office": "ward", "seq": 2**63}, "invalid_input"),
        ({"office": "ward", "names": True}, "invalid_input"),
        ({"office": 7}, "invalid_input"),
        ("ward", "invalid_input"),
        ({}, "invalid_input"),
    ],
)  # fmt: skip
def test_a_bad_join_is_answered(address: str, screen: Callable[..., Screen], data: Any, code: str) -> None:
    assert screen(address).call("join", data)["error"]["code"] == code


def test_an_unknown_event_is_answered(address: str, screen: Callable[..., Screen]) -> None:
    assert screen(address).call("dance", {"office": "ward"})["error"]["code"] == "unknown_event"


@pytest.mark.parametrize("mischief", ["flood", "huge", "binary"])
def test_mischief_ends_the_socket(address: str, screen: Callable[..., Screen], mischief: str) -> None:
    rude = screen(address)
    if mischief == "flood":
        for _ in range(1_000):
            rude.client.emit("join", {"office": "ward"}, namespace="/live")
    elif mischief == "huge":
        rude.client.emit("join", {"office": "x" * 1_000_000}, namespace="/live")
    else:
        rude.client.emit("picture", b"\x00" * 100, namespace="/live")
    rude.until(lambda event, _: event == "disconnect")
    time.sleep(0.1)
    assert screen(address).call("join", {"office": "ward"})["office"] == "ward"
