"""Paying in a real browser: to the provider's page and back, the till by keyboard, a day's money; axe on all."""

import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from app.domain.roles import Role
from app.gateways.registry import gateways
from app.models.payment import PaymentAttempt
from app.models.people import Account
from app.services import access
from app.services.money_calls import MoneyCalls
from config.settings import Settings
from tests import hall_server
from tests.browser.conftest import Hall, answered, joined, later, too_wide, violations
from tests.standins import stripe as standins
from tests.standins.stripe_events import to

Tab = Callable[..., Page]
PASSWORD = "correct horse battery"


@pytest.fixture
def standin() -> Iterator[standins.StripeStandIn]:
    with standins.running() as made:
        yield made


@pytest.fixture
def hall(
    sqlite_template: Path, tmp_path: Path, standin: standins.StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hall]:
    """A fresh running office with the stand-in as its provider, its webhooks on their way here."""
    for name, value in (("API_KEY", standins.KEY), ("WEBHOOK_SECRET", standins.SECRET), ("API_BASE", standin.url)):
        monkeypatch.setenv(f"MADOGUCHI_STRIPE_{name}", value)
    file = tmp_path / "hall.db"
    shutil.copyfile(sqlite_template, file)
    found = Hall(f"sqlite:///{file}")
    standin.webhooks.post = to(f"{found.address}/api/v1/hooks/stripe")
    yield found
    found.stop()


def member(hall: Hall, login: str, role: Role) -> None:
    database = hall.database()
    with database.transaction() as session:
        session.add(
            Account(municipality_id="aonami", office_id="ward", login=login, name="田中 美咲", section="市民課",
                    role=role, password_hash=access.hash_password(PASSWORD), created_at=datetime.now(UTC))
        )  # fmt: skip
    database.dispose()


def signed_in(tab: Tab, login: str, width: int = 1366, height: int = 768) -> Page:
    page = tab("/sign-in", width, height)
    page.fill("input[name=login]", login)
    page.fill("input[type=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url)
    return page


def test_there_and_back_on_a_phone(hall: Hall, tab: Tab, standin: standins.StripeStandIn) -> None:
    ticket = hall.take("juminhyo", "koseki_cert")
    page = tab(f"/t/{ticket['token']}", 360, 740)
    page.get_by_text("いま支払う").click()
    expect(page.get_by_role("heading", name="手数料のお支払い")).to_be_visible()
    assert not too_wide(page)
    assert violations(page) == []
    page.get_by_role("button", name="オンラインで 750円を支払う").click()
    expect(page).to_have_url(re.compile(re.escape(standin.url)))
    # A session nobody paid in its time: the page says so, and another one begins.
    standin.ledger.expire(page.url.rsplit("/", 1)[1], {})
    page.goto(f"{hall.address}/t/{ticket['token']}/pay")
    expect(page.get_by_role("heading", name="支払いできませんでした")).to_be_visible()
    assert not too_wide(page)
    assert violations(page) == []
    page.get_by_role("button", name="もう一度 オンラインで支払う").click()
    page.get_by_role("button", name="カードが断られる").click()
    page.get_by_role("button", name="カードで支払う").click()
    # The webhook or the page's own look, whichever is sooner: it turns by itself.
    expect(page.get_by_role("heading", name="750円を 支払いました")).to_be_visible(timeout=30_000)
    assert violations(page) == []
    page.get_by_role("button", name="領収書を出す").click()
    expect(page.get_by_role("heading", name="領収書")).to_be_visible()
    assert not too_wide(page)
    assert violations(page) == []
    page.goto(f"{hall.address}/t/{ticket['token']}")
    expect(page.get_by_text("支払いずみ")).to_be_visible()
    # Given up after it was paid: the page says first what becomes of the money, then that it is on its way back.
    page.get_by_role("link", name="番号を取り消す").click()
    expect(page.get_by_text("750円 支払いずみ。取り消すと 全額お返しします。")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="取り消す", exact=True).click()
    expect(page.locator("main")).to_have_attribute("data-status", "cancelled")
    settings = Settings(secret_key=hall_server.SECRET, stripe_api_key=standins.KEY, stripe_api_base=standin.url,
                        stripe_webhook_secret=standins.SECRET)  # fmt: skip
    calls = MoneyCalls(hall.database(), gateways(settings))
    assert calls.look_over() == 1
    page.goto(f"{hall.address}/t/{ticket['token']}/pay")
    expect(page.get_by_role("heading", name="返金の手続きを しています")).to_be_visible()
    assert violations(page) == []
    assert calls.give_back()
    expect(page.get_by_role("heading", name="750円を 返金しました")).to_be_visible(timeout=30_000)
    assert not too_wide(page)
    assert violations(page) == []
    assert [each["amount"] for each in standin.ledger.refunds.values()] == [750]
    calls.database.dispose()


def test_while_nobody_knows_and_by_a_slip(hall: Hall, tab: Tab, standin: standins.StripeStandIn) -> None:
    page = tab(f"/t/{hall.take('juminhyo')['token']}/pay", 768, 1024, lang="pt-BR")
    standin.down = True
    page.get_by_role("button", name="Pagar 300 ienes online").click()
    expect(page.get_by_role("heading", name="Não foi possível contatar a empresa de pagamento")).to_be_visible()
    assert violations(page) == []
    assert not too_wide(page)
    standin.down = False
    page.get_by_role("button", name="online").click()
    expect(page).to_have_url(re.compile(re.escape(standin.url)))
    name = page.url.rsplit("/", 1)[1]
    standin.webhooks.post = None
    standin.down = True
    page.goto(standin.ledger.sessions[name]["success_url"])
    expect(page.get_by_text("Não pague de novo.")).to_be_visible()
    assert violations(page) == []
    assert not too_wide(page)
    standin.ledger.pay(name)
    standin.down = False
    expect(page.get_by_role("heading", name="Você pagou 300 ienes")).to_be_visible(timeout=30_000)


def test_the_till_by_keyboard(hall: Hall, tab: Tab) -> None:
    member(hall, "tanaka", Role.CLERK)
    hall.take("juminhyo")
    page = signed_in(tab, "tanaka")
    page.goto(f"{hall.address}/desk/seat")
    page.check("input[value=ward-2]")
    page.locator("form.seating button").last.click()
    expect(page.get_by_text("窓口はあいています")).to_be_visible()
    joined(page)
    answered(page)
    later(page, 900)  # Keys are deaf for a moment after the screen has changed.
    page.keyboard.press("1")
    expect(page.locator("[data-state=called]")).to_be_visible()
    expect(page.get_by_text("未払 300円")).to_be_visible()
    answered(page)
    page.keyboard.press("F4")
    slip = page.get_by_label("レシートの番号")
    expect(slip).to_be_focused()
    assert violations(page) == []
    page.keyboard.type("R-0117")
    page.keyboard.press("Enter")
    expect(page.get_by_text("支払済")).to_be_visible()
    assert violations(page) == []
    database = hall.database()
    with database.snapshot() as session:
        assert session.scalars(select(PaymentAttempt.slip)).all() == ["R-0117"]
    database.dispose()


@pytest.mark.parametrize("width", [360, 768, 1366])
def test_the_days_money(hall: Hall, tab: Tab, standin: standins.StripeStandIn, width: int) -> None:
    member(hall, "kacho", Role.DEPARTMENT_ADMIN)
    asked = hall.post("/payments", {"ticket": hall.take("juminhyo", "koseki_cert")["token"]}, Role.KIOSK)
    standin.ledger.pay(asked["checkout_url"].rsplit("/", 1)[1])
    standin.webhooks.settle()
    page = signed_in(tab, "kacho", width)
    page.goto(f"{hall.address}/manage/payments")
    expect(page.get_by_text("合っています")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="合計(非課税)")).to_contain_text("750円")
    assert not too_wide(page)
    assert violations(page) == []
    database = hall.database()
    with database.transaction() as session:
        session.scalars(select(PaymentAttempt)).one().alarm = "dispute"
    database.dispose()
    page.reload()
    alarm = page.locator(".alarm")
    expect(alarm).to_contain_text("異議")
    assert not too_wide(page)
    assert violations(page) == []
    alarm.get_by_label("何だったか、どうしたか").fill("決済会社の画面で答えた。")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("確かめたことを記録しました。")
    expect(page.locator(".alarm")).to_have_count(0)
    expect(page.locator(".lookedinto")).to_contain_text("決済会社の画面で答えた。")
    assert not too_wide(page)
    assert violations(page) == []
    if width == 360:
        _asked_for_and_approved(hall, tab, page)


def _asked_for_and_approved(hall: Hall, tab: Tab, page: Page) -> None:
    """One person asks for a part of it, another approves, each on a narrow screen."""
    member(hall, "lead", Role.FLOOR_LEAD)
    lead = signed_in(tab, "lead", 360)
    lead.goto(f"{hall.address}/manage/payments")
    lead.get_by_role("link", name="を返金する").click()
    expect(lead.get_by_role("heading", name="の返金を求める")).to_be_visible()
    assert not too_wide(lead)
    assert violations(lead) == []
    lead.locator("[name=copies-juminhyo]").fill("1")
    lead.get_by_role("button", name="返金を求める").click()
    expect(lead.get_by_role("status").first).to_be_visible()
    page.reload()
    assert not too_wide(page)
    assert violations(page) == []
    page.get_by_role("button", name="承認").click()
    expect(page.get_by_role("status")).to_contain_text("承認しました。")
    expect(page.get_by_role("row").filter(has_text="決済会社へ送っています")).to_contain_text("300円")
    assert violations(page) == []
