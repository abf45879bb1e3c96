"""Expected arrivals over HTTP, and what a web process must never have loaded."""

import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.db.session import Database
from app.domain.calendar import business_date, instant
from app.domain.roles import Role
from app.models.forecast import WaitSample
from app.models.people import Account
from app.models.ticket import Step, Ticket
from app.models.visits import PastVisit
from app.services import access, forecast_store
from app.services.forecast_store import Made
from tests.web.conftest import SignIn

LINE = "ward-certificates"
DAY = date(2026, 5, 7)
HEAVY = ("prophet", "pandas", "matplotlib", "sklearn", "cmdstanpy", "stripe", "twilio", "ortools")


@pytest.fixture
def made(database: Database) -> None:
    rows = [[4.0 if 18 <= slot < 22 else None for slot in range(48)] for _ in range(3)]
    flat = [[2.0] * 48] * 3
    line = Made(category_id=LINE, model="hybrid", expected=rows, low=flat, high=[[7.0] * 48] * 3,
                bookings={DAY: {18: 1}})  # fmt: skip
    with database.transaction() as session:
        forecast_store.put(session, "ward", line, today=DAY, at=datetime.now(UTC))


@pytest.fixture
def get(client: FlaskClient, token: Callable[..., str]) -> Callable[..., Any]:
    def ask(query: str = "", role: Role = Role.FLOOR_LEAD, office: str = "ward") -> Any:
        headers = {"Authorization": f"Bearer {token(role)}"}
        return client.get(f"/api/v1/offices/{office}/forecast{query}", headers=headers)

    return ask


@pytest.mark.usefixtures("made")
def test_a_day_of_a_service_has_its_half_hours_with_a_band_and_its_age(get: Callable[..., Any]) -> None:
    answer = get(f"?service=juminhyo&from={DAY}&to={DAY}")
    assert answer.status_code == 200, answer.text
    found = answer.json
    assert [each["start"] for each in found["intervals"]][:2] == [
        "2026-05-07T09:00:00+09:00",
        "2026-05-07T09:30:00+09:00",
    ]
    assert len(found["intervals"]) == 4
    assert all(0 <= each["low"] < each["expected"] < each["high"] for each in found["intervals"])
    assert found["forecast"]["models"] == ["hybrid"]
    assert not found["forecast"]["stale"]


@pytest.mark.usefixtures("made")
def test_a_span_is_of_dates_or_of_instants(get: Callable[..., Any]) -> None:
    assert len(get(f"?from={DAY}&to={DAY + timedelta(days=2)}").json["intervals"]) == 12
    narrow = get("?category=ward-certificates&from=2026-05-07T09:30:00%2B09:00&to=2026-05-07T10:30:00%2B09:00").json
    assert [each["expected"] for each in narrow["intervals"]] == [4.0, 4.0]


@pytest.mark.parametrize(
    "query",
    ["?from=2026-05-07&to=2029-05-07", "?from=2026-05-07&to=2026-05-01", "?from=soon", "?to=9999-12-31",
     "?from=0001-01-01", "?from=2026-05-07T99:00", "?from=2026-13-01"],
)  # fmt: skip
def test_a_huge_or_senseless_period_is_refused(get: Callable[..., Any], query: str) -> None:
    assert get(query).status_code == 422


def test_other_places_and_callers_without_the_function_are_refused(
    get: Callable[..., Any], client: FlaskClient
) -> None:
    assert client.get("/api/v1/offices/ward/forecast").status_code == 401
    assert get(office="branch").status_code == 404
    assert get("?service=nothing").status_code == 404
    assert get("?category=branch-moving").status_code == 404
    assert get(role=Role.DISPLAY).status_code == 403


def test_without_a_forecast_there_is_an_age_that_says_so(get: Callable[..., Any]) -> None:
    found = get().json
    assert found["intervals"] == []
    assert (found["forecast"]["made_at"], found["forecast"]["stale"]) == (None, True)


@pytest.mark.usefixtures("made")
def test_a_web_process_that_served_every_page_has_none_of_the_heavy_libraries(
    database: Database, staff: Callable[..., int]
) -> None:
    """A process of its own builds the application and answers for every page; what it loaded on the way would show."""
    secret = secrets.token_hex(20)
    number = staff("chief", role=Role.CITY_ADMIN, office_id=None)
    with database.transaction() as session:
        access.start_session(session, session.get_one(Account, number), token=secret, at=datetime.now(UTC))
    said = subprocess.run(
        [sys.executable, "-m", "tests.web.loaded", database.url, secret], capture_output=True, text=True, timeout=120,
        check=True,
    )  # fmt: skip
    found = json.loads(said.stdout)
    answers: dict[str, int] = found["answers"]
    assert {path: status for path, status in answers.items() if status >= 500 and path != "/readyz"} == {}
    pages = (
        "/manage/plan",
        "/manage/week",
        "/manage/forecast",
        "/manage/reports",
        "/o/ward/congestion",
        "/api/v1/offices/ward/forecast",
    )
    assert {path: answers[path] for path in pages} == dict.fromkeys(pages, 200)
    assert sum(status == 200 for status in answers.values()) > 20
    assert sorted(set(HEAVY) & set(found["loaded"])) == []


@pytest.fixture
def judged(database: Database, made: None) -> None:
    """A line whose last four weeks were told by Prophet, one that ran out of time, and two days that came."""
    today = business_date(datetime.now(UTC))
    rows: list[list[float | None]] = [[8.0 if slot == 20 else None for slot in range(48)] for _ in range(3)]
    flat = [[0.0] * 48] * 3
    line = Made(category_id=LINE, model="hybrid", expected=rows, low=flat, high=[[12.0] * 48] * 3, history_days=400,
                scores={"sn4": 0.8, "hybrid": 0.7}, day_wape=9.5, cover=0.81)  # fmt: skip
    with database.transaction() as session:
        first = today - timedelta(days=3)
        forecast_store.put(session, "ward", line, today=first, at=datetime.now(UTC) - timedelta(days=4))
        forecast_store.fail(session, "ward", "ward-tax", error="timeout", at=datetime.now(UTC))
        for day in (first, first + timedelta(days=1)):
            for number in range(10):
                begins = instant(day, time(10))
                session.add(
                    PastVisit(
                        office_id="ward", business_date=day, category_id=LINE, service_id="juminhyo", issued_at=begins,
                        called_at=None, started_at=None, finished_at=None, counter="", booked=False, no_show=False,
                        step_id=None, fingerprint=f"{day}{number}",
                    )
                )  # fmt: skip


@pytest.mark.usefixtures("judged")
def test_a_manager_reads_how_well_forecasts_did_and_which_line_failed(signed_in: SignIn) -> None:
    page = signed_in("boss", role=Role.DEPARTMENT_ADMIN).get("/manage/forecast?office=ward").text
    # Eight were told on each of two days, ten came.
    assert "20.0%外れました" in page
    assert all(word in page for word in ("Prophet", "9.5", "12.5%少ない", "81", "時間切れ", "古い", "作られたものです"))


def test_a_manager_reads_that_nothing_is_forecast_yet(signed_in: SignIn) -> None:
    page = signed_in("boss", role=Role.DEPARTMENT_ADMIN).get("/manage/forecast?office=ward")
    assert page.status_code == 200
    assert "まだありません" in page.text


def test_clerks_and_strangers_do_not_read_it(signed_in: SignIn, client: FlaskClient) -> None:
    assert client.get("/manage/forecast?office=ward").status_code in (302, 401)
    assert signed_in("clerk", role=Role.CLERK).get("/manage/forecast?office=ward").status_code == 403
    assert signed_in("boss", role=Role.DEPARTMENT_ADMIN).get("/manage/forecast?office=branch").status_code == 404


def test_residents_read_how_far_off_the_waits_were(client: FlaskClient, database: Database) -> None:
    assert "記録がたまると" in client.get("/o/ward/congestion").text
    client.application.extensions.pop("wait_errors")
    now = datetime.now(UTC)
    today = business_date(now)
    with database.transaction() as session:
        for number in range(60):
            ticket = Ticket(office_id="ward", business_date=today, category_id=LINE, number=f"A{number}", serial=number,
                            seed="", token_hash=f"h{number}", channel="kiosk", issued_at=now)  # fmt: skip
            session.add(ticket)
            session.flush()
            step = Step(ticket_id=ticket.id, office_id="ward", business_date=today, position=0,
                        service_id="juminhyo", category_id=LINE, phase="accept", state="done", serial=number,
                        changed_at=now, ended_at=now)  # fmt: skip
            session.add(step)
            session.flush()
            session.add(
                WaitSample(
                    step_id=step.id, office_id="ward", category_id=LINE, business_date=today,
                    issued_at=now, queue_ahead=5, last_wait_min=10.0, promised_low=5, promised_median=10.0,
                    promised_high=20, actual_minutes=16.0 if number < 45 else 31.0,
                )
            )  # fmt: skip
    page = client.get("/o/ward/congestion").text
    assert "100人のうち75人" in page
    assert "平均10分" in page
