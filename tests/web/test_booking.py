"""Booking over HTTP without a script: from the first page to the confirmation, and every way it can go wrong."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
import time_machine
from flask.testing import FlaskClient
from markupsafe import Markup
from sqlalchemy import select

from app.db.session import Database
from app.domain.calendar import business_date
from app.factory import create_app
from app.models.booking import Booking
from app.models.place import Category, Offering
from app.services import booking_cells, holds
from app.web.locale import LANGUAGES, plain
from config.settings import Settings
from tests.web.conftest import SECRET

WISH = "s=tennyu&s=kokuho_join"
DAYS = f"/o/ward/book/days?{WISH}"
# A Wednesday, 10:00 in Japan: what depends on the open hall is not asked of the hour the tests run at.
A_MORNING = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)


def hidden(page: str, name: str) -> str:
    """A hidden field of the first form that has it."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


class Resident:
    """Somebody with a browser and no script."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def times(self) -> str:
        """The times of the first day that is free."""
        page = self.client.get(DAYS).text
        soonest = re.search(r'class="btn line wide" href="([^"]+)"', page)
        assert soonest
        return self.client.get(soonest[1].replace("&amp;", "&")).text

    def hold(self, *, last: bool = False) -> Any:
        """Hold a time; the answer to the form."""
        page = self.times()
        starts = re.findall(r'name="start" value="([^"]+)"', page)
        form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
        return self.client.post(f"/o/ward/book/hold?{WISH}", data=form | {"start": starts[-1 if last else 0]})

    def confirm(self, address: str, **typed: str) -> Any:
        page = self.client.get(address).text
        form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
        return self.client.post(address, data=form | {"channel": "none"} | typed)

    def book(self, **typed: str) -> str:
        """A booking; its address."""
        done = self.confirm(self.hold().location, **typed)
        assert done.status_code == 303, done.text
        return str(done.location.partition("?")[0])

    def post(self, address: str, form_of: str, **more: str) -> Any:
        """The form of one page, sent to an address."""
        page = self.client.get(form_of).text
        form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
        return self.client.post(address, data=form | more)


@pytest.fixture
def resident(client: FlaskClient) -> Resident:
    return Resident(client)


def test_from_the_first_page_to_the_confirmation(resident: Resident, client: FlaskClient) -> None:
    assert 'value="tennyu"' in client.get("/o/ward/book").text
    held = resident.hold()
    assert held.status_code == 303
    assert "おさえています" in client.get(held.location).text
    done = resident.confirm(held.location, name="青波 花子", channel="email", email="hanako@example.jp")
    page = client.get(done.location).text
    assert "予約できました" in page
    assert re.search(r'<p class="ref">[A-Z0-9]{3}-[A-Z0-9]{3}</p>', page)
    assert "h***@example.jp" in page
    assert "hanako" not in page
    assert "青波 花子" not in page


def test_the_calendar_is_a_table_that_says_its_days_in_words(client: FlaskClient) -> None:
    page = client.get(DAYS).text
    assert re.search(r'<caption class="vh">', page)
    assert page.count('scope="col"') == 7
    days = re.findall(r'<a class="day[^>]*><b><span class="vh">([^<]+)</span>.*?<span class="av (\w+)">', page)
    assert days
    assert all(re.match(r"\d+月\d+日\(.\)", day) for day, _ in days)


def test_without_a_procedure_it_is_asked_for(client: FlaskClient) -> None:
    asked = client.get("/o/ward/book/days")
    assert asked.status_code == 303
    assert "手続きを1つ以上" in client.get(asked.location).text


def test_the_same_form_twice_holds_once(resident: Resident, client: FlaskClient, database: Database) -> None:
    page = resident.times()
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
    form["start"] = re.findall(r'name="start" value="([^"]+)"', page)[0]
    first, second = (client.post(f"/o/ward/book/hold?{WISH}", data=form).location for _ in range(2))
    assert first == second
    with database.snapshot() as session:
        assert len(session.scalars(select(Booking)).all()) == 1


def test_a_wrong_contact_is_told_beside_its_field_and_the_time_stays_held(resident: Resident) -> None:
    held = resident.hold().location
    for channel, typed in (("email", "hanako@"), ("phone", "03-1234-5678x"), ("email", "")):
        answer = resident.confirm(held, channel=channel, **{channel: typed})
        assert answer.status_code == 422
        assert f'id="{channel}-fault"' in answer.text
        assert "時間は おさえたままです" in answer.text
    assert resident.confirm(held).status_code == 303


def test_a_fault_is_told_in_words_in_easy_japanese_too(resident: Resident) -> None:
    """Its readings are markup, and stood on the page as such."""
    held = resident.hold().location
    resident.client.get(f"{held}?lang=ja-Hira")
    page = resident.confirm(held, channel="email", email="hanako@").text
    assert 'id="email-fault"' in page
    assert "<ruby>確<rt>たし</rt></ruby>かめて" in page
    assert "&lt;" not in page


def test_only_what_can_be_sent_is_offered(resident: Resident, client: FlaskClient, database: Database) -> None:
    """The default setting has no channel: nothing is asked for that nobody would use."""
    page = client.get(resident.hold().location).text
    assert "お知らせは 送りません" in page
    assert 'name="channel"' not in page
    assert 'name="email"' not in page
    talking = Resident(
        create_app(Settings(secret_key=SECRET, database_url=database.url, message_console=True), database).test_client()
    )
    page = talking.client.get(talking.hold().location).text
    assert "お知らせは 送りません" not in page
    assert [f'value="{way}"' in page for way in ("email", "phone", "none")] == [True] * 3


def test_a_held_time_that_is_over_says_so(resident: Resident, client: FlaskClient, database: Database) -> None:
    held = resident.hold().location
    with database.transaction() as session:
        session.scalars(select(Booking)).one().expires_at = datetime.now(UTC) - timedelta(seconds=1)
    page = client.get(held).text
    assert "おさえていた時間が切れました" in page
    assert "もう一度おさえる" in page
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
    start = re.findall(r'name="start" value="([^"]+)"', page)[0]
    again = client.post(f"/o/ward/book/hold?{WISH}", data=form | {"start": start})
    assert resident.confirm(again.location).status_code == 303


@pytest.mark.parametrize("swept", [False, True])
def test_who_types_for_longer_than_the_time_is_held_has_it_all_the_same(
    resident: Resident, client: FlaskClient, database: Database, swept: bool
) -> None:
    held = resident.hold().location
    page = client.get(held).text
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")} | {"channel": "none"}
    with database.transaction() as session:
        row = session.scalars(select(Booking)).one()
        row.expires_at = datetime.now(UTC) - timedelta(seconds=1)
        session.flush()
        if swept:
            holds.expire_due(session, office_id="ward", at=datetime.now(UTC))
    first, again = (client.post(held, data=form | {"name": "青波 花子"}) for _ in range(2))
    assert (first.status_code, again.location) == (303, first.location)
    assert "予約できました" in client.get(first.location).text
    with database.snapshot() as session:
        over, made = session.scalars(select(Booking).order_by(Booking.id)).all()
        assert (over.state, made.state, made.start_at) == ("expired", "booked", over.start_at)
        assert made.sealed_name


def test_a_time_that_went_to_somebody_else_meanwhile_is_said_to_be_over(
    resident: Resident, client: FlaskClient, database: Database
) -> None:
    held = resident.hold().location
    page = client.get(held).text
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")} | {"channel": "none"}
    with database.transaction() as session:
        row = session.scalars(select(Booking)).one()
        row.expires_at = datetime.now(UTC) - timedelta(seconds=1)
        session.flush()
        holds.expire_due(session, office_id="ward", at=datetime.now(UTC))
        for line in ("ward-moving", "ward-insurance"):  # in whichever order the visit would lie
            booking_cells.set_places(
                session, office_id="ward", category_id=line, first=row.start_at,
                last=row.start_at + timedelta(minutes=15), capacity=0,
            )  # fmt: skip
    answer = client.post(held, data=form)
    assert answer.status_code == 422
    assert "おさえていた時間が切れました" in answer.text
    with database.snapshot() as session:
        assert [row.state for row in session.scalars(select(Booking))] == ["expired"]


def test_a_get_changes_nothing(resident: Resident, client: FlaskClient, database: Database) -> None:
    """Mail scanners open every link of a message."""
    address = resident.book()
    for page in ("", "/cancel", "/move", "/move/times", "/check-in", "/booking.ics"):
        assert client.get(f"{address}{page}").status_code in (200, 404, 303), page
    with database.snapshot() as session:
        assert session.scalars(select(Booking)).one().state == "booked"


def test_cancel_asks_first_and_gives_the_time_back(resident: Resident, client: FlaskClient) -> None:
    address = resident.book()
    assert "取り消さない" in client.get(f"{address}/cancel").text
    gone = resident.post(f"{address}/cancel", f"{address}/cancel")
    assert "この予約は 取り消しました" in client.get(gone.location).text


def test_a_move_keeps_reference_and_link(resident: Resident, client: FlaskClient) -> None:
    address = resident.book()
    before = re.findall(r'class="ref">(.*?)<', client.get(address).text)
    page = client.get(f"{address}/move").text
    days = [day.replace("&amp;", "&") for day in re.findall(r'<a class="day[^"]*" href="([^"]+)"', page)]
    times = client.get(days[-1]).text
    start = re.findall(r'name="start" value="([^"]+)"', times)[-1]
    asked = client.get(f"{address}/move/ask", query_string={"start": start}).text
    assert "前の予約は そのままです" in asked
    form = {name: hidden(asked, name) for name in ("csrf_token", "idempotency_key")} | {"start": start}
    done = client.post(f"{address}/move", data=form)
    after = client.get(done.location).text
    assert "日時を変更しました" in after
    assert re.findall(r'class="ref">(.*?)<', after) == before


def test_a_move_sent_again_late_does_not_undo_the_next(
    resident: Resident, client: FlaskClient, database: Database
) -> None:
    address = resident.book()
    times = client.get([day.replace("&amp;", "&") for day in re.findall(
        r'<a class="day[^"]*" href="([^"]+)"', client.get(f"{address}/move").text)][-1]).text  # fmt: skip
    first, second = re.findall(r'name="start" value="([^"]+)"', times)[-2:]
    forms = []
    for start in (first, second):
        asked = client.get(f"{address}/move/ask", query_string={"start": start}).text
        forms.append({name: hidden(asked, name) for name in ("csrf_token", "idempotency_key")} | {"start": start})
        assert client.post(f"{address}/move", data=forms[-1]).status_code == 303
    assert client.post(f"{address}/move", data=forms[0]).status_code == 303
    with database.snapshot() as session:
        booking = session.scalars(select(Booking)).one()
    assert booking.start_at == datetime.fromisoformat(second)
    assert booking.moves == 2


def test_the_calendar_file_names_no_procedure(resident: Resident, client: FlaskClient) -> None:
    answer = client.get(f"{resident.book()}/booking.ics")
    assert answer.mimetype == "text/calendar"
    event = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")[0]
    assert event.decoded("dtstart").utcoffset() == timedelta(hours=9)
    assert "転入" not in answer.data.decode()


def test_too_early_the_phone_says_when(resident: Resident, client: FlaskClient, database: Database) -> None:
    address = resident.book()
    with database.transaction() as session:
        booking = session.scalars(select(Booking)).one()
        booking.start_at, booking.end_at = (datetime.now(UTC) + timedelta(hours=n) for n in (9, 10))
    page = client.get(f"{address}/check-in").text
    assert re.search(r"受付は\d+時\d\d分からです", page)
    assert "番号札をもらう" not in page


def test_on_time_the_phone_gives_one_number_for_the_whole_visit(
    resident: Resident, client: FlaskClient, database: Database
) -> None:
    with time_machine.travel(A_MORNING, tick=True):
        address = resident.book()
        now = datetime.now(UTC)
        with database.transaction() as session:
            booking = session.scalars(select(Booking)).one()
            booking.start_at, booking.business_date = now + timedelta(minutes=5), business_date(now)
            booking.end_at = now + timedelta(minutes=65)
        number = resident.post(f"{address}/check-in", f"{address}/check-in").location
        assert "国民健康保険の加入" in client.get(number).text
        assert number in client.get(address).text


@pytest.mark.parametrize("line_too", [False, True])
def test_what_is_offered_no_more_stands_and_is_received(
    resident: Resident, client: FlaskClient, database: Database, *, line_too: bool
) -> None:
    with time_machine.travel(A_MORNING, tick=True):
        address, now = resident.book(), datetime.now(UTC)
        with database.transaction() as session:
            booking = session.scalars(select(Booking)).one()
            booking.start_at, booking.business_date = now + timedelta(minutes=5), business_date(now)
            booking.end_at = now + timedelta(minutes=65)
            session.get_one(Offering, ("ward", "tennyu")).active = False
            if line_too:
                session.get_one(Category, "ward-moving").booking = {}
        page = client.get(address).text
        assert "予約の受け付けは おわりました" in page
        assert f"{address}/move" not in page + client.get(f"{address}/cancel").text
        assert client.get(f"{address}/booking.ics").status_code == 200
        start = (now + timedelta(hours=2)).isoformat()
        for path in ("/move", "/move/times", f"/move/ask?start={start[:19]}Z"):
            assert client.get(address + path).location == address
        refused = resident.post(f"{address}/move", f"{address}/cancel", start=start)
        assert (refused.status_code, "いまの予約は そのまま使えます" in refused.text) == (409, True)
        number = resident.post(f"{address}/check-in", f"{address}/check-in").location
        assert "転入届" in client.get(number).text


def test_a_link_of_nobody_is_not_found(client: FlaskClient) -> None:
    for page in ("", "/cancel", "/move", "/check-in", "/booking.ics"):
        assert client.get(f"/b/{'0' * 40}{page}").status_code == 404


def test_every_page_is_there_in_every_language(resident: Resident, client: FlaskClient) -> None:
    held = resident.hold(last=True).location
    address = resident.book()
    for code in LANGUAGES:
        for path in ("/o/ward/book", DAYS, held, address, f"{address}/cancel", f"{address}/move"):
            page = client.get(f"{path}{'&' if '?' in path else '?'}lang={code}")
            assert page.status_code == 200, (code, path)
            assert "《" not in page.text, (code, path)
            assert "%(" not in page.text, (code, path)


def test_what_was_typed_is_nowhere_in_the_database(resident: Resident, database: Database) -> None:
    """Canary: a stolen file tells no name, number or address."""
    resident.book(name="神崎カナリア", channel="phone", phone="090-7777-1234")
    with database.snapshot() as session:
        row = session.execute(select(Booking.__table__)).one()
    text = repr(row)
    assert "カナリア" not in text
    assert "77771234" not in text


def test_a_full_day_has_a_waiting_list(database: Database) -> None:
    """The line of tax takes one at a time and half an hour each: a day is soon full."""
    settings = Settings(secret_key=SECRET, database_url=database.url, message_console=True)
    client = create_app(settings, database).test_client()
    wish = "s=tax_consult"
    page = client.get(f"/o/ward/book/days?{wish}").text
    soonest = re.search(r'class="btn line wide" href="([^"]+)"', page)
    assert soonest
    times = soonest[1].replace("&amp;", "&")
    day = re.search(r"day=([\d-]+)", times)
    assert day
    with database.transaction() as session:
        first = datetime.fromisoformat(f"{day[1]}T00:00+09:00")
        booking_cells.set_places(
            session,
            office_id="ward",
            category_id="ward-tax",
            first=first,
            last=first + timedelta(days=1),
            capacity=None,
        )
    while True:
        answer = client.get(times)
        if answer.status_code == 303:
            break
        starts = re.findall(r'name="start" value="([^"]+)"', answer.text)
        with database.transaction() as session:
            asked = holds.Asked(office_id="ward", services=["tax_consult"], start=datetime.fromisoformat(starts[0]))
            holds.hold(
                session, asked=asked, seed=secrets.token_hex(20), secret=b"x" * 32, actor="test", at=datetime.now(UTC)
            )
    full = client.get(answer.location).text
    assert "満員です" in full
    form = {name: hidden(full, name) for name in ("csrf_token", "idempotency_key")}
    wait = f"/o/ward/book/wait?{wish}&day={day[1]}"
    assert 'id="contact-fault"' in client.post(wait, data=form | {"contact": "だれか"}).text
    place = client.post(wait, data=form | {"contact": "hanako@example.jp"})
    assert place.status_code == 303, place.text
    waiting = client.get(place.location).text
    assert "1番目" in waiting
    assert "h***@example.jpに知らせます。2時間以内に" in waiting
    assert "まだ予約は できていません。" in waiting
    left = client.post(f"{place.location}/leave", data={"csrf_token": hidden(waiting, "csrf_token")})
    assert "おわりました" in client.get(left.location).text


def test_certificates_are_added_to_a_visit_and_said_on_each_page(client: FlaskClient, database: Database) -> None:
    page = client.get("/o/ward/book").text
    beside = page.partition("予約のいらない手続きも いっしょにする")[2]
    assert 'value="juminhyo"' in beside
    assert 'value="pay"' not in beside
    assert 'value="okuyami"' not in beside
    wish = "s=juminhyo&s=tennyu"
    said = "予約はいりません。同じ番号札で続けて できます"
    times = re.search(r'class="btn line wide" href="([^"]+)"', client.get(f"/o/ward/book/days?{wish}").text)
    assert times
    page = client.get(times[1].replace("&amp;", "&")).text
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
    start = re.findall(r'name="start" value="([^"]+)"', page)[0]
    held = client.post(f"/o/ward/book/hold?{wish}", data=form | {"start": start}).location
    assert said in client.get(held).text
    done = Resident(client).confirm(held).location
    shown = client.get(done).text
    assert re.search(rf"転入届</li><li>住民票の写し <span[^>]*>300円</span><small[^>]*>{said}", shown)
    assert "予約した手続きの終わり" in shown


def test_certificates_alone_are_sent_back_with_what_was_ticked(client: FlaskClient) -> None:
    answer = client.get("/o/ward/book/days?s=juminhyo&party=2")
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert "選んだ手続きは 予約なしで できます" in page
    assert 'value="juminhyo" checked' in page
    assert '<option value="2" selected>' in page


@pytest.mark.parametrize("event", ["move_in", "marriage", "death", "birth", "retirement"])
def test_whatever_the_guide_answers_can_be_booked_whole(client: FlaskClient, event: str) -> None:
    """Also the longest: nothing known, so that every procedure of the event is a candidate."""
    plan = client.get(client.get(f"/o/ward/guide/ask/{event}?end=1").location).text
    link = re.search(r'href="(/o/ward/book/days[^"]+)"', plan)
    assert link
    count = len(re.findall(r"<li><span class=\"dot\">", plan))
    assert link[1].count("s=") == count
    days = client.get(link[1].replace("&amp;", "&"))
    assert days.status_code == 200
    assert "いちばん早い空き" in days.text


@pytest.mark.parametrize(("code", "said"), [("ja", "13時台"), ("ja-Hira", "午後1時から"), ("en", "13:00")])
def test_an_hour_is_said_as_each_reader_knows_it(client: FlaskClient, code: str, said: str) -> None:
    """Nobody who learns Japanese reads 13時: the row of an hour says it as its times do."""
    days = client.get(f"/o/ward/book/days?s=tennyu&lang={code}").text
    times = re.search(r'class="btn line wide" href="([^"]+)"', days)
    assert times
    page = client.get(f"{times[1].replace('&amp;', '&')}&lang={code}").text
    assert said in plain(Markup(page))


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "1000-05-05", "R8000.1.1"])
@pytest.mark.parametrize("page", ["times", "full", "days"])
def test_a_day_beyond_all_calendars_is_no_defect(client: FlaskClient, page: str, day: str) -> None:
    answer = client.get(f"/o/ward/book/{page}?s=tennyu&day={day}&month={day}")
    assert answer.status_code in (200, 303, 404)


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+09:00", "2026-12-09", "x", ""])
def test_a_start_beyond_all_calendars_is_refused(resident: Resident, client: FlaskClient, start: str) -> None:
    page = resident.times()
    form = {name: hidden(page, name) for name in ("csrf_token", "idempotency_key")}
    assert client.post(f"/o/ward/book/hold?{WISH}", data=form | {"start": start}).status_code == 422
    assert client.post(f"{resident.book()}/move", data=form | {"start": start}).status_code == 422
