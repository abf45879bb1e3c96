"""Bookings for staff over HTTP: the day, a caller booked, a person found, places changed, a whole day moved."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.roles import Role
from app.models.booking import Booking
from app.models.people import AuditEntry
from app.models.place import Category

SignIn = Callable[..., FlaskClient]
NAME, PHONE = "青波 花子", "090-7777-1234"


def token(page: str, name: str = "csrf_token") -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found[1]


class Desk:
    """A member of staff at the bookings screen."""

    def __init__(self, browser: FlaskClient) -> None:
        self.browser = browser

    def get(self, path: str, **query: object) -> str:
        answer = self.browser.get(f"/bookings/ward/{path}", query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.text

    def days(self, *services: str) -> list[str]:
        """The next days with a free time."""
        today = business_date(datetime.now(UTC))
        days = [(today + timedelta(days=n)).isoformat() for n in range(1, 9)]
        return [day for day in days if 'name="start"' in self.get("new", s=services or ("tennyu",), day=day)]

    def book(self, *services: str, day: str | None = None, **person: str) -> str:
        """Book for a caller; the address of the day with the booking chosen."""
        wanted = services or ("tennyu",)
        when = day or self.days(*wanted)[0]
        page = self.get("new", s=wanted, day=when)
        form = {name: token(page, name) for name in ("csrf_token", "idempotency_key")}
        start = re.findall(r'name="start" value="([^"]+)"', page)[0]
        made = self.browser.post(
            "/bookings/ward/new", data=form | {"s": list(wanted), "day": when, "party": "1", "start": start} | person
        )
        assert made.status_code == 303, made.text
        return str(made.location)

    def post(self, path: str, page: str, **form: object) -> object:
        return self.browser.post(f"/bookings/ward/{path}", data={"csrf_token": token(page)} | form)


@pytest.fixture
def lead_desk(signed_in: SignIn) -> Desk:
    return Desk(signed_in("lead.one", role=Role.FLOOR_LEAD))


def only(database: Database) -> Booking:
    with database.snapshot() as session:
        return session.scalars(select(Booking)).one()


def test_a_caller_is_booked_and_stands_masked_in_the_day(lead_desk: Desk, database: Database) -> None:
    page = lead_desk.browser.get(lead_desk.book(name=NAME, phone=PHONE)).text
    assert "予約をとりました。" in page
    assert "青●●" in page
    assert "1234" in page
    assert NAME not in page
    assert PHONE not in page
    assert only(database).channel == "staff"


def test_a_move_keeps_the_booking(lead_desk: Desk, database: Database) -> None:
    lead_desk.book()
    before, days = only(database), lead_desk.days()
    page = lead_desk.get("new", moving=before.id, day=days[-1])
    form = {name: token(page, name) for name in ("csrf_token", "idempotency_key")}
    start = re.findall(r'name="start" value="([^"]+)"', page)[-1]
    moved = lead_desk.browser.post(
        "/bookings/ward/new", data=form | {"moving": before.id, "day": days[-1], "start": start}
    )
    assert moved.status_code == 303
    after = only(database)
    assert (after.id, after.reference) == (before.id, before.reference)
    assert after.start_at == datetime.fromisoformat(start)


def test_a_cancel_needs_a_reason(lead_desk: Desk, database: Database) -> None:
    page = lead_desk.browser.get(lead_desk.book()).text
    refused = lead_desk.browser.post(
        "/bookings/ward/act",
        data={"csrf_token": token(page), "act": "cancel", "booking": only(database).id, "reason": " "},
    )
    assert refused.status_code == 422
    assert only(database).state == "booked"
    done = lead_desk.browser.post(
        "/bookings/ward/act",
        data={"csrf_token": token(page), "act": "cancel", "booking": only(database).id, "reason": "本人の電話"},
    )
    assert done.status_code == 303
    assert only(database).state == "cancelled"


@pytest.mark.parametrize(("by", "value"), [("phone", "09077771234"), ("name", "青波花子")])
def test_a_person_is_found_by_the_exact_value_and_it_is_logged(
    lead_desk: Desk, database: Database, by: str, value: str
) -> None:
    lead_desk.book(name=NAME, phone=PHONE)
    page = lead_desk.get("find")
    for typed, count in ((value, 1), (value[:-1], 0)):
        answer = lead_desk.browser.post(
            "/bookings/ward/find", data={"csrf_token": token(page), "by": by, "value": typed, "reason": "called_us"}
        )
        if answer.status_code == 200:
            assert f"<b>{count}件 見つかりました</b>" in answer.text
            assert NAME not in answer.text
    with database.snapshot() as session:
        logged = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.search")).all()
    assert logged
    assert all(value not in str(entry.details) for entry in logged)


def test_the_full_record_needs_a_reason_and_is_logged(lead_desk: Desk, database: Database) -> None:
    lead_desk.book(name=NAME, phone=PHONE)
    chosen = only(database).id
    page = lead_desk.get("person", booking=chosen)
    assert NAME not in page
    form = {"csrf_token": token(page), "booking": chosen}
    for bad in ({}, {"reason": "other", "words": "短い"}):
        refused = lead_desk.browser.post("/bookings/ward/person", data=form | bad)
        assert refused.status_code == 422
        assert NAME not in refused.text
    shown = lead_desk.browser.post("/bookings/ward/person", data=form | {"reason": "called_us"})
    assert NAME in shown.text
    assert 'data-hide-after="120"' in shown.text
    # As one dials it, and in which language to speak.
    assert PHONE in shown.text
    assert "日本語" in shown.text.partition("data-hide-after")[2]
    with database.snapshot() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "booking.reveal")).one()
    assert entry.details["reason"] == "called_us"
    assert NAME not in str(entry.details)


def test_a_clerk_sees_nobody_who_is_not_at_the_own_counter(
    lead_desk: Desk, signed_in: SignIn, database: Database
) -> None:
    lead_desk.book(name=NAME, phone=PHONE)
    clerk = Desk(signed_in("clerk.one", role=Role.CLERK))
    page = clerk.get("person", booking=only(database).id)
    answer = clerk.browser.post(
        "/bookings/ward/person", data={"csrf_token": token(page), "booking": only(database).id, "reason": "at_counter"}
    )
    assert answer.status_code == 422
    assert NAME not in answer.text


def test_another_offices_booking_is_absent(lead_desk: Desk, signed_in: SignIn, database: Database) -> None:
    lead_desk.book(name=NAME)
    stranger = signed_in("lead.two", role=Role.FLOOR_LEAD, office_id="branch")
    for path in ("ward/day", "ward/paper", "ward/list.csv", f"ward/person?booking={only(database).id}",
                 f"branch/person?booking={only(database).id}"):  # fmt: skip
        assert stranger.get(f"/bookings/{path}").status_code == 404, path


def test_the_file_runs_no_formula_and_names_nobody(lead_desk: Desk) -> None:
    address = lead_desk.book(name="=cmd|calc", phone=PHONE)
    day = re.search(r"day=([\d-]+)", address)
    assert day
    answer = lead_desk.browser.get(f"/bookings/ward/list.csv?day={day[1]}")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 2
    assert rows[1][3].startswith("'=")
    assert "calc" not in answer.text


def test_places_are_shut_and_a_day_is_moved(
    lead_desk: Desk, signed_in: SignIn, staff: Callable[..., int], database: Database
) -> None:
    lead_desk.book(name=NAME)
    before = only(database)
    admin = Desk(signed_in("admin.one", role=Role.DEPARTMENT_ADMIN))
    day = before.business_date
    page = admin.get("slots", day=day.isoformat())
    shut = admin.browser.post(
        "/bookings/ward/slots",
        data={"csrf_token": token(page), "day": day.isoformat(), "line": "ward-moving",
              "from": "00:00", "to": "23:59", "places": "0"},
    )  # fmt: skip
    assert shut.status_code == 409  # somebody is booked there, and is named
    assert f"{(before.reference or '')[:3]}-" in shut.text
    moved = admin.browser.post(
        "/bookings/ward/move-day",
        data={"csrf_token": token(page), "day": day.isoformat(), "reason": "weather",
              "until": (day + timedelta(days=14)).isoformat()},
    )  # fmt: skip
    assert "1件を動かしました" in moved.text, moved.text
    assert only(database).business_date > day
    assert 'name="start"' not in lead_desk.get("new", s=["tennyu"], day=day.isoformat())


@pytest.mark.parametrize(
    "wrong", [{"reason": "rain"}, {"reason": ""}, {"until": "2020-01-01"}, {"until": "9999-12-31"}]
)
def test_a_day_is_not_shut_by_a_wrong_form(
    lead_desk: Desk, signed_in: SignIn, staff: Callable[..., int], wrong: dict[str, str]
) -> None:
    day = lead_desk.days()[0]
    admin = Desk(signed_in("admin.one", role=Role.DEPARTMENT_ADMIN))
    refused = admin.browser.post(
        "/bookings/ward/move-day",
        data={"csrf_token": token(admin.get("slots", day=day)), "day": day, "reason": "weather", "until": day} | wrong,
    )
    assert refused.status_code in (404, 409)
    assert 'name="start"' in lead_desk.get("new", s=["tennyu"], day=day)


def test_the_list_on_paper(lead_desk: Desk) -> None:
    address = lead_desk.book(name=NAME)
    day = re.search(r"day=([\d-]+)", address)
    assert day
    page = lead_desk.get("paper", day=day[1])
    assert "転入届" in page
    assert NAME not in page


def test_what_needs_no_slot_is_ticked_beside_and_told_to_the_caller(lead_desk: Desk, database: Database) -> None:
    wanted = ("juminhyo", "tennyu")
    page = lead_desk.get("new", s=wanted, day=lead_desk.days(*wanted)[0])
    assert re.search(r'value="juminhyo" checked>.*?枠なし', page)
    assert 'value="pay"' not in page  # nobody books the cashier
    told = page.partition('class="panel tell"')[2].partition("</section>")[0]
    assert "300円" in told
    assert "本人確認書類" in told
    shown = lead_desk.browser.get(lead_desk.book(*wanted, language="vi", notes="車いす")).text
    assert "(予約枠なし・同じ番号で続けて)" in shown.partition("<b>住民票の写し</b>")[2].partition("</li>")[0]
    assert "(予約枠なし・同じ番号で続けて)" not in shown.partition("<b>転入届</b>")[2].partition("</li>")[0]
    assert (only(database).services, only(database).language) == (list(wanted), "vi")
    assert only(database).sealed_notes


def test_certificates_alone_are_told_to_need_no_booking(lead_desk: Desk) -> None:
    page = lead_desk.get("new", s=["juminhyo"])
    assert "この手続きは予約できません" in page
    assert 'name="start"' not in page


def test_a_name_that_must_be_told_is_asked_for(lead_desk: Desk) -> None:
    assert "お名前(必須)" in lead_desk.get("new", s=["okuyami"])
    assert "お名前(任意)" in lead_desk.get("new", s=["tennyu"])


def test_a_closed_day_names_the_next_free_one(lead_desk: Desk) -> None:
    today = business_date(datetime.now(UTC))
    sunday = today + timedelta(days=(6 - today.weekday()) % 7 or 7)
    while "この日に予約できる時間は ありません" not in lead_desk.get("new", s=["okuyami"], day=sunday.isoformat()):
        sunday += timedelta(days=7)
    page = lead_desk.get("new", s=["okuyami"], day=sunday.isoformat())
    link = re.search(r'href="([^"]+)">つぎに空いている日', page)
    assert link
    following = lead_desk.browser.get(link[1].replace("&amp;", "&"))
    assert 'name="start"' in following.text


@pytest.mark.parametrize("language", ["xx", "<script>", ""])
def test_a_language_nobody_has_is_japanese(lead_desk: Desk, database: Database, language: str) -> None:
    lead_desk.book(language=language)
    assert only(database).language == "ja"


def test_the_side_says_where_each_step_is_what_is_owed_and_what_to_bring(lead_desk: Desk) -> None:
    page = lead_desk.browser.get(lead_desk.book("tennyu", "juminhyo")).text
    side = page.partition("<aside")[2]
    assert re.search(r"<b>転入届</b>.*4〜7番窓口.*約15分", side)
    assert "未払 300円" in side
    assert "持ち物: 本人確認書類" in side
    assert ">300円</td>" in page


def test_the_side_of_a_sensitive_booking_names_nothing(lead_desk: Desk) -> None:
    page = lead_desk.browser.get(lead_desk.book("divorce")).text
    assert "離婚" not in page
    assert "持ち物:" not in page


def test_a_day_stays_readable_when_what_was_booked_is_offered_no_more(lead_desk: Desk, database: Database) -> None:
    address = lead_desk.book("tennyu", "juminhyo")
    with database.transaction() as session:
        session.get_one(Category, "ward-moving").booking = {}
    page = lead_desk.browser.get(address)
    assert page.status_code == 200
    assert "転入届" in page.text.partition("<aside")[2]


def test_who_should_be_at_the_door_now_is_one_filter(lead_desk: Desk, database: Database) -> None:
    lead_desk.book()
    lead_desk.book("tenkyo")
    now = datetime.now(UTC)
    with database.transaction() as session:
        first, second = session.scalars(select(Booking).order_by(Booking.id)).all()
        first.start_at, second.start_at = now + timedelta(minutes=5), now + timedelta(minutes=50)
        for each in (first, second):
            each.business_date, each.end_at = business_date(now), each.start_at + timedelta(minutes=15)
        near, far = (f"{each.reference[:3]}-{each.reference[3:]}" for each in (first, second))
    page = lead_desk.get("day", line="soon")
    assert "10分以内に来る人 1" in page
    assert near in page
    assert far not in page
