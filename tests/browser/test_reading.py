"""The kiosk reads a 受付案内票: by its camera, by its keys, and says so when a code is nobody's."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.camera import looking_at
from tests.browser.conftest import Hall, too_wide, violations

GLASS = (1080, 1920)
MOVED_IN = (
    "day=2026-03-27&mnc=yes&seal=no&insurance=kokuho&pension=no&children=yes&nursery=no&care=no&disability=no&moped=no"
    "&certificate=yes"
)


def code_of(page: Page) -> str:
    """The code of the plan a page shows."""
    return page.url.partition("?")[0].rsplit("/", 1)[-1]


def test_the_camera_reads_the_sheet_and_one_number_has_all_steps(
    hall: Hall, browser: Browser, tab: Callable[..., Page], tmp_path: Path
) -> None:
    plan = tab(f"/o/ward/guide/ask/move_in?{MOVED_IN}", 360, 740)
    assert not violations(plan)
    with looking_at(browser.browser_type, f"{hall.address}/o/ward/guide/plan/{code_of(plan)}", tmp_path) as seeing:
        page = seeing.new_page(viewport={"width": GLASS[0], "height": GLASS[1]})
        page.goto(f"{hall.address}/kiosk/ward")
        page.get_by_role("link", name="受付案内票もこちら").click()
        expect(page.locator("h1")).to_have_text("受付案内票の手続き 6件", timeout=60_000)
        assert not violations(page)
        page.get_by_role("button", name="番号をとる").click()
        expect(page.locator(".k-ticket .no")).to_have_text("B001")
        expect(page.locator(".k-steps li")).to_have_count(6)


def test_the_keys_read_the_sheet_too(tab: Callable[..., Page]) -> None:
    page = tab("/o/ward/guide/ask/birth?end=1", *GLASS)
    code = code_of(page)
    page.goto(page.url.partition("/o/")[0] + "/kiosk/ward/scan")
    page.get_by_role("link", name="QRコードがないかた").click()
    expect(page.get_by_role("button", name="進む")).to_be_visible()
    assert not violations(page)
    for letter in code:
        page.get_by_role("button", name=letter, exact=True).click()
    page.get_by_role("button", name="進む").click()
    expect(page.locator("h1")).to_contain_text("受付案内票の手続き")
    assert not too_wide(page)


def test_a_code_of_nobody_has_ways_on(tab: Callable[..., Page]) -> None:
    page = tab("/kiosk/ward/read?code=https://elsewhere.example/x/ABCDEF", *GLASS)
    expect(page.locator("h1")).to_have_text("予約が見つかりません")
    assert not violations(page)
    page.get_by_role("link", name="予約なしで番号をとる").click()
    expect(page.locator("h1")).to_contain_text("ご用件")
