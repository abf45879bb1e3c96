"""POST ticket: every row of the abuse table, by the API and by the form of the web page."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select

from app.domain.roles import Role
from app.models.place import Offering, Office
from app.models.ticket import RequestKey, Ticket
from app.web.limits import Door
from tests.abuse.bodies import RAW, WORDS
from tests.abuse.conftest import Hall, code_of, form_of
from tests.policy import city

TICKETS = "/offices/ward/tickets"
OPEN, EVENING = datetime(2026, 4, 1, 2, 0, tzinfo=UTC), datetime(2026, 4, 1, 11, 0, tzinfo=UTC)
GOOD = {"services": ["juminhyo"]}


def given(hall: Hall) -> int:
    with hall.database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(Ticket)) or 0


@pytest.mark.parametrize("how", RAW)
def test_bodies_that_cannot_be_read(hall: Hall, how: str) -> None:
    raw, status = RAW[how]
    kiosk, before = hall.caller(Role.KIOSK), given(hall)
    answer = kiosk.client.post(f"/api/v1{TICKETS}", data=raw, content_type="application/json", headers=kiosk.headers())
    # Several readings of broken bytes are honest; a number given for them is not.
    assert answer.status_code == status or (status in (400, 422) and answer.status_code in (400, 422)), answer.data
    assert code_of(answer)
    assert given(hall) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data", "", "application/json5"])
def test_other_types(hall: Hall, kind: str) -> None:
    kiosk = hall.caller(Role.KIOSK)
    answer = kiosk.client.post(
        f"/api/v1{TICKETS}", data=b'{"services":["juminhyo"]}', content_type=kind, headers=kiosk.headers()
    )
    assert (answer.status_code, code_of(answer)) == (415, "unsupported_type")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"services": ["midori-paper"]}, 404),
        ({"services": ["juminhyo", "midori-paper"]}, 404),
        ({"services": "juminhyo"}, 422),
        ({"services": [["juminhyo"]]}, 422),
        ({"services": [None]}, 422),
        ({"services": [1]}, 422),
        ({"services": ["juminhyo"] * 13}, 422),
        ({"services": ["juminhyo"] * 2}, 422),
        (GOOD | {"party": 0}, 422),
        (GOOD | {"party": -1}, 422),
        (GOOD | {"party": 10**9}, 422),
        (GOOD | {"party": 1.5}, 422),
        (GOOD | {"party": True}, 422),
        (GOOD | {"count": 2}, 422),
        (GOOD | {"date": "2020-01-01"}, 422),
        (GOOD | {"business_date": "2020-01-01"}, 422),
        (GOOD | {"state": "done"}, 422),
        (GOOD | {"number": "A001"}, 422),
        (GOOD | {"channel": "booking"}, 422),
        (GOOD | {"seed": "known", "token": "known"}, 422),
        (GOOD | {"language": "klingon"}, 422),
        (GOOD | {"language": "ja\x00"}, 422),
        (GOOD | {"priority": "perhaps"}, 422),
        (GOOD | {"__proto__": {"admin": True}}, 422),
    ],
)
def test_values_that_cannot_be(hall: Hall, body: dict[str, Any], status: int) -> None:
    before = given(hall)
    answer = hall.caller(Role.KIOSK).post(TICKETS, body)
    assert answer.status_code == status, answer.data
    assert code_of(answer)
    assert given(hall) == before


@pytest.mark.parametrize("how", WORDS)
def test_words_where_a_service_stands(hall: Hall, how: str) -> None:
    word, before = WORDS[how], given(hall)
    for services in ([word], ["juminhyo", word]):
        answer = hall.caller(Role.KIOSK).post(TICKETS, {"services": services})
        assert answer.status_code in (404, 422), answer.data
        assert "alert(1)" not in answer.text
    assert given(hall) == before


@pytest.mark.parametrize("how", WORDS)
def test_words_in_the_web_pages_form(hall: Hall, how: str) -> None:
    before, browser = given(hall), hall.browser()
    fields = form_of(browser, "/o/ward/take")
    for service in ([WORDS[how]], ["juminhyo", WORDS[how]]):
        answer = browser.post("/o/ward/take", data=fields | {"service": service})
        assert answer.status_code in (404, 413, 422), answer.status_code
        assert WORDS["markup"] not in answer.text
    assert given(hall) == before


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [
        (None, 400, "idempotency_key_required"),
        ("", 400, "idempotency_key_required"),
        ("short", 422, "bad_idempotency_key"),
        ("x" * 201, 422, "bad_idempotency_key"),
        ("ｋｅｙｋｅｙｋｅｙ".encode().decode("latin-1"), 422, "bad_idempotency_key"),
        ("key with a\ttab", 422, "bad_idempotency_key"),
    ],
)
def test_keys_that_are_none(hall: Hall, key: str | None, status: int, code: str) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = hall.browser().post(f"/api/v1{TICKETS}", json=GOOD, headers=headers)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_a_short_key_is_enough_where_callers_do_not_share_them(hall: Hall) -> None:
    kiosk = hall.caller(Role.KIOSK)
    first, again = (kiosk.post(TICKETS, GOOD, key="7") for _ in range(2))
    assert first.status_code == 201
    assert again.json["number"] == first.json["number"]


def test_a_key_with_another_body_or_another_address(hall: Hall) -> None:
    kiosk = hall.caller(Role.KIOSK)
    first = kiosk.post(TICKETS, GOOD, key="one-key-only")
    assert first.status_code == 201
    for path, body in ((TICKETS, {"services": ["tennyu"]}), (TICKETS, GOOD | {"party": 2}), (TICKETS, GOOD | {"x": 1})):
        again = kiosk.post(path, body, key="one-key-only")
        assert again.status_code in (409, 422)
    counter = hall.caller(Role.FLOOR_LEAD)
    counter.post(TICKETS, GOOD, key="one-key-of-lead")
    other = counter.post(f"/counters/{hall.things.counter}/close", key="one-key-of-lead")
    assert (other.status_code, code_of(other)) == (409, "idempotency_key_reused")


def test_two_callers_may_think_of_the_same_key(hall: Hall) -> None:
    found = [hall.caller(role).post(TICKETS, GOOD, key="a-popular-key") for role in (None, Role.KIOSK, Role.CLERK)]
    assert [answer.status_code for answer in found] == [201, 201, 201]
    assert len({answer.get_json()["token"] for answer in found}) == 3


def test_a_key_of_yesterday(hall: Hall) -> None:
    kiosk, lead = hall.caller(Role.KIOSK), hall.caller(Role.FLOOR_LEAD)
    call, lines = f"/counters/{hall.things.counter}/call-next", {"categories": ["ward-certificates"]}
    with time_machine.travel(datetime(2026, 4, 1, 1, tzinfo=UTC), tick=False):
        assert kiosk.post(TICKETS, GOOD, key="key of one day").status_code == 201
        assert lead.post(f"/counters/{hall.things.counter}/open", lines, key="opened that day").status_code == 200
    with time_machine.travel(datetime(2026, 4, 1, 12, tzinfo=UTC), tick=False):
        assert kiosk.post(TICKETS, GOOD, key="key of one day").status_code == 200
    with time_machine.travel(datetime(2026, 4, 2, 1, tzinfo=UTC), tick=False):
        late = kiosk.post(TICKETS, GOOD, key="key of one day")
        opened = lead.post(f"/counters/{hall.things.counter}/open", lines, key="opened that day")
    assert (late.status_code, code_of(late)) == (409, "idempotency_key_old")
    assert (opened.status_code, code_of(opened)) == (409, "idempotency_key_old")
    assert lead.post(call, key="of today now").status_code in (200, 204, 409)


@pytest.fixture
def real_hours(hall: Hall) -> Any:
    """The ward office with its hours, not in training; one purpose closed at eleven."""
    with hall.database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"training": False}
        session.get_one(Offering, ("ward", "tennyu")).closed_times = [[10 * 60, 12 * 60]]
    yield
    with hall.database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"training": True}
        session.get_one(Offering, ("ward", "tennyu")).closed_times = []


def test_a_closed_service_and_a_closed_office(hall: Hall, real_hours: None) -> None:
    for caller in (hall.caller(Role.KIOSK), hall.caller()):
        with time_machine.travel(OPEN, tick=False):
            closed = caller.post(TICKETS, {"services": ["tennyu"]})
            beside = caller.post(TICKETS, {"services": ["juminhyo", "tennyu"]})
            assert (closed.status_code, code_of(closed)) == (409, "service_closed")
            assert (beside.status_code, code_of(beside)) == (409, "service_closed")
            assert caller.post(TICKETS, GOOD).status_code == 201
        with time_machine.travel(EVENING, tick=False):
            evening = caller.post(TICKETS, GOOD)
            assert (evening.status_code, code_of(evening)) == (409, "office_closed")


def test_what_was_given_is_given_again_after_closing(hall: Hall, real_hours: None) -> None:
    kiosk = hall.caller(Role.KIOSK)
    with time_machine.travel(OPEN, tick=False):
        first = kiosk.post(TICKETS, GOOD, key="before closing")
    with time_machine.travel(EVENING, tick=False):
        again = kiosk.post(TICKETS, GOOD, key="before closing")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()


def test_an_office_of_another_city_looks_absent_to_a_kiosk(hall: Hall) -> None:
    kiosk = hall.caller(Role.KIOSK)
    answers = [kiosk.post(f"/offices/{office}/tickets", GOOD) for office in ("midori-ward", "branch", "nowhere")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1


def test_the_public_is_held_to_a_rate_and_kiosks_are_not(hall: Hall) -> None:
    public, kiosk = hall.caller(), hall.caller(Role.KIOSK)
    answers = [public.post(TICKETS, {"services": ["nothing"]}) for _ in range(25)]
    assert [answer.status_code for answer in answers].count(404) == 20
    assert (answers[-1].status_code, code_of(answers[-1])) == (429, "too_many")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert kiosk.post(TICKETS, GOOD).status_code == 201


def test_no_key_is_kept_for_what_was_refused(hall: Hall) -> None:
    """The same key may be used again once the body is right."""
    kiosk = hall.caller(Role.KIOSK)
    assert kiosk.post(TICKETS, {"services": ["nothing"]}, key="second thoughts").status_code == 404
    with hall.database.snapshot() as session:
        assert session.scalar(select(RequestKey.key).where(RequestKey.key == "second thoughts")) is None
    assert kiosk.post(TICKETS, GOOD, key="second thoughts").status_code == 201


def test_the_second_citys_own_kiosk_is_served(hall: Hall) -> None:
    """The refusals above are refusals of strangers, not of everybody."""
    answer = hall.caller(Role.KIOSK, city.ELSEWHERE).post(
        "/offices/midori-ward/tickets", {"services": ["midori-paper"]}
    )
    assert answer.status_code == 201, answer.data


def test_a_crowd_at_the_door_keeps_no_kiosk_waiting(hall: Hall) -> None:
    """So many of the public write at once; who has a device or a desk does not stand in that line."""
    public, kiosk = hall.caller(), hall.caller(Role.KIOSK)
    door = hall.web.extensions["door"] = Door(room=1, patience=0.01)
    with door.entered():
        refused = public.post(TICKETS, GOOD)
        assert (refused.status_code, code_of(refused)) == (503, "unavailable")
        assert refused.headers["Retry-After"]
        assert public.get("/offices/ward/services").status_code == 200
        assert kiosk.post(TICKETS, GOOD).status_code == 201
    assert public.post(TICKETS, GOOD).status_code == 201
    # What was refused inside has left all the same.
    assert public.post(TICKETS, {"services": ["nothing"]}).status_code == 404
    assert public.post(TICKETS, GOOD).status_code == 201
    del hall.web.extensions["door"]
