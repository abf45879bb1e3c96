"""The kiosk's second button sends where it says; a manager compares two rules of turns in a browser and switches."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from app.domain.calendar import business_date
from app.domain.roles import Role
from app.models.people import Account
from app.models.place import Category
from app.models.ticket import Ticket
from app.services import access, hours
from tests.bench.blend import LINE, Day, people
from tests.browser.conftest import Hall, too_wide, violations

Tab = Callable[..., Page]
PASSWORD = "correct horse battery"
SIZES = ((360, 740), (768, 1024), (1080, 1920), (1920, 1080))


@pytest.fixture
def lived(hall: Hall) -> Hall:
    """A manager who may switch, and a day of a rush, half of it booked."""
    database = hall.database()
    with database.transaction() as session:
        line = session.get_one(Category, LINE)
        line.booking = {"grid": 15, "capacity": 12, "window_days": 100, "lead_minutes": 0}
        line.policy = line.policy | {"allowance": 0}
        session.add(
            Account(municipality_id="aonami", office_id="ward", login="aoki", name="青木", section="市民課",
                    role=Role.DEPARTMENT_ADMIN, password_hash=access.hash_password(PASSWORD),
                    created_at=datetime.now(UTC))
        )  # fmt: skip
        day = business_date(datetime.now(UTC)) - timedelta(days=1)
        # A Saturday opens later than these people come.
        while day.weekday() >= 5 or not hours.opening(session, "ward", day):
            day -= timedelta(days=1)
    dice = random.Random(3)
    parties = people(sorted(dice.uniform(530, 580) for _ in range(60)), 0.125, dice)
    Day(database, day, parties, booking=True).play(dice)
    database.dispose()
    return hall


def test_a_manager_compares_and_switches(lived: Hall, tab: Tab) -> None:
    page = tab("/sign-in?next=/manage/plan", 1366, 768)
    page.fill("[name=login]", "aoki")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/sign-in" not in address)
    page.goto(f"{lived.address}/manage/dials?office=ward&line={LINE}&allowance=60")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert not too_wide(page)
        assert violations(page) == []
    page.get_by_role("button", name="この決めかたに切りかえる").click()
    expect(page.get_by_role("status").first).to_contain_text("この決めかたで決まります")
    expect(page.get_by_label("予約のないかたの順番に足す時間")).to_have_value("60")
    expect(page.get_by_role("button", name="この決めかたに切りかえる")).to_have_count(0)


def test_a_touched_time_is_not_taken_for_a_number_now(hall: Hall, tab: Tab) -> None:
    """The script sends a form to where its button says; otherwise who chose a later time would get a number now."""
    page = tab("/kiosk/ward/visit?p=move_in", 1080, 1920)
    page.evaluate(
        "document.querySelector('.k-foot').insertAdjacentHTML('beforebegin',"
        '\'<button id="later" name="start" value="x" formaction="/kiosk/ward/later">later</button>\')'
    )
    with page.expect_response("**/kiosk/ward/later") as heard:
        page.locator("#later").click()
    assert heard.value.status == 422
    with hall.database().snapshot() as session:
        assert session.scalar(select(func.count()).select_from(Ticket)) == 0


def test_a_clerk_books_for_a_caller_by_keyboard_alone(hall: Hall, tab: Tab) -> None:
    database = hall.database()
    with database.transaction() as session:
        session.add(
            Account(municipality_id="aonami", office_id="ward", login="sato", name="佐藤", section="市民課",
                    role=Role.CLERK, password_hash=access.hash_password(PASSWORD), created_at=datetime.now(UTC))
        )  # fmt: skip
    database.dispose()
    page = tab("/sign-in?next=/bookings/ward/new", 1366, 768)
    page.fill("[name=login]", "sato")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/sign-in" not in address)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for other in ("day", "find", "slots", "paper"):
            page.goto(f"{page.url.partition('/bookings')[0]}/bookings/ward/{other}")
            assert violations(page) == [], (other, width)
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(f"{page.url.partition('/bookings')[0]}/bookings/ward/new")
    expect(page.locator("[data-pick-filter]")).to_be_focused()
    page.keyboard.type("転入")
    expect(page.locator("[data-pick-said]")).to_have_text("1つ あてはまります。Enterで えらびます。")
    page.keyboard.press("Enter")
    page.keyboard.type("ジュウミン")  # katakana finds hiragana, too
    expect(page.locator("[data-words]:visible")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert violations(page) == []
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "s=juminhyo" in address)
    expect(page.locator(".picks summary b")).to_have_text("住民票の写し・転入届")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        assert not too_wide(page)
        assert violations(page) == []
    while not page.locator("button[name=start]").count():
        with page.expect_navigation():
            page.get_by_role("link", name="つぎに空いている日").press("Enter")
    page.locator("button[name=start]").last.press("Enter")
    expect(page.get_by_role("status")).to_have_text("予約をとりました。")
    expect(page.locator("aside .plan li")).to_contain_text(["転入届", "(予約枠なし・同じ番号で続けて)"])
