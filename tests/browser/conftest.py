"""A real browser against a real web process. Where there is no Chromium this is printed, and under CI it fails."""

import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, WebSocket, expect, sync_playwright

from app.db.session import Database
from app.domain.roles import Role
from tests import hall_server, nursery
from tests.displays.test_live import token

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip
# Which pages were answered when they joined their office: Socket.IO's acknowledgement of "join".
_FOLLOWING: WeakSet[Page] = WeakSet()
# What the script of each page has asked for and not heard yet.
_ASKED: WeakKeyDictionary[Page, set[Request]] = WeakKeyDictionary()
_SNAPSHOT = re.compile(r"43/\w+,\d+\[")
# Without what a page looks at by itself each half minute or minute, whatever happens.
NO_LOOKS = "const set = setInterval; window.setInterval = (work, ms) => (ms < 30000 ? set(work, ms) : 0)"
# For a machine that does three things at once; what must be quick says so itself.
expect.set_options(timeout=15_000)


def chromium() -> str | None:
    """The path of a Chromium on this machine."""
    return os.environ.get("MADOGUCHI_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A screen that fails is tried once more, by a fresh hall, and the report names it (``R``).

    Browser, web process and the other worker share two processors, and a real clock runs: a run of 6,500 tests was
    red for one late answer. What is wrong fails twice. No other room has this: a race that fails once has failed.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        assert not os.environ.get("CI"), "no Chromium: the screens cannot be checked"
        pytest.skip("SKIPPED: no Chromium on this machine (Debian: chromium; or set MADOGUCHI_CHROMIUM)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


class Hall:
    """A running office with what a test needs to move it."""

    def __init__(self, url: str) -> None:
        self.url, self.port = url, hall_server.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()
        self._tokens = {role: token(url, role) for role in (Role.FLOOR_LEAD, Role.KIOSK)}

    def start(self) -> None:
        """Also after a stop: the same address, the same database."""
        self.process = nursery.born(hall_server.environment(self.url, self.port))
        hall_server.wait_ready(self.port)

    def post(self, path: str, body: dict[str, Any] | None = None, role: Role = Role.FLOOR_LEAD) -> dict[str, Any]:
        answer = httpx.post(
            f"{self.address}/api/v1{path}", json=body or {}, timeout=20,
            headers={"Idempotency-Key": uuid.uuid4().hex, "Authorization": f"Bearer {self._tokens[role]}"},
        )  # fmt: skip
        assert answer.status_code < 300, answer.text
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def take(self, *services: str, **more: Any) -> dict[str, Any]:
        return self.post("/offices/ward/tickets", {"services": list(services or ("juminhyo",)), **more}, Role.KIOSK)

    def open(self, counter: str = "ward-2", *categories: str) -> None:
        self.post(f"/counters/{counter}/open", {"categories": list(categories or ("ward-certificates",))})

    def call(self, counter: str = "ward-2") -> dict[str, Any]:
        return self.post(f"/counters/{counter}/call-next")

    def act(self, step: int, action: str, **more: Any) -> dict[str, Any]:
        return self.post(f"/steps/{step}/{action}", more)

    def serve(self, counter: str = "ward-2") -> str:
        """Call and finish the next; returns the number."""
        called = self.call(counter)
        for action in ("start", "finish"):
            self.act(called["step"]["id"], action)
        number: str = called["ticket"]["number"]
        return number

    def database(self) -> Database:
        return Database(self.url)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)


@pytest.fixture
def hall(sqlite_template: Path, tmp_path: Path) -> Iterator[Hall]:
    """A fresh running office."""
    file = tmp_path / "hall.db"
    shutil.copyfile(sqlite_template, file)
    found = Hall(f"sqlite:///{file}")
    yield found
    found.stop()


@pytest.fixture
def tab(browser: Browser, hall: Hall) -> Iterator[Callable[..., Page]]:
    """``tab(path, width, height, lang=…)`` opens a page; it fails the test for any error of its script or policy.

    ``looks=False``: see NO_LOOKS.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def heard(asked: set[Request], request: Request) -> None:
        asked.discard(request)

    def listen(page: Page, socket: WebSocket) -> None:
        _FOLLOWING.discard(page)
        socket.on("framereceived", lambda frame: _FOLLOWING.add(page) if _SNAPSHOT.match(str(frame)) else None)

    def open_(
        path: str, width: int = 1280, height: int = 900, *, lang: str = "ja-JP", looks: bool = True, **more: Any
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=lang, **more)
        contexts.append(context)
        page = context.new_page()
        if not looks:
            page.add_init_script(NO_LOOKS)
        page.on("websocket", lambda socket: listen(page, socket))
        asked = _ASKED.setdefault(page, set())
        page.on("request", lambda request: asked.add(request) if request.resource_type == "fetch" else None)
        page.on("requestfinished", lambda request: heard(asked, request))
        page.on("requestfailed", lambda request: heard(asked, request))
        # What a refusal says is often not read to its end.
        page.on("response", lambda answer: None if answer.ok else heard(asked, answer.request))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(f"{hall.address}{path}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults, faults


def joined(page: Page) -> None:
    """Until the page's newest socket has its first snapshot: from then on it hears what the office does."""
    for _ in range(300):
        if page in _FOLLOWING:
            page.evaluate("new Promise((done) => setTimeout(done))")
            return
        page.wait_for_timeout(50)
    raise AssertionError("the page does not follow its office")


def held_clock(page: Page) -> Callable[[float], None]:
    """The page's clock stands from now on; what is returned moves it by so many seconds. Timers go on as they were."""
    answered(page)  # a timer that was set before could not be taken back
    now = datetime.now(UTC)
    page.clock.set_fixed_time(now)

    def pass_(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds)
        page.clock.set_fixed_time(now)

    return pass_


def later(page: Page, milliseconds: int) -> None:
    """So much later by the page's own watch (``performance.now``), by which it is deaf to keys for a moment."""
    page.evaluate(
        "(more) => { const now = performance.now.bind(performance); performance.now = () => now() + more; }",
        milliseconds,
    )


def unheard(*pages: Page) -> None:
    """So much later by the pages' clock that they take the office for silent, if it is: longer than 15 s of no word.

    tests/browser/test_board.py waits it out once.
    """
    for page in pages:
        page.evaluate("() => { const now = Date.now; Date.now = () => now() + 17000; }")


def asked_from_now(page: Page) -> list[str]:
    """What the page of ``tab(…, looks=False)`` asks for from now on; its sign of life (js/device.js) is no question.

    The page's clock stands from now on, too: neither does a call grow old nor silence begin while a machine is busy.
    """
    joined(page)
    held_clock(page)
    found: list[str] = []
    own = ("/static/", "/pair/beat")
    page.on("request", lambda each: None if any(path in each.url for path in own) else found.append(each.url))
    return found


def refuse_once(page: Page, path: str) -> list[str]:
    """The page's next look at itself is refused by a server that has too much to do; what was refused."""
    refused: list[str] = []

    def refuse(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.fulfill(status=503)

    page.route(re.compile(re.escape(path) + "$"), refuse)
    return refused


def answered(page: Page) -> None:
    """Until the page's script waits for no answer, and has drawn the last one."""
    deadline = time.monotonic() + 30
    while _ASKED[page]:
        assert time.monotonic() < deadline, [request.url for request in _ASKED[page]]
        page.wait_for_timeout(50)
    page.evaluate("new Promise((done) => setTimeout(done))")


def in_view(page: Page) -> None:
    """Until the page has its styles and scripts: an address or a heading is there before them."""
    page.wait_for_load_state("load")


# The wish for rest reaches the page with its next frame; until then what has just arrived is half faded in.
_AT_REST = """() => matchMedia('(prefers-reduced-motion: reduce)').matches
  && !document.getAnimations().some((each) => each.playState === 'running')"""


# Only what is wrong is worked out and sent.
_FOUND_BY_AXE = """async () => (await axe.run({
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'], preload: false,
})).violations"""


def violations(page: Page) -> list[str]:
    """What axe finds (WCAG 2.2 AA and best practice), one line each; what moves is brought to rest first."""
    in_view(page)
    page.emulate_media(reduced_motion="reduce")
    # Asked from here: a page whose clock a test holds has no frames of its own.
    deadline = time.monotonic() + 30
    while not page.evaluate(_AT_REST):
        assert time.monotonic() < deadline, "something on the page never comes to rest"
        page.wait_for_timeout(20)
    if not page.evaluate("'axe' in window"):
        page.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate(_FOUND_BY_AXE)
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}" for each in found for node in each["nodes"]
    ]


def too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    in_view(page)
    wide: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    return wide
