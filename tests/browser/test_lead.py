"""The floor lead's live view in a browser: it follows the office, works by keyboard, tells when it is old."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.db.session import Database
from app.domain.calendar import business_date, instant
from app.domain.roles import Role
from app.domain.ticket import Action
from app.models.people import Account
from app.models.place import Counter
from app.services import access
from tests import moved_clock
from tests.browser.conftest import Hall, answered, in_view, joined, later, too_wide, unheard, violations
from tests.web.lead_screen import Past

Tab = Callable[..., Page]
PASSWORD = "correct horse battery"
HASHED = access.hash_password(PASSWORD)
SOON = 30_000


def well_into_the_day() -> timedelta:
    """How far the hall's clock must stand ahead: an hour before it, there must still be the same day in Japan."""
    now = datetime.now(UTC)
    return max(instant(business_date(now), time(3)) - now, timedelta())


@pytest.fixture
def hall(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    """A fresh running office, at three in the morning at the earliest."""
    monkeypatch.setenv(moved_clock.VARIABLE, str(well_into_the_day().total_seconds()))
    file = tmp_path / "hall.db"
    shutil.copyfile(sqlite_template, file)
    found = Hall(f"sqlite:///{file}")
    yield found
    found.stop()


@pytest.fixture
def past(hall: Hall) -> Past:
    database = hall.database()
    with database.transaction() as session:
        for login, name in (("yamaguchi", "山口"), ("mori", "森")):
            session.add(
                Account(municipality_id="aonami", office_id="ward", login=login, name=name, section="市民課",
                        role=Role.FLOOR_LEAD, password_hash=HASHED, created_at=datetime.now(UTC))
            )  # fmt: skip
    return Past(database, datetime.now(UTC) + well_into_the_day())


def busy(past: Past) -> str:
    """住所の届出 is late; one counter serves it, the certificates are at work. Returns the last number of the line."""
    past.open("ward-2", 60, staff="木村", profile_id="ward-certificates")
    past.open("ward-4", 60, staff="鈴木")
    for minutes in (40, 39, 35):
        past.issue("tennyu", minutes)
    last = past.issue("tennyu", 2, then=["kokuho_join"])
    past.call("ward-4", 36, Action.START, Action.FINISH)
    past.call("ward-4", 8, Action.START)
    past.issue("juminhyo", 5, priority=True)
    past.call("ward-2", 4, Action.START)
    for minutes in (3, 1):
        past.issue("juminhyo", minutes)
    return last


@pytest.fixture
def enter(tab: Tab, past: Past) -> Tab:
    """``enter(login, width, height)``: the lead's screen of a member of staff."""

    def open_(login: str = "yamaguchi", width: int = 1366, height: int = 768, **more: object) -> Page:
        page = tab("/sign-in?next=/lead", width, height, **more)
        page.fill("[name=login]", login)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="フロアのいま")).to_be_visible(timeout=SOON)
        if "java_script_enabled" not in more:
            joined(page)
        return page

    return open_


# The letters of its lines stand whole on a tile, or not at all.
_CUT_LETTERS = """() => [...document.querySelectorAll(".tile .ls i")].filter((letter) => {
  const [own, row] = [letter, letter.parentElement].map((each) => each.getBoundingClientRect());
  return own.top < row.bottom - 2 && (own.left < row.left - 0.5 || own.right > row.right + 0.5);
}).map((letter) => letter.closest("a").innerText)"""


def settled(page: Page) -> Page:
    """After the second in which digits are deaf, from the moment on at which the script runs."""
    in_view(page)
    answered(page)
    later(page, 1200)
    return page


def alerts(page: Page) -> Locator:
    return page.locator("[data-part=alerts]")


def counter(database: Database, name: str) -> str:
    with database.snapshot() as session:
        return session.get_one(Counter, name).state


def test_an_alert_appears_by_itself_and_two_leads_share_it(enter: Tab, past: Past) -> None:
    past.open("ward-4", 20, staff="鈴木")
    past.issue("tennyu", 1)
    past.call("ward-4", 1, Action.START)
    first, second = enter("yamaguchi"), enter("mori")
    for page in (first, second):
        expect(alerts(page)).to_contain_text("いま、手当ての要る所はありません")
    past.help("ward-4", 0)
    for page in (first, second):
        expect(alerts(page)).to_contain_text("4番窓口へ応援に行く", timeout=SOON)
    settled(first).keyboard.press("1")
    for page in (first, second):
        expect(alerts(page)).to_contain_text("山口さんが", timeout=SOON)
        expect(alerts(page)).not_to_contain_text("応援に行く")


def test_a_proposal_by_one_key_and_back_by_another(enter: Tab, past: Past) -> None:
    busy(past)
    page = settled(enter())
    expect(alerts(page)).to_contain_text("5番窓口を開ける")
    page.keyboard.press("1")
    expect(page.locator("[data-part=notice]")).to_contain_text("5番窓口を開きました。", timeout=SOON)
    assert counter(past.database, "ward-5") == "open"
    settled(page).keyboard.press("0")
    expect(page.locator("[data-part=notice]")).to_contain_text("5番窓口を閉じました。", timeout=SOON)
    assert counter(past.database, "ward-5") == "closed"


_PRESS_ONCE_DRAWN = """() => {
  const alerts = document.querySelector("[data-part=alerts]");
  const seen = new MutationObserver(() => {
    if (!alerts.textContent.includes("応援に行く")) return;
    seen.disconnect();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "1", code: "Digit1", bubbles: true }));
  });
  seen.observe(alerts, { childList: true });
}"""


def test_a_digit_is_deaf_just_after_the_proposals_changed(enter: Tab, past: Past) -> None:
    busy(past)
    page = settled(enter())
    # Pressed from within the page, just after it was drawn.
    page.evaluate(_PRESS_ONCE_DRAWN)
    past.help("ward-2", 0)
    expect(page.locator("[data-result]")).to_contain_text("一覧が変わりました", timeout=SOON)
    assert counter(past.database, "ward-5") == "closed"
    expect(alerts(page)).to_contain_text("2番窓口へ応援に行く")


def test_everything_by_keyboard(enter: Tab, past: Past) -> None:
    number = busy(past)
    page = settled(enter())
    # A reader types a whole number at once; that presses nothing.
    page.evaluate(
        "for (const key of '1230') document.body.dispatchEvent("
        "new KeyboardEvent('keydown', { key, code: `Digit${key}`, bubbles: true }))"
    )
    page.wait_for_timeout(200)
    page.keyboard.press("w")
    expect(page.locator("#tile-ward-1")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#tile-ward-8")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="2番窓口 証明書")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#tile-ward-2")).to_be_focused()
    page.keyboard.press("b")
    expect(page.locator("#line-B")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#line-B [data-row]").first).to_be_focused()
    page.keyboard.press("/")
    page.get_by_label("番号(例: B098)").press_sequentially(number.lower())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"{number} 待っています")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="キー一覧")).to_be_visible()
    assert counter(past.database, "ward-5") == "closed"


def test_a_counter_is_opened_from_its_tile_and_a_refusal_told_in_place(enter: Tab, past: Past) -> None:
    busy(past)
    page = settled(enter())
    page.click("#tile-ward-3")
    page.get_by_label("受け持ち").select_option("ward-certificates")
    page.get_by_role("button", name="窓口を開ける", exact=True).click()
    expect(page.locator("#tile-ward-3")).to_contain_text("手あき", timeout=SOON)
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.click("#tile-ward-6")
    # The question stands before somebody else answers it.
    opens = page.get_by_role("button", name="窓口を開ける", exact=True)
    expect(opens).to_be_visible(timeout=SOON)
    past.open("ward-6", 0, staff="中村")
    opens.click()
    expect(page.locator("[data-part=notice]")).to_contain_text("見ているあいだに様子が変わりました", timeout=SOON)


def test_a_cut_line_is_told_and_nothing_can_be_pressed(hall: Hall, enter: Tab, past: Past) -> None:
    busy(past)
    page = settled(enter())
    os.killpg(hall.process.pid, signal.SIGSTOP)
    try:
        unheard(page)
        expect(page.locator("[data-stale]")).to_be_visible(timeout=40_000)
        expect(page.locator("[data-connection]")).to_contain_text("つながりません")
        assert page.locator("form[data-lead] button:not(:disabled)").count() == 0
        assert not violations(page)
    finally:
        os.killpg(hall.process.pid, signal.SIGCONT)
    expect(page.locator("[data-stale]")).to_be_hidden(timeout=40_000)
    assert page.locator("form[data-lead] button:disabled").count() == 0


def test_without_a_script_it_works_by_forms(enter: Tab, past: Past) -> None:
    busy(past)
    page = enter(java_script_enabled=False)
    page.click("#tile-ward-3")
    page.get_by_role("button", name="窓口を開ける", exact=True).click()
    expect(page.locator("[data-part=notice]")).to_contain_text("3番窓口を開きました。", timeout=SOON)


def test_the_screen_is_for_everyone(enter: Tab, past: Past) -> None:
    page = enter()
    expect(alerts(page)).to_contain_text("今日の番号は、まだ出ていません。")
    for state in ("empty", "busy"):
        for width, height in ((1366, 768), (1920, 1080), (768, 1024), (360, 740)):
            page.set_viewport_size({"width": width, "height": height})
            assert not violations(page), (state, width, height)
            assert not too_wide(page), (state, width, height)
            assert page.evaluate(_CUT_LETTERS) == [], (state, width, height)
        if state == "empty":
            busy(past)
            past.help("ward-2", 1)
        expect(alerts(page)).to_contain_text("2番窓口へ応援に行く", timeout=SOON)
    page.set_viewport_size({"width": 1366, "height": 768})
    for href in ("counter?counter=ward-2", "number?n=A002", "number?n=Z9", "find", "keys"):
        page.goto(page.url.split("/lead")[0] + f"/lead/ward/ask/{href}")
        assert not violations(page), href
        assert not too_wide(page), href
