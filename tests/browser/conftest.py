"""A real browser against a real web process. Where there is no Chromium this is printed, and under CI it fails."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.db.session import Database
from app.domain.roles import Role
from tests import hall_server, nursery
from tests.displays.test_live import token

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


def chromium() -> str | None:
    """The path of a Chromium on this machine."""
    return os.environ.get("MADOGUCHI_CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


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
        self.process.wait(timeout=20)


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
    """``tab(path, width, height, lang=…)`` opens a page; it fails the test for any error of its script or policy."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_(path: str, width: int = 1280, height: int = 900, *, lang: str = "ja-JP", **more: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=lang, **more)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(f"{hall.address}{path}")
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not faults, faults


# The wish for rest reaches the page with its next frame; until then what has just arrived is half faded in.
_AT_REST = """async () => {
  const moves = () => !matchMedia('(prefers-reduced-motion: reduce)').matches
    || document.getAnimations().some((each) => each.playState === 'running');
  for (let frame = 0; frame < 300 && moves(); frame += 1) await new Promise(requestAnimationFrame);
  return !moves();
}"""


def violations(page: Page) -> list[str]:
    """What axe finds (WCAG 2.2 AA and best practice), one line each; what moves is brought to rest first."""
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(_AT_REST), "something on the page never comes to rest"
    page.evaluate((ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text())
    found = page.evaluate("axe.run({runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']})")
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary', '')}"
        for each in found["violations"]
        for node in each["nodes"]
    ]


def too_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1")
    return wide
