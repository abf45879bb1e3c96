"""A resident's phone: a number by keyboard alone, a page that follows the hall, and every state for everyone."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.web.locale import LANGUAGES
from tests.browser.conftest import Hall, too_wide, violations

PHONE = (360, 740)


def path_of(ticket: dict[str, object]) -> str:
    return f"/t/{ticket['token']}"


def fine(page: Page) -> None:
    assert not violations(page)
    assert not too_wide(page)


def test_a_number_by_keyboard_alone(tab: Callable[..., Page]) -> None:
    page = tab("/o/ward", *PHONE)
    page.get_by_role("link", name=re.compile("番号をとる")).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/take$"))
    fine(page)
    page.get_by_role("checkbox").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/t/"))
    fine(page)


def test_the_page_follows_the_hall_without_asking(hall: Hall, tab: Callable[..., Page]) -> None:
    others = [hall.take() for _ in range(2)]
    mine = hall.take()
    hall.open()
    page = tab(path_of(mine), *PHONE)
    asked: list[str] = []
    expect(page.locator('[data-f="ahead"]')).to_have_text("2")
    page.wait_for_timeout(700)
    page.on("request", lambda request: asked.append(request.url) if "/static/" not in request.url else None)
    hall.serve()
    expect(page.locator('[data-f="ahead"]')).to_have_text("1")
    hall.serve()
    expect(page.locator('[data-f="estimate"]')).to_have_text("つぎの順番です")
    assert asked == []
    called = hall.call()
    expect(page.locator("main")).to_have_attribute("data-status", "called")
    expect(page.locator(".sign b")).to_have_text("2")
    assert len(asked) == 1
    fine(page)
    hall.act(called["step"]["id"], "miss")
    expect(page.get_by_role("button", name="列にもどる")).to_be_visible()
    fine(page)
    page.get_by_role("button", name="列にもどる").press("Enter")
    expect(page.locator("main")).to_have_attribute("data-status", "waiting")
    assert len(others) == 2


def test_how_busy_it_is_follows_too(hall: Hall, tab: Callable[..., Page]) -> None:
    page = tab("/o/ward", *PHONE)
    row = page.locator('[data-line="ward-certificates"]')
    expect(row.locator('[data-f="waiting"]')).to_have_text("待ち 0人")
    expect(row.locator('[data-f="range"]')).to_have_text("時間は まだ わかりません")
    hall.open()
    expect(row.locator('[data-f="range"]')).to_have_text("すぐにご案内")
    hall.take()
    expect(row.locator('[data-f="waiting"]')).to_have_text("待ち 1人")


def test_every_language_for_everyone(hall: Hall, tab: Callable[..., Page]) -> None:
    mine = hall.take("juminhyo", "tennyu")
    page = tab("/", *PHONE)
    for code in LANGUAGES:
        for path in ("/", "/o/ward", "/o/ward/take", path_of(mine), f"{path_of(mine)}/cancel", "/o/nowhere"):
            page.goto(f"{hall.address}{path}?lang={code}")
            assert not violations(page), (code, path)
            assert not too_wide(page), (code, path)


def test_a_cancelled_number(hall: Hall, tab: Callable[..., Page]) -> None:
    mine = hall.take()
    page = tab(f"{path_of(mine)}/cancel", *PHONE)
    page.get_by_role("button").last.press("Enter")
    expect(page.locator("main")).to_have_attribute("data-status", "cancelled")
    fine(page)


def test_without_script_the_page_still_tells(hall: Hall, tab: Callable[..., Page]) -> None:
    mine = hall.take()
    page = tab(path_of(mine), *PHONE, java_script_enabled=False)
    assert str(mine["number"]) in page.content()
    assert "時間は まだ わかりません" in page.content()
