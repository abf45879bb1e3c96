"""Acts of staff by the API: whose counter, which state, which page; one effect however often a key is pressed."""

import secrets
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.roles import Role
from app.domain.ticket import Action
from app.models.place import Counter
from app.models.ticket import Event, Step
from app.services import access, proof
from tests.abuse.bodies import RAW, WORDS
from tests.abuse.conftest import Hall, code_of
from tests.policy import city
from tests.policy.callers import Kind
from tests.web.conftest import Caller

LINES = {"categories": ["ward-certificates"]}


@pytest.fixture
def places(hall: Hall) -> list[str]:
    """Two counters of the ward office, open for certificates and empty."""
    lead = hall.caller(Role.FLOOR_LEAD)
    with hall.database.snapshot() as session:
        found = list(session.scalars(select(Counter.id).where(Counter.office_id == "ward").order_by(Counter.position)))
        held = session.execute(select(Step.id, Step.state).where(Step.state.in_(["called", "serving"]))).all()
    for step, state in held:
        lead.post(f"/steps/{step}/{'finish' if state == 'serving' else 'miss'}")
    for place in found[1:3]:
        assert lead.post(f"/counters/{place}/open", LINES).status_code == 200
    return found[1:3]


def clerk_of(hall: Hall, counter: str) -> Caller:
    """A program that stands for the clerk of one counter."""
    token = secrets.token_urlsafe(24)
    with hall.database.transaction() as session:
        access.issue_token(session, token=token, role=Role.CLERK, municipality_id="aonami", office_id="ward",
                           counter_id=counter, at=datetime.now(UTC))  # fmt: skip
    return Caller(hall.browser(), token)


def events_of(database: Database) -> int:
    with database.snapshot() as session:
        return session.scalar(select(func.count()).select_from(Event)) or 0


def refused(answer: Any, status: int, code: str) -> bool:
    assert (answer.status_code, code_of(answer)) == (status, code), answer.data
    return True


def test_a_counter_that_is_not_mine(hall: Hall, places: list[str]) -> None:
    hall.caller(Role.KIOSK).ticket("juminhyo")
    clerk, before = clerk_of(hall, places[0]), events_of(hall.database)
    for act in ("call-next", "open", "close", "pause", "call", "miss-next", "undo"):
        body = {"call": {"number": "A001"}, "miss-next": {"step": 1}, "undo": {"step": 1, "action": "call"}}.get(
            act, {}
        )
        assert refused(clerk.post(f"/counters/{places[1]}/{act}", body), 403, "not_your_counter")
    assert events_of(hall.database) == before


def test_another_office_and_another_city_look_absent(hall: Hall, places: list[str]) -> None:
    before = events_of(hall.database)
    for place in (city.BRANCH, city.ELSEWHERE):
        lead = hall.caller(Role.FLOOR_LEAD, place)
        absent = lead.post("/counters/nowhere/call-next")
        for answer in (
            lead.post(f"/counters/{places[0]}/call-next"),
            lead.post(f"/counters/{places[0]}/open", LINES),
            lead.post(f"/steps/{hall.things.step}/recall"),
        ):
            assert (answer.status_code, answer.data) == (404, absent.data)
    assert events_of(hall.database) == before


def test_things_of_others_in_the_body(hall: Hall, places: list[str]) -> None:
    """A known counter of mine, and the rest of another's."""
    lead, before = hall.caller(Role.FLOOR_LEAD), events_of(hall.database)
    step = hall.caller(Role.KIOSK).ticket("juminhyo")["steps"][0]["id"]
    opening = f"/counters/{places[0]}/open"
    assert refused(lead.post(opening, {"categories": ["midori-line"]}), 422, "bad_categories")
    assert refused(lead.post(opening, {"categories": ["branch-general", "ward-certificates"]}), 422, "bad_categories")
    assert refused(lead.post(opening, {"categories": []}), 422, "bad_categories")
    assert refused(lead.post(opening, {"profile": "nobody's"}), 404, "not_found")
    assert lead.post(f"/counters/{places[0]}/call", {"number": "A999"}).status_code == 404
    assert lead.post(f"/counters/{places[0]}/call-next").status_code == 200
    for service in ("midori-paper", "nothing", None, "\u202e"):
        assert lead.post(f"/steps/{step}/transfer", {"service": service}).status_code in (404, 409)
    assert events_of(hall.database) == before + 2


def test_a_closed_counter_calls_nobody(hall: Hall, places: list[str]) -> None:
    lead = hall.caller(Role.FLOOR_LEAD)
    hall.caller(Role.KIOSK).ticket("juminhyo")
    assert lead.post(f"/counters/{places[0]}/close").status_code == 200
    assert refused(lead.post(f"/counters/{places[0]}/call-next"), 409, "counter_closed")
    assert lead.post(f"/counters/{places[1]}/pause").status_code == 200
    assert refused(lead.post(f"/counters/{places[1]}/call-next"), 409, "counter_closed")


def test_ten_presses_in_a_second(hall: Hall, places: list[str]) -> None:
    """One key: the same answer ten times. Ten keys: one call, and nine times who is already there."""
    kiosk, lead = hall.caller(Role.KIOSK), hall.caller(Role.FLOOR_LEAD)
    for _ in range(12):
        kiosk.ticket("juminhyo")
    same = [lead.post(f"/counters/{places[0]}/call-next", key="pressed ten times") for _ in range(10)]
    assert {answer.status_code for answer in same} == {200}
    assert len({answer.data for answer in same}) == 1
    other = [lead.post(f"/counters/{places[1]}/call-next") for _ in range(10)]
    assert [answer.status_code for answer in other] == [200] + [409] * 9
    assert {code_of(answer) for answer in other[1:]} == {"counter_busy"}


def test_two_browsers_at_one_counter(hall: Hall, places: list[str]) -> None:
    """Both press what they see; the second is told that it was done, and nothing is done twice."""
    one, two = clerk_of(hall, places[0]), clerk_of(hall, places[0])
    hall.caller(Role.KIOSK).ticket("juminhyo")
    step = one.post(f"/counters/{places[0]}/call-next").get_json()["step"]["id"]
    assert one.post(f"/steps/{step}/start").status_code == 200
    assert refused(two.post(f"/steps/{step}/start"), 409, "illegal_transition")
    assert refused(two.post(f"/steps/{step}/miss"), 409, "illegal_transition")
    assert two.post(f"/steps/{step}/finish").status_code == 200
    assert refused(one.post(f"/steps/{step}/finish"), 409, "illegal_transition")


def test_a_party_at_another_counter(hall: Hall, places: list[str]) -> None:
    mine, other = clerk_of(hall, places[0]), clerk_of(hall, places[1])
    number = hall.caller(Role.KIOSK).ticket("juminhyo")["number"]
    step = mine.post(f"/counters/{places[0]}/call", {"number": number}).get_json()["step"]["id"]
    for act in ("start", "recall", "uncall", "miss"):
        assert refused(other.post(f"/steps/{step}/{act}"), 409, "other_counter")
    assert refused(other.post(f"/counters/{places[1]}/call", {"number": number}), 409, "illegal_transition")
    assert mine.post(f"/steps/{step}/start").status_code == 200


def test_undo_after_something_else_happened(hall: Hall, places: list[str]) -> None:
    clerk = clerk_of(hall, places[0])
    number = hall.caller(Role.KIOSK).ticket("juminhyo")["number"]
    step = clerk.post(f"/counters/{places[0]}/call", {"number": number}).get_json()["step"]["id"]
    clerk.post(f"/steps/{step}/start")
    undo = f"/counters/{places[0]}/undo"
    assert refused(clerk.post(undo, {"step": step, "action": "call"}), 409, "undo_gone")
    assert clerk.post(undo, {"step": step, "action": "start"}).status_code == 200
    assert refused(clerk.post(undo, {"step": step, "action": "start"}), 409, "undo_gone")


@pytest.mark.parametrize("action", [action.value for action in Action])
@pytest.mark.parametrize("step", ["0", "999999999", str(2**63 - 1), str(2**63), "9" * 400])
def test_steps_that_are_not_there(hall: Hall, action: str, step: str) -> None:
    assert hall.caller(Role.FLOOR_LEAD).post(f"/steps/{step}/{action}").status_code == 404


@pytest.mark.parametrize("path", ["/steps/-1/start", "/steps/1.5/start", "/steps/one/start", "/steps/1/", "/steps/1"])
def test_addresses_that_are_none(hall: Hall, path: str) -> None:
    assert hall.caller(Role.FLOOR_LEAD).post(path).status_code == 404


@pytest.mark.parametrize("how", WORDS)
def test_words_where_a_counter_a_number_or_an_action_stands(hall: Hall, places: list[str], how: str) -> None:
    lead, word = hall.caller(Role.FLOOR_LEAD), WORDS[how]
    inside = word.replace("%", "%25").replace("?", "").replace("#", "")
    answers = [
        lead.post(f"/counters/{inside}/call-next"),
        lead.post(f"/steps/{hall.things.step}/{inside}"),
        lead.post(f"/counters/{places[0]}/call", {"number": word}),
        lead.post(f"/counters/{places[0]}/open", {"categories": [word]}),
        lead.post(f"/counters/{places[0]}/open", {"profile": word}),
        lead.post(f"/counters/{places[0]}/undo", {"step": 1, "action": word}),
        lead.post(f"/steps/{hall.things.step}/transfer", {"service": word}),
    ]
    assert {answer.status_code for answer in answers} <= {404, 405, 409, 422}
    assert all("alert(1)" not in answer.text for answer in answers)
    lead.post(f"/steps/{hall.things.step}/recall", {"reason": word})


@pytest.mark.parametrize("how", [how for how, (_, status) in RAW.items() if status in (400, 413)])
@pytest.mark.parametrize("act", ["call-next", "open", "close", "pause", "call", "undo", "miss-next"])
def test_bodies_that_cannot_be_read(hall: Hall, places: list[str], act: str, how: str) -> None:
    raw, status = RAW[how]
    lead, before = hall.caller(Role.FLOOR_LEAD), events_of(hall.database)
    answer = lead.client.post(
        f"/api/v1/counters/{places[0]}/{act}", data=raw, content_type="application/json", headers=lead.headers()
    )
    assert answer.status_code in ({413} if status == 413 else {400, 422}), answer.data
    assert events_of(hall.database) == before


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("pause", {"back_at": "2026-04-01T10:00:00"}),
        ("pause", {"back_at": "tomorrow"}),
        ("pause", {"back_at": 1e300}),
        ("pause", {"back_at": "0001-01-01T00:00:00+14:00"}),
        ("pause", {"back_at": "9999-12-31T23:59:59-14:00"}),
        ("call", {"number": ""}),
        ("call", {"number": 1}),
        ("undo", {"step": -1, "action": "call"}),
        ("undo", {"step": 2**63, "action": "call"}),
        ("undo", {"step": True, "action": "call"}),
        ("miss-next", {"step": "1"}),
        ("open", {"categories": ["x"] * 41}),
        ("open", {"staff_id": 1}),
        ("close", {"force": True}),
    ],
)
def test_values_that_cannot_be(hall: Hall, places: list[str], act: str, body: dict[str, Any]) -> None:
    answer = hall.caller(Role.FLOOR_LEAD).post(f"/counters/{places[0]}/{act}", body)
    assert answer.status_code == 422, answer.data
    assert code_of(answer)


def test_a_key_is_needed_for_every_act(hall: Hall, places: list[str]) -> None:
    token = hall.doors.bearer(Kind("bearer", Role.FLOOR_LEAD))
    for path, body in (
        (f"/counters/{places[0]}/call-next", {}),
        (f"/counters/{places[0]}/close", {}),
        (f"/counters/{places[0]}/open", LINES),
        (f"/counters/{places[0]}/undo", {"step": 1, "action": "call"}),
        (f"/steps/{hall.things.step}/recall", {}),
    ):
        answer = hall.browser().post(f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {token}"})
        assert refused(answer, 400, "idempotency_key_required")


def test_after_all_of_this_no_rule_is_broken(hall: Hall) -> None:
    """Runs last in this module: the log of the whole abuse is replayed."""
    with hall.database.snapshot() as session:
        shown = proof.check(session, "ward")
    assert list(shown.violations) == []
    assert shown.calls > 5
