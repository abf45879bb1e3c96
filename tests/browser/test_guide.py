"""The guide on a phone: by keyboard alone, without a script, in every language, and on paper."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.web.locale import LANGUAGES
from tests.browser.conftest import Hall, too_wide, violations

PHONE, DESK = (360, 740), (1280, 900)


def fine(page: Page, said: object = "") -> None:
    assert not violations(page), said
    assert not too_wide(page), said


def test_from_the_home_page_to_one_number_by_keyboard_alone(tab: Callable[..., Page]) -> None:
    page = tab("/o/ward", *PHONE)
    page.get_by_role("link", name=re.compile("必要な手続きを調べる")).press("Enter")
    page.get_by_role("link", name="赤ちゃんが生まれた").press("Enter")
    fine(page)
    page.get_by_role("link", name="まだ わからない").press("Enter")
    for _ in range(2):
        page.get_by_role("radio").first.focus()
        page.keyboard.press("Space")
        with page.expect_navigation():
            page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(re.compile("手続きは[0-9]+つ"))
    fine(page)
    page.get_by_role("button", name="きょう まとめて1つの番号をとる").press("Enter")
    expect(page.locator(".path li").nth(1)).to_be_visible()


def test_without_a_script(tab: Callable[..., Page]) -> None:
    page = tab("/o/ward/guide", *PHONE, java_script_enabled=False)
    page.get_by_role("link", name=re.compile("仕事をやめた")).click()
    page.locator("#day").fill("2026-03-31")
    page.get_by_role("button", name="次へ").click()
    page.get_by_role("radio", name="はい").check()
    page.get_by_role("button", name="次へ").click()
    expect(page.locator("body")).to_contain_text("4月14日(火)まで")
    page.go_back()
    page.get_by_role("radio", name="いいえ").check()
    page.get_by_role("button", name="次へ").click()
    expect(page.locator(".path > li")).to_have_count(2)


def test_every_page_in_every_language_for_everyone(hall: Hall, tab: Callable[..., Page]) -> None:
    page = tab("/o/ward/guide/ask/death?end=1", *PHONE)
    plan = page.url
    for code in LANGUAGES:
        for path in (f"{hall.address}/o/ward/guide", f"{hall.address}/o/ward/guide/ask/move_in?day=unknown", plan):
            page.goto(f"{path}{'&' if '?' in path else '?'}lang={code}")
            # Easy Japanese is Japanese to whoever reads it aloud.
            assert page.locator("html").get_attribute("lang") == code.removesuffix("-Hira")
            assert not too_wide(page), (code, path)
            if code in ("ja", "ja-Hira", "pt"):
                fine(page, (code, path))
    page.goto(f"{plan}/sheet")
    fine(page)


def test_the_sheet_of_six_procedures_is_one_page_of_paper(tab: Callable[..., Page]) -> None:
    page = tab(
        "/o/ward/guide/ask/move_in?day=2026-03-27&mnc=yes&seal=no&insurance=kokuho&pension=no&children=yes&nursery=no"
        "&care=no&disability=no&moped=no&certificate=yes",
        *DESK,
    )
    page.goto(page.url.replace("?", "/sheet?"))
    paper = page.pdf(format="A4", print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 1
