"""The desk in a browser: one service by keyboard alone, every state looked at by axe, and a line that is cut."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from app.domain.roles import Role
from app.models.people import Account
from app.models.place import Counter
from app.models.ticket import Event
from app.services import access
from tests.browser.conftest import NO_LOOKS, Hall, answered, in_view, joined, later, too_wide, violations

PASSWORD = "correct horse battery"
DEAF = 900  # ms; the desk takes no Enter for 0.7 s after a change


@pytest.fixture
def clerk(hall: Hall) -> None:
    """A member of staff in the office."""
    database = hall.database()
    hashed = access.hash_password(PASSWORD)
    with database.transaction() as session:
        session.add(
            Account(municipality_id="aonami", office_id="ward", login="tanaka", name="田中 美咲", section="市民課",
                    role=Role.CLERK, password_hash=hashed, created_at=datetime.now(UTC))
        )  # fmt: skip
    database.dispose()


@pytest.fixture
def desk(hall: Hall, clerk: None, tab: Callable[..., Page]) -> Page:
    """The clerk at counter 5, come in by keyboard alone."""
    page = tab("/desk", 1366, 768)
    expect(page.locator("[name=login]")).to_be_focused()
    page.keyboard.type("tanaka")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="どの窓口に入りますか")).to_be_visible()
    assert not violations(page)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "radio":
            break
    page.keyboard.press("Space")
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".cn")).to_have_text("5番窓口")
    joined(page)
    return page


def test_every_counter_of_a_hall_is_chosen_without_scrolling(hall: Hall, clerk: None, tab: Callable[..., Page]) -> None:
    database = hall.database()
    with database.transaction() as session:
        who = session.scalars(select(Account)).one()
        for each in session.scalars(select(Counter).where(Counter.office_id == "ward")):
            each.state, each.staff_id, each.staff_name = "open", who.id, "佐藤 由美子"
        who.name = "田中 実"
    database.dispose()
    for lang, heading in (("ja-JP", "どの窓口に入りますか"), ("en-US", "Choose your counter")):
        page = tab("/desk", 1366, 768, lang=lang)
        page.keyboard.type("tanaka")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        page.goto(f"{hall.address}/desk/seat")
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollHeight") <= 768, lang
        heights = [box["height"] for each in page.locator(".counters .choice").all() if (box := each.bounding_box())]
        assert len(heights) == 24
        assert min(heights) >= 44


# The list of who waits ends with a whole row.
_HALF_A_ROW = """() => {
  const foot = document.querySelector(".queue-box").getBoundingClientRect().bottom;
  const rows = [...document.querySelectorAll(".queue-box tr")].map((row) => row.getBoundingClientRect());
  return rows.some(({ top, bottom }) => top < foot - 7 && bottom > foot + 1);
}"""


def in_state(page: Page, state: str) -> None:
    expect(page.locator("[data-screen=desk]")).to_have_attribute("data-state", state)


def at_rest(page: Page) -> None:
    """Until an act that is under way has been drawn, and a key counts again: the desk takes one act at a time."""
    in_view(page)
    answered(page)
    later(page, DEAF)


def press(page: Page, key: str, state: str | None = None) -> None:
    at_rest(page)
    page.keyboard.press(key)
    if state is not None:
        in_state(page, state)


def events(hall: Hall, action: str) -> list[Event]:
    database = hall.database()
    with database.snapshot() as session:
        found = list(session.scalars(select(Event).where(Event.action == action).order_by(Event.seq)))
    database.dispose()
    return found


def test_a_whole_service_by_keyboard_alone(hall: Hall, desk: Page) -> None:
    assert not violations(desk)
    number = hall.take("tennyu", "mnc_pin", language="pt")["number"]
    hall.take("tenkyo")
    expect(desk.locator("[data-hero]")).to_contain_text(f"次を呼ぶ {number}")
    press(desk, "Enter", "called")
    assert not violations(desk)
    press(desk, "6")
    expect(desk.get_by_role("dialog")).to_contain_text("まだ1回しか呼んでいません")
    desk.keyboard.press("Escape")
    for times in (2, 3):
        press(desk, "4")
        expect(desk.locator(".chips")).to_contain_text(f"{times}回")
    # Its verb is 不在 now: Enter must be that, not the 開始 it was before.
    expect(desk.locator("[data-hero]")).to_contain_text("不在")
    expect(desk.locator("[data-hero]")).to_be_focused()
    press(desk, "Numpad5", "serving")
    assert not violations(desk)
    press(desk, "+")
    expect(desk.get_by_role("dialog")).to_contain_text("のメモ")
    desk.keyboard.type("通訳タブレット")
    desk.keyboard.press("Enter")
    expect(desk.locator(".facts")).to_contain_text("通訳タブレット")
    press(desk, "8")
    expect(desk.get_by_role("dialog")).to_contain_text("を転送する")
    desk.keyboard.press("Digit3")
    expect(desk.locator("dialog select")).not_to_have_value("")
    assert not violations(desk)
    desk.keyboard.press("Escape")
    press(desk, "3", "ready")
    expect(desk.locator(".toast")).to_contain_text(f"{number} を完了しました")
    assert not violations(desk)
    press(desk, "0", "serving")
    press(desk, "3", "ready")
    press(desk, "?")
    expect(desk.get_by_role("dialog")).to_contain_text("右手はテンキーのまま")
    assert not violations(desk)
    desk.keyboard.press("Escape")
    press(desk, "-")
    expect(desk.get_by_role("dialog")).to_contain_text("何分休みますか")
    press(desk, "Enter", "break")
    assert not violations(desk)
    press(desk, "Enter", "ready")


def test_it_fits_every_screen(hall: Hall, desk: Page) -> None:
    for _ in range(15):
        hall.take("tennyu", "mnc_pin", "juminhyo")
    expect(desk.locator("[data-hero]")).to_contain_text("次を呼ぶ B001")
    press(desk, "Enter", "called")
    press(desk, "Enter", "serving")
    desk.set_viewport_size({"width": 1366, "height": 768})
    # The list may still grow by those who came last.
    expect(desk.locator(".queue-box [data-row]")).to_have_count(14)
    assert desk.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert not desk.evaluate(_HALF_A_ROW)
    for width, height in ((1920, 1080), (768, 1024), (360, 760)):
        desk.set_viewport_size({"width": width, "height": height})
        assert not too_wide(desk)
        assert not violations(desk)
    # On a phone, too, the pad has the shape of the keypad.
    columns = desk.evaluate("getComputedStyle(document.querySelector('#pad')).gridTemplateColumns.split(' ').length")
    assert columns == 3
    _whole_rows_of_certificates(hall, desk)


def _whole_rows_of_certificates(hall: Hall, desk: Page) -> None:
    """At the certificates, beside a number that is served, four in the making stand in full and the rest is counted."""
    hall.open("ward-3")
    for _ in range(6):
        hall.take("juminhyo")
    for _ in range(5):
        hall.serve("ward-3")
    hall.post("/counters/ward-3/close")
    press(desk, "3", "ready")
    answered(desk)
    desk.goto(f"{hall.address}/desk/seat")
    desk.locator("label", has_text="3番").first.click()
    desk.get_by_role("button", name="窓口を開く").click()
    expect(desk.locator(".cn")).to_have_text("3番窓口")
    hall.act(hall.call("ward-3")["step"]["id"], "start")
    in_state(desk, "serving")
    for width, height in ((1366, 768), (1920, 1080)):
        desk.set_viewport_size({"width": width, "height": height})
        card = desk.locator(".current").bounding_box()
        rows = desk.locator(".making tbody tr")
        expect(rows).to_have_count(4)
        last = rows.last.bounding_box()
        assert card
        assert last
        assert last["y"] + last["height"] <= card["y"] + card["height"]
        expect(desk.locator(".making caption")).to_contain_text("ほか 1件")
        assert not violations(desk)
    desk.set_viewport_size({"width": 360, "height": 760})
    assert not too_wide(desk)
    assert not violations(desk)


_PRESSES = """() => {
  const hero = () => document.querySelector("[data-hero]");
  const desk = document.querySelector("[data-screen=desk]");
  const again = () => {
    hero().click();
    document.body.dataset.pressedAgain = desk.dataset.state;
  };
  const seen = new MutationObserver(() => {
    if (desk.dataset.state !== "called") return;
    seen.disconnect();
    setTimeout(again, 150);
  });
  seen.observe(desk, { attributes: true, attributeFilter: ["data-state"] });
  for (let times = 0; times < 4; times += 1) hero().click();
}"""


def test_two_quick_presses_are_one_act(hall: Hall, desk: Page) -> None:
    hall.take("tennyu")
    in_state(desk, "ready")
    at_rest(desk)
    # Pressed from within the page: four times at once, and once more just after the verb has changed.
    desk.evaluate(_PRESSES)
    expect(desk.locator("body")).to_have_attribute("data-pressed-again", "called")
    answered(desk)
    assert (len(events(hall, "call")), len(events(hall, "start"))) == (1, 0)


def test_a_lost_answer_is_asked_for_with_the_same_key(hall: Hall, desk: Page) -> None:
    hall.take("tennyu")
    hall.take("tennyu")
    keys: list[str] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        answer = route.fetch()
        if len(keys) == 1:
            route.abort()
        else:
            route.fulfill(response=answer)

    desk.route("**/call-next", lose)
    in_state(desk, "ready")
    press(desk, "Enter", "called")
    expect(desk.locator("[data-result]")).to_contain_text("B001 を呼びました")
    assert len(keys) >= 2
    assert len(set(keys)) == 1
    assert len(events(hall, "call")) == 1


def test_without_a_line_only_the_own_number_is_recorded(hall: Hall, desk: Page) -> None:
    hall.take("tennyu")
    in_state(desk, "ready")
    press(desk, "Enter", "called")
    press(desk, "Enter", "serving")
    answered(desk)
    desk.context.set_offline(True)
    expect(desk.locator("[data-stale]")).to_be_visible()
    expect(desk.locator("[data-hero]")).to_contain_text("完了を記録する")
    assert not violations(desk)
    press(desk, "8")
    expect(desk.locator("[data-refused]")).to_contain_text("つながるまで")
    press(desk, "3")
    expect(desk.locator("[data-result]")).to_contain_text("この端末に残しました")
    assert len(events(hall, "finish")) == 0
    desk.context.set_offline(False)
    in_state(desk, "idle")
    expect(desk.locator("[data-stale]")).to_be_hidden()
    assert len(events(hall, "finish")) == 1


def test_a_reader_does_not_press_keys(hall: Hall, desk: Page) -> None:
    hall.take("tennyu")
    hall.take("tennyu")
    in_state(desk, "ready")
    at_rest(desk)
    # A reader's keys follow one another within milliseconds, which only the page itself can promise.
    desk.evaluate(
        "for (const [key, code] of [['B', 'KeyB'], ['0', 'Digit0'], ['0', 'Digit0'], ['2', 'Digit2'], "
        "['Enter', 'Enter']]) document.activeElement.dispatchEvent("
        "new KeyboardEvent('keydown', { key, code, bubbles: true, cancelable: true }))"
    )
    expect(desk.get_by_role("dialog")).to_contain_text("B002")
    desk.keyboard.press("Escape")
    at_rest(desk)
    assert not events(hall, "call")


def test_what_is_typed_while_a_question_opens_presses_nothing(hall: Hall, desk: Page) -> None:
    hall.take("tennyu")
    in_state(desk, "ready")
    at_rest(desk)
    desk.evaluate(
        "const real = fetch; window.fetch = (where, how) => String(where).endsWith('/ask/find')"
        " ? new Promise((done) => { window.comes = () => done(real(where, how));"
        " document.body.dataset.asked = 'find' }) : real(where, how); null"
    )
    desk.keyboard.press("/")
    expect(desk.locator("body")).to_have_attribute("data-asked", "find")
    for key in ("1", "Enter"):
        desk.keyboard.press(key)
        desk.wait_for_timeout(200)  # the keys know by then that no other follows
    desk.evaluate("comes()")
    expect(desk.get_by_role("dialog")).to_contain_text("番号をさがす")
    answered(desk)
    assert not events(hall, "call")


def test_keys_can_be_switched_off(hall: Hall, desk: Page) -> None:
    hall.take("tennyu")
    in_state(desk, "ready")
    press(desk, "*")
    desk.locator("[data-keys-switch]").click()
    assert not violations(desk)
    desk.keyboard.press("Escape")
    press(desk, "1")
    at_rest(desk)
    assert not events(hall, "call")
    press(desk, "Enter", "called")


def test_what_is_refused_is_said_in_one_sentence(hall: Hall, desk: Page) -> None:
    press(desk, "2")
    desk.get_by_role("dialog").get_by_role("textbox").fill("B999")
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-refused]")).to_have_text("お探しのものは見つかりませんでした。")


def test_only_what_concerns_the_desk_is_asked_for(hall: Hall, desk: Page) -> None:
    # Its look every half minute, whatever happened, is not what is counted here.
    desk.add_init_script(NO_LOOKS)
    with desk.expect_event("websocket"):
        desk.reload()
    joined(desk)
    looks: list[str] = []
    desk.on("request", lambda request: looks.append(request.url) if request.url.endswith("/desk") else None)
    hall.open("ward-18", "ward-children")
    hall.take("jido_teate")
    hall.call("ward-18")
    # A desk that was told of these would have asked within a second.
    desk.wait_for_timeout(2500)
    assert looks == []
    hall.take("tennyu")
    in_state(desk, "ready")
    answered(desk)
    assert len(looks) == 1
