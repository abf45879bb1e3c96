"""The README's pictures: ``make pictures`` plays an hour in the sample office and photographs the screens.

Writes docs/pictures/*.png. Everything on them is the sample city; nobody is real.
"""

import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select

from app.db.session import Database
from app.domain.errors import DomainError
from app.domain.ticket import Action
from app.models.people import Account
from app.models.place import Counter, Offering
from app.services import access, counters, queue, tickets
from tests import hall_server
from tests.bench.calls import prepare
from tests.browser.conftest import FLAGS, chromium

TARGET = Path(__file__).parents[1] / "docs" / "pictures"
PASSWORD = "a password of the sample"
OPEN_COUNTERS, PEOPLE = 16, 90


def _people(database: Database) -> None:
    with database.transaction() as session:
        hashed = access.hash_password(PASSWORD)
        for login, name, role in (("clerk", "佐藤 美咲", "clerk"), ("lead", "青木 花子", "floor-lead")):
            session.add(Account(municipality_id="aonami", office_id="ward", login=login, name=name, section="市民課",
                                role=role, password_hash=hashed, created_at=datetime.now(UTC)))  # fmt: skip


def _hour(database: Database) -> str:
    """An hour of comings and calls; returns the seed of the last ticket that waits."""
    chance, at = random.Random(4), datetime.now(UTC) - timedelta(minutes=60)
    with database.snapshot() as session:
        services = list(session.scalars(select(Offering.service_id).where(Offering.office_id == "ward")))
        places = [c.id for c in session.scalars(select(Counter).where(Counter.office_id == "ward"))
                  if c.default_profile_id][:OPEN_COUNTERS]  # fmt: skip
    for place in places:
        with database.transaction() as session:
            counters.open_counter(session, counter_id=place, actor="pictures", at=at)
    last, held = "", {}
    for number in range(PEOPLE):
        at += timedelta(seconds=38)
        try:
            with database.transaction() as session:
                wish = tickets.Wish(services=[chance.choice(services)], channel="kiosk", priority=number % 9 == 0)
                tickets.issue(session, office_id="ward", wish=wish, seed=f"s{number}",
                              secret=hall_server.SECRET.encode(), actor="pictures", at=at)  # fmt: skip
                last = f"s{number}"
        except DomainError:
            continue
        for place in chance.sample(places, 2):
            held[place] = _move(database, place, held.get(place), at)
    return last


def _move(database: Database, place: str, step: int | None, at: datetime) -> int | None:
    try:
        with database.transaction() as session:
            if step is not None:
                for action in (Action.START, Action.FINISH):
                    queue.act(session, step_id=step, action=action, actor="pictures", at=at)
            called = queue.call_next(session, counter_id=place, actor="pictures", at=at)
            return called[0].id if called else None
    except DomainError:
        return step


def _page(browser: Browser, address: str, size: tuple[int, int], login: str | None = None) -> Page:
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="ja-JP").new_page()
    if login:
        page.goto(f"{address}/sign-in")
        page.fill("[name=login]", login)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_timeout(1500)
    return page


def take(address: str, token: str, browser: Browser) -> None:
    """One picture a screen."""
    for name, path, size, login in (
        ("board", "/board/ward/ward-citizen", (1920, 1080), None),
        ("kiosk", "/kiosk/ward", (1080, 1920), None),
        ("phone", f"/t/{token}", (390, 844), None),
        ("lead", "/lead", (1920, 1080), "lead"),
        ("desk", "/desk", (1366, 768), "clerk"),
    ):
        page = _page(browser, address, size, login)
        page.goto(f"{address}{path}")
        page.wait_for_timeout(1500)
        if name == "desk":
            page.locator("label", has_text="17番").first.click()
            page.get_by_role("button", name="窓口を開く").click()
            page.wait_for_timeout(1500)
        page.screenshot(path=TARGET / f"{name}.png")
        page.context.close()


def main() -> None:
    """Play, photograph, stop."""
    path = chromium()
    if path is None:
        sys.exit("SKIPPED: no Chromium on this machine")
    from app.domain.refs import ticket_token

    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/pictures.db"
        database = prepare(url)
        _people(database)
        seed = _hour(database)
        with hall_server.serving(url) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            take(address, ticket_token(hall_server.SECRET.encode(), seed), browser)
            browser.close()


if __name__ == "__main__":
    main()
