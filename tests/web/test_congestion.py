"""The congestion calendar: told from past weeks, judged, as a page, as open data, and within another page."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from app.db.session import Database
from app.domain.calendar import JST, business_date
from app.domain.crowd import Level
from app.domain.ticket import Action
from app.models.place import Office
from app.models.ticket import Step, Ticket
from app.services import board, congestion, practice
from tests.services.test_crowd import LINE as PAPERS
from tests.services.test_crowd import forecast, working_weeks
from tests.web.lead_screen import Past

LINE = "ward-moving"
NOW = datetime.now(UTC)


def past_weeks(database: Database, *, weeks: int = 6, minutes: float = 45) -> date:
    """The same weekday in past weeks, ten people at 10 o'clock who waited ``minutes``; returns its next one."""
    coming = business_date(NOW) + timedelta(days=1)
    while coming.weekday() >= 5:
        coming += timedelta(days=1)
    with database.transaction() as session:
        for week in range(1, weeks + 1):
            day = coming - timedelta(weeks=week)
            begin = datetime(day.year, day.month, day.day, 1, 0, tzinfo=UTC)
            for number in range(10):
                name = f"B{week}{number:02d}"
                ticket = Ticket(
                    office_id="ward", business_date=day, category_id=LINE, number=name, serial=number, seed=name,
                    token_hash=name, channel="kiosk", issued_at=begin,
                )  # fmt: skip
                session.add(ticket)
                session.flush()
                session.add(
                    Step(
                        ticket_id=ticket.id, office_id="ward", business_date=day, position=0, service_id="tennyu",
                        category_id=LINE, phase="accept", state="done", serial=number, entry="walk_in",
                        arrived_at=begin, waiting_since=begin, due_at=begin, eligible_at=begin, changed_at=begin,
                        called_at=begin + timedelta(minutes=minutes), ended_at=begin + timedelta(hours=2),
                    )
                )  # fmt: skip
    return coming


def test_a_day_is_told_from_the_same_weekday(database: Database) -> None:
    coming = past_weeks(database)
    with database.snapshot() as session:
        days = {day.day: day for day in congestion.of_days(
            session, office_id="ward", category_id=LINE, since=coming - timedelta(days=8),
            until=coming + timedelta(days=7), at=NOW)}  # fmt: skip
        told = congestion.judged(session, office_id="ward", category_id=LINE, at=NOW)
    if days[coming].open:
        assert days[coming].level is Level.CROWDED
        assert days[coming].hours == {10: Level.CROWDED}
    assert days[coming - timedelta(weeks=1)].seen
    assert told.same >= 2
    assert told.more == 0


def test_the_page_shows_it_and_works_without_a_script(client: FlaskClient, database: Database) -> None:
    past_weeks(database)
    page = client.get(f"/o/ward/congestion?category={LINE}").get_data(as_text=True)
    assert "混雑" in page
    assert "CC BY 4.0" in page
    assert "<table" in page
    empty = client.get("/o/branch/congestion").get_data(as_text=True)
    assert "まだ予想できません" in empty


def test_the_week_is_headed_in_the_readers_language(client: FlaskClient, database: Database) -> None:
    past_weeks(database)
    for code, heads in (("ja", "日 月 火"), ("en", "Sun Mon Tue"), ("vi", "CN Th 2 Th 3"), ("ko", "일 월 화")):
        page = client.get("/o/ward/congestion", query_string={"lang": code}).text
        assert " ".join(re.findall(r'<th scope="col">([^<]+)</th>', page)[:3]) == heads


def test_another_page_may_frame_the_calendar_but_not_the_rest(client: FlaskClient) -> None:
    embedded = client.get("/o/ward/congestion/embed")
    assert "frame-ancestors *" in embedded.headers["Content-Security-Policy"]
    assert "<script" not in embedded.get_data(as_text=True)
    assert "frame-ancestors 'none'" in client.get("/o/ward/congestion").headers["Content-Security-Policy"]


def test_it_is_open_data(client: FlaskClient, database: Database) -> None:
    past_weeks(database)
    told = client.get(f"/api/v1/offices/ward/congestion?category={LINE}").get_json()
    assert told["licence"] == "CC BY 4.0"
    assert any(row["level"] == 4 and row["wait_low_min"] == 40 for row in told["intervals"])
    for path in ("congestion.csv?", "congestion?format=csv&"):
        rows = list(csv.DictReader(io.StringIO(
            client.get(f"/api/v1/offices/ward/{path}category={LINE}").get_data(as_text=True))))  # fmt: skip
        assert {row["licence"] for row in rows} == {"CC BY 4.0"}
        assert any(row["level"] == "4" for row in rows)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/offices/ward/congestion?from=x", 422),
        ("/api/v1/offices/ward/congestion?from=2026-01-01&to=2029-01-01", 422),
        ("/api/v1/offices/ward/congestion?from=2026-02-01&to=2026-01-01", 422),
        ("/api/v1/offices/nowhere/congestion", 404),
        ("/api/v1/offices/ward/congestion?category=nowhere", 404),
        ("/o/nowhere/congestion", 404),
        ("/o/ward/congestion?day=x", 404),
        ("/o/ward/congestion?day=1999-01-01", 404),
        ("/o/ward/congestion?category=nowhere", 404),
    ],
)
def test_bad_input_is_refused(client: FlaskClient, path: str, status: int) -> None:
    assert client.get(path).status_code == status


def test_a_day_names_its_quietest_hours_and_leads_to_the_days_beside_it(
    client: FlaskClient, database: Database
) -> None:
    with database.transaction() as session:
        practice.lay(session, "ward", at=NOW, weeks=6)
        today = business_date(NOW)
        days = congestion.of_days(
            session, office_id="ward", category_id="ward-cashier", since=today + timedelta(days=4),
            until=today + timedelta(days=20), at=NOW,
        )  # fmt: skip
    wanted = next(each.day for each in days if len(set(each.hours.values())) > 1)
    page = client.get(f"/o/ward/congestion?category=ward-cashier&day={wanted}").text
    assert "これは作りものの例です" in page
    assert 1 <= page.count("いちばん空く時間") < page.count("時台")
    (earlier,), (later,) = (re.findall(rf'rel="{way}" href="[^"]*?day=([\d-]+)', page) for way in ("prev", "next"))
    assert earlier < wanted.isoformat() < later
    answer = client.get("/api/v1/offices/ward/congestion").get_json()
    assert {row["source"] for row in answer["intervals"]} == {"practice"}


def test_today_shows_the_hour_that_runs_and_how_the_week_before_was(client: FlaskClient, database: Database) -> None:
    morning = datetime(2026, 4, 8, 10, 20, tzinfo=JST)
    with database.transaction() as session:
        practice.lay(session, "ward", at=morning, weeks=6)
        week_before, today, tomorrow = congestion.of_days(
            session, office_id="ward", category_id="ward-cashier", since=date(2026, 4, 1), until=date(2026, 4, 1),
            at=morning,
        )[0], date(2026, 4, 8), date(2026, 4, 9)  # fmt: skip
    with time_machine.travel(morning, tick=False):
        page = client.get(f"/o/ward/congestion?category=ward-cashier&day={today}").text
        next_day = client.get(f"/o/ward/congestion?category=ward-cashier&day={tomorrow}").text
        far = client.get(f"/o/ward/congestion?category=ward-cashier&day={today + timedelta(days=30)}").text
        assert client.get("/o/ward/congestion?day=9999-12-31").status_code == 404
        assert client.get("/o/ward/congestion?day=0001-01-01").status_code == 404
    (row,) = re.findall(r'<tr class="[^"]*now">.*?</tr>', page)
    assert "10時台" in row
    assert "いま" in row
    assert page.count('class="lastweek"') == len(week_before.hours)
    assert "4月1日(水)に" in page.replace("(", "(").replace(")", ")")
    assert "nowword" not in next_day
    assert "lastweek" in next_day
    assert "lastweek" not in far


def test_page_and_open_data_say_what_a_day_stands_on(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        working_weeks(session, NOW)
    today = business_date(NOW)
    ahead = range(1, congestion.AHEAD_DAYS)

    def read() -> dict[str, congestion.Day]:
        with database.snapshot() as session:
            days = congestion.of_days(session, office_id="ward", category_id=PAPERS, since=today,
                                      until=today + timedelta(days=max(ahead)), at=NOW)  # fmt: skip
        return {each.day.isoformat(): each for each in days if each.open and each.level is not None}

    def page(day: str = "") -> str:
        return client.get(f"/o/ward/congestion?category={PAPERS}{day and f'&day={day}'}").text

    def sources() -> dict[str, str]:
        rows = client.get(f"/api/v1/offices/ward/congestion?category={PAPERS}").get_json()["intervals"]
        return {row["date"]: row["source"] for row in rows if row["level"] is not None}

    full = next(day for day, each in read().items() if each.untold)
    assert "この予想より混むことがあります" in page(full)
    assert "この日が混むわけ" not in page(full)
    assert "同じ曜日の待ち時間だけから出しています。月末や" in page()
    assert sources()[full] == "past_weeks"
    with database.transaction() as session:
        forecast(session, NOW, {today + timedelta(days=n): 18.0 for n in range(62)})
    told = page(full)
    assert read()[full].why is not None
    assert "この日が混むわけ" in told
    assert "この予想より混むことがあります" not in told
    assert "この日の予想は、来る人の数の予測と" in told
    assert "までの予想は、来る人の数の予測と" in client.get(f"/o/ward/congestion/embed?category={PAPERS}").text
    assert sources()[full] == "forecast"
    assert "forecast" in client.get(f"/api/v1/offices/ward/congestion.csv?category={PAPERS}").text
    past = max((day for day, source in sources().items() if source == "seen"), default="")
    if past >= today.replace(day=1).isoformat():  # of this month the page shows the days that are over
        assert "実際に待った時間です" in page(past)


def rows(page: str) -> list[str]:
    """What stands under いまの混みぐあい, line by line."""
    part = page.split("いまの混みぐあい")[1].split("</section>", maxsplit=1)[0]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in part.split("<li>")[1:]]


def test_today_as_it_is_stands_beside_what_was_expected(client: FlaskClient, past: Past, database: Database) -> None:
    past.open("ward-2", 60)
    for minutes in range(40, 20, -2):
        past.issue("juminhyo", minutes)
    for minutes in range(20, 6, -2):
        past.call("ward-2", minutes, Action.START, Action.FINISH)
    of_papers = client.get("/o/ward/congestion?category=ward-certificates").text
    [row] = rows(of_papers)
    with database.snapshot() as session:
        told = next(c for c in board.read(session, office_id="ward", at=past.now)["categories"] if c["prefix"] == "A")
    assert "待ち 3人" in row
    assert f"{told['estimate']['low']}〜{told['estimate']['high']}分" in row
    everywhere = rows(client.get("/o/ward/congestion").text)
    assert len(everywhere) > 5
    assert "時間は まだ わかりません" in everywhere[-1]
    tomorrow = business_date(past.now) + timedelta(days=1)
    assert "いまの混みぐあい" not in client.get(f"/o/ward/congestion?day={tomorrow}").text


def test_a_closed_office_tells_when_it_opens_instead_of_a_wait(client: FlaskClient, database: Database) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"training": False}
    with time_machine.travel("2026-05-10T12:00:00+09:00"):
        page = client.get("/o/ward/congestion").text
    assert "いまは番号をとれません" in page
    assert "明日 8時30分" in page.split("いまの混みぐあい")[1].split("</section>")[0]
    assert rows(page) == []
