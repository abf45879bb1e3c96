"""Administration in a browser: by keyboard alone, drafts that save themselves, every state looked at by axe."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.domain import second_factor
from app.domain.roles import Role
from app.models.people import AccessToken, Account
from app.services import access, audit, devices, people, publications
from app.services.publications import Kind
from app.web import security
from tests import hall_server
from tests.browser.conftest import Hall, in_view, too_wide, violations

SIZES = ((1366, 768), (1920, 1080), (768, 1024), (360, 740))
PASSWORD = "correct horse battery"
KEY = audit.chain_key(hall_server.SECRET)


def add(hall: Hall, login: str, role: Role, office: str | None = None) -> int:
    database = hall.database()
    with database.transaction() as session:
        account = Account(
            municipality_id="aonami", office_id=office, login=login, name="西村 浩", section="市民課", role=role,
            password_hash=access.hash_password(PASSWORD), created_at=datetime.now(UTC),
        )  # fmt: skip
        session.add(account)
        session.flush()
        number = account.id
    database.dispose()
    return number


def enter(page: Page, hall: Hall, login: str, path: str) -> Page:
    """Sign in by the form and open a screen."""
    page.goto(f"{hall.address}/sign-in?next=/admin")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.locator(".menu.side")).to_be_visible()
    page.goto(f"{hall.address}/admin{path}")
    return page


def press(page: Page, key: str) -> None:
    """Press a key once the page's script listens."""
    in_view(page)
    page.keyboard.press(key)


def draft(hall: Hall) -> dict[str, object]:
    database = hall.database()
    with database.snapshot() as session:
        found = {change.key: change.after for change in publications.draft(session, "ward", Kind.KIOSK).changes}
    database.dispose()
    return found


def version(hall: Hall) -> int:
    database = hall.database()
    with database.snapshot() as session:
        found = publications.current(session, "ward", Kind.KIOSK).version
    database.dispose()
    return found


def test_the_kiosk_is_reordered_and_published_by_keyboard_alone(hall: Hall, tab: Callable[..., Page]) -> None:
    add(hall, "nishimura", Role.DEPARTMENT_ADMIN, "ward")
    page = enter(tab("/sign-in", 1366, 768), hall, "nishimura", "/kiosk/ward?purpose=move_in")
    places = page.locator(".kl li")
    expect(places.nth(3)).to_have_class(re.compile("on"))
    press(page, "Alt+ArrowUp")
    expect(places.nth(2)).to_have_class(re.compile("on"))
    # The key pressed has the focus, so that Enter goes on where Alt + arrow began.
    press(page, "Alt+ArrowUp")
    expect(places.nth(1)).to_have_class(re.compile("on"))
    press(page, "Control+Enter")
    expect(page).to_have_url(re.compile("/kiosk/ward/publish"))
    assert violations(page) == []
    press(page, "Escape")
    expect(page).to_have_url(re.compile("/kiosk/ward$"))
    assert version(hall) == 1
    press(page, "Control+Enter")
    expect(page.locator("button[autofocus]")).to_be_focused()
    press(page, "Enter")
    expect(page.locator("[data-done]")).to_contain_text("公開しました")
    assert version(hall) == 2
    # A digit opens the next area, unless somebody types it.
    page.locator('[name="title.ja"]').press("2")
    expect(page).to_have_url(re.compile("/kiosk/ward"))
    page.locator("h1").click()
    page.on("dialog", lambda dialog: dialog.accept())
    press(page, "2")
    expect(page).to_have_url(re.compile("/hours/ward"))


def test_words_save_themselves_and_the_screen_beside_them_follows(hall: Hall, tab: Callable[..., Page]) -> None:
    add(hall, "nishimura", Role.DEPARTMENT_ADMIN, "ward")
    page = enter(tab("/sign-in", 1366, 768), hall, "nishimura", "/kiosk/ward?purpose=move_in")
    words = page.locator('[name="title.ja"]')
    words.fill("引っ越して来たかたはこちら")
    expect(page.locator(".count.over b")).to_have_text("13")
    words.fill("引っ越して来た")
    expect(page.locator(".count.over")).to_have_count(0)
    words.press("Tab")
    expect(page.locator(".mb.on")).to_contain_text("引っ越して来た")
    expect(page.locator("[data-saved]")).to_have_text("下書きに入れました")
    expect(page.locator("[data-part=chip]")).to_contain_text("下書き・1か所")
    assert draft(hall) == {"purpose.move_in.title.ja": "引っ越して来た"}
    assert violations(page) == []
    # Where the line is cut nothing is lost and it is told.
    page.context.set_offline(True)
    page.locator('[name="line.ja"]').fill("ほかの市から")
    press(page, "Tab")
    expect(page.locator("[data-saved]")).to_have_text("まだ下書きに入っていません")
    page.context.set_offline(False)
    page.locator("[data-save]").click()
    expect(page.locator("[data-done]")).to_be_visible()
    assert draft(hall)["purpose.move_in.line.ja"] == "ほかの市から"


def test_every_form_works_without_a_script(hall: Hall, tab: Callable[..., Page]) -> None:
    add(hall, "aoki", Role.CITY_ADMIN)
    page = enter(tab("/sign-in", 1366, 768, java_script_enabled=False), hall, "aoki", "/kiosk/ward?purpose=move_in")
    page.locator('[name="title.ja"]').fill("来た")
    page.locator("[data-save]").click()
    assert draft(hall) == {"purpose.move_in.title.ja": "来た"}
    page.goto(f"{hall.address}/admin/hours/ward?day=2099-04-18")
    page.locator('[name="kind"][value="closed"]').check(force=True)
    page.locator('[name="note.ja"]').fill("休みます")
    page.get_by_role("button", name="下書きに入れる").click()
    expect(page.get_by_text("4月18日(土)の特別な時間")).to_be_visible()
    page.goto(f"{hall.address}/admin/staff?new=1")
    page.fill("[name=login]", "tanaka")
    page.fill("[name=name]", "田中 美咲")
    page.get_by_role("button", name="足す", exact=True).click()
    expect(page.locator(".secret")).to_be_visible()
    assert violations_without_script(page)


def violations_without_script(page: Page) -> bool:
    """Without a script axe cannot run; the page still has its one heading and a label for every field."""
    return page.locator("h1").count() == 1 and page.locator("input:not([type=hidden])").count() > 0


def test_only_what_the_chosen_kind_of_day_needs_is_shown(hall: Hall, tab: Callable[..., Page]) -> None:
    add(hall, "aoki", Role.CITY_ADMIN)
    page = enter(tab("/sign-in", 1366, 768), hall, "aoki", "/hours/ward?day=2099-04-18")
    expect(page.locator("[name=open1]")).to_be_hidden()
    page.locator("[name=kind][value=open]").check(force=True)
    expect(page.locator("[name=open1]")).to_be_visible()
    press(page, "Escape")
    expect(page).to_have_url(re.compile(r"/hours/ward\?month=2099-04"))
    press(page, "ArrowRight")
    expect(page).to_have_url(re.compile("month=2099-05"))


def filled(hall: Hall) -> None:
    """An office with devices in every state, drafts with faults, a request and a log."""
    add(hall, "aoki", Role.CITY_ADMIN)
    asker, at = add(hall, "okada", Role.CITY_ADMIN), datetime.now(UTC)
    database = hall.database()
    with database.transaction() as session:
        by = people.command_line("aonami")
        for number, age in enumerate((41, 20, 3, None)):
            row = access.issue_token(
                session, token=f"token of {number}", role=Role.KIOSK if number else Role.DISPLAY, at=at,
                municipality_id="aonami", office_id="ward", label=f"端末{number}",
            )  # fmt: skip
            row.seen_at = at - timedelta(seconds=age) if age else None
        asks = access.Principal(kind="staff", id=asker, role=Role.CITY_ADMIN, municipality_id="aonami", office_id=None)
        facts = {"name": "原", "section": "総務課", "role": "city-admin", "office_id": None}
        people.add(session, by=asks, login="hara", password_hash="!", at=at, key=KEY, **facts)  # type: ignore[arg-type]
        people.add(session, by=by, login="kubo", password_hash="!", at=at, key=KEY, **facts | {"role": "auditor"})  # type: ignore[arg-type]
        for key, value in (("purpose.move_in.title.ja", "あ" * 20), ("purpose.move_in.closes", "25:00"),
                           ("purpose.move_out.title.vi", None), ("colour.ward-moving", "ink")):  # fmt: skip
            publications.edit(session, office_id="ward", kind=Kind.KIOSK, key=key, value=value, actor="x", at=at)
    database.dispose()


STATES = (
    "", "/kiosk/ward?purpose=move_in", "/kiosk/ward?purpose=move_in&words=pt&clock=23:00", "/kiosk/ward/publish",
    "/kiosk/ward/discard", "/kiosk/ward/history", "/hours/ward", "/hours/ward?day=2099-04-18", "/hours/ward?rule=02",
    "/hours/ward?closure=01", "/hours/ward/publish", "/staff", "/staff?q=nobody", "/staff?new=1", "/staff/1",
    "/devices", "/devices/1", "/log", "/log?check=1",
)  # fmt: skip


def test_every_state_for_everyone(hall: Hall, tab: Callable[..., Page]) -> None:
    filled(hall)
    page = enter(tab("/sign-in", 1366, 768), hall, "aoki", "")
    for path in STATES:
        page.goto(f"{hall.address}/admin{path}")
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            assert not too_wide(page), (path, width)
            # Between these sizes the same things stand in the same colours.
            assert width not in (1366, 360) or violations(page) == [], (path, width)


def test_the_list_of_devices_follows(hall: Hall, tab: Callable[..., Page]) -> None:
    filled(hall)
    page = tab("/sign-in", 1366, 768)
    page.clock.install()
    enter(page, hall, "aoki", "/devices")
    expect(page.locator(".trouble")).to_be_visible()
    page.fill("[name=label]", "表示板9")
    database = hall.database()
    with database.transaction() as session:
        for row in session.scalars(select(AccessToken)):
            row.seen_at = datetime.now(UTC) + timedelta(minutes=1)
    database.dispose()
    page.clock.run_for(10_000)
    expect(page.locator(".trouble")).to_have_count(0, timeout=30_000)
    # What somebody is typing stays, and a cut line is told.
    expect(page.locator("[name=label]")).to_have_value("表示板9")
    page.context.set_offline(True)
    page.clock.run_for(10_000)
    expect(page.locator("[data-stale]")).to_be_visible(timeout=40_000)


def test_a_board_nobody_touches(hall: Hall, tab: Callable[..., Page]) -> None:
    page = tab("/pair", 1920, 1080)
    expect(page.locator(".code")).to_be_visible()
    assert violations(page) == []
    code = "".join(page.locator(".code span").all_text_contents())
    database = hall.database()
    with page.expect_response("**/pair/beat", timeout=30_000), database.transaction() as session:
        made = devices.claim(
            session, by=people.command_line("aonami"), code=code, role="display", office_id="ward",
            hall_id="ward-citizen", label="表示板1", at=datetime.now(UTC), key=KEY,
        ).id  # fmt: skip
    expect(page).to_have_url(re.compile("/board/ward/ward-citizen$"), timeout=30_000)
    # Its token is in no page and in reach of no script.
    assert security.DEVICE_COOKIE not in page.evaluate("document.cookie")
    with database.transaction() as session:
        devices.revoke(
            session, by=people.command_line("aonami"), token_id=made, at=datetime.now(UTC), key=KEY
        )  # fmt: skip
        assert session.get_one(AccessToken, made).seen_at is not None
    database.dispose()
    expect(page).to_have_url(re.compile("/pair$"), timeout=30_000)
    expect(page.locator(".code")).to_be_visible()


def test_a_board_waits_out_a_cut_line(hall: Hall, tab: Callable[..., Page]) -> None:
    page = tab("/pair", 1080, 1920)
    expect(page.locator(".code")).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator(".cut")).to_be_visible(timeout=30_000)
    assert violations(page) == []
    page.context.set_offline(False)
    expect(page.locator(".cut")).to_be_hidden(timeout=30_000)


def test_the_second_factor_by_keyboard_alone(hall: Hall, tab: Callable[..., Page]) -> None:
    """Set up, the codes on paper, and the next sign-in; each state looked at by axe and on a phone."""
    add(hall, "aoki", Role.CITY_ADMIN)
    page = enter(tab("/sign-in", 1366, 768), hall, "aoki", "")
    page.goto(f"{hall.address}/second-factor")
    assert violations(page) == []
    expect(page.locator("[autofocus]")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    secret = second_factor.secret_of(page.locator(".key").inner_text().replace(" ", ""))
    page.set_viewport_size({"width": 360, "height": 740})
    assert violations(page) == []
    assert not too_wide(page)
    expect(page.locator("[autofocus]")).to_be_focused()
    page.keyboard.type(second_factor.code_of(secret, second_factor.step_of(datetime.now(UTC))))
    page.keyboard.press("Enter")
    expect(page.locator(".codes li")).to_have_count(10)
    paper = page.locator(".codes li").first.inner_text()
    assert violations(page) == []
    page.goto(f"{hall.address}/second-factor")
    assert violations(page) == []
    again = tab("/sign-in?next=/admin/log", 1366, 768)
    expect(again.locator("[name=login]")).to_be_focused()
    again.keyboard.type("aoki")
    again.keyboard.press("Tab")
    again.keyboard.type(PASSWORD)
    again.keyboard.press("Enter")
    expect(again.get_by_role("heading", name="2段階の確認")).to_be_visible()
    assert violations(again) == []
    expect(again.locator("[autofocus]")).to_be_focused()
    again.keyboard.type("000000")
    again.keyboard.press("Enter")
    expect(again.get_by_role("alert").filter(has_text="コードが違う")).to_be_visible()
    assert violations(again) == []
    expect(again.locator("[autofocus]")).to_be_focused()
    again.keyboard.type(paper)
    again.keyboard.press("Enter")
    expect(again.get_by_role("cell", name="予備のコードでサインインしました")).to_be_visible()
