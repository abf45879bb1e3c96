"""The kiosk under somebody's fingers: its way, its time, a server that is away, and every state looked at by axe."""

import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import func, select

from app.domain.roles import Role
from app.models.people import AccessToken
from app.models.ticket import Ticket
from app.services import access, kiosk_staff
from app.web.locale import LANGUAGES
from tests import hall_server
from tests.browser.conftest import Hall, held_clock, joined, too_wide, violations

GLASS = (1080, 1920)
PIN = "274951"
# Controls that are too small, or closer to each other than a finger is sure of; what stands in a bar above the page
# is compared within the bar.
_TIGHT = """() => {
  const bar = (e) => e.closest('.k-foot, .k-tools, dialog');
  const seen = [...document.querySelectorAll('main a.key, main button, main label.key, main input.k-typed')]
    .filter((e) => e.checkVisibility()).map((e) => [e, e.getBoundingClientRect()]);
  const found = seen.filter(([, r]) => r.height < 48 || r.width < 48).map(([e]) => `small: ${e.textContent.trim()}`);
  for (const [i, [a, p]] of seen.entries()) for (const [b, q] of seen.slice(i + 1)) {
    const gap = Math.max(p.left - q.right, q.left - p.right, p.top - q.bottom, q.top - p.bottom);
    if (bar(a) === bar(b) && gap < 8) found.push(`near: ${a.textContent.trim()} | ${b.textContent.trim()}`);
  }
  return found;
}"""


def fine(page: Page) -> None:
    assert violations(page) == []
    assert page.evaluate(_TIGHT) == []
    assert not too_wide(page)


def tickets(hall: Hall) -> int:
    database = hall.database()
    with database.snapshot() as session:
        found = session.scalar(select(func.count()).select_from(Ticket)) or 0
    database.dispose()
    return found


@pytest.fixture(scope="module")
def hall(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """One running office for all of these tests; its numbers go on from test to test."""
    file = tmp_path_factory.mktemp("kiosk") / "hall.db"
    shutil.copyfile(sqlite_template, file)
    found = Hall(f"sqlite:///{file}")
    database = found.database()
    material = kiosk_staff.pin_material(hall_server.SECRET.encode(), "ward", PIN)
    with database.transaction() as session:
        hashed, now = access.hash_password(material), datetime.now(UTC)
        kiosk_staff.set_pin(session, office_id="ward", pin_hash=hashed, actor="test", at=now)
    database.dispose()
    yield found
    found.stop()


@pytest.fixture
def paired(hall: Hall, tab: Callable[..., Page]) -> Page:
    """The glass of a kiosk paired for this test, its printing counted."""
    secret, database = secrets.token_urlsafe(32), hall.database()
    with database.transaction() as session:
        access.issue_token(
            session, token=secret, role=Role.KIOSK, municipality_id="aonami", office_id="ward",
            hall_id="ward-citizen", label="受付機2", at=datetime.now(UTC),
        )  # fmt: skip
    database.dispose()
    page = tab("/kiosk/ward", *GLASS)
    page.context.add_cookies([{"name": "madoguchi_device", "value": secret, "url": hall.address}])
    page.add_init_script("window.print = () => { document.documentElement.dataset.printed += '+'; }")
    page.reload()
    return page


def waiting(page: Page, group: int) -> int:
    """How many wait in a line, as the first screen says."""
    found = re.search(r"(\d+)人待ち", page.locator(".k-group").nth(group).inner_text())
    assert found
    return int(found[1])


def hurry(page: Page) -> None:
    """The same screens with a tenth of their time: less than the silence after which the office counts as gone."""

    def shorter(route: Route) -> None:
        answer = route.fetch()
        text = re.sub(r'data-(idle|ask|return|longer)="(\d+)0"', r'data-\1="\2"', answer.text())
        route.fulfill(response=answer, body=text)

    page.route(re.compile("/kiosk/ward"), shorter)


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.locator(f'[data-key="{key}"]').click()
    page.get_by_role("button", name="進む").click()


def test_the_way_to_a_number(hall: Hall, paired: Page) -> None:
    page = paired
    fine(page)
    before, given = waiting(page, 4), tickets(hall)
    page.get_by_role("link", name="転入").click()
    expect(page.get_by_role("heading", name="えらんだ手続き")).to_be_focused()
    fine(page)
    page.get_by_role("link", name="ほかの手続きをさがす").click()
    page.locator(".k-group").get_by_role("link", name="国民健康保険").click()
    expect(page.locator(".k-steps li")).to_have_count(2)
    page.get_by_role("link", name="転入をはずす").click()
    expect(page.locator(".k-steps li")).to_have_count(1)
    page.get_by_role("link", name=re.compile("優先を希望しますか")).click()
    fine(page)
    page.get_by_role("button", name="番号をとる").dblclick()
    expect(page.locator(".k-ticket .no")).to_have_text(re.compile("^E"))
    expect(page.locator(".k-ticket .phase")).to_have_text("優先")
    expect(page.locator("html")).to_have_attribute("data-printed", "undefined+")
    assert tickets(hall) == given + 1
    expect(page).not_to_have_url(re.compile("print=1"))
    fine(page)
    page.get_by_role("link", name="おわる").click()
    expect(page.locator(".k-group").nth(4)).to_contain_text(f"{before + 1}人待ち")


def test_by_keyboard_alone(tab: Callable[..., Page]) -> None:
    page = tab("/kiosk/ward", *GLASS)
    page.get_by_role("link", name="住民票の写し").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".k-steps")).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('button.go')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator(".k-ticket .no")).to_have_text(re.compile("^A"))


def test_a_ticket_leaves_by_itself_and_can_be_given_longer(paired: Page) -> None:
    page = paired
    pass_ = held_clock(page)
    page.get_by_role("link", name="住民票の写し").click()
    page.get_by_role("button", name="番号をとる").click()
    left = page.get_by_role("timer")
    expect(left).to_have_text(re.compile("^30秒たつと、最初の画面にもどります"))
    page.get_by_role("button", name="もう少し見る").click()
    pass_(45)
    expect(left).to_have_text(re.compile("^45秒"))
    page.get_by_role("button", name="もう少し見る").click()
    pass_(60)
    expect(left).to_have_text(re.compile("^30秒"))
    expect(page.locator(".k-ticket")).to_be_visible()
    pass_(31)
    expect(page.locator(".k-groups")).to_be_visible()


def test_a_screen_nobody_touches_asks_and_forgets(paired: Page) -> None:
    page = paired
    hurry(page)
    pass_ = held_clock(page)
    page.goto(page.url + "?lang=en&big=1&dark=1")
    asked = page.locator("dialog[open]")
    expect(asked).to_have_count(0)
    pass_(5)
    expect(asked).to_be_visible()
    assert violations(page) == []
    asked.locator("[data-stay]").click()
    expect(asked).to_have_count(0)
    expect(page.locator("html.dark")).to_be_visible()
    pass_(5)
    expect(asked).to_be_visible()
    pass_(3)
    expect(page.locator("html.dark")).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("lang", "ja")


def test_the_first_screen_follows_the_lines(hall: Hall, paired: Page) -> None:
    before = waiting(paired, 0)
    hall.take()
    expect(paired.locator(".k-group").first).to_contain_text(f"{before + 1}人待ち")


def test_a_server_that_is_away_is_told_and_comes_back(hall: Hall, paired: Page) -> None:
    page = paired
    page.get_by_role("link", name="住民票の写し").wait_for()
    hall.stop()
    page.get_by_role("link", name="住民票の写し").click()
    expect(page.get_by_role("heading", name="この機械は使えません。職員へ")).to_be_visible()
    assert violations(page) == []
    hall.start()
    expect(page.locator(".k-over")).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("link", name="住民票の写し")).to_be_enabled()


def test_a_number_asked_for_while_the_server_starts_is_one_number(hall: Hall, paired: Page) -> None:
    page = paired
    page.get_by_role("link", name="住民票の写し").click()
    page.get_by_role("button", name="番号をとる").wait_for()
    given = tickets(hall)
    hall.stop()
    page.get_by_role("button", name="番号をとる").click()
    expect(page.locator(".k-loading")).to_be_visible()
    hall.start()
    expect(page.locator(".k-ticket .no")).to_have_text(re.compile("^A"), timeout=60_000)
    assert tickets(hall) == given + 1


def test_a_number_on_the_glass_stays_when_the_server_goes(hall: Hall, paired: Page) -> None:
    page = paired
    page.get_by_role("link", name="住民票の写し").click()
    page.get_by_role("button", name="番号をとる").click()
    expect(page.locator(".k-ticket .no")).to_be_visible()
    pass_ = held_clock(page)
    hall.stop()
    pass_(18)  # longer than the silence after which the office counts as gone
    page.wait_for_timeout(3_000)
    expect(page.locator(".k-ticket .no")).to_be_visible()
    expect(page.locator(".k-over")).to_have_count(0)
    page.get_by_role("link", name="おわる").click()
    expect(page.locator(".k-over")).to_be_visible()
    hall.start()


def test_a_touch_counts_while_the_screen_freshens_itself(hall: Hall, paired: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    # However long it takes here, the screen does not give up.
    paired.evaluate("AbortSignal.timeout = () => new AbortController().signal")
    paired.route(re.compile("/kiosk/ward$"), hold)
    hall.take()
    deadline = time.monotonic() + 30
    while not held and time.monotonic() < deadline:
        paired.wait_for_timeout(50)
    assert held, "no freshening"
    paired.get_by_role("link", name="職員用").click()
    expect(paired.locator('[data-key="1"]')).to_be_visible()
    with paired.expect_response(re.compile("/kiosk/ward$")):
        held[0].continue_()
    paired.wait_for_timeout(300)
    # The answer that came late takes nothing away.
    expect(paired.locator('[data-key="1"]')).to_be_visible()
    paired.unroute_all()


def test_what_a_finger_is_on_stands_until_it_is_let_go(hall: Hall, paired: Page) -> None:
    """A screen put in place between pressing and letting go would swallow the touch."""
    joined(paired)
    box = paired.get_by_role("link", name="職員用").bounding_box()
    assert box is not None
    paired.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    paired.mouse.down()
    with paired.expect_response(re.compile("/kiosk/ward$")):
        hall.take()
    paired.wait_for_timeout(500)
    paired.mouse.up()
    expect(paired.locator('[data-key="1"]')).to_be_visible()


def test_staff_mode_by_touch(hall: Hall, paired: Page) -> None:
    page = paired
    number = hall.take()["number"]
    page.get_by_role("link", name="職員用").click()
    fine(page)
    press(page, "111222")
    expect(page.get_by_role("alert")).to_contain_text("暗証番号が違います")
    assert page.locator("#pin").get_attribute("type") == "password"
    fine(page)
    press(page, PIN)
    expect(page.get_by_role("heading", name="受付機2 職員モード")).to_be_visible()
    fine(page)
    page.get_by_role("link", name="番号札を再印刷").click()
    press(page, number)
    expect(page.locator(".k-ticket .no")).to_have_text(number)
    fine(page)
    page.get_by_role("button", name=f"{number}を印刷する").click()
    expect(page.locator("html")).to_have_attribute("data-printed", "undefined+")
    fine(page)
    page.get_by_role("link", name="おわる").click()
    page.get_by_role("link", name="番号を取り消す").click()
    press(page, "K999")
    expect(page.get_by_role("alert")).to_contain_text("今日の番号にありません")
    fine(page)
    press(page, number)
    page.get_by_text("お帰りになった").click()
    fine(page)
    page.get_by_role("button", name=f"{number}を取り消す").click()
    expect(page.get_by_role("status")).to_contain_text(f"{number}を取り消しました")
    page.get_by_role("button", name="紙がない").click()
    expect(page.get_by_role("button", name="紙を入れた")).to_be_visible()
    page.get_by_role("button", name="職員モードをおわる").click()
    expect(page.locator(".k-note")).to_contain_text("いまは紙の番号札が出ません")
    fine(page)
    page.get_by_role("link", name="住民票の写し").click()
    page.get_by_role("button", name="番号をとる").click()
    expect(page.get_by_role("heading", name="画面の番号を控えてください")).to_be_visible()
    fine(page)


def test_staff_mode_nobody_touches_is_over(hall: Hall, paired: Page) -> None:
    page = paired
    page.get_by_role("link", name="職員用").click()
    expect(page.locator('[data-key="1"]')).to_be_visible()
    hurry(page)
    pass_ = held_clock(page)
    press(page, PIN)
    expect(page.locator(".k-acts")).to_be_visible()
    menu = f"{hall.address}/kiosk/ward/staff/menu"
    assert page.request.get(menu).status == 200
    pass_(7)
    expect(page.locator("dialog[open]")).to_be_visible()
    pass_(3)
    expect(page.locator(".k-groups")).to_be_visible()
    assert page.request.get(menu).status == 403


def test_a_closed_machine_says_where_numbers_are_given(hall: Hall, paired: Page) -> None:
    page = paired
    database = hall.database()
    with database.transaction() as session:
        newest = select(AccessToken).where(AccessToken.role == Role.KIOSK).order_by(AccessToken.id.desc())
        session.scalars(newest).first().settings = {"closed": True}  # type: ignore[union-attr]
    database.dispose()
    hall.take()
    expect(page.get_by_role("heading", name="この受付機はお休みしています")).to_be_visible()
    expect(page.locator("main")).to_contain_text("1番「総合案内」")
    fine(page)


@pytest.mark.parametrize("size", [GLASS, (768, 1024), (360, 740), (1920, 1080)])
def test_every_size_and_mode(tab: Callable[..., Page], size: tuple[int, int]) -> None:
    page = tab("/kiosk/ward", *size)
    for query in ("", "?lang=ja-Hira", "?lang=en", "?big=1&lang=en", "?low=1", "?dark=1&pri=1"):
        page.goto(re.sub(r"\?.*", "", page.url) + query)
        fine(page)
    page.get_by_role("link", name="転入").click()
    page.locator(".k-add .key").first.click()
    expect(page.locator(".k-steps li")).to_have_count(2)
    fine(page)
    page.get_by_role("button", name="番号をとる").click()
    expect(page.locator(".k-ticket .no")).to_be_visible()
    fine(page)


def test_all_purposes_stand_on_one_glass_in_every_language(tab: Callable[..., Page]) -> None:
    page = tab("/kiosk/ward", *GLASS)
    start = page.url
    for code in LANGUAGES:
        page.goto(f"{start}?lang={code}")
        assert page.locator(".k-group li .key").count() == 18
        assert page.evaluate("document.documentElement.scrollHeight") <= GLASS[1], code


def test_without_a_script_it_is_links_and_forms(tab: Callable[..., Page]) -> None:
    page = tab("/kiosk/ward", *GLASS, java_script_enabled=False)
    page.get_by_role("link", name="住民票の写し").click()
    page.get_by_role("button", name="番号をとる").click()
    expect(page.locator(".k-ticket .no")).to_have_text(re.compile("^A"))
    expect(page.get_by_role("link", name="この画面のままにする")).to_be_visible()


def test_the_paper_is_one_page_of_80_mm(tab: Callable[..., Page]) -> None:
    page = tab("/kiosk/ward/visit?p=move_in&p=kokuho&p=child_aid&pri=1&lang=pt", *GLASS)
    page.locator("main button.go").click()
    page.locator(".k-ticket").wait_for()
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 1
    assert re.findall(rb"MediaBox \[0 0 (\d+)", pdf) == [b"227"]
    page.emulate_media(media="print")
    assert page.locator(".paper .p-no").is_visible()
    assert not page.locator("main").is_visible()
