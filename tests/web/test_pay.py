"""Money on screens: the resident's pages, the till at the desk, the gate before a hand-over, two persons, the CSV."""

import csv
import io
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.factory import create_app
from app.models.delivery import Budget
from app.models.payment import Payment, PaymentAttempt
from app.models.people import AuditEntry
from app.models.place import Service
from app.services import holding, settlements
from app.services.money_calls import MoneyCalls
from app.web.locale import LANGUAGES
from config.settings import Settings
from tests.standins import stripe as standins
from tests.standins.stripe_ledger import Ledger
from tests.web.conftest import SECRET, Caller, SignIn
from tests.web.desk import Desk, hidden


@pytest.fixture(scope="module")
def standin() -> Iterator[standins.StripeStandIn]:
    with standins.running() as made:
        yield made


@pytest.fixture
def web(database: Database, standin: standins.StripeStandIn) -> Flask:
    """The application with the stand-in as its provider."""
    standin.ledger = Ledger()
    standin.down = False
    settings = Settings(
        secret_key=SECRET, database_url=database.url, stripe_api_key=standins.KEY, stripe_api_base=standin.url,
        stripe_webhook_secret=standins.SECRET,
    )  # fmt: skip
    return create_app(settings, database)


class Payer:
    """A resident with a number, at the pages of its payment."""

    def __init__(self, client: FlaskClient, kiosk: Caller, standin: standins.StripeStandIn, *services: str) -> None:
        self.client, self.standin = client, standin
        self.ticket = kiosk.ticket(*(services or ("juminhyo", "koseki_cert")))
        self.fees = f"/t/{self.ticket['token']}/pay"

    def press(self, how: str, path: str | None = None) -> str:
        """Press a button of the page; where it leads."""
        page = self.client.get(path or self.fees, follow_redirects=True).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert token
        answer = self.client.post(path or self.fees, data={"csrf_token": token[1], "how": how})
        assert answer.status_code == 303, answer.text
        return str(answer.location)

    def pay(self) -> str:
        """Through the provider's page; the path of the payment's page."""
        self.standin.ledger.pay(self.press("online").rsplit("/", 1)[1])
        return str(self.client.get(self.fees).location)


@pytest.fixture
def payer(client: FlaskClient, kiosk: Caller, standin: standins.StripeStandIn) -> Payer:
    return Payer(client, kiosk, standin)


def test_the_fees_and_two_ways(payer: Payer) -> None:
    answer = payer.client.get(payer.fees)
    for said in (
        "住民票の写し",
        "300円 × 1通",
        "750円",
        "手数料は非課税です。",
        "オンラインで 750円を支払う",
        "24番 会計",
    ):
        assert said in answer.text
    assert f"form-action 'self' {payer.standin.url}" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "いま支払う" in payer.client.get(f"/t/{payer.ticket['token']}").text
    assert "24番 会計の窓口で" in payer.client.get(payer.press("counter")).text


def test_there_and_back(payer: Payer) -> None:
    path = payer.pay()
    page = payer.client.get(path).text
    assert "750円を 支払いました" in page
    assert "クレジットカード VISA 末尾 4242" in page
    assert f"/t/{payer.ticket['token']}" in page
    assert "支払いずみ" in payer.client.get(f"/t/{payer.ticket['token']}").text


def test_while_nobody_knows_it_says_not_to_pay_again(payer: Payer) -> None:
    payer.press("online")
    path = str(payer.client.get(payer.fees).location)
    payer.standin.down = True
    page = payer.client.get(f"{path}?back=1").text
    assert "もう一度 支払わないでください。" in page
    assert "お金は ひかれていません" not in page
    # Nor does any other page of this browser, until it is told or says that nothing was paid.
    own = f"/t/{payer.ticket['token']}"
    assert "いま支払う" not in payer.client.get(own).text
    assert "支払いを 確かめています" in payer.client.get(own).text
    assert "もう一度 支払わないでください。" in payer.client.get(path).text
    payer.press("online", path)
    assert "いま支払う" in payer.client.get(own).text


def test_a_provider_that_is_away_leaves_the_counter_and_another_try(
    payer: Payer, web: Flask, database: Database
) -> None:
    """Nobody was sent to its page, so nothing was taken; the same attempt goes on when it is back."""
    payer.standin.down = True
    path = payer.press("online")
    page = payer.client.get(path).text
    for said in ("いま 決済会社に つながりません", "お金は ひかれていません。", "24番 会計の窓口で支払う"):
        assert said in page
    assert "確かめています" not in page
    assert "24番 会計の窓口で お支払いください" in payer.client.get(payer.press("counter", path)).text
    payer.standin.down = False
    payer.standin.ledger.pay(payer.press("online", path).rsplit("/", 1)[1])
    assert MoneyCalls(database, web.extensions["gateways"]).reconcile(hours=1) == 1
    assert "750円を 支払いました" in payer.client.get(path).text
    assert len(payer.standin.ledger.charges) == 1


def test_that_nothing_was_taken_is_said_when_the_provider_says_it(payer: Payer) -> None:
    name = payer.press("online").rsplit("/", 1)[1]
    payer.standin.ledger.expire(name, {})
    page = payer.client.get(str(payer.client.get(payer.fees).location)).text
    assert "お金は ひかれていません。" in page
    assert "もう一度 オンラインで支払う" in page


def test_the_receipt_says_when_it_is_another_copy(payer: Payer) -> None:
    path = payer.pay()
    assert payer.client.get(f"{path}/receipt").status_code == 404  # we have not asked yet
    page = payer.client.get(path).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]  # type: ignore[index]
    first = payer.client.post(f"{path}/receipt", data={"csrf_token": token}).location
    second = payer.client.post(f"{path}/receipt", data={"csrf_token": token}).location
    assert "再発行)" not in payer.client.get(first).text
    assert "(再発行)" in payer.client.get(second).text
    paper = payer.client.get(second).text
    for said in ("領収書", "¥750 −", "合計(非課税)", "青波市長", "指定納付受託者", "P-20"):
        assert said in paper
    pdf = payer.client.get(second.replace("receipt?", "receipt.pdf?"))
    assert pdf.data.startswith(b"%PDF")


def test_a_sensitive_procedure_is_not_on_the_receipt(payer: Payer, database: Database) -> None:
    with database.transaction() as session:
        service = session.get_one(Service, "koseki_cert")
        service.sensitive, service.public_name = True, {"ja": "相談"}
    path = payer.pay()
    payer.client.get(path)
    with database.transaction() as session:
        session.scalars(select(Payment)).one().receipts = 1
    paper = payer.client.get(f"{path}/receipt").text
    assert "戸籍" not in paper
    assert "相談 手数料" in paper
    assert "戸籍" not in str(payer.standin.ledger.sessions)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_page_speaks_every_language(payer: Payer, code: str) -> None:
    assert payer.client.get(payer.fees, query_string={"lang": code}).status_code == 200
    path = payer.pay()
    for more in ({}, {"back": "1"}):
        answer = payer.client.get(path, query_string={"lang": code, **more})
        assert answer.status_code == 200
        assert "style=" not in answer.text
        assert "《" not in answer.text


def test_a_wrong_token_is_absent(client: FlaskClient) -> None:
    for path in ("/t/nobody/pay", "/b/nobody/pay", "/pay/nobody", "/pay/nobody/receipt", "/pay/nobody/receipt.pdf"):
        assert client.get(path).status_code == 404


def test_without_keys_the_page_says_that_it_is_off(database: Database) -> None:
    bare = create_app(Settings(secret_key=SECRET, database_url=database.url), database)
    ticket = Caller(bare.test_client()).ticket("juminhyo")
    page = bare.test_client().get(f"/t/{ticket['token']}/pay").text
    assert "オンラインのお支払いは、いまは使えません。" in page
    assert 'value="online"' not in page
    answer = Caller(bare.test_client()).post("/payments", {"ticket": ticket["token"]})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "payment_off")


def test_a_restored_copy_offers_the_counter_and_says_why(payer: Payer, signed_in: SignIn, database: Database) -> None:
    money = signed_in("aoki", role=Role.CITY_ADMIN, office_id=None)
    assert "madoguchi payments resume" not in money.get("/manage/payments").text
    with database.transaction() as session:
        session.add(Budget(key=holding.MONEY, used=1, until=datetime.now(UTC) + timedelta(days=1)))
    page = payer.client.get(payer.fees).text
    assert "オンラインのお支払いは、いまは使えません。" in page
    assert 'value="online"' not in page
    assert "いま支払う" not in payer.client.get(f"/t/{payer.ticket['token']}").text
    assert "madoguchi payments resume" in money.get("/manage/payments").text


def test_the_api_gives_one_answer_for_one_key(kiosk: Caller, public: Caller) -> None:
    token = kiosk.ticket("juminhyo")["token"]
    first, again = (public.post("/payments", {"ticket": token}, key="one-key-001") for _ in range(2))
    assert (first.status_code, first.get_json()) == (again.status_code, again.get_json()) == (201, first.get_json())
    assert set(first.get_json()) == {"id", "amount", "checkout_url"}
    other = kiosk.ticket("juminhyo")["token"]
    assert public.post("/payments", {"ticket": other}, key="one-key-001").status_code == 409
    assert public.post("/payments", {}).status_code == 422
    assert public.post("/payments", {"ticket": "x" * 32}).status_code == 404
    assert public.post("/payments", {"ticket": kiosk.ticket("tennyu")["token"]}).status_code == 409


# --- at the desk


@pytest.fixture
def desk(signed_in: SignIn) -> Desk:
    """A clerk at counter 2, which takes money."""
    found = Desk(signed_in("tanaka", name="田中 美咲"))
    found.sit("ward-2")
    return found


_DESK_FORM = 'action="/desk/act" data-desk'


def _money(desk: Desk, number: str, **fields: str) -> tuple[int, str]:
    """Send a form of the till: the fees', or with a slip the one that takes money."""
    page = desk.client.get(f"/desk/ask/money?n={number}").text
    start = page.rindex(_DESK_FORM) if "slip" in fields else page.index(_DESK_FORM)
    answer = desk.client.post("/desk/act", data=hidden(page[start:], _DESK_FORM) | fields, follow_redirects=True)
    return answer.status_code, answer.text


def test_cash_with_the_slip_at_the_desk(desk: Desk, kiosk: Caller, database: Database) -> None:
    number = kiosk.ticket("juminhyo")["number"]
    desk.done("call-next")
    assert "未払 300円" in desk.page
    status, page = _money(desk, number, action="money:cash", slip="r-0117")
    assert (status, "300円を受け取りました" in page) == (200, True)
    assert "支払済" in desk.page
    with database.snapshot() as session:
        attempt = session.scalars(select(PaymentAttempt)).one()
        assert (attempt.method, attempt.slip, attempt.counter_id) == ("cash", "R-0117", "ward-2")
    assert "受け取るお金はありません。" in desk.client.get(f"/desk/ask/money?n={number}").text


def test_a_counter_that_is_no_cashier_takes_no_money(signed_in: SignIn, kiosk: Caller) -> None:
    other = Desk(signed_in("suzuki"))
    other.sit("ward-5")
    number = kiosk.ticket("juminhyo")["number"]
    page = other.client.get(f"/desk/ask/money?n={number}").text
    assert "この窓口では、お金を受け取れません。" in page
    fields = hidden(page, _DESK_FORM) | {"action": "money:cash", "slip": "R-1", "seen": "juminhyo:300:1"}
    assert other.client.post("/desk/act", data=fields).status_code == 403


def test_copies_and_an_exemption_with_its_reason(desk: Desk, kiosk: Caller, database: Database) -> None:
    number = kiosk.ticket("juminhyo")["number"]
    _money(desk, number, action="fees:juminhyo", **{"copies-juminhyo": "2"})
    assert "600円" in desk.client.get(f"/desk/ask/money?n={number}").text
    _money(desk, number, action="fees:juminhyo",
           **{"copies-juminhyo": "2", "exemption-juminhyo": "public_assistance"})  # fmt: skip
    assert "受け取るお金はありません。" in desk.client.get(f"/desk/ask/money?n={number}").text
    with database.snapshot() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "fee_exempted")).one()
        assert entry.details["reason"] == "public_assistance"


def test_what_must_be_paid_first_is_not_handed_over(
    desk: Desk, kiosk: Caller, lead: Caller, database: Database
) -> None:
    with database.transaction() as session:
        service = session.get_one(Service, "juminhyo")
        service.details = service.details | {"paid_before": "finish"}
    ticket = kiosk.ticket("juminhyo")
    for action in ("call-next", "start", "finish"):
        desk.done(action)
    lead.post(f"/steps/{ticket['steps'][1]['id']}/ready")
    for action in ("call-next", "start"):
        desk.done(action)
    assert "お支払いを確かめるまで、渡せません。" in desk.page
    refused = lead.post(f"/steps/{ticket['steps'][1]['id']}/finish")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "payment_required")
    _money(desk, ticket["number"], action="money:terminal", slip="T-9")
    desk.done("finish")


# --- the managers' screen


def _do(browser: FlaskClient, path: str, to: str, **fields: str) -> str:
    """Fill in a form of a page and send it."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)
    assert token
    values = {"csrf_token": token[1], "idempotency_key": secrets.token_hex(8)} | fields
    return browser.post(to, data=values, follow_redirects=True).text


ASK = "/manage/payments/ask"


def test_two_persons_give_a_part_back(
    payer: Payer, signed_in: SignIn, web: Flask, database: Database, standin: standins.StripeStandIn
) -> None:
    payer.client.get(payer.pay())
    with database.snapshot() as session:
        attempt = session.scalars(select(PaymentAttempt)).one().id
    floor, section = signed_in("lead1", role=Role.FLOOR_LEAD), signed_in("kacho", role=Role.DEPARTMENT_ADMIN)
    page = _do(floor, f"{ASK}?attempt={attempt}", ASK, attempt=str(attempt), reason="not_issued",
               **{"copies-koseki_cert": "1"})  # fmt: skip
    assert "返金を求めました。" in page
    refund = re.search(r'name="refund" value="(\d+)"', section.get("/manage/payments").text)
    assert refund
    page = _do(section, "/manage/payments", "/manage/payments/decide", refund=refund[1], verdict="approve")
    assert "承認しました。" in page
    calls = MoneyCalls(database, web.extensions["gateways"])
    while calls.step():
        pass
    assert [each["amount"] for each in standin.ledger.refunds.values()] == [450]
    page = payer.client.get(str(payer.client.get(payer.fees).location)).text
    for said in ("450円を 返金しました", "手続きは いりません。", "お出しできませんでした", "差し引き", "300円"):
        assert said in page
    day = section.get("/manage/payments").text
    assert "合っています" in day


def test_cash_that_goes_back_is_fetched_at_the_cashier(
    desk: Desk, payer: Payer, signed_in: SignIn, database: Database
) -> None:
    desk.done("call-next")
    _money(desk, payer.ticket["number"], action="money:cash", slip="R-0200")
    with database.snapshot() as session:
        attempt = session.scalars(select(PaymentAttempt)).one().id
    floor, section = signed_in("lead1", role=Role.FLOOR_LEAD), signed_in("kacho", role=Role.DEPARTMENT_ADMIN)
    _do(floor, f"{ASK}?attempt={attempt}", ASK, attempt=str(attempt), reason="not_issued", **{"copies-juminhyo": "1"})
    own = str(payer.client.get(payer.fees).location)
    assert "750円を 支払いました" in payer.client.get(own).text  # asked for is not promised
    refund = re.search(r'name="refund" value="(\d+)"', section.get("/manage/payments").text)
    assert refund
    _do(section, "/manage/payments", "/manage/payments/decide", refund=refund[1], verdict="approve")
    page = payer.client.get(own).text
    for said in ("24番 会計の窓口で お受けとりください", "返金する金額", "−300円", "450円"):
        assert said in page
    assert "手続きは いりません" not in page
    assert "カードの明細" not in page
    cashier = signed_in("sato", role=Role.FLOOR_LEAD)
    _do(cashier, "/manage/payments", "/manage/payments/paid-out", refund=refund[1])
    page = payer.client.get(own).text
    assert "300円を 返金しました" in page
    assert "お受けとりください" not in page


def test_who_asked_cannot_approve_and_strangers_find_nothing(
    payer: Payer, signed_in: SignIn, database: Database
) -> None:
    payer.client.get(payer.pay())
    city = signed_in("aoki", role=Role.CITY_ADMIN, office_id=None)
    with database.snapshot() as session:
        attempt = session.scalars(select(PaymentAttempt)).one().id
    _do(city, f"{ASK}?attempt={attempt}", ASK, attempt=str(attempt), reason="withdrawn",
        **{"copies-juminhyo": "1"})  # fmt: skip
    assert "求めた人は承認できません" in city.get("/manage/payments").text
    page = _do(city, "/manage/payments", "/manage/payments/decide", refund="1", verdict="approve")
    assert "返金を求めた人は承認できません。" in page
    other = signed_in("branch1", role=Role.DEPARTMENT_ADMIN, office_id="branch")
    assert other.get("/manage/payments?office=ward").status_code == 404
    assert signed_in("tanaka").get("/manage/payments").status_code == 403


def test_an_alarm_is_looked_into_by_whoever_decides_about_money(
    payer: Payer, signed_in: SignIn, database: Database
) -> None:
    payer.client.get(payer.pay())
    with database.transaction() as session:
        attempt = session.scalars(select(PaymentAttempt)).one()
        attempt.alarm = "dispute"
        number = str(attempt.id)
    lead, section = signed_in("lead1", role=Role.FLOOR_LEAD), signed_in("kacho", role=Role.DEPARTMENT_ADMIN)
    assert "異議" in lead.get("/manage/payments").text
    assert "確かめました" not in lead.get("/manage/payments").text
    form = {"attempt": number, "alarm": "dispute"}
    page = _do(section, "/manage/payments", "/manage/payments/alarm", **form, note=" ")
    assert "500文字までで書いてください" in page
    page = _do(section, "/manage/payments", "/manage/payments/alarm", **form, note="<b>返答した</b>")
    assert "確かめたことを記録しました。" in page
    assert "&lt;b&gt;返答した&lt;/b&gt;" in page
    page = _do(section, "/manage/payments", "/manage/payments/alarm", **form, note="もう一度")
    assert "もう確かめてあるか、変わりました" in page
    other = signed_in("branch1", role=Role.DEPARTMENT_ADMIN, office_id="branch")
    with database.transaction() as session:
        session.scalars(select(PaymentAttempt)).one().alarm_seen_at = None
    token = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/manage/payments").text)
    assert token
    asked = form | {"note": "x", "idempotency_key": secrets.token_urlsafe(16), "csrf_token": token[1]}
    assert other.post("/manage/payments/alarm", data=asked).status_code == 404
    with database.snapshot() as session:
        assert (
            session.scalars(select(AuditEntry).filter_by(action="payment_alarm_seen")).one().details["alarm"]
            == "dispute"
        )


def test_the_journal_balances_to_the_yen(payer: Payer, signed_in: SignIn, database: Database) -> None:
    payer.client.get(payer.pay())
    section = signed_in("kacho", role=Role.DEPARTMENT_ADMIN)
    answer = section.get("/manage/payments/journal.csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert sum(int(row["金額"]) for row in rows) == 750
    with database.snapshot() as session:
        booked = session.scalars(select(PaymentAttempt)).one().booked_on
        assert booked
        figures = settlements.of(session, "ward", booked)
        assert (figures.net, figures.balances) == (750, True)
    assert section.get("/manage/payments/journal.csv?from=2026-01-01&to=2030-01-01").status_code == 422


def test_a_closed_day_stays_what_it_was(payer: Payer, database: Database) -> None:
    payer.client.get(payer.pay())
    with database.transaction() as session:
        attempt = session.scalars(select(PaymentAttempt)).one()
        day, at = attempt.booked_on, attempt.paid_at
        assert day
        assert at
        assert settlements.close(session, "ward", day.replace(year=day.year + 1), at=at) == 1
        assert settlements.close(session, "ward", day.replace(year=day.year + 1), at=at) == 0
    with database.transaction() as session:
        session.scalars(select(PaymentAttempt)).one().lines = [{"service": "juminhyo", "unit": 300, "copies": 1}]
    with database.snapshot() as session:
        assert not settlements.of(session, "ward", day).balances
