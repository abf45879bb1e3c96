"""The desk by plain forms: a whole service, every key, and what is refused."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Counter, Office
from app.models.ticket import Event, Step, Ticket
from tests.web.conftest import Caller, SignIn
from tests.web.desk import Desk, hidden


@pytest.fixture
def desk(signed_in: SignIn) -> Desk:
    """A clerk at counter 5 (moving, then certificates)."""
    found = Desk(signed_in("tanaka", name="田中 美咲"))
    assert found.sit("ward-5").status_code == 303
    return found


@pytest.fixture
def certificates(signed_in: SignIn) -> Desk:
    """A clerk at counter 2 (certificates)."""
    found = Desk(signed_in("kimura"))
    found.sit("ward-2", "ward-certificates")
    return found


def log(database: Database, *actions: str) -> list[Event]:
    with database.snapshot() as session:
        return list(session.scalars(select(Event).where(Event.action.in_(actions)).order_by(Event.seq)))


def state_of(database: Database, step: int) -> tuple[str, str, str | None]:
    with database.snapshot() as session:
        found = session.get_one(Step, step)
        return found.state, found.service_id, found.counter_id


def test_a_whole_service_without_a_script(desk: Desk, kiosk: Caller) -> None:
    assert desk.state == "idle"
    ticket = kiosk.ticket("tennyu", language="pt", priority=True)
    assert "次を呼ぶ B001" in desk.page
    page = desk.done("call-next")
    assert (desk.state, desk.number) == ("called", ticket["number"])
    for said in ("優先の方です", "Português", "転入届", "転出証明書", "呼出 1回目"):
        assert said in page
    assert "呼出 2回目" in desk.done("recall")
    assert "目安 15分" in desk.done("start")
    page = desk.done("finish")
    assert desk.state == "idle"
    assert "B001 を完了しました" in page
    assert "完了 1件" in page


def test_the_desk_says_who_waits_and_since_when(desk: Desk, kiosk: Caller) -> None:
    kiosk.ticket("tennyu", language="vi")
    kiosk.ticket("tenkyo", priority=True)
    kiosk.ticket("juminhyo")
    page = desk.page
    assert page.index("B002</a>") < page.index("B001</a>")  # 優先 comes first
    assert "転入届・Tiếng Việt" in page
    assert "A001" not in page  # a secondary line counts only after a long wait
    assert "先頭が20分を超えたら" in page


def test_two_recalls_then_a_no_show_calls_on(desk: Desk, kiosk: Caller, database: Database) -> None:
    first, second = kiosk.ticket("tennyu"), kiosk.ticket("tennyu")
    desk.done("call-next")
    assert "来られないときは、2回まで再呼出" in desk.page
    assert "まだ1回しか呼んでいません" in desk.client.get("/desk/ask/miss").text
    desk.done("recall")
    page = desk.done("recall")
    assert "3回呼びました" in page
    assert 'value="miss-next"' in page
    page = desk.done("miss-next")
    assert desk.number == second["number"]
    assert "保留中・不在" in page
    assert state_of(database, first["steps"][0]["id"])[0] == "missed"
    assert len({event.request_key for event in log(database, "miss", "call")[-2:]}) == 1


@pytest.mark.parametrize(
    ("keys", "last", "after"),
    [
        (["call-next"], "call", "waiting"),
        (["call-next", "start"], "start", "waiting"),
        (["call-next", "start", "finish"], "finish", "serving"),
        (["call-next", "start", "park"], "park", "called"),
        (["call-next", "recall", "recall", "miss"], "miss", "called"),
    ],
)
def test_every_act_but_cancel_can_be_taken_back(
    desk: Desk, kiosk: Caller, database: Database, keys: list[str], last: str, after: str
) -> None:
    step = kiosk.ticket("tennyu")["steps"][0]["id"]
    for key in keys:
        desk.done(key)
    assert desk.form()["undo_action"] == last
    desk.done("undo")
    assert state_of(database, step)[0] == after


def test_a_transfer_keeps_the_arrival_and_can_be_taken_back(desk: Desk, kiosk: Caller, database: Database) -> None:
    ticket = kiosk.ticket("tennyu")
    step = ticket["steps"][0]["id"]
    desk.done("call-next")
    ask = desk.client.get("/desk/ask/transfer").text
    assert "先頭" in ask
    assert "マイナンバーカード" in ask
    with database.snapshot() as session:
        arrived = session.get_one(Step, step).arrived_at
    fields = hidden(ask, "data-desk") | {"action": "transfer", "category": "ward-insurance", "note": "届書は記入済み"}
    assert desk.client.post("/desk/act", data=fields).status_code == 303
    state, service, counter = state_of(database, step)
    assert (state, counter) == ("waiting", None)
    assert service != "tennyu"
    with database.snapshot() as session:
        assert session.get_one(Step, step).arrived_at == arrived
    assert "届書は記入済み" in desk.client.get("/desk/number?n=B001").text
    assert desk.form()["undo_action"] == "transfer"
    desk.done("undo")
    assert state_of(database, step) == ("called", "tennyu", "ward-5")


def test_what_happened_since_is_not_taken_back(desk: Desk, lead: Caller, kiosk: Caller, database: Database) -> None:
    step = kiosk.ticket("tennyu")["steps"][0]["id"]
    desk.done("call-next")
    desk.done("start")
    desk.done("park")
    stale = desk.form()
    lead.post(f"/steps/{step}/rejoin")
    refused = desk.client.post("/desk/act", data=stale | {"action": "undo"})
    assert refused.status_code == 409
    assert "元に戻せません" in refused.text
    assert state_of(database, step)[0] == "waiting"
    assert "undo_step" not in desk.form()


def test_undo_takes_back_what_the_screen_said_or_nothing(
    desk: Desk, lead: Caller, kiosk: Caller, database: Database
) -> None:
    """Two tabs: one still offers to take back a park, in the other a later party has been finished."""
    parked = kiosk.ticket("tennyu")["steps"][0]["id"]
    kiosk.ticket("tennyu")
    for key in ("call-next", "start", "park"):
        desk.done(key)
    stale = desk.form()
    for key in ("call-next", "start", "finish"):
        desk.done(key)
    lead.post(f"/steps/{parked}/rejoin")
    refused = desk.client.post("/desk/act", data=stale | {"action": "undo"})
    assert (refused.status_code, state_of(database, parked)[0]) == (409, "waiting")


def test_a_finished_party_is_not_fetched_back_from_the_next_counter(
    desk: Desk, lead: Caller, kiosk: Caller, database: Database
) -> None:
    ticket = kiosk.ticket("tennyu", "mnc_pin")
    for key in ("call-next", "start"):
        desk.done(key)
    assert "マイナンバーカード の列に自動で入ります" in desk.page
    desk.done("finish")
    stale = desk.form()
    lead.post("/counters/ward-10/open")
    lead.post("/counters/ward-10/call-next")
    refused = desk.client.post("/desk/act", data=stale | {"action": "undo"})
    assert (refused.status_code, "次の手続きが始まっている" in refused.text) == (409, True)
    assert state_of(database, ticket["steps"][0]["id"])[0] == "done"


def test_any_number_is_called_as_people_type_it(desk: Desk, kiosk: Caller) -> None:
    kiosk.ticket("tennyu")
    kiosk.ticket("tennyu")
    page = desk.done("call", number=" ｂ００２ ")
    assert desk.number == "B002"
    assert "職員が番号を指定しました" in page
    for key in ("recall", "recall", "miss"):
        desk.done(key)
    desk.done("call", number="B002")
    assert desk.number == "B002"


def test_a_number_that_is_not_there(desk: Desk) -> None:
    for number in ("B999", "", "\x07", "B001'; --", "B" * 200):
        answer = desk.press("call", number=number)
        assert answer.status_code == 404
        assert 'data-state="idle"' in answer.text


def test_a_certificate_is_made_and_handed_over(certificates: Desk, kiosk: Caller, database: Database) -> None:
    ticket = kiosk.ticket("juminhyo")
    deliver = ticket["steps"][1]["id"]
    certificates.done("call-next")
    assert "作成中の証明書" not in certificates.page
    assert "作成へ" in certificates.done("start")
    page = certificates.done("finish")
    assert "作成中の証明書" in page
    assert f'value="ready:{deliver}"' in page
    page = certificates.done("ready")
    assert "交付 できました" in page
    page = certificates.done("call-next")
    assert "証明書ができた方です" in page
    assert "手数料を確かめてから渡します" in certificates.done("start")
    certificates.done("finish")
    assert state_of(database, deliver)[0] == "done"


def test_a_double_click_acts_once(desk: Desk, kiosk: Caller, database: Database) -> None:
    kiosk.ticket("tennyu")
    kiosk.ticket("tennyu")
    form = desk.form() | {"action": "call-next"}
    answers = [desk.client.post("/desk/act", data=form) for _ in range(3)]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/desk")}
    assert len(log(database, "call")) == 1
    other = desk.client.post("/desk/act", data=form | {"action": "undo"})
    assert other.status_code == 409  # the same key for something else


def test_a_stale_page_changes_nothing_and_shows_the_truth(signed_in: SignIn, desk: Desk, kiosk: Caller,
                                                          database: Database) -> None:  # fmt: skip
    kiosk.ticket("tennyu")
    kiosk.ticket("tennyu")
    tab = Desk(signed_in("tanaka", counter="ward-5"))
    desk.done("call-next")
    desk.done("start")
    stale = tab.form()
    desk.done("finish")
    desk.done("call-next")
    refused = tab.client.post("/desk/act", data=stale | {"action": "finish"})
    assert refused.status_code == 409
    assert "いまの状態では" in refused.text
    assert 'data-number="B002"' in refused.text
    busy = tab.client.post("/desk/act", data=tab.form() | {"action": "call-next"})
    assert (busy.status_code, len(log(database, "call"))) == (409, 2)


def test_ten_calls_in_a_second_are_one_call(desk: Desk, kiosk: Caller, database: Database) -> None:
    for _ in range(10):
        kiosk.ticket("tennyu")
    answers = [desk.press("call-next").status_code for _ in range(10)]
    assert answers == [303] + [409] * 9
    assert len(log(database, "call")) == 1


def test_two_parties_at_one_counter(desk: Desk, kiosk: Caller, database: Database) -> None:
    with database.transaction() as session:
        session.get_one(Counter, "ward-5").capacity = 2
    first, second = kiosk.ticket("tennyu")["steps"][0]["id"], kiosk.ticket("tennyu")["steps"][0]["id"]
    desk.done("call-next")
    desk.done("start")
    page = desk.done("call-next")
    assert "この窓口の番号" in page
    assert desk.press("call-next").status_code == 409
    shown = hidden(desk.client.get(f"/desk?step={first}").text)
    assert shown["step"] == str(first)
    desk.client.post("/desk/act", data=shown | {"action": "finish"})
    assert (state_of(database, first)[0], state_of(database, second)[0]) == ("done", "called")


def test_a_break_is_extended_and_ends(desk: Desk, kiosk: Caller, database: Database) -> None:
    kiosk.ticket("tennyu")
    desk.done("call-next")
    assert desk.press("pause", minutes="15").status_code == 409
    desk.done("undo")
    assert "残り 15分" in desk.done("pause", minutes="15")
    assert desk.press("call-next").status_code == 409
    page = desk.done("pause", minutes="10")
    assert "残り 25分" in page
    desk.done("resume")
    assert desk.state == "ready"
    assert desk.press("pause", minutes="7").status_code == 422


def test_a_note_goes_along_and_never_into_the_log(desk: Desk, kiosk: Caller, database: Database) -> None:
    kiosk.ticket("tennyu")
    desk.done("call-next")
    assert "通訳タブレット" in desk.done("note", note="通訳タブレット使用中")
    assert desk.press("note", note="長" * 61).status_code == 422
    assert all("通訳" not in str(event.details) for event in log(database, "note"))
    assert "通訳" not in desk.done("note", note="")


def test_a_call_for_help_is_seen_by_staff_alone(desk: Desk, lead: Caller, public: Caller) -> None:
    assert "応援を取り消す" in desk.done("help")
    counters = lead.get("/offices/ward/queue").get_json()["counters"]
    assert next(c for c in counters if c["id"] == "ward-5")["help_since"] is not None
    assert "help_since" not in public.get("/offices/ward/board").text
    assert "応援を呼ぶ" in desk.done("help")


def test_a_number_is_cancelled_for_good(desk: Desk, kiosk: Caller) -> None:
    kiosk.ticket("tennyu")
    kiosk.ticket("tennyu")
    desk.done("call-next")
    assert desk.press("cancel", number="B001").status_code == 409  # at the counter
    assert "B002 を取り消しました" in desk.done("cancel", number="b002")
    again = desk.press("cancel", number="B002")
    assert (again.status_code, "もう取り消されています" in again.text) == (409, True)


def test_a_number_is_found_by_what_is_typed_or_read(desk: Desk, kiosk: Caller) -> None:
    ticket = kiosk.ticket("tennyu")
    assert "B001" in desk.client.get("/desk/number?n=b001").text
    read = desk.client.get("/desk/number", query_string={"n": f"https://hall.example/t/{ticket['token']}"})
    assert (read.status_code, "B001" in read.text) == (200, True)
    assert desk.client.get("/desk/number?n=B777").status_code == 404
    part = desk.client.get("/desk/number?n=B001", headers={"X-Part": "1"}).text
    assert "<html" not in part


def test_every_question_is_a_page_of_its_own(desk: Desk) -> None:
    for what in ("number", "find", "cancel", "pause", "keys"):
        answer = desk.client.get(f"/desk/ask/{what}")
        assert answer.status_code == 200
        assert "<html" in answer.text
    assert desk.client.get("/desk/ask/transfer").status_code == 409
    assert desk.client.get("/desk/ask/nothing").status_code == 404


def test_pages_carry_no_style_or_script_of_their_own(desk: Desk, kiosk: Caller) -> None:
    kiosk.ticket("tennyu")
    desk.done("call-next")
    paths = ["/desk", "/desk/seat", "/desk/ask/transfer", "/desk/ask/miss", "/desk/ask/keys", "/desk/number?n=B001"]
    for page in (desk.client.get(path).text for path in paths):
        assert "style=" not in page
        assert "<style" not in page
        assert "onclick" not in page


_BAD: list[tuple[dict[str, str], int]] = [
    ({"action": "finish", "step": "x"}, 422),
    ({"action": "finish", "step": "9" * 30}, 422),
    ({"action": "finish", "step": "-1"}, 422),
    ({"action": "finish", "step": "999999"}, 404),
    ({"action": "nonsense"}, 422),
    ({"action": "finish:1"}, 422),
    ({"action": "transfer", "service": "nothing"}, 404),
    ({"action": "undo", "undo_step": "1", "undo_action": "ready"}, 409),
    ({"action": "ready:1\x00"}, 422),
]


def test_bad_fields_are_answered_with_the_desk(desk: Desk, kiosk: Caller) -> None:
    kiosk.ticket("tennyu")
    desk.done("call-next")
    for fields, status in _BAD:
        left_out = {"transfer": ""}.get(fields["action"], "step")
        form = {name: value for name, value in desk.form().items() if name != left_out}
        answer = desk.client.post("/desk/act", data=form | fields)
        assert (answer.status_code, fields) == (status, fields)
        assert 'data-screen="desk"' in answer.text


def test_forms_need_token_and_key(desk: Desk) -> None:
    form = desk.form() | {"action": "help"}
    without = {name: value for name, value in form.items() if name != "csrf_token"}
    assert desk.client.post("/desk/act", data=without).status_code == 403
    keyless = {name: value for name, value in form.items() if name != "idempotency_key"}
    assert desk.client.post("/desk/act", data=keyless).status_code == 400
    assert desk.client.get("/desk/act").status_code == 405


def test_only_who_calls_has_a_desk(signed_in: SignIn) -> None:
    for role in (Role.AUDITOR, Role.CITY_ADMIN, Role.DEPARTMENT_ADMIN):
        assert signed_in(role.value, role=role).get("/desk").status_code == 403


def test_programs_have_no_desk(client: FlaskClient, token: Callable[..., str]) -> None:
    bearer = {"Authorization": f"Bearer {token(Role.CLERK, counter_id='ward-5')}"}
    assert client.get("/desk", headers=bearer).location.startswith("/sign-in")


def from_home(database: Database, public: Caller) -> str:
    """A number taken on the web that its holder has still to confirm."""
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"web_ticket_confirm": True}
    ticket = public.ticket("tennyu")
    assert ticket["status"] == "pending"
    return str(ticket["number"])


def test_a_number_taken_at_home_is_confirmed_by_who_sees_its_holder(
    desk: Desk, public: Caller, database: Database
) -> None:
    number = from_home(database, public)
    shown = desk.client.get("/desk/number", query_string={"n": number}).text
    assert "本人が来たら" in shown
    # Enter confirms: the only button of the dialog that has the focus.
    assert re.search(r'<button class="btn act" name="action" value="confirm" autofocus>', shown)
    assert shown.count("autofocus") == 1
    assert f"{number} の来庁を確認しました。列に入りました。" in desk.done("confirm", number=number.lower())
    with database.snapshot() as session:
        event = session.scalars(select(Event).where(Event.action == "ready")).one()
        assert (event.before, event.after, event.reason) == ("pending", "waiting", "confirmed")
        assert event.actor.startswith("staff:")
        assert session.scalars(select(Ticket)).one().confirm_by is None
    assert 'value="confirm"' not in desk.client.get("/desk/number", query_string={"n": number}).text
    again = desk.press("confirm", number=number)
    assert (again.status_code, "確認は要りません" in again.text) == (409, True)
    desk.done("call-next")
    assert desk.number == number


def test_a_number_from_home_is_not_confirmed_too_late(desk: Desk, public: Caller, database: Database) -> None:
    number = from_home(database, public)
    with database.transaction() as session:
        session.scalars(select(Ticket)).one().confirm_by = datetime.now(UTC) - timedelta(minutes=1)
    shown = desk.client.get("/desk/number", query_string={"n": number}).text
    assert "新しい番号を出してください" in shown
    assert 'value="confirm"' not in shown
    refused = desk.press("confirm", number=number)
    assert (refused.status_code, "もう一度番号をおとりください" in refused.text) == (409, True)
