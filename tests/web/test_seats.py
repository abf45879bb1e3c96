"""Who sits at which counter: one person at one counter, acts only at the own one, nothing left behind."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.db.session import Database
from app.domain.roles import Role
from app.models.people import StaffSession
from app.models.place import Counter
from tests.web.conftest import Caller, SignIn
from tests.web.desk import Desk


@pytest.fixture
def tanaka(signed_in: SignIn) -> Desk:
    found = Desk(signed_in("tanaka", name="田中 美咲"))
    found.sit("ward-5")
    return found


@pytest.fixture
def suzuki(signed_in: SignIn) -> Desk:
    return Desk(signed_in("suzuki", name="鈴木 健太"))


def counter(database: Database, counter_id: str = "ward-5") -> Counter:
    with database.snapshot() as session:
        return session.get_one(Counter, counter_id)


def api(desk: Desk, path: str, body: object = None, key: str = "a-key-of-this-test") -> tuple[int, str]:
    """An act by the API from a page of this desk; status and code."""
    headers = {"X-CSRFToken": desk.form()["csrf_token"] if desk.state != "seat" else csrf(desk), "Idempotency-Key": key}
    answer = desk.client.post(f"/api/v1{path}", json=body or {}, headers=headers)
    found = answer.get_json(silent=True) or {}
    return answer.status_code, found.get("error", {}).get("code", "")


def csrf(desk: Desk) -> str:
    page = desk.client.get("/desk").text
    return page.split('name="csrf-token" content="')[1].split('"')[0]


def test_a_counter_and_its_usual_work_in_one_act(suzuki: Desk, database: Database) -> None:
    assert "どの窓口に入りますか" in suzuki.page
    answer = suzuki.sit("ward-5")
    assert "madoguchi_counter=ward-5" in str(answer.headers)
    opened = counter(database)
    assert (opened.state, opened.profile_id, opened.staff_name) == ("open", "ward-moving_help", "鈴木 健太")


def test_a_taken_counter_says_who_sits_there(tanaka: Desk, suzuki: Desk, database: Database) -> None:
    refused = suzuki.sit("ward-5")
    assert refused.status_code == 409
    assert "田中 美咲さんが使っています" in refused.text
    assert counter(database).staff_name == "田中 美咲"
    assert suzuki.sit("ward-6").status_code == 303


def test_the_counter_left_for_another_closes(tanaka: Desk, suzuki: Desk, database: Database) -> None:
    assert tanaka.sit("ward-6").status_code == 303
    assert counter(database).state == "closed"
    assert suzuki.sit("ward-5").status_code == 303


def test_nobody_walks_away_from_a_party(tanaka: Desk, kiosk: Caller, database: Database) -> None:
    kiosk.ticket("tennyu")
    tanaka.done("call-next")
    assert tanaka.sit("ward-6").status_code == 409
    assert tanaka.press("leave").status_code == 409
    tanaka.done("undo")
    tanaka.done("leave")
    assert (counter(database).state, counter(database).staff_id) == ("closed", None)
    assert tanaka.state == "seat"


def test_a_seat_left_behind_gives_way_with_its_party(tanaka: Desk, suzuki: Desk, kiosk: Caller, web: Flask,
                                                     database: Database) -> None:  # fmt: skip
    kiosk.ticket("tennyu")
    tanaka.done("call-next")
    tanaka.client.post("/sign-out", data={"csrf_token": tanaka.form()["csrf_token"]})
    assert counter(database).state == "open"  # the party is still there
    assert suzuki.sit("ward-5").status_code == 303
    assert suzuki.number == "B001"


def test_signing_out_closes_the_counter(tanaka: Desk, database: Database) -> None:
    tanaka.client.post("/sign-out", data={"csrf_token": tanaka.form()["csrf_token"]})
    assert counter(database).state == "closed"


def test_an_old_session_has_no_seat_any_more(tanaka: Desk, suzuki: Desk, kiosk: Caller, database: Database) -> None:
    """The session that was left open at home must not call at the counter somebody else took over."""
    kiosk.ticket("tennyu")
    with database.transaction() as session:
        old = session.scalars(select(StaffSession).where(StaffSession.counter_id == "ward-5")).one()
        ends, key = old.expires_at, old.token_hash
        old.expires_at = datetime.now(UTC) - timedelta(minutes=1)
    assert suzuki.sit("ward-5").status_code == 303
    with database.transaction() as session:
        session.execute(update(StaffSession).where(StaffSession.token_hash == key).values(expires_at=ends))
    assert tanaka.state == "seat"
    assert api(tanaka, "/counters/ward-5/call-next") == (403, "not_your_counter")


def test_a_clerk_acts_only_at_the_own_counter(tanaka: Desk, suzuki: Desk, kiosk: Caller) -> None:
    suzuki.sit("ward-6")
    step = kiosk.ticket("tennyu")["steps"][0]["id"]
    suzuki.done("call-next")
    assert api(tanaka, "/counters/ward-6/call-next", key="other-counter-1") == (403, "not_your_counter")
    assert api(tanaka, "/counters/ward-6/undo", {"step": step, "action": "call"}, "other-counter-2")[0] == 403
    assert api(tanaka, "/counters/ward-6/miss-next", {"step": step}, "other-counter-3")[0] == 403
    for number, action in enumerate(("recall", "start", "miss", "park", "uncall", "transfer")):
        status, code = api(tanaka, f"/steps/{step}/{action}", key=f"other-counter-4{number}")
        assert status == 409, (action, code)
    assert tanaka.press("start", step=str(step)).status_code == 409
    assert suzuki.state == "called"


def test_a_finished_step_is_reopened_at_its_counter_alone(tanaka: Desk, suzuki: Desk, kiosk: Caller) -> None:
    suzuki.sit("ward-6")
    step = kiosk.ticket("tennyu")["steps"][0]["id"]
    for key in ("call-next", "start", "finish"):
        suzuki.done(key)
    assert api(tanaka, f"/steps/{step}/reopen", key="reopen-elsewhere") == (409, "other_counter")
    assert api(suzuki, f"/steps/{step}/reopen", key="reopen-at-home")[0] == 200


def test_nobody_is_put_back_at_a_closed_counter(tanaka: Desk, kiosk: Caller) -> None:
    step = kiosk.ticket("tennyu")["steps"][0]["id"]
    for key in ("call-next", "start", "finish"):
        tanaka.done(key)
    tanaka.done("pause", minutes="10")
    assert api(tanaka, f"/steps/{step}/reopen", key="reopen-in-a-break") == (409, "counter_closed")


def test_who_sits_nowhere_calls_nobody(suzuki: Desk, lead: Caller, kiosk: Caller) -> None:
    step = kiosk.ticket("tennyu")["steps"][0]["id"]
    lead.post("/counters/ward-5/open")
    assert api(suzuki, "/counters/ward-5/call-next", key="no-seat-1") == (403, "not_your_counter")
    assert api(suzuki, f"/steps/{step}/park", key="no-seat-2") == (403, "not_your_counter")


def test_a_counter_elsewhere_is_not_there(suzuki: Desk) -> None:
    branch = suzuki.sit("branch-1")
    assert (branch.status_code, suzuki.sit("no-such").status_code, suzuki.sit("").status_code) == (404, 404, 404)


def test_a_step_elsewhere_is_not_there(tanaka: Desk, kiosk: Caller, lead: Caller, web: Flask, token: object,
                                       database: Database) -> None:  # fmt: skip
    issue = token
    branch = Caller(web.test_client(), issue(Role.KIOSK, office_id="branch"))  # type: ignore[operator]
    services = branch.get("/offices/branch/services").get_json()["services"]
    taken = branch.post("/offices/branch/tickets", {"services": [services[0]["id"]]}).get_json()
    step = taken["steps"][0]["id"]
    assert tanaka.press("park", step=str(step)).status_code == 404
    assert api(tanaka, f"/steps/{step}/park", key="other-office")[0] == 404
    assert tanaka.client.get(f"/desk/number?n={taken['number']}").status_code == 404
    read = tanaka.client.get("/desk/number", query_string={"n": f"/t/{taken['token']}"})
    assert read.status_code == 404


def test_a_floor_lead_opens_for_others_and_stays_standing(tanaka: Desk, signed_in: SignIn, database: Database) -> None:
    tanaka.done("pause", minutes="10")
    chief = Desk(signed_in("lead", role=Role.FLOOR_LEAD))
    assert api(chief, "/counters/ward-5/open", key="lead-opens")[0] == 200
    assert counter(database).staff_name == "田中 美咲"
    assert tanaka.state == "idle"
