"""The month's report on a screen, as CSV and on paper, for those who may read it."""

import csv
import io
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.db.session import Database
from app.domain.feedback import Topic, Verdict
from app.domain.roles import Role
from app.services import feedback, tickets
from tests.services.test_feedback import DONE, hall
from tests.services.test_reports import START, play
from tests.web.conftest import Caller

SPAN = "from=2026-04-01&to=2026-04-30"


def of(client: FlaskClient, token: Callable[..., str], role: Role, **where: object) -> Caller:
    return Caller(client, token(role, **where))


def test_the_month_is_told_and_drawn(client: FlaskClient, database: Database, token: Callable[..., str]) -> None:
    play(database)
    headers = {"Authorization": f"Bearer {token(Role.CITY_ADMIN, office_id=None)}"}
    page = client.get("/manage/reports?office=ward&month=2026-04&table=hours", headers=headers)
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert "<title>月の報告 2026-04 | Madoguchi</title>" in text
    assert "3件の来庁がありました。" in text
    assert "10時台" in text
    assert text.count('<rect class="bar"') == 1


def test_an_empty_month_says_so(client: FlaskClient, token: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, office_id=None)}"}
    page = client.get("/manage/reports?month=2026-05", headers=headers)
    assert "この月の記録は、まだありません" in page.get_data(as_text=True)


def test_the_csv_is_read_by_programs_and_by_excel(
    client: FlaskClient, database: Database, token: Callable[..., str]
) -> None:
    hall(database)
    caller = of(client, token, Role.FLOOR_LEAD)
    with database.transaction() as session:
        found = tickets.by_token(session, DONE)
        feedback.give(session, found, token=DONE, verdict=Verdict.BAD, topic=Topic.WAIT, at=START)
    plain = caller.get(f"/offices/ward/reports/services.csv?{SPAN}")
    rows = list(csv.DictReader(io.StringIO(plain.get_data(as_text=True))))
    assert [(row["key"], row["visits"], row["wait_mean_min"]) for row in rows] == [("juminhyo", "3", "7.5")]
    assert (rows[0]["feedback_good"], rows[0]["feedback_bad"]) == ("0", "1")
    headers = {"Authorization": f"Bearer {caller.bearer}"}
    page = client.get("/manage/reports?office=ward&month=2026-04", headers=headers).get_data(as_text=True)
    assert '<dt>こまった</dt><dd><b>1</b>件</dd><dd class="soft"><span class="nw">待ち時間 1</span>' in page
    excel = caller.get(f"/offices/ward/reports/services.csv?{SPAN}&excel=1").get_data()
    assert excel.startswith(b"\xef\xbb\xbf")
    assert "来庁(件)" in excel.decode()


def test_the_paper_is_a_pdf(client: FlaskClient, database: Database, token: Callable[..., str]) -> None:
    play(database)
    headers = {"Authorization": f"Bearer {token(Role.DEPARTMENT_ADMIN)}"}
    paper = client.get("/manage/reports.pdf?month=2026-04", headers=headers)
    assert (paper.status_code, paper.mimetype) == (200, "application/pdf")
    assert paper.get_data().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/offices/ward/reports/everything.csv?{SPAN}", 404),
        ("/offices/ward/reports/days.csv", 422),
        ("/offices/ward/reports/days.csv?from=2026-13-01&to=x", 422),
        ("/offices/ward/reports/days.csv?from=2026-04-30&to=2026-04-01", 422),
        ("/offices/ward/reports/days.csv?from=1026-04-30&to=2026-04-01", 422),
        (f"/offices/branch/reports/days.csv?{SPAN}", 404),
    ],
)
def test_bad_input_is_refused(client: FlaskClient, token: Callable[..., str], path: str, status: int) -> None:
    assert of(client, token, Role.FLOOR_LEAD).get(path).status_code == status


@pytest.mark.parametrize("query", ["month=2026-13", "month=x", "table=everything", "office=nowhere"])
def test_a_page_that_is_none_is_not_found(client: FlaskClient, token: Callable[..., str], query: str) -> None:
    headers = {"Authorization": f"Bearer {token(Role.CITY_ADMIN, office_id=None)}"}
    assert client.get(f"/manage/reports?{query}", headers=headers).status_code == 404


def test_a_clerk_does_not_read_it(client: FlaskClient, token: Callable[..., str]) -> None:
    assert of(client, token, Role.CLERK).get(f"/offices/ward/reports/days.csv?{SPAN}").status_code == 403


def test_hour_procedure_counter_and_section_together_add_up(
    client: FlaskClient, database: Database, token: Callable[..., str]
) -> None:
    number = play(database)
    caller = of(client, token, Role.FLOOR_LEAD)
    text = caller.get(f"/offices/ward/reports/hours-services-counters-sections.csv?{SPAN}").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["key"].split("|")[:3] for row in rows] == [["10", "juminhyo", number]]
    assert rows[0]["visits"] == "2"  # the third was never called to a counter
