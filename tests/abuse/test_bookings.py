"""Bookings: every row of the abuse table, by the API; what is refused changes nothing."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from app.domain.booking import State
from app.domain.roles import Role
from app.models.booking import Booking
from app.models.ticket import Ticket
from app.services import queue
from tests.abuse.conftest import Hall, code_of
from tests.services.booking_desk import agreed
from tests.web.conftest import Caller

# Wednesday noon in Japan; each test takes its own half day of the weeks after.
NOW = datetime(2026, 4, 8, 3, 0, tzinfo=UTC)
FIRST = datetime(2026, 4, 13, 0, 0, tzinfo=UTC)
DAYS = [FIRST + timedelta(days=number) for number in (0, 1, 2, 3, 4, 7, 8, 9, 10, 14, 15)]
LAST = FIRST + timedelta(days=17)
ONE_HOLD = LAST + timedelta(hours=4)
_turns = itertools.count()


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(autouse=True)
def places_add_up(hall: Hall) -> Iterator[None]:
    yield
    with hall.database.snapshot() as session:
        assert agreed(session)


@pytest.fixture
def kiosk(hall: Hall) -> Caller:
    return hall.caller(Role.KIOSK)


@pytest.fixture(scope="module")
def somebodys(hall: Hall) -> str:
    """The token of a booking that is not the caller's."""
    with time_machine.travel(NOW, tick=False):
        return booked(hall.caller(Role.KIOSK), LAST + timedelta(hours=5))


@pytest.fixture(scope="module")
def one_hold(hall: Hall) -> str:
    """The token of a hold that every wrong booking leaves as it is."""
    with time_machine.travel(NOW, tick=False):
        return held(hall.caller(Role.KIOSK), ONE_HOLD)


@pytest.fixture
def day() -> datetime:
    """Nine or two o'clock of a working day that no other test uses."""
    number = next(_turns)
    return DAYS[number // 2 % len(DAYS)] + timedelta(hours=5 * (number % 2))


def body(start: datetime, **more: Any) -> dict[str, Any]:
    return {"services": ["tennyu"], "start": start.isoformat(), "party": 1} | more


def held(caller: Caller, start: datetime, **more: Any) -> str:
    answer = caller.post("/offices/ward/holds", body(start, **more))
    assert answer.status_code == 201, answer.data
    return str(answer.get_json()["token"])


def booked(caller: Caller, start: datetime, **person: Any) -> str:
    answer = caller.post("/bookings", {"hold": held(caller, start)} | person)
    assert answer.status_code == 201, answer.data
    return str(answer.get_json()["token"])


def rows(hall: Hall) -> int:
    with hall.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(Booking)) or 0


def fill(caller: Caller, start: datetime) -> int:
    """Hold until it is full; returns how often it was given."""
    for count in range(20):
        if caller.post("/offices/ward/holds", body(start)).status_code == 409:
            return count
    raise AssertionError("never full")


def test_a_slot_gives_exactly_what_it_says(hall: Hall, kiosk: Caller, day: datetime) -> None:
    said = kiosk.get(f"/offices/ward/slots?service=tennyu&from={day.date()}&to={day.date()}").get_json()["slots"]
    slot = next(each for each in said if datetime.fromisoformat(each["start"]) == day)
    assert fill(kiosk, day) == slot["free"] == slot["capacity"]
    answer = kiosk.post("/offices/ward/holds", body(day))
    assert (answer.status_code, code_of(answer)) == (409, "slot_full")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"start": (NOW - timedelta(hours=1)).isoformat()}, 422, "slot_past"),
        ({"start": (NOW + timedelta(minutes=30)).isoformat()}, 422, "slot_too_soon"),
        ({"start": (NOW + timedelta(days=90)).isoformat()}, 422, "slot_too_far"),
        ({"start": "2026-04-13T09:07:00+09:00"}, 404, "not_found"),
        ({"start": "2026-04-12T09:00:00+09:00"}, 404, "not_found"),
        ({"start": "2026-04-13T03:00:00+09:00"}, 404, "not_found"),
        ({"start": "2026-04-13T09:00:00"}, 422, "invalid_input"),
        ({"start": "tomorrow"}, 422, "invalid_input"),
        ({"start": 1}, 422, "invalid_input"),
        ({"start": "9999-12-31T23:59:59+00:00"}, 422, "slot_too_far"),
        ({"services": ["midori-paper"]}, 404, "not_found"),
        ({"services": ["tennyu", "midori-paper"]}, 404, "not_found"),
        ({"services": ["juminhyo"]}, 422, "not_bookable"),
        ({"services": ["juminhyo", "kazei_cert"]}, 422, "not_bookable"),
        ({"services": []}, 422, "invalid_input"),
        ({"services": ["tennyu"] * 2}, 422, "bad_services"),
        ({"services": ["tennyu\x00"]}, 422, "invalid_input"),
        ({"party": 0}, 422, "invalid_input"),
        ({"party": -1}, 422, "invalid_input"),
        ({"party": 10**9}, 422, "invalid_input"),
        ({"party": 7}, 422, "bad_party"),
        ({"price": 0}, 422, "invalid_input"),
        ({"state": "booked"}, 422, "invalid_input"),
        ({"user_id": 1}, 422, "invalid_input"),
        ({"staff": True}, 422, "invalid_input"),
    ],
)
def test_holds_that_cannot_be(hall: Hall, kiosk: Caller, change: dict[str, Any], status: int, code: str) -> None:
    before = rows(hall)
    answer = kiosk.post("/offices/ward/holds", body(LAST) | change)
    assert (answer.status_code, code_of(answer)) == (status, code), answer.data
    assert rows(hall) == before


def test_a_slot_of_another_service_is_not_there(kiosk: Caller, day: datetime) -> None:
    """A quarter past is a start for moving and none for tax advice, which begins each half hour."""
    start = (day + timedelta(minutes=15)).isoformat()
    answer = kiosk.post("/offices/ward/holds", {"services": ["tax_consult"], "start": start})
    assert (answer.status_code, code_of(answer)) == (404, "not_found")


def test_the_key_is_needed_and_makes_one_hold(hall: Hall, kiosk: Caller, day: datetime) -> None:
    bare = kiosk.client.post("/api/v1/offices/ward/holds", json=body(day), headers={})
    assert (bare.status_code, code_of(bare)) == (400, "idempotency_key_required")
    before, key = rows(hall), f"hold-key-{day.timestamp():.0f}"
    answers = [kiosk.post("/offices/ward/holds", body(day), key=key) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 200, 200]
    assert len({answer.get_json()["token"] for answer in answers}) == 1
    assert rows(hall) == before + 1
    other = kiosk.post("/offices/ward/holds", body(day, party=2), key=key)
    assert (other.status_code, code_of(other)) == (409, "idempotency_key_reused")


def test_a_bot_holds_only_so_much(hall: Hall) -> None:
    """Twenty live ones of one address in all, however patient it is; each for five minutes at most."""
    public, codes = hall.caller(), []
    for number in range(60):
        with time_machine.travel(NOW + timedelta(seconds=4 * number), tick=False):
            start = LAST + timedelta(days=1, minutes=15 * (number // 2))
            codes.append(public.post("/offices/ward/holds", body(start)).status_code)
    assert set(codes) <= {201, 429, 409}
    with hall.database.snapshot() as session:
        live = session.scalar(
            select(func.count()).where(
                Booking.state == State.HELD, Booking.holder.is_not(None),
                Booking.expires_at > NOW + timedelta(seconds=4 * 59),
            )
        )  # fmt: skip
    assert live == 20
    assert codes.count(429) > 0
    with hall.database.snapshot() as session:
        spans = session.execute(select(Booking.created_at, Booking.expires_at).where(Booking.state == State.HELD))
        assert all(expires and expires - made <= timedelta(minutes=5) for made, expires in spans)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"hold": "x"}, 404), ({"hold": ""}, 422), ({"hold": "あ" * 101}, 422), ({"name": "あ" * 61}, 422),
        ({"name": "あ" * 10_000}, 422), ({"phone": "110"}, 422), ({"phone": "+44 20 7946 0018"}, 422),
        ({"phone": "0990-12-3456"}, 422), ({"phone": "0570-012-345"}, 422), ({"phone": "+881612345678"}, 422),
        ({"email": "x"}, 422), ({"email": "a@b.example\r\nBcc: c@d.example"}, 422), ({"language": "xx"}, 422),
        ({"price": 0}, 422), ({"state": "booked"}, 422), ({"reference": "R7K2Q4"}, 422), ({"user_id": 1}, 422),
        ({"name": "\u202eabc"}, 422), ({"name": "\ud800"}, 400), ({"name": 1}, 422), ({"notes": "x" * 201}, 422),
    ],
)  # fmt: skip
def test_bookings_that_cannot_be_leave_the_hold(hall: Hall, kiosk: Caller, change: dict[str, Any], status: int) -> None:
    start = LAST + timedelta(hours=4)
    known = getattr(hall, "held_once", None) or held(kiosk, start)
    hall.held_once = known  # type: ignore[attr-defined]
    answer = kiosk.post("/bookings", {"hold": known} | change)
    assert answer.status_code == status, answer.data
    assert code_of(answer)
    with hall.database.snapshot() as session:
        assert session.scalars(select(Booking.state).where(Booking.start_at == ONE_HOLD)).all() == [State.HELD]


@pytest.mark.parametrize(
    "name", ["山田 花子", "ﾔﾏﾀﾞ ﾊﾅｺ", "👪 家族", "<script>alert(1)</script>", "O'Brien; DROP TABLE"]
)
def test_any_name_is_kept_sealed_and_told_to_nobody(hall: Hall, kiosk: Caller, day: datetime, name: str) -> None:
    token = booked(kiosk, day, name=name)
    assert name not in kiosk.get(f"/bookings/{token}").text


def test_a_hold_becomes_one_booking(kiosk: Caller, day: datetime) -> None:
    hold = held(kiosk, day)
    first = kiosk.post("/bookings", {"hold": hold}, key="one-booking-key")
    again = kiosk.post("/bookings", {"hold": hold}, key="one-booking-key")
    other = kiosk.post("/bookings", {"hold": hold})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.get_json()["reference"] == again.get_json()["reference"]
    assert code_of(other) == "booking_not_held"


def test_a_hold_over_its_time_is_gone(kiosk: Caller, day: datetime) -> None:
    hold = held(kiosk, day)
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        answer = kiosk.post("/bookings", {"hold": hold})
    assert (answer.status_code, code_of(answer)) == (409, "hold_expired")


def test_overlapping_visits_and_too_many_of_one_contact(kiosk: Caller, day: datetime) -> None:
    booked(kiosk, day, phone="060-1234-5678")
    answer = kiosk.post("/bookings", {"hold": held(kiosk, day), "phone": "０６０１２３４５６７８"})
    assert (answer.status_code, code_of(answer)) == (409, "booking_overlaps")
    for number in range(1, 5):
        booked(kiosk, day + timedelta(minutes=15 * number), phone="+81 60 1234 5678")
    answer = kiosk.post("/bookings", {"hold": held(kiosk, day + timedelta(minutes=90)), "phone": "06012345678"})
    assert (answer.status_code, code_of(answer)) == (429, "too_many_bookings")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("token", ["1", "2", "x", "%", "0" * 40, "a" * 500])
def test_tokens_of_others_and_of_nobody_look_the_same(kiosk: Caller, somebodys: str, token: str) -> None:
    real = somebodys
    found: list[tuple[int, bytes]] = []
    for tried in (token, real[:-1], real[:-1] + "!"):
        answers = (
            kiosk.get(f"/bookings/{tried}"),
            kiosk.client.delete(f"/api/v1/bookings/{tried}", headers=kiosk.headers()),
            kiosk.post(f"/bookings/{tried}/move", {"start": LAST.isoformat()}),
            kiosk.post(f"/bookings/{tried}/check-in"),
        )
        found += [(answer.status_code, answer.data) for answer in answers]
    assert {status for status, _ in found} == {404}
    assert len({text for _, text in found}) == 1


def test_cancelled_twice_is_the_same_state(kiosk: Caller, day: datetime) -> None:
    token = booked(kiosk, day)
    answers = [kiosk.client.delete(f"/api/v1/bookings/{token}", headers=kiosk.headers()) for _ in range(2)]
    assert [(answer.status_code, answer.get_json()["state"]) for answer in answers] == [(200, "cancelled")] * 2


def test_after_the_visit_nothing_is_cancelled_or_moved(hall: Hall, kiosk: Caller, day: datetime) -> None:
    token = booked(kiosk, day)
    with time_machine.travel(day - timedelta(minutes=10), tick=False):
        came = kiosk.post(f"/bookings/{token}/check-in")
        assert came.status_code == 201
        assert kiosk.post(f"/bookings/{token}/check-in").status_code == 200
        with hall.database.transaction() as session:
            ticket = session.get_one(Ticket, came.get_json()["id"])
            queue.cancel_ticket(session, ticket=ticket, actor="test", at=day)
        gone = kiosk.client.delete(f"/api/v1/bookings/{token}", headers=kiosk.headers())
        moved = kiosk.post(f"/bookings/{token}/move", {"start": (day + timedelta(hours=1)).isoformat()})
    assert [(answer.status_code, code_of(answer)) for answer in (gone, moved)] == [(409, "booking_arrived")] * 2


def test_a_move_to_a_full_slot_keeps_the_old_one(kiosk: Caller, day: datetime) -> None:
    token, full = booked(kiosk, day), day + timedelta(minutes=15)
    fill(kiosk, full)
    answer = kiosk.post(f"/bookings/{token}/move", {"start": full.isoformat()})
    assert (answer.status_code, code_of(answer)) == (409, "slot_full")
    assert datetime.fromisoformat(kiosk.get(f"/bookings/{token}").get_json()["start"]) == day


def test_a_move_once_for_a_key(kiosk: Caller, day: datetime) -> None:
    token, start = booked(kiosk, day), day + timedelta(minutes=15)
    answers = [
        kiosk.post(f"/bookings/{token}/move", {"start": start.isoformat()}, key="move-once-key") for _ in range(2)
    ]
    assert [(answer.status_code, answer.get_json()["moves"]) for answer in answers] == [(200, 1)] * 2


def test_reading_changes_nothing_and_strangers_pages_change_nothing(hall: Hall, kiosk: Caller, day: datetime) -> None:
    token = booked(kiosk, day)
    for path in (f"/bookings/{token}/move", f"/bookings/{token}/check-in", "/offices/ward/holds", "/bookings"):
        assert kiosk.get(path).status_code == 405
    foreign = hall.caller().headers() | {"Origin": "https://evil.example"}
    browser = hall.browser()
    for answer in (
        browser.post(f"/api/v1/bookings/{token}/move", json={"start": day.isoformat()}, headers=foreign),
        browser.delete(f"/api/v1/bookings/{token}", headers=foreign),
    ):
        assert (answer.status_code, code_of(answer)) == (403, "bad_origin")
    assert kiosk.get(f"/bookings/{token}").get_json()["state"] == "booked"


@pytest.mark.parametrize("role", [Role.DISPLAY, Role.AUDITOR, Role.DEPARTMENT_ADMIN, Role.CITY_ADMIN])
def test_who_may_not_book_is_told_so(hall: Hall, day: datetime, role: Role) -> None:
    answer = hall.caller(role).post("/offices/ward/holds", body(day))
    assert (answer.status_code, code_of(answer)) == (403, "forbidden")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("service=tennyu&from=2026-04-13&to=2026-04-12", 422), ("service=tennyu&from=x", 422),
        ("service=tennyu&from=2026-01-01&to=2027-01-01", 422), ("service=tennyu&party=0", 422),
        ("service=tennyu&party=99999999999999999999", 422), ("service=", 422), ("", 422), ("service=nowhere", 404),
        ("service=midori-paper", 404), ("service=tennyu&from=9999-12-31", 422), ("service=juminhyo", 200),
        ("service=tennyu,kokuho_join&from=2026-04-13T09:00:00%2B09:00&to=2026-04-13T12:00:00%2B09:00", 200),
        ("service=tennyu&service=kokuho_join", 200), ("service=tennyu&from=%00", 404),
    ],
)  # fmt: skip
def test_questions_about_slots(kiosk: Caller, query: str, status: int) -> None:
    answer = kiosk.get(f"/offices/ward/slots?{query}")
    assert answer.status_code == status, answer.data
    if status == 200:
        assert all(set(slot) == {"start", "end", "capacity", "free"} for slot in answer.get_json()["slots"])
