"""The README's pictures: ``make pictures`` plays an hour in the sample office and photographs the screens.

Writes docs/pictures/*.png. Everything on them is the sample city; nobody is real.
"""

import os
import random
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import select

from app.db.session import Database
from app.domain.errors import DomainError
from app.domain.ticket import Action, State
from app.models.people import Account
from app.models.place import Counter, Offering
from app.models.ticket import Step, Ticket
from app.services import access, counters, queue, tickets
from tests import hall_server, moved_clock
from tests.bench.calls import prepare
from tests.browser.conftest import FLAGS, chromium

TARGET = Path(__file__).parents[1] / "docs" / "pictures"
PASSWORD = "a password of the sample"
PEOPLE, MINUTES, SEAT, BUSY = 170, 88, "17", "ward-certificates"
# A morning of the busiest week: the Wednesday on which the city's year begins.
NOW = datetime(2026, 4, 1, 1, 28, tzinfo=UTC)
BY = (NOW - datetime.now(UTC)).total_seconds()


def _people(database: Database) -> None:
    with database.transaction() as session:
        hashed = access.hash_password(PASSWORD)
        for login, name, role in (("clerk", "佐藤 美咲", "clerk"), ("lead", "青木 花子", "floor-lead")):
            session.add(Account(municipality_id="aonami", office_id="ward", login=login, name=name, section="市民課",
                                role=role, password_hash=hashed, created_at=NOW - timedelta(days=30)))  # fmt: skip


def _hour(database: Database) -> str:
    """An hour of comings and calls; returns the seed of the last ticket that waits."""
    chance, at = random.Random(4), NOW - timedelta(minutes=MINUTES)
    with database.snapshot() as session:
        services = list(session.scalars(select(Offering.service_id).where(Offering.office_id == "ward")))
        places = [c.id for c in session.scalars(select(Counter).where(Counter.office_id == "ward"))
                  if c.default_profile_id and c.number != SEAT]  # fmt: skip
    for place in places:
        with database.transaction() as session:
            counters.open_counter(session, counter_id=place, actor="pictures", at=at)
    held: dict[str, tuple[int, bool] | None] = {}
    for number in range(PEOPLE):
        at += timedelta(minutes=MINUTES) / PEOPLE
        try:
            with database.transaction() as session:
                wish = tickets.Wish(services=[chance.choice(services)], channel="kiosk", priority=number % 9 == 0)
                tickets.issue(session, office_id="ward", wish=wish, seed=f"s{number}",
                              secret=hall_server.SECRET.encode(), actor="pictures", at=at)  # fmt: skip
        except DomainError:
            continue
        for place in chance.sample(places, 3):
            held[place] = _move(database, place, held.get(place), at)
    with database.snapshot() as session:
        waits = select(Ticket.seed).join(Step).where(Step.state == State.WAITING, Step.category_id == BUSY)
        return session.scalars(waits.order_by(Ticket.id.desc())).first() or ""


def _move(database: Database, place: str, held: tuple[int, bool] | None, at: datetime) -> tuple[int, bool] | None:
    """One act at a counter: the party comes, or it goes and the next is called; the step, and whether it came."""
    try:
        with database.transaction() as session:
            if held and not held[1]:
                queue.act(session, step_id=held[0], action=Action.START, actor="pictures", at=at)
                return held[0], True
            if held:
                queue.act(session, step_id=held[0], action=Action.FINISH, actor="pictures", at=at)
            called = queue.call_next(session, counter_id=place, actor="pictures", at=at)
            return (called[0].id, False) if called else None
    except DomainError:
        return held


def _page(browser: Browser, address: str, size: tuple[int, int], login: str | None = None) -> Page:
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="ja-JP")
    context.clock.install(time=NOW)
    page = context.new_page()
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
            page.locator("label", has_text=f"{SEAT}番").first.click()
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
        os.environ[moved_clock.VARIABLE] = str(BY)
        with hall_server.serving(url, ("tests.moved_clock",)) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            take(address, ticket_token(hall_server.SECRET.encode(), seed), browser)
            browser.close()


if __name__ == "__main__":
    main()
