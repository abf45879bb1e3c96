"""The page on how well forecasts did, on a narrow phone and a wide screen: readable, within the page, by keyboard."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from app.domain.calendar import business_date
from tests.browser.conftest import Hall, too_wide, violations
from tests.browser.test_planning import sign_in
from tests.standins import planned

Tab = Callable[..., Page]


def test_it_is_readable_and_within_the_page(hall: Hall, tab: Tab) -> None:
    today = business_date(datetime.now(UTC))
    with hall.database().transaction() as session:
        planned.forecasts(session, today - timedelta(days=2), days=8)
        planned.manager(session)
    page = tab("/manage/forecast", 1920, 1080)
    sign_in(page)
    for width in (1920, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{hall.address}/manage/forecast?office=ward")
        expect(page.get_by_role("heading", name="予測の成績")).to_be_visible()
        assert violations(page) == []
        assert not too_wide(page)
    page.keyboard.press("1")
    expect(page.get_by_text("1日の予測")).to_be_visible()
