"""The display above a counter in a browser: the call at once and without a fetch, every state, and no old number."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser.conftest import Hall, asked_from_now, joined, too_wide, unheard, violations

GLASS = "/counter/ward-2"
SIZES = ((1280, 400), (1920, 1080), (1080, 1920), (360, 740))


def cut(page: Page) -> list[str]:
    """What stands outside the panel."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('#glass *')].filter((each) => {
          const box = each.getBoundingClientRect();
          const short = each.matches('.ct-second') && each.scrollWidth > each.clientWidth + 1;
          return short || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
        }).map((each) => each.className + ' ' + each.textContent)"""
    )
    return found


def well(page: Page) -> None:
    assert not violations(page)
    assert not too_wide(page)
    assert cut(page) == []


def test_a_day_above_counter_2(hall: Hall, tab: Callable[..., Page]) -> None:
    page = tab(GLASS, 1280, 400, looks=False)
    glass = page.locator("#glass main")
    expect(glass).to_have_attribute("data-state", "closed")
    asked = asked_from_now(page)
    hall.open()
    expect(glass).to_have_attribute("data-state", "open")
    well(page)
    number = hall.take()["number"]
    called = hall.call()
    expect(page.locator("#glass .no")).to_have_text(number)
    expect(glass).to_have_attribute("data-state", "called")
    expect(page.locator("#announce")).to_contain_text(number)
    expect(page.locator("#glass .ct-name")).to_have_text("証明書")
    well(page)
    hall.act(called["step"]["id"], "start")
    expect(page.locator("#glass .do")).to_have_text("ご案内中")
    well(page)
    hall.act(called["step"]["id"], "finish")
    expect(glass).to_have_attribute("data-state", "open")
    hall.open("ward-3")
    back = (datetime.now(UTC) + timedelta(minutes=30)).replace(microsecond=0)
    hall.post("/counters/ward-2/pause", {"back_at": back.isoformat()})
    expect(page.locator("#glass h2")).to_contain_text("に再開します")
    expect(page.locator('#glass [data-f="instead"]')).to_have_text("証明書の手続きは、3番窓口でお呼びします。")
    assert number not in page.locator("#glass").inner_text()
    well(page)
    assert asked == []


def test_only_news_moves(hall: Hall, tab: Callable[..., Page]) -> None:
    hall.open()
    number = hall.take()["number"]
    called = hall.call()
    page = tab(GLASS, 1280, 400)
    glass = page.locator("#glass main")
    joined(page)
    expect(page.locator("#announce")).to_contain_text(number)
    expect(glass).not_to_have_class("ct ct-called ct-new")
    hall.act(called["step"]["id"], "recall")
    expect(glass).to_have_class("ct ct-called ct-new")
    hall.act(called["step"]["id"], "start")
    expect(glass).to_have_class("ct")


def test_it_fits_every_panel(hall: Hall, tab: Callable[..., Page]) -> None:
    hall.open()
    ticket = hall.take()
    hall.call()
    for width, height in SIZES:
        for lang in ("pt", "vi"):
            page = tab(f"{GLASS}?lang={lang}", width, height)
            expect(page.locator("#glass main")).to_have_attribute("data-state", "called")
            well(page)
    accept, deliver = (step["id"] for step in ticket["steps"])
    for step, action in ((accept, "start"), (accept, "finish"), (deliver, "ready")):
        hall.act(step, action)
    hall.call()
    for lang in ("en", "pt", "vi", "ko", "zh-Hant"):
        page = tab(f"{GLASS}?lang={lang}", *SIZES[0])
        expect(page.locator("#glass main")).to_have_attribute("data-state", "deliver")
        assert cut(page) == [], lang


def test_a_time_to_come_back_fits_every_panel_however_wide(hall: Hall, tab: Callable[..., Page]) -> None:
    """Digits differ in width: what fits at 11:11 must fit at 20:48 and at 00:00."""
    hall.open()
    hall.open("ward-3")
    back = (datetime.now(UTC) + timedelta(minutes=30)).replace(microsecond=0)
    hall.post("/counters/ward-2/pause", {"back_at": back.isoformat()})
    for width, height in SIZES:
        for lang in ("en", "pt", "vi"):
            page = tab(f"{GLASS}?lang={lang}", width, height)
            expect(page.locator("#glass main")).to_have_attribute("data-state", "back")
            for time in ("11:11", "20:48", "00:00"):
                page.locator("#glass h2 b").evaluate("(each, time) => { each.textContent = time }", time)
                assert cut(page) == [], (width, lang, time)


def test_a_server_that_hangs_takes_the_number_away(hall: Hall, tab: Callable[..., Page]) -> None:
    hall.open()
    number = hall.take()["number"]
    hall.call()
    page = tab(GLASS, 1280, 400)
    expect(page.locator("#glass .no")).to_have_text(number)
    os.killpg(hall.process.pid, signal.SIGSTOP)
    try:
        unheard(page)
        expect(page.get_by_role("heading", name="更新停止")).to_be_visible(timeout=40_000)
        assert number not in page.locator("body").inner_text()
        assert "{since}" not in page.locator("#glass").inner_text()
        well(page)
    finally:
        os.killpg(hall.process.pid, signal.SIGCONT)
    expect(page.locator("#glass .no")).to_have_text(number, timeout=40_000)
