"""Being told, on the phone that asks for it and on the screen that words it: every state at its sizes, axe on all."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.domain.roles import Role
from tests.browser.conftest import Hall, too_wide, violations
from tests.browser.test_admin import add, enter
from tests.standins import twilio

Tab = Callable[..., Page]
SIZES = ((360, 740), (768, 1024), (1366, 768), (1920, 1080))


@pytest.fixture
def hall(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hall]:
    """A fresh running office with keys of every channel; no sender runs."""
    keys = {
        "TWILIO_ACCOUNT_SID": twilio.ACCOUNT, "TWILIO_AUTH_TOKEN": twilio.TOKEN, "TWILIO_FROM": twilio.NUMBER,
        "SMTP_URL": "smtp://127.0.0.1:9", "LINE_CHANNEL_SECRET": "s", "LINE_CHANNEL_TOKEN": "t",
    }  # fmt: skip
    for name, value in keys.items():
        monkeypatch.setenv(f"MADOGUCHI_{name}", value)
    file = tmp_path / "hall.db"
    shutil.copyfile(sqlite_template, file)
    found = Hall(f"sqlite:///{file}")
    yield found
    found.stop()


def fine(page: Page) -> None:
    """No sideways scroll at any size, and nothing that axe finds."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert not too_wide(page), width
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert violations(page) == []


def test_a_wish_on_a_phone(hall: Hall, tab: Tab) -> None:
    ticket = hall.take("juminhyo")["token"]
    page = tab(f"/t/{ticket}", 360, 740)
    page.get_by_role("link", name="順番が近づいたら 知らせる").click()
    fine(page)
    expect(page.locator("#mail")).to_be_hidden()
    page.locator("label", has_text="メール").first.click()
    expect(page.locator("#mail")).to_be_visible()
    expect(page.locator("#tel")).to_be_hidden()
    page.locator("label", has_text="SMS").first.click()
    page.fill("#tel", "03-1234-5678")
    page.keyboard.press("Enter")
    expect(page.locator("#tel")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#tel")).to_have_value("03-1234-5678")
    fine(page)
    page.fill("#tel", "０９０－１２３４－５６７８")
    page.keyboard.press("Enter")
    expect(page.get_by_text("090-****-5678 に")).to_be_visible()
    expect(page.locator("#code")).to_be_focused()
    fine(page)
    page.fill("#code", "1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("番号が違います")
    fine(page)
    page.goto(f"{hall.address}/t/{ticket}")
    page.get_by_role("link", name="番号を入れる").click()
    page.get_by_role("link", name="もどる").click()
    page.locator("label", has_text="LINE").first.click()
    page.get_by_role("button", name="この内容で 知らせてもらう").click()
    expect(page.locator(".word")).to_have_text(re.compile("^[A-Z0-9]+$"))
    fine(page)


def test_a_text_is_written_against_its_length(hall: Hall, tab: Tab) -> None:
    add(hall, "aoki", Role.CITY_ADMIN)
    page = enter(tab("/sign-in", 1366, 768), hall, "aoki", "/messages?occasion=soon")
    fine(page)
    words, bar = page.locator("[data-short]"), page.locator("[data-bar] .used")
    words.fill("{番号}番 あと{人数}人 " + "あ" * 60)
    expect(page.locator("[data-meter] b")).to_have_text("入れた値で 71字・2通")
    expect(bar).to_have_attribute("width", "71")
    words.fill("No. {番号}, {人数} before you " + "x" * 100)
    expect(page.locator("[data-rule]")).to_contain_text("160字まで1通、こえると153字ごと")
    expect(page.locator("[data-meter] b")).to_contain_text("・1通")
    words.fill("{番号} {名前}")
    words.press("Control+Enter")
    expect(page.get_by_role("alert").last).to_contain_text("{名前} は、ここでは使えません。")
    fine(page)
    words.fill("{番号}番 あと{人数}人。{短いURL}")
    words.press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("公開しました")
    expect(page.locator("[data-bubble]")).to_contain_text("B088番 あと3人。")
