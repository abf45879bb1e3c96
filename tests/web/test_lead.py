"""The floor lead's live view: what it shows in each state, what each act does, and who may do it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.domain.ticket import Action
from app.models.place import Counter, Municipality, Office, Service
from app.models.ticket import Event, Step
from tests.web.conftest import SignIn
from tests.web.lead_screen import Lead, Past


@pytest.fixture
def past(database: Database) -> Past:
    return Past(database)


@pytest.fixture
def lead(signed_in: SignIn) -> Lead:
    return Lead(signed_in("yamaguchi", role=Role.FLOOR_LEAD, name="山口"))


def part(page: str, name: str) -> str:
    """One part of the screen."""
    return page.split(f'data-part="{name}"')[1].split("data-part=", maxsplit=1)[0]


def counter_of(database: Database, name: str) -> Counter:
    with database.snapshot() as session:
        return session.get_one(Counter, name)


def late_moving(past: Past) -> None:
    """One counter at work, two parties waiting, the first past its target."""
    past.open("ward-4", 60, staff="鈴木")
    for minutes in (40, 39, 35, 2):
        past.issue("tennyu", minutes)
    past.call("ward-4", 36, Action.START, Action.FINISH)
    past.call("ward-4", 8, Action.START)


# ---- what it shows ----


def test_nothing_to_do_is_said(lead: Lead, past: Past) -> None:
    past.open("ward-2", 10)
    past.issue("juminhyo", 1)
    past.call("ward-2", 0.5, Action.START)
    assert lead.state == "calm"
    assert "いま、手当ての要る所はありません" in lead.page
    assert "すべての列が目標の中です。" in lead.page


def test_before_the_first_number(lead: Lead) -> None:
    assert lead.state == "empty"
    assert "今日の番号は、まだ出ていません。" in lead.page
    assert "開いている窓口はまだありません" in lead.page


def test_out_of_hours_the_next_opening_is_told(signed_in: SignIn, database: Database) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"training": False}
    with time_machine.travel("2026-05-10T12:00:00+09:00"):
        lead = Lead(signed_in("yamaguchi", role=Role.FLOOR_LEAD))
        assert lead.state == "rest"
        assert "受付時間の外です。" in lead.page
        assert "次は 5月11日(月) 8:30 に開きます。" in lead.page
    with time_machine.travel("2026-05-11T12:00:00+09:00"):
        assert Lead(signed_in("yamaguchi")).state == "empty"


def test_a_late_line_comes_first_with_what_to_do(lead: Lead, past: Past) -> None:
    late_moving(past)
    page = lead.page
    assert lead.state == "alert"
    first = part(page, "alerts")
    assert "住所の届出 2人・最長35分(目標30分)" in first
    assert "5番窓口を開ける" in first
    line = part(page, "lines").split("住所の届出")[1].split("</tr>")[0]
    assert "△" in line
    assert "35分" in line
    assert "目標30分を超過" in line
    assert "1/4" in line
    assert "提案 1" in part(page, "tiles").split('id="tile-ward-5"')[1].split("</li>")[0]


def test_counters_tell_who_sits_there_what_they_do_and_how_long(lead: Lead, past: Past) -> None:
    past.open("ward-2", 60, staff="木村")
    past.open("ward-4", 60, staff="鈴木")
    first = past.issue("juminhyo", 20)
    second = past.issue("tennyu", 9)
    past.call("ward-2", 12, Action.START)
    past.call("ward-4", 2)
    past.open("ward-8", 30)
    past.pause("ward-8", 20, back=-5)
    tiles = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part(lead.page, "tiles")))
    assert f"対応中 {first} AB 12分 木村" in tiles
    assert f"呼出1回 {second} BA 2分 鈴木" in tiles
    assert re.search(r"8 番窓口 休憩 – CA あと[56]分", tiles)
    assert "3 番窓口 閉" in tiles


def test_waiting_numbers_with_their_circumstances(lead: Lead, past: Past) -> None:
    past.open("ward-4", 20)
    plain = past.issue("tennyu", 5, then=["kokuho_join"], language="vi", party=3)
    first = past.issue("tennyu", 4, priority=True)
    rows = part(lead.page, "queues")
    assert rows.index(first) < rows.index(plain)
    row = rows.split(f">{plain}<")[1].split("</tr>")[0]
    assert "このあと E" in row
    assert "3名" in row
    assert "Tiếng Việt" in row
    assert "優先" in rows.split(f">{first}<")[1].split("</tr>")[0]


def test_a_sensitive_procedure_is_never_named(lead: Lead, past: Past, database: Database) -> None:
    with database.transaction() as session:
        session.get_one(Service, "divorce").sensitive = True
        name = session.get_one(Service, "divorce").name["ja"]
        other = session.get_one(Service, "marriage").name["ja"]
    number = past.issue("divorce", 5)
    assert past.issue("marriage", 4) in lead.page
    assert other in part(lead.page, "queues")
    assert number in lead.page
    assert name not in lead.page
    past.open("ward-8", 4)
    past.call("ward-8", 3)
    dialog = lead.ask("number", n=number).text
    assert "(手続きは出しません)" in dialog
    assert name not in dialog.split("<select")[0]


def test_set_aside_and_in_the_making_are_listed(lead: Lead, past: Past) -> None:
    past.open("ward-2", 60)
    parked, gone, made = (past.issue("juminhyo", 30) for _ in range(3))
    past.call("ward-2", 25, Action.START, Action.PARK)
    past.call("ward-2", 25, Action.MISS)
    past.call("ward-2", 25, Action.START, Action.FINISH)
    text = re.sub(r"<[^>]+>", " ", part(lead.page, "queues"))
    assert re.search(rf"{parked}\s+保留", text)
    assert re.search(rf"{gone}\s+不在", text)
    assert made in text.split("作成中")[1]
    assert "保留 1人・最長25分" in lead.page
    assert "不在 1人・最長25分" in lead.page
    assert lead.state == "calm"
    assert "いま、手当ての要る所はありません" in lead.page


def test_the_day_so_far(lead: Lead, past: Past) -> None:
    past.open("ward-2", 60)
    for minutes in (50, 40):
        past.issue("juminhyo", minutes)
        past.call("ward-2", minutes - 10, Action.START, Action.FINISH)
    text = re.sub(r"<[^>]+>", " ", part(lead.page, "figures"))
    assert re.search(r"出した番号\s+2", text)
    assert re.search(r"平均\s+10", text)
    assert "10人に9人は10分まで" in text
    assert "まだ記録がありません" in text


def test_three_proposals_have_keys_and_the_others_are_folded(lead: Lead, past: Past) -> None:
    for service in ("juminhyo", "tennyu", "marriage", "mnc_pickup", "nenkin"):
        past.issue(service, 45)
    page = part(lead.page, "alerts")
    assert re.findall(r'<button[^>]* data-key="(\d)"', page) == ["1", "2", "3"]
    assert "ほか2件" in page


def test_the_screen_loads_itself_anew_without_a_script(lead: Lead) -> None:
    assert re.search(r'<noscript><meta http-equiv="refresh" content="20; url=/lead\?office=ward">', lead.page)


def test_no_style_and_no_script_stands_in_the_markup(lead: Lead, past: Past) -> None:
    late_moving(past)
    pages = [lead.page, *(lead.ask(what, counter="ward-4", n="B001").text for what in ("counter", "number", "keys"))]
    for page in pages:
        assert not re.search(r"<[^>]+ (style|on\w+)=", page)
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page)


# ---- what it does ----


def test_a_proposal_opens_the_counter_and_can_be_taken_back(lead: Lead, past: Past, database: Database) -> None:
    late_moving(past)
    assert lead.send(lead.proposal(action="open", counter="ward-5")).status_code == 303
    assert counter_of(database, "ward-5").state == "open"
    page = lead.page
    assert "5番窓口を開きました。" in part(page, "notice")
    back = lead.forms(part(page, "notice"))[0]
    assert back["action"] == "close"
    lead.send(back)
    assert counter_of(database, "ward-5").state == "closed"
    assert "5番窓口を閉じました。" in lead.page


def test_a_proposal_on_a_counter_that_changed_meanwhile_is_refused(lead: Lead, past: Past, database: Database) -> None:
    late_moving(past)
    form = lead.proposal(action="open", counter="ward-5")
    past.open("ward-5", 0, staff="田中", profile_id="ward-certificates")
    answer = lead.send(form)
    assert answer.status_code == 409
    assert "見ているあいだに様子が変わりました" in answer.text
    assert counter_of(database, "ward-5").profile_id == "ward-certificates"


def test_taking_back_is_refused_once_the_clerk_sits_there(lead: Lead, past: Past, database: Database) -> None:
    late_moving(past)
    lead.send(lead.proposal(action="open", counter="ward-5"))
    back = lead.forms(part(lead.page, "notice"))[0]
    past.open("ward-5", 0, staff="田中", profile_id="ward-moving")
    assert lead.send(back).status_code == 409
    assert counter_of(database, "ward-5").state == "open"


def test_a_double_press_is_one_act(lead: Lead, past: Past, database: Database) -> None:
    past.open("ward-2", 5)
    for _ in range(2):
        past.issue("juminhyo", 3)
    form = lead.proposal(lead.ask("counter", counter="ward-2").text, action="call-next")
    assert [lead.send(form).status_code for _ in range(2)] == [303, 303]
    with database.snapshot() as session:
        assert len(session.scalars(select(Event).where(Event.action == "call")).all()) == 1


def test_an_idle_counter_calls_the_next_and_it_can_be_taken_back(lead: Lead, past: Past, database: Database) -> None:
    past.open("ward-2", 20)
    number = past.issue("juminhyo", 10)
    assert f"次の {number} を 2番窓口に呼ぶ" in lead.page
    lead.send(lead.proposal(action="call-next"))
    assert f"{number} を呼びました。" in lead.page
    lead.send(lead.forms(part(lead.page, "notice"))[0])
    with database.snapshot() as session:
        assert session.scalars(select(Step.state).where(Step.phase == "accept")).all() == ["waiting"]


def test_a_number_is_called_to_a_counter(lead: Lead, past: Past, database: Database) -> None:
    past.open("ward-2", 5)
    past.issue("juminhyo", 3)
    later = past.issue("juminhyo", 2)
    page = lead.ask("number", n=later.lower()).text
    assert '<option value="ward-2"' in page
    lead.send(lead.proposal(page, action="call", number=later) | {"counter": "ward-2"})
    with database.snapshot() as session:
        assert session.scalars(select(Event.reason).where(Event.action == "call")).all() == ["picked"]
    assert f"{later} を呼びました。" in lead.page


def test_a_counter_pauses_closes_and_takes_another_profile(lead: Lead, past: Past, database: Database) -> None:
    past.open("ward-4", 5, staff="鈴木")
    lead.done(action="open", counter="ward-4", profile="ward-civic")
    assert (counter_of(database, "ward-4").profile_id, counter_of(database, "ward-4").staff_name) == (
        "ward-civic", "鈴木",
    )  # fmt: skip
    page = lead.done(action="pause", counter="ward-4", minutes=15)
    assert "15分後に戻ります" in page
    assert counter_of(database, "ward-4").state == "paused"
    lead.send(lead.forms(part(page, "notice"))[0])
    assert (counter_of(database, "ward-4").state, counter_of(database, "ward-4").profile_id) == ("open", "ward-civic")
    lead.done(action="close", counter="ward-4")
    assert counter_of(database, "ward-4").state == "closed"


def test_a_seat_that_was_taken_away_cannot_be_given_back(lead: Lead, past: Past, staff: Callable[..., int]) -> None:
    past.open("ward-4", 5, staff="鈴木", staff_id=staff("suzuki"))
    assert not lead.forms(part(lead.done(action="close", counter="ward-4"), "notice"))
    past.open("ward-8", 5)
    assert lead.forms(part(lead.done(action="close", counter="ward-8"), "notice"))


def test_the_way_back_is_shown_for_three_minutes(lead: Lead) -> None:
    page = lead.done(action="open", counter="ward-4", profile="ward-moving")
    assert "4番窓口を開きました。" in page
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2), tick=False):
        assert "4番窓口を開きました。" in lead.page
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=4), tick=False):
        assert "4番窓口を開きました。" not in lead.page


def test_a_break_past_its_end_is_opened_with_what_it_had(lead: Lead, past: Past, database: Database) -> None:
    past.open("ward-4", 60, categories=["ward-moving"])
    past.pause("ward-4", 30, back=10)
    assert "戻る時刻を10分過ぎています" in lead.page
    lead.send(lead.proposal(action="open", counter="ward-4"))
    found = counter_of(database, "ward-4")
    assert (found.state, [line["category"] for line in found.lines]) == ("open", ["ward-moving"])


@pytest.mark.parametrize("fields", [{"minutes": 7}, {"minutes": "x"}, {}])
def test_a_break_has_one_of_the_offered_lengths(lead: Lead, past: Past, fields: dict[str, object]) -> None:
    past.open("ward-4", 5)
    assert lead.press(action="pause", counter="ward-4", **fields).status_code == 422


def test_a_closed_counter_has_no_break(lead: Lead) -> None:
    assert lead.press(action="pause", counter="ward-4", minutes=15).status_code == 409


def test_a_counter_that_holds_a_party_does_not_close(lead: Lead, past: Past) -> None:
    past.open("ward-2", 5)
    past.issue("juminhyo", 3)
    past.call("ward-2", 2)
    answer = lead.press(action="close", counter="ward-2")
    assert answer.status_code == 409
    assert "先に完了してください" in answer.text


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        ((), "recall", "called"),
        ((), "uncall", "waiting"),
        ((), "miss", "missed"),
        ((Action.START,), "park", "parked"),
        ((Action.START,), "finish", "done"),
        ((Action.START,), "return", "waiting"),
        ((Action.MISS,), "rejoin", "waiting"),
        ((Action.MISS,), "cancel", "cancelled"),
    ],
)
def test_a_step_is_moved_along_the_table(
    lead: Lead, past: Past, database: Database, before: tuple[Action, ...], action: str, after: str
) -> None:
    past.open("ward-4", 5)
    past.issue("nenkin", 3)
    past.open("ward-13", 5)
    step = past.call("ward-13", 2, *before)
    lead.done(action=action, step=step)
    with database.snapshot() as session:
        assert session.get_one(Step, step).state == after
        event = session.scalars(select(Event).where(Event.action == action)).one()
        assert (event.reason, event.actor.split(":")[0]) == ("lead", "staff")


def test_what_the_table_does_not_allow_is_refused(lead: Lead, past: Past) -> None:
    past.open("ward-13", 5)
    past.issue("nenkin", 3)
    step = past.call("ward-13", 2)
    assert lead.press(action="rejoin", step=step).status_code == 409


def test_a_hand_over_is_made_ready_only_after_its_hearing(lead: Lead, past: Past, database: Database) -> None:
    past.open("ward-2", 9)
    number = past.issue("juminhyo", 5)
    assert "準備完了" not in lead.ask("number", n=number).text
    past.call("ward-2", 3, Action.START, Action.FINISH)
    lead.send(lead.proposal(lead.ask("number", n=number).text, action="ready"))
    with database.snapshot() as session:
        assert session.scalars(select(Step.state).where(Step.phase == "deliver")).one() == "waiting"


def test_a_party_is_transferred_and_a_number_cancelled(lead: Lead, past: Past, database: Database) -> None:
    past.open("ward-13", 5)
    number = past.issue("nenkin", 3)
    step = past.call("ward-13", 2, Action.START)
    form = lead.proposal(lead.ask("number", n=number).text, action="transfer", step=str(step))
    lead.send(form | {"service": "marriage"})
    with database.snapshot() as session:
        moved = session.get_one(Step, step)
        assert (moved.state, moved.category_id) == ("waiting", "ward-register")
    lead.send(lead.proposal(lead.ask("number", n=number).text, action="cancel-number"))
    with database.snapshot() as session:
        assert session.get_one(Step, step).state == "cancelled"


def test_help_is_answered_and_ended(lead: Lead, past: Past, database: Database) -> None:
    past.open("ward-4", 20, staff="鈴木")
    past.help("ward-4", 2)
    page = part(lead.page, "alerts")
    assert "4番窓口へ応援に行く" in page
    assert "行きます" in page
    lead.send(lead.proposal(lead.ask("counter", counter="ward-4").text, action="helped"))
    assert counter_of(database, "ward-4").help_since is None


# ---- two leads ----


def test_what_one_lead_has_seen_the_other_reads(lead: Lead, past: Past, signed_in: SignIn, database: Database) -> None:
    late_moving(past)
    other = Lead(signed_in("mori", role=Role.FLOOR_LEAD, name="森"))
    form = lead.proposal(action="seen")
    late = other.proposal(action="seen")
    assert lead.send(form).status_code == 303
    assert lead.state == "calm"
    assert "山口さんが" in other.page
    assert "5番窓口を開ける" not in part(other.page, "alerts")
    other.send(late)
    assert "山口さんが見ています" in part(other.page, "notice")
    with database.snapshot() as session:
        assert len(session.scalars(select(Event).where(Event.action == "seen")).all()) == 1


def test_what_is_over_cannot_be_seen(lead: Lead, past: Past, database: Database) -> None:
    late_moving(past)
    form = lead.proposal(action="seen")
    with database.transaction() as session:
        for step in session.scalars(select(Step).where(Step.state == "waiting")):
            step.waiting_since = step.eligible_at = past.now
    lead.send(form)
    assert "もう済んでいます" in lead.page
    with database.snapshot() as session:
        assert session.scalars(select(Event).where(Event.action == "seen")).all() == []


# ---- who may ----


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUDITOR])
def test_others_have_no_lead_screen(signed_in: SignIn, role: Role) -> None:
    browser = signed_in("someone", role=role)
    assert browser.get("/lead").status_code == 403
    assert browser.get("/lead/ward/ask/counter?counter=ward-2").status_code == 403


def test_nobody_is_sent_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/lead").location.startswith("/sign-in")
    assert client.post("/lead/ward/act").status_code in (401, 403)


def test_a_lead_sees_the_own_office_alone(lead: Lead) -> None:
    assert lead.client.get("/lead?office=branch").status_code == 404
    assert Lead(lead.client, "branch").ask("counter", counter="branch-1").status_code == 404
    fields = {"action": "open", "counter": "branch-1"}
    form = lead.forms(lead.ask("counter", counter="ward-2").text)[0]
    assert lead.client.post("/lead/branch/act", data=form | fields).status_code == 404
    assert lead.client.post("/lead/branch/act", data={"csrf_token": form["csrf_token"]}).status_code == 404


def test_things_of_another_office_do_not_exist(lead: Lead, past: Past, database: Database) -> None:
    past.issue("juminhyo", 1)
    with database.transaction() as session:
        step = session.scalars(select(Step)).first()
        assert step is not None
        elsewhere = step.id
        step.office_id = "branch"
    assert lead.press(action="open", counter="branch-1").status_code == 404
    assert lead.press(action="cancel", step=elsewhere).status_code == 404
    assert lead.ask("counter", counter="branch-1").status_code == 404


def test_a_city_admin_looks_at_every_office_of_the_own_city_and_touches_nothing(
    signed_in: SignIn, past: Past, database: Database
) -> None:
    late_moving(past)
    with database.transaction() as session:
        session.add(Municipality(id="other", name={"ja": "他市"}))
        session.flush()
        session.add(Office(id="foreign", municipality_id="other", name={"ja": "他市役所"}, epoch="e"))
    city = Lead(signed_in("aoki", role=Role.CITY_ADMIN, office_id=None))
    page = city.page
    assert 'data-room="/live"' in page
    assert {form["action"] for form in city.forms(page)} == {"seen"}
    assert "見るだけです" in page
    assert 'href="/lead?office=branch"' in page
    assert city.client.get("/lead?office=branch").status_code == 200
    assert city.client.get("/lead?office=foreign").status_code == 404
    form = city.proposal(page, action="seen")
    for fields in ({"action": "open", "counter": "ward-5"}, {"action": "call-next", "counter": "ward-4"}):
        assert city.send(form | fields).status_code == 403
    assert counter_of(database, "ward-5").state == "closed"


def test_a_department_admin_opens_counters_and_calls_nobody(signed_in: SignIn, past: Past, database: Database) -> None:
    past.open("ward-2", 20)
    past.issue("juminhyo", 10)
    admin = Lead(signed_in("sato", role=Role.DEPARTMENT_ADMIN))
    assert 'data-room="/staff"' in admin.page
    assert not [form for form in admin.forms() if form["action"] == "call-next"]
    form = admin.forms(admin.ask("counter", counter="ward-3").text)[0]
    assert admin.send(form | {"action": "call-next", "counter": "ward-2", "expect": ""}).status_code == 403
    fresh = admin.forms(admin.ask("counter", counter="ward-3").text)[0]
    assert admin.send(fresh | {"profile": "ward-certificates"}).status_code == 303
    assert counter_of(database, "ward-3").state == "open"


def test_a_stranger_s_page_cannot_act(lead: Lead, web: Flask) -> None:
    form = lead.forms(lead.ask("counter", counter="ward-2").text)[0]
    bare = {name: value for name, value in form.items() if name != "csrf_token"}
    assert lead.send(bare).status_code == 403


@pytest.mark.parametrize("what", ["nothing", "transfer"])
def test_an_unknown_question(lead: Lead, what: str) -> None:
    assert lead.ask(what).status_code == 404


def test_an_unknown_act_and_an_unknown_number(lead: Lead) -> None:
    assert lead.press(action="start", step=1).status_code == 422
    answer = lead.ask("number", n="Z999")
    assert answer.status_code == 404
    assert "今日の番号に Z999 はありません" in answer.text


def test_a_name_is_never_markup(lead: Lead, past: Past) -> None:
    late_moving(past)
    past.open("ward-2", 20, staff="<b>x</b>")
    past.issue("juminhyo", 10)
    assert "<b>x</b>" not in lead.page
    assert "&lt;b&gt;x" in lead.page
