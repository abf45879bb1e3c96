"""A visit from the guide to the last counter in a real browser: booked on a phone, read by the kiosk's camera."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from app.domain.calendar import business_date
from app.domain.roles import Role
from app.domain.ticket import State
from app.models.booking import Booking
from app.models.ticket import Step
from app.web.locale import LANGUAGES
from tests.browser.camera import looking_at
from tests.browser.conftest import Hall, too_wide, violations

PHONE, GLASS = (360, 740), {"width": 1080, "height": 1920}
# A family with children that moved in, without My Number Cards: two procedures that can be booked, at two counters,
# and a certificate that needs no booking.
FAMILY = (
    "day=unknown&mnc=no&seal=no&insurance=employer&pension=no&children=no&nursery=yes&care=no&disability=no&moped=no"
)


def fine(page: Page, said: object = "") -> None:
    assert not violations(page), said
    assert not too_wide(page), said


def to_now(hall: Hall) -> None:
    """The day of the booking has come: it begins in five minutes."""
    now = datetime.now(UTC)
    database = hall.database()
    with database.transaction() as session:
        booking = session.scalars(select(Booking)).one()
        shift = now + timedelta(minutes=5) - booking.start_at
        booking.start_at, booking.end_at = booking.start_at + shift, booking.end_at + shift
        booking.no_show_at, booking.business_date = booking.no_show_at + shift, business_date(now)
        booking.plan = [
            stage | {"start": (datetime.fromisoformat(stage["start"]) + shift).isoformat()} for stage in booking.plan
        ]
    database.dispose()


@pytest.fixture
def booked(hall: Hall, tab: Callable[..., Page], request: pytest.FixtureRequest) -> Page:
    """The page of a booking made from the guide, in the language of the test."""
    code = getattr(request, "param", "ja")
    page = tab(f"/o/ward/guide/ask/move_in?{FAMILY}&certificate=yes&lang={code}", *PHONE)
    page.locator("a.btn.wide").first.click()
    fine(page, "days")
    page.locator("a.btn.line.wide").first.click()
    fine(page, "times")
    page.locator("button.slot").first.click()
    expect(page.locator("[data-left]")).to_be_visible()
    fine(page, "held")
    # No channel is set up here: nothing is asked that nobody would use.
    expect(page.locator("[data-no-notices]")).to_be_visible()
    expect(page.locator('input[name="channel"]')).to_have_count(0)
    page.locator("form button.btn.wide").click()
    expect(page.locator(".ref")).to_be_visible()
    fine(page, "booked")
    code_box, words = page.locator(".qr svg").bounding_box(), page.locator(".qrcard p").first.bounding_box()
    assert code_box is not None
    assert words is not None
    assert code_box["y"] + code_box["height"] <= words["y"], "words lie on the QR code"
    return page


@pytest.mark.parametrize("booked", ["ja", "ja-Hira"], indirect=True)
def test_from_the_guide_to_the_second_counter(hall: Hall, booked: Page, browser: Browser, tmp_path: Path) -> None:
    code = "ja-Hira" if booked.locator("body.easy").count() else "ja"
    link = booked.url.partition("?")[0]
    to_now(hall)
    with looking_at(browser.browser_type, link, tmp_path) as seeing:
        kiosk = seeing.new_page(viewport=GLASS)
        kiosk.goto(f"{hall.address}/kiosk/ward/scan?lang={code}")
        expect(kiosk.locator(".k-panel")).to_be_visible(timeout=60_000)
        fine(kiosk, "arrival")
        if not kiosk.locator("main button.go").count():
            pytest.skip("SKIPPED: at this hour the line's day is over, nobody is checked in")
        kiosk.locator("main button.go").click()
        expect(kiosk.locator(".k-ticket .no")).to_have_text("B001")
    booked.reload()
    booked.locator("a.btn.wide").first.click()
    expect(booked).to_have_url(re.compile("/t/"))
    hall.open("ward-4", "ward-moving")
    hall.open("ward-18", "ward-children")
    assert hall.serve("ward-4") == "B001"
    second = hall.post("/counters/ward-18/call-next", role=Role.FLOOR_LEAD)
    assert second["ticket"]["number"] == "B001"
    expect(booked.locator("main")).to_have_attribute("data-status", "called")
    expect(booked.locator(".sign b")).to_have_text("18")
    for action in ("start", "finish"):
        hall.act(second["step"]["id"], action)
    # The certificate was never booked, and needs no second number.
    hall.open("ward-2", "ward-certificates")
    assert hall.serve("ward-2") == "B001"
    hall.act(_to_hand_over(hall), "ready")
    assert hall.serve("ward-2") == "B001"
    booked.reload()  # what happens at the counter is not on the board: the page itself looks every half minute
    expect(booked.locator("main")).to_have_attribute("data-status", "done")


def _to_hand_over(hall: Hall) -> int:
    """The step of the certificate that is being made."""
    database = hall.database()
    with database.snapshot() as session:
        found = session.scalars(select(Step.id).where(Step.state == State.PENDING)).one()
    database.dispose()
    return found


def test_booking_by_keyboard_alone_and_without_a_script(tab: Callable[..., Page]) -> None:
    page = tab("/o/ward", *PHONE, java_script_enabled=False)
    page.get_by_role("link", name=re.compile("^予約する")).press("Enter")
    page.get_by_role("checkbox", name=re.compile("転入届")).press("Space")
    page.get_by_role("button", name="日にちを選ぶ").press("Enter")
    page.locator("a.day:not(.full)").first.press("Enter")
    page.locator("button.slot").last.press("Enter")
    page.get_by_role("button", name="予約を確定する").press("Enter")
    expect(page.locator("h1")).to_have_text("予約できました")
    page.get_by_role("link", name="予約を取り消す").press("Enter")
    page.get_by_role("button", name="予約を取り消す").press("Enter")
    expect(page.locator("h1")).to_have_text("この予約は 取り消しました")


def test_every_page_in_every_language_for_everyone(hall: Hall, booked: Page) -> None:
    link = booked.url.partition("?")[0]
    for code in LANGUAGES:
        for path in ("/o/ward/book", "/o/ward/book/days?s=tennyu&s=jido_teate", "/b"):
            address = link if path == "/b" else hall.address + path
            booked.goto(f"{address}{'&' if '?' in path else '?'}lang={code}")
            assert not too_wide(booked), (code, path)
            if code in ("ja-Hira", "pt"):
                fine(booked, (code, path))
    for page in ("/cancel", "/move", "/check-in"):
        booked.goto(f"{link}{page}")
        fine(booked, page)
