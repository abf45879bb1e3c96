"""The lobby board in a browser: every call at once, nothing fetched for it, and no old number after a stop."""

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.domain.calendar import business_date
from app.models.place import Notice, Office
from app.models.publication import Publication
from tests.browser.conftest import Hall, asked_from_now, joined, refuse_once, too_wide, violations

BOARD = "/board/ward/ward-citizen"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def test_calls_appear_and_no_page_is_fetched_for_them(hall: Hall, tab: Callable[..., Page]) -> None:
    numbers = [hall.take()["number"] for _ in range(5)]
    hall.open()
    page = tab(BOARD, 1920, 1080, looks=False)
    expect(page.locator('[data-line="ward-certificates"] [data-f="waiting"]')).to_have_text("5")
    asked = asked_from_now(page)
    hall.serve()
    expect(page.locator("#call .call-no")).to_have_text(numbers[0])
    expect(page.locator("#call")).to_have_class("bd-call fresh")
    expect(page.locator("#announce")).to_contain_text(numbers[0])
    for _ in range(2):
        hall.serve()
    expect(page.locator("#call .call-no")).to_have_text([numbers[2], numbers[1], numbers[0]])
    hall.serve()
    expect(page.locator("#call .call-no")).to_have_text([numbers[3], numbers[2], numbers[1]])
    expect(page.locator("#past .no")).to_have_text([numbers[0]])
    expect(page.locator('[data-line="ward-certificates"] [data-f="waiting"]')).to_have_text("1")
    assert asked == []


def test_a_call_taken_back_leaves_the_glass(hall: Hall, tab: Callable[..., Page]) -> None:
    hall.take()
    hall.open()
    page = tab(BOARD, 1080, 1920)
    joined(page)
    called = hall.call()
    expect(page.locator("#call .call-no")).to_have_text(called["ticket"]["number"])
    hall.act(called["step"]["id"], "uncall")
    expect(page.locator("#call h2")).to_have_text("まもなくお呼びします")


def test_a_server_that_hangs_is_told_and_forgotten(hall: Hall, tab: Callable[..., Page]) -> None:
    number = hall.take()["number"]
    hall.open()
    hall.call()
    page = tab(BOARD, 1920, 1080)
    expect(page.locator("#call .call-no")).to_have_text(number)
    os.killpg(hall.process.pid, signal.SIGSTOP)
    try:
        expect(page.get_by_role("heading", name="更新停止")).to_be_visible(timeout=40_000)
        assert number not in page.locator("body").inner_text()
        assert not violations(page)
        refused = refuse_once(page, BOARD)
    finally:
        os.killpg(hall.process.pid, signal.SIGCONT)
    expect(page.locator("#past .no, #call .call-no")).to_have_text([number], timeout=40_000)
    assert refused


def test_the_glass_is_for_everyone(hall: Hall, tab: Callable[..., Page]) -> None:
    for _ in range(4):
        hall.take()
    hall.open()
    hall.serve()
    sizes = ((1920, 1080), (1080, 1920), (768, 1024), (360, 740))
    for width, height in sizes:
        page = tab(BOARD, width, height)
        expect(page.locator("#call")).to_be_visible()
        assert not violations(page), (width, height)
        assert not too_wide(page), (width, height)
        # Nothing hangs over the foot of the glass, on a panel of any shape.
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight + 2"), (width, height)
    for width, height in sizes[:2]:
        page = tab("/board/ward", width, height)
        expect(page.locator(".wt")).to_have_count(8)
        assert not violations(page), (width, height)
        # One notice at a time, the important ones instead of the others.
        assert page.locator(".bd-news:visible").count() == 1


def after_hours(hall: Hall) -> None:
    """The office opens on another day of the week only, and has something important and something plain to say."""
    database = hall.database()
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"training": False}
        hours = session.scalars(
            select(Publication).where(Publication.office_id == "ward", Publication.kind == "hours")
        ).one()
        other = WEEKDAYS[(business_date(datetime.now(UTC)).weekday() + 2) % 7]
        hours.content = {"rule.01": hours.content["rule.01"] | {"days": [other]}}
        for position, level in enumerate(("warning", "info")):
            words = {"ja": f"エレベーターは点検中です({level})", "en": f"The lift is out of service ({level})"}
            session.add(Notice(code=None, office_id="ward", hall_id=None, level=level, words=words, position=position))
    database.dispose()


def test_the_evening_is_for_everyone(hall: Hall, tab: Callable[..., Page]) -> None:
    """What stands on each screen when the day is over, beside notices of both levels."""
    after_hours(hall)
    for width, height in ((1920, 1080), (1080, 1920), (768, 1024)):
        page = tab(BOARD, width, height)
        expect(page.get_by_role("heading", name="ただいま受付時間外です")).to_be_visible()
        expect(page.locator(".bd-news.warn:visible")).to_have_count(1)
        assert not violations(page), (width, height)
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight + 2"), (width, height)
    for path in ("/o/ward", "/o/ward/take", "/o/ward/congestion", "/kiosk/ward", "/counter/ward-2"):
        page = tab(path, *((1080, 1920) if path.startswith("/kiosk") else (360, 740)))
        assert not violations(page), path
