"""Paying for a booking before coming: a shop's slip where time allows, money that follows to the number, cancelled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.calendar import business_date
from app.factory import create_app
from app.models.booking import Booking
from app.models.payment import Payment
from app.models.ticket import Ticket
from app.services import bills, fees
from app.services.money_calls import MoneyCalls
from config.settings import Settings
from tests.standins import stripe as standins
from tests.standins.stripe_ledger import Ledger
from tests.web.conftest import SECRET, Caller


@pytest.fixture(scope="module")
def standin() -> Iterator[standins.StripeStandIn]:
    with standins.running() as made:
        yield made


@pytest.fixture
def web(database: Database, standin: standins.StripeStandIn) -> Flask:
    """The application with the stand-in as its provider."""
    standin.ledger = Ledger()
    settings = Settings(
        secret_key=SECRET, database_url=database.url, stripe_api_key=standins.KEY, stripe_api_base=standin.url,
        stripe_webhook_secret=standins.SECRET,
    )  # fmt: skip
    return create_app(settings, database)


def booked(kiosk: Caller, *, days: int) -> dict[str, Any]:
    """A booking of a seal registration (350 yen), some days ahead."""
    first = business_date(datetime.now(UTC)) + timedelta(days=days)
    found = kiosk.get(f"/offices/ward/slots?service=inkan_reg&from={first}&to={first + timedelta(days=14)}").get_json()
    start = next(slot["start"] for slot in found["slots"] if slot["free"])
    held = kiosk.post("/offices/ward/holds", {"services": ["inkan_reg"], "start": start, "party": 1})
    assert held.status_code == 201, held.text
    answer = kiosk.post("/bookings", {"hold": held.get_json()["token"], "name": "青波花子"})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def _methods(standin: standins.StripeStandIn) -> list[str]:
    return list(next(iter(standin.ledger.sessions.values()))["methods"])


def test_a_slip_of_a_shop_where_time_allows(
    kiosk: Caller, standin: standins.StripeStandIn, client: FlaskClient
) -> None:
    made = booked(kiosk, days=8)
    answer = kiosk.post("/payments", {"booking": made["token"]})
    assert (answer.status_code, answer.get_json()["amount"]) == (201, 350)
    assert "konbini" in _methods(standin)
    name = answer.get_json()["checkout_url"].rsplit("/", 1)[1]
    standin.ledger.slip(name)
    page = client.get(f"/b/{made['token']}/pay", follow_redirects=True).text
    assert "コンビニで支払うと、ここに出ます。" in page
    standin.ledger.slip_paid(name)
    assert made["token"] not in str(standin.ledger.sessions)
    assert "花子" not in str(standin.ledger.sessions)


def test_money_of_a_booking_counts_for_its_number_and_goes_back_when_it_is_cancelled(
    kiosk: Caller, standin: standins.StripeStandIn, web: Flask, database: Database
) -> None:
    made = booked(kiosk, days=8)
    url = kiosk.post("/payments", {"booking": made["token"]}).get_json()["checkout_url"]
    standin.ledger.pay(url.rsplit("/", 1)[1])
    calls = MoneyCalls(database, web.extensions["gateways"])
    assert calls.reconcile(hours=1) == 1
    said = web.test_client().get(f"/b/{made['token']}/cancel").text
    assert "350円 支払いずみ。取り消すと 全額お返しします。" in said
    ticket = kiosk.ticket("inkan_reg")["id"]
    with database.transaction() as session:
        booking = session.scalars(select(Booking)).one()
        booking.ticket_id, booking.state = ticket, "arrived"
    with database.snapshot() as session:
        bill = bills.of(session, fees.of_ticket(session, session.get_one(Ticket, ticket)))
        assert (bill.state, bill.owed_yen, bill.paid_yen) == ("paid", 0, 350)
    with database.transaction() as session:
        booking = session.scalars(select(Booking)).one()
        booking.ticket_id, booking.state = None, "cancelled"
    assert calls.look_over() == 1
    while calls.step():
        pass
    assert [each["amount"] for each in standin.ledger.refunds.values()] == [350]
    with database.snapshot() as session:
        assert session.scalars(select(Payment)).one().booking_id is not None


def test_to_pay_before_coming_is_offered_where_it_can_be_done(
    kiosk: Caller, client: FlaskClient, database: Database
) -> None:
    page = f"/b/{booked(kiosk, days=8)['token']}"
    assert "手数料を先に支払う" in client.get(page).text
    without = create_app(Settings(secret_key=SECRET, database_url=database.url), database).test_client()
    assert "手数料を先に支払う" not in without.get(page).text
    assert "お支払いの案内" in without.get(page).text


def test_a_place_that_is_only_held_cannot_be_paid(kiosk: Caller) -> None:
    first = business_date(datetime.now(UTC)) + timedelta(days=8)
    found = kiosk.get(f"/offices/ward/slots?service=inkan_reg&from={first}&to={first + timedelta(days=14)}").get_json()
    start = next(slot["start"] for slot in found["slots"] if slot["free"])
    held = kiosk.post("/offices/ward/holds", {"services": ["inkan_reg"], "start": start, "party": 1}).get_json()
    assert kiosk.post("/payments", {"booking": held["token"]}).status_code == 404
