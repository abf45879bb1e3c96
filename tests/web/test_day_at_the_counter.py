"""A day at the counter over HTTP: numbers, calls, every action, journeys, boards, and what is refused."""

from typing import Any

import pytest

from tests.web.conftest import Caller


@pytest.fixture
def counter(lead: Caller) -> str:
    """An open counter that serves certificates."""
    office = lead.get("/offices/ward").get_json()
    category = lead.ticket("juminhyo")["category"]
    found: str = next(c["id"] for c in office["counters"] if c["number"] == "2")
    answer = lead.post(f"/counters/{found}/open", {"categories": [category]})
    assert answer.status_code == 200
    lead.post(f"/counters/{found}/call-next")
    first = lead.post(f"/counters/{found}/call", {"number": "A001"})
    assert first.get_json()["error"]["code"] == "counter_busy"
    return found


def act(caller: Caller, step: int, action: str, **body: Any) -> Any:
    return caller.post(f"/steps/{step}/{action}", body).get_json()


def call_next(caller: Caller, counter: str) -> dict[str, Any]:
    found: dict[str, Any] = caller.post(f"/counters/{counter}/call-next").get_json()
    return found


def test_one_key_gives_one_ticket(kiosk: Caller) -> None:
    body = {"services": ["juminhyo"]}
    first = kiosk.post("/offices/ward/tickets", body, key="the-same-key")
    again = kiosk.post("/offices/ward/tickets", body, key="the-same-key")
    other = kiosk.post("/offices/ward/tickets", {"services": ["tennyu"]}, key="the-same-key")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["token"] == again.get_json()["token"]
    assert first.get_json()["number"] == again.get_json()["number"]
    assert (other.status_code, other.get_json()["error"]["code"]) == (409, "idempotency_key_reused")


def test_a_key_is_required(client: Any) -> None:
    answer = client.post("/api/v1/offices/ward/tickets", json={"services": ["juminhyo"]})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "idempotency_key_required")


def test_a_step_walks_through_the_table(lead: Caller, kiosk: Caller, counter: str) -> None:
    held = lead.get("/offices/ward/board").get_json()["calls"][0]["number"]
    assert held == "A001"
    second = kiosk.ticket("inkan_cert")
    step = second["steps"][0]["id"]
    refused = lead.post(f"/steps/{step}/start")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "illegal_transition")
    first = kiosk.client.get("/api/v1/offices/ward/board").get_json()
    assert [row[0] for row in first["waiting"]["A"]] == ["A002"]


def test_call_start_finish_and_the_hand_over(lead: Caller, kiosk: Caller, counter: str) -> None:
    waiting = kiosk.ticket("juminhyo")
    held = lead.get("/offices/ward/board").get_json()["calls"][0]
    assert held["number"] == "A001"
    first_step = waiting["steps"][0]["id"] - 2
    assert act(lead, first_step, "recall")["step"]["recalls"] == 1
    assert act(lead, first_step, "start")["step"]["state"] == "serving"
    assert act(lead, first_step, "finish")["step"]["state"] == "done"
    called = call_next(lead, counter)
    assert called["ticket"]["number"] == "A002"
    assert called["reason"]["code"] == "earliest"
    deliver = first_step + 1
    assert act(lead, deliver, "ready")["step"]["state"] == "waiting"
    assert act(lead, called["step"]["id"], "miss")["step"]["state"] == "missed"
    assert call_next(lead, counter)["reason"]["code"] == "delivery"


def test_a_missed_number_finds_a_fair_place(lead: Caller, kiosk: Caller, counter: str) -> None:
    tickets = [kiosk.ticket("juminhyo") for _ in range(3)]
    lead_step = tickets[0]["steps"][0]["id"] - 2
    act(lead, lead_step, "miss")
    assert act(lead, lead_step, "rejoin")["step"]["state"] == "waiting"
    seen = [row[0] for row in lead.get("/offices/ward/board").get_json()["waiting"]["A"]]
    assert sorted(seen) == ["A001", "A002", "A003", "A005"]  # the sample skips 4
    assert seen[0] == "A001"


def test_a_journey_keeps_one_number_and_goes_on_by_itself(lead: Caller, kiosk: Caller) -> None:
    ticket = kiosk.ticket("tenkyo", "mnc_pin")
    office = lead.get("/offices/ward").get_json()
    counters = [c["id"] for c in office["counters"]][:2]
    for place, step in zip(counters, ("tenkyo", "mnc_pin"), strict=True):
        category = next(s["category"] for s in ticket["steps"] if s["service"] == step)
        lead.post(f"/counters/{place}/open", {"categories": [category]})
    first = call_next(lead, counters[0])
    act(lead, first["step"]["id"], "start")
    act(lead, first["step"]["id"], "finish")
    second = call_next(lead, counters[1])
    assert second["ticket"]["number"] == ticket["number"]
    assert second["reason"]["code"] == "journey"
    late = lead.post(f"/steps/{first['step']['id']}/reopen")
    assert late.get_json()["error"]["code"] == "later_step_begun"


def test_cancel_is_the_same_answer_twice(public: Caller, kiosk: Caller) -> None:
    ticket = kiosk.ticket("juminhyo")
    for _ in range(2):
        answer = public.client.delete(f"/api/v1/tickets/{ticket['token']}")
        assert (answer.status_code, answer.get_json()["status"]) == (200, "cancelled")


def test_nobody_waits(lead: Caller, counter: str) -> None:
    board = lead.get("/offices/ward/board").get_json()
    assert board["waiting"] == {}
    office = lead.get("/offices/ward").get_json()
    other = next(c["id"] for c in office["counters"] if c["id"] != counter)
    category = board["categories"][0]["id"]
    lead.post(f"/counters/{other}/open", {"categories": [category]})
    assert lead.post(f"/counters/{other}/call-next").status_code == 204


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/offices/ward/tickets", {"services": ["nothing"]}, 404),
        ("/offices/nowhere/tickets", {"services": ["juminhyo"]}, 404),
        ("/offices/ward/tickets", {"services": []}, 422),
        ("/offices/ward/tickets", {"services": ["juminhyo"], "party": 0}, 422),
        ("/offices/ward/tickets", {"services": ["juminhyo"], "party": 10**9}, 422),
        ("/offices/ward/tickets", {"services": ["juminhyo"], "state": "done"}, 422),
        ("/offices/ward/tickets", {"services": ["juminhyo", "juminhyo"]}, 422),
        ("/offices/ward/tickets", {"services": ["\x00"]}, 422),
        ("/offices/ward/tickets", {"services": ["\u202e" * 300]}, 422),
    ],
)
def test_bad_tickets(kiosk: Caller, path: str, body: dict[str, Any], status: int) -> None:
    answer = kiosk.post(path, body)
    assert answer.status_code == status
    assert set(answer.get_json()["error"]) == {"code", "message", "details"}


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"[" * 10_000, "application/json", 400),
        (b'{"services":["' + b"x" * 2_000_000 + b'"]}', "application/json", 413),
        (b'{"services":["\xff"]}', "application/json", 400),
    ],
)
def test_bad_bodies(kiosk: Caller, data: bytes, kind: str, status: int) -> None:
    answer = kiosk.client.post("/api/v1/offices/ward/tickets", data=data, content_type=kind, headers=kiosk.headers())
    assert answer.status_code == status


def test_tickets_of_others_look_absent(public: Caller, kiosk: Caller) -> None:
    token = kiosk.ticket("juminhyo")["token"]
    answers = [public.get(f"/tickets/{wrong}") for wrong in (token[:-1], token + "a", "1", "%00", "x" * 500)]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.data for answer in answers}) == 1


def test_the_board_is_not_sent_twice(public: Caller, kiosk: Caller) -> None:
    kiosk.ticket("juminhyo")
    board = public.client.get("/api/v1/offices/ward/board")
    same = public.client.get("/api/v1/offices/ward/board", headers={"If-None-Match": board.headers["ETag"]})
    assert (board.status_code, same.status_code, same.data) == (200, 304, b"")
    kiosk.ticket("juminhyo")
    newer = public.client.get("/api/v1/offices/ward/board", headers={"If-None-Match": board.headers["ETag"]})
    assert newer.status_code == 200
