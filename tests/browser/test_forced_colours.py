"""Where the browser takes the colours away, what they said stands in borders and words; and letters twice as large."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from app.domain.roles import Role
from app.models.people import Account
from app.services import access
from tests.browser.conftest import Hall

PASSWORD = "a lead who reads figures"
FORCED = {"forced_colors": "active", "reduced_motion": "reduce"}
_BORDER = "(each) => getComputedStyle(each).border"
_FOOT = "(each) => getComputedStyle(each).borderBottomColor"
_CUT = """() => [...document.querySelectorAll("a, button, h1, h2, label")]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1
    && getComputedStyle(each).display !== "inline" && !each.closest(".vh"))
  .map((each) => each.textContent.trim())"""


@pytest.fixture
def signed(hall: Hall, tab: Callable[..., Page]) -> Page:
    """A floor lead's screen."""
    database = hall.database()
    with database.transaction() as session:
        session.add(
            Account(municipality_id="aonami", office_id="ward", login="yamaguchi", name="山口 恵", section="市民課",
                    role=Role.FLOOR_LEAD, password_hash=access.hash_password(PASSWORD), created_at=datetime.now(UTC))
        )  # fmt: skip
    database.dispose()
    page = tab("/sign-in?next=/lead", 1366, 768, **FORCED)
    page.fill("[name=login]", "yamaguchi")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="フロアのいま")).to_be_visible()
    return page


def borders(links: Locator) -> list[str]:
    return [link.evaluate(_BORDER) for link in links.all()]


def test_the_language_that_is_spoken_is_told_by_its_border(tab: Callable[..., Page]) -> None:
    page = tab("/kiosk/ward", 1080, 1920, **FORCED)
    expect(page.locator(".k-lang [aria-current]")).to_have_count(1)
    [spoken] = borders(page.locator(".k-lang [aria-current]"))
    assert spoken not in borders(page.locator(".k-lang a:not([aria-current])"))


def test_the_page_one_is_on_is_the_only_underlined_one_of_the_bar(signed: Page) -> None:
    [here] = [link.evaluate(_FOOT) for link in signed.locator(".bar nav a[aria-current]").all()]
    others = [link.evaluate(_FOOT) for link in signed.locator(".bar nav a:not([aria-current])").all()]
    assert others
    assert here not in others

    assert signed.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize(("path", "width", "height"), [("/o/ward", 320, 512), ("/kiosk/ward", 540, 960)])
def test_letters_twice_as_large_are_not_cut(tab: Callable[..., Page], path: str, width: int, height: int) -> None:
    page = tab(path, width, height, device_scale_factor=2)
    expect(page.locator("h1").first).to_be_attached()
    assert page.evaluate(_CUT) == []
