"""A manager's ten minutes: tomorrow's peak, counters, roster, what-if, publish, today's deviation, the month."""

import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from app.db.session import Database
from app.domain.calendar import business_date
from app.models.staffing import RosterSearch
from scheduler import rosters
from scheduler.rosters import Looker
from tests import hall_server
from tests.browser.conftest import Hall, too_wide, violations
from tests.standins import planned

Tab = Callable[..., Page]
SOON = 30_000


@pytest.fixture
def database(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("MADOGUCHI_SECRET_KEY", hall_server.SECRET)
    found = hall.database()
    with found.transaction() as session:
        planned.forecasts(session, business_date(datetime.now(UTC)), days=8)
        planned.manager(session)
    return found


def sign_in(page: Page) -> None:
    page.fill("[name=login]", "manager")
    page.fill("[name=password]", planned.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/sign-in" not in address)


_FOOT = "(part) => document.querySelector(part)?.getBoundingClientRect().bottom ?? 0"


def notes(page: Page) -> str:
    return page.locator("[data-part=notes]").inner_text()


def test_a_managers_ten_minutes(hall: Hall, tab: Tab, database: Database) -> None:
    page = tab("/manage/plan", 1366, 768)
    sign_in(page)
    page.goto(f"{hall.address}/manage/plan?office=ward")
    expect(page.get_by_text("1日の予測")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("2")
    expect(page.locator(".heat")).to_have_count(2, timeout=SOON)
    assert violations(page) == []
    # The whole week and what is to be done about it stand on a clerk's screen at once.
    for part in (".heat.lines", "#points", ".week-side .btn"):
        assert page.evaluate(_FOOT, part) <= 768, part
    _through_the_week(page)
    page.keyboard.press("3")
    expect(page.locator(".ros")).to_be_visible(timeout=SOON)
    assert violations(page) == []
    _search(page, database)
    _by_keys_and_mouse(page)
    page.keyboard.press("4")
    expect(page.locator(".opt")).to_have_count(5, timeout=SOON)
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.get_by_role("button", name="公開する").click()
    expect(page.get_by_text("公開中")).to_be_visible(timeout=SOON)
    page.goto(f"{hall.address}/lead?office=ward")
    expect(page.get_by_role("heading", name="計画と実際")).to_be_visible()
    assert violations(page) == []
    page.goto(f"{hall.address}/manage/reports?office=ward")
    expect(page.get_by_role("link", name="A4で印刷")).to_be_visible()
    for other in ("reports", "members", "forecast"):
        page.goto(f"{hall.address}/manage/{other}?office=ward")
        assert violations(page) == [], other


def _through_the_week(page: Page) -> None:
    """Arrows walk from cell to cell, Tab comes back to the one that was left."""
    rows = page.locator(".heat").first.locator("tr:has([data-cell])")
    page.evaluate("document.querySelector('[data-cell]').focus()")
    page.keyboard.press("ArrowRight")
    expect(rows.first.locator("[data-cell]").nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    # At the turn of the year one day may be all that is open.
    expect(rows.nth(min(1, rows.count() - 1)).locator(":focus")).to_have_count(1)
    assert page.locator(".heat").first.locator('[data-cell][tabindex="0"]').count() == 1


def _at_once(search: RosterSearch, url: str) -> "subprocess.Popen[bytes]":
    """The search without the politeness that would make it last on a busy machine."""
    return subprocess.Popen(rosters.command(search), env=os.environ | {"MADOGUCHI_DATABASE_URL": url})


def _search(page: Page, database: Database) -> None:
    """A plan is asked for by a key, found by a process of its own, stopped, and taken."""
    page.keyboard.press("o")
    expect(page.locator("[data-going]")).to_be_visible(timeout=SOON)
    looker = Looker(database, start=_at_once)
    assert looker.look(datetime.now(UTC))
    expect(page.locator("[data-going]")).to_contain_text("案目", timeout=90_000)
    # The sheet is drawn every second and a half while the search goes on; what is pressed meanwhile stands.
    box = page.get_by_role("button", name="止める").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    with page.expect_response(lambda answer: "/manage/roster" in answer.url):
        pass
    page.wait_for_timeout(300)
    page.mouse.up()
    looker.running[0].process.wait(timeout=90)
    expect(page.get_by_text("案があります")).to_be_visible(timeout=SOON)
    page.keyboard.press("u")
    expect(page.get_by_text("さきほどの変更")).to_be_visible(timeout=SOON)


def _by_keys_and_mouse(page: Page) -> None:
    """A stretch is chosen, put elsewhere, moved and taken back; each time the effect is told."""
    cell = "tr[data-member] >> nth={row} >> .c >> nth={column}"
    page.locator(cell.format(row=1, column=3)).focus()
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("[data-chosen]")).to_contain_text("10:00〜11:00")
    page.keyboard.press("s")
    expect(page.locator(cell.format(row=1, column=4))).to_have_attribute("data-work", "@back", timeout=SOON)
    page.keyboard.press("Alt+ArrowRight")
    expect(page.locator(cell.format(row=1, column=5))).to_have_attribute("data-work", "@back", timeout=SOON)
    source, target = (page.locator(cell.format(row=row, column=4)).bounding_box() for row in (1, 2))
    assert source
    assert target
    page.mouse.move(source["x"] + 20, source["y"] + 12)
    page.mouse.down()
    page.mouse.move(target["x"] + 20, target["y"] + 12, steps=4)
    page.mouse.up()
    expect(page.locator(cell.format(row=2, column=4))).to_have_attribute("data-work", "@back", timeout=SOON)
    assert "さきほどの変更" in notes(page)
    page.keyboard.press("0")
    expect(page.locator(cell.format(row=1, column=4))).to_have_attribute("data-work", "@back", timeout=SOON)


def test_the_roster_on_small_screens_and_without_a_script(hall: Hall, browser: Browser, database: Database) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 780}, java_script_enabled=False, locale="ja-JP")
    page = context.new_page()
    page.goto(f"{hall.address}/sign-in")
    sign_in(page)
    page.goto(f"{hall.address}/manage/roster?office=ward")
    page.select_option("[name=since]", "540")
    page.select_option("[name=until]", "600")
    page.get_by_role("button", name="後方").click()
    expect(page.get_by_text("さきほどの変更")).to_be_visible(timeout=SOON)
    context.close()


@pytest.mark.parametrize("path", ["week", "roster", "what-if", "members?member=new"])
def test_nothing_runs_off_a_phone(hall: Hall, tab: Tab, database: Database, path: str) -> None:
    page = tab("/sign-in", 360, 780)
    sign_in(page)
    page.goto(f"{hall.address}/manage/{path}")
    assert not too_wide(page)
    assert violations(page) == []
