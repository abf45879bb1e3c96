"""A resident's phone: a number by keyboard alone, a page that follows the hall, and every state for everyone."""

import os
import re
import signal
from collections.abc import Callable

from playwright.sync_api import Page, expect

from app.web.locale import LANGUAGES
from tests.browser.conftest import Hall, asked_from_now, joined, refuse_once, too_wide, unheard, violations

PHONE = (360, 740)
ABOUT = [f"/o/ward/about/{what}" for what in ("how", "privacy", "accessibility")]


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
    page.locator("summary", has_text="証明書").focus()
    page.keyboard.press("Enter")
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
    page = tab(path_of(mine), *PHONE, looks=False)
    expect(page.locator('[data-f="ahead"]')).to_have_text("2")
    asked = asked_from_now(page)
    hall.serve()
    expect(page.locator('[data-f="ahead"]')).to_have_text("1")
    hall.serve()
    expect(page.locator('[data-f="estimate"]')).to_have_text("つぎの順番です")
    assert asked == []
    expect(page.locator('[data-told="then"]')).to_have_text("あなたの前 0 人 呼ばれるまで つぎの順番です")
    page.get_by_role("link", name="番号を取り消す").focus()
    called = hall.call()
    expect(page.locator("main")).to_have_attribute("data-status", "called")
    expect(page.locator('[data-told="now"]')).to_contain_text(
        f"お呼びしています {mine['number']} 2 番窓口へ お越しください"
    )
    expect(page.locator("main")).to_be_focused()
    expect(page.locator(".sign b")).to_have_text("2")
    assert len(asked) == 1
    fine(page)
    # However many digits a counter has, the words beside or below it stay words.
    for number in ("12", "108"):
        page.locator(".sign b").evaluate("(each, number) => { each.textContent = number }", number)
        assert page.locator(".sign span").evaluate("each => each.getBoundingClientRect().height") < 90
        assert not too_wide(page)
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
        for path in ("/", "/o/ward", "/o/ward/take", path_of(mine), f"{path_of(mine)}/cancel", "/o/nowhere", *ABOUT):
            page.goto(f"{hall.address}{path}?lang={code}")
            assert not too_wide(page), (code, path)
            # The longest words and the ones with readings stand for the others: axe does not read.
            assert code not in ("ja", "ja-Hira", "pt") or not violations(page), (code, path)


def test_a_cancelled_number(hall: Hall, tab: Callable[..., Page]) -> None:
    mine = hall.take()
    page = tab(f"{path_of(mine)}/cancel", *PHONE)
    page.get_by_role("button").last.press("Enter")
    expect(page.locator("main")).to_have_attribute("data-status", "cancelled")
    fine(page)


def test_who_cannot_come_and_who_is_done(hall: Hall, tab: Callable[..., Page]) -> None:
    mine = hall.take("inkan_reg")
    page = tab(path_of(mine), *PHONE)
    page.get_by_role("link", name="行けないとき").press("Enter")
    expect(page.locator("h1")).to_have_text("行けないとき")
    fine(page)
    hall.open("ward-4", "ward-moving")
    hall.serve("ward-4")
    page.goto(f"{hall.address}{path_of(mine)}")
    expect(page.locator("h1")).to_have_text("すべて おわりました")
    fine(page)
    page.get_by_role("button", name="よかった").press("Enter")
    expect(page.locator("#feedback")).to_contain_text("「よかった」を受けとりました。")
    page.locator("summary", has_text="理由をえらぶ").press("Enter")
    fine(page)
    page.get_by_role("button", name="職員の対応").press("Enter")
    expect(page.locator("#feedback")).to_contain_text("理由: 職員の対応")
    page.get_by_role("link", name="選びなおす").press("Enter")
    expect(page.get_by_role("button", name="よかった")).to_have_attribute("aria-pressed", "true")
    fine(page)


def test_without_script_the_page_still_tells(hall: Hall, tab: Callable[..., Page]) -> None:
    mine = hall.take()
    page = tab(path_of(mine), *PHONE, java_script_enabled=False)
    assert str(mine["number"]) in page.content()
    assert "時間は まだ わかりません" in page.content()


def test_an_office_silent_from_the_first_moment(hall: Hall, tab: Callable[..., Page]) -> None:
    """The page came, no snapshot after it: what it shows is as old as one whose server fell silent later."""
    hall.take()
    mine = hall.take()
    hall.open()
    number, home = tab("/o/ward/about/how", *PHONE), tab("/o/ward/about/how", *PHONE)
    for page, path in ((number, path_of(mine)), (home, "/o/ward")):
        page.route_web_socket(re.compile("/socket.io/"), lambda _: None)
        page.route(re.compile("/api/v1/offices/ward/board"), lambda asked: asked.abort())
        page.goto(f"{hall.address}{path}")
    expect(number.locator('[data-f="ahead"]')).to_have_text("1")
    expect(home.locator('[data-line="ward-certificates"] [data-f="waiting"]')).to_have_text("待ち 2人")
    unheard(number, home)
    expect(number.locator("main")).to_contain_text(re.compile(r"\d+時\d\d分には、前に1人でした。"), timeout=40_000)
    expect(number.locator('[data-f="ahead"]')).to_have_count(0)
    row = home.locator('[data-line="ward-certificates"]')
    expect(row).to_contain_text(re.compile(r"いまは不明\s*\d+時\d\d分は 2人"), timeout=40_000)


def test_a_page_that_could_not_be_drawn_anew_stays_old_and_is_drawn_later(hall: Hall, tab: Callable[..., Page]) -> None:
    """The office speaks again, but its page does not come at once: the figures taken away are not left away."""
    hall.take()
    mine = hall.take()
    page = tab(path_of(mine), *PHONE)
    joined(page)
    os.killpg(hall.process.pid, signal.SIGSTOP)
    try:
        unheard(page)
        expect(page.locator('[data-f="ahead"]')).to_have_count(0, timeout=40_000)
        refused = refuse_once(page, path_of(mine))
    finally:
        os.killpg(hall.process.pid, signal.SIGCONT)
    expect(page.locator('[data-f="ahead"]')).to_have_text("1", timeout=40_000)
    assert refused
    expect(page.locator(".path .tag").first).to_have_text("待っています")
    expect(page.locator("body")).not_to_have_class(re.compile("stale"))


def test_what_is_old_is_told_in_the_past_tense(hall: Hall, tab: Callable[..., Page]) -> None:
    """A phone whose server hangs keeps the number; people ahead, minutes, lamps and states are not told as true."""
    hall.take()
    mine = hall.take()
    hall.open()
    number, home = tab(path_of(mine), *PHONE), tab("/o/ward", *PHONE)
    expect(number.locator('[data-f="ahead"]')).to_have_text("1")
    expect(home.locator('[data-line="ward-certificates"] [data-f="waiting"]')).to_have_text("待ち 2人")
    for page in (number, home):
        joined(page)
    os.killpg(hall.process.pid, signal.SIGSTOP)
    try:
        unheard(number, home)
        expect(number.get_by_text("更新が止まっています(更新停止)")).to_be_visible(timeout=40_000)
        said = number.locator("body").inner_text()
        assert str(mine["number"]) in said
        assert "待っています" not in said
        assert re.search(r"最後の情報は \d+時\d\d分です", said)
        assert re.search(r"\d+時\d\d分には、前に1人でした。", said)
        assert number.locator(".path .tag").first.inner_text().endswith("の状態")
        fine(number)
        assert "いま、庁舎と つながりません。" in said
        number.context.set_offline(True)
        expect(number.get_by_text("インターネットに つながっていません")).to_be_visible()
        expect(number.get_by_text("いま、庁舎と つながりません。")).to_be_hidden()
        fine(number)
        number.context.set_offline(False)
        expect(home.locator("body")).to_have_class(re.compile("stale"), timeout=40_000)
        row = home.locator('[data-line="ward-certificates"]')
        assert re.search(r"いまは不明\s*\d+時\d\d分は 2人", row.inner_text())
        assert "空いています" not in home.locator("main").inner_text()
        fine(home)
    finally:
        os.killpg(hall.process.pid, signal.SIGCONT)
    expect(number.locator(".path .tag").first).to_have_text("待っています", timeout=40_000)
    expect(number.locator('[data-f="ahead"]')).to_have_text("1")
    expect(home.locator('[data-line="ward-certificates"] [data-f="waiting"]')).to_have_text("待ち 2人", timeout=40_000)
