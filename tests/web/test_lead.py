"""What the floor lead's live view shows in each state."""

import re
from datetime import UTC, datetime

import time_machine

from app.db.session import Database
from app.domain.roles import Role
from app.domain.ticket import Action
from app.models.place import Office, Service
from app.services import access
from tests.web.conftest import Caller, SignIn
from tests.web.lead_screen import Lead, Past, late_moving, part


def test_nothing_to_do_is_said(floor: Lead, past: Past) -> None:
    past.open("ward-2", 10)
    past.issue("juminhyo", 1)
    past.call("ward-2", 0.5, Action.START)
    assert floor.state == "calm"
    assert "いま、手当ての要る所はありません" in floor.page
    assert "すべての列が目標の中です。" in floor.page


def test_before_the_first_number(floor: Lead) -> None:
    assert floor.state == "empty"
    assert "今日の番号は、まだ出ていません。" in floor.page
    assert "開いている窓口はまだありません" in floor.page


def test_out_of_hours_the_next_opening_is_told(signed_in: SignIn, database: Database) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"training": False}
    with time_machine.travel("2026-05-10T12:00:00+09:00"):
        floor = Lead(signed_in("yamaguchi", role=Role.FLOOR_LEAD))
        assert floor.state == "rest"
        assert "受付時間の外です。" in floor.page
        assert "次は 5月11日(月) 8:30 に開きます。" in floor.page
    with time_machine.travel("2026-05-11T12:00:00+09:00"):
        assert Lead(signed_in("yamaguchi")).state == "empty"


def test_a_late_line_comes_first_with_what_to_do(floor: Lead, past: Past) -> None:
    late_moving(past)
    page = floor.page
    assert floor.state == "alert"
    first = part(page, "alerts")
    assert "住所の届出 2人・最長35分(目標30分)" in first
    assert "5番窓口を開ける" in first
    line = part(page, "lines").split("住所の届出")[1].split("</tr>")[0]
    assert "△" in line
    assert "35分" in line
    assert "目標30分を超過" in line
    assert "1/4" in line
    assert "提案 1" in part(page, "tiles").split('id="tile-ward-5"')[1].split("</li>")[0]


def test_counters_tell_who_sits_there_what_they_do_and_how_long(floor: Lead, past: Past) -> None:
    past.open("ward-2", 60, staff="木村")
    past.open("ward-4", 60, staff="鈴木")
    first = past.issue("juminhyo", 20)
    second = past.issue("tennyu", 9)
    past.call("ward-2", 12, Action.START)
    past.call("ward-4", 2)
    past.open("ward-8", 30)
    past.pause("ward-8", 20, back=-5)
    tiles = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part(floor.page, "tiles")))
    assert f"対応中 {first} A B 12分 木村" in tiles
    assert f"呼出1回 {second} B A 2分 鈴木" in tiles
    assert re.search(r"8 8番窓口 休憩 – C A あと[56]分", tiles)
    assert "3 3番窓口 閉" in tiles


def test_a_counter_opened_by_a_program_has_no_name_beside_it(floor: Lead, database: Database) -> None:
    secret = "of-a-program-and-long-enough"
    with database.transaction() as session:
        access.issue_token(
            session, token=secret, role=Role.FLOOR_LEAD, municipality_id="aonami", office_id="ward",
            label="統計係の端末", at=datetime.now(UTC),
        )  # fmt: skip
    program = Caller(floor.client.application.test_client(), secret)
    assert program.post("/counters/ward-2/open", {"categories": ["ward-certificates"]}).status_code == 200
    tile = part(floor.page, "tiles").split('id="tile-ward-2"')[1].split("</li>")[0]
    assert "手あき" in tile
    assert "統計係" not in floor.page
    assert '<span class="nm">–</span>' in tile


def test_a_clock_set_back_leaves_no_minutes_below_zero(floor: Lead, past: Past) -> None:
    past.open("ward-2", -9)
    past.open("ward-4", -9)
    past.help("ward-4", -9)
    past.issue("juminhyo", -8)
    past.call("ward-2", -9)
    page = floor.page
    assert "応援を呼んで0分" in page
    assert not re.search(r"-\d+分", page)


def test_waiting_numbers_with_their_circumstances(floor: Lead, past: Past) -> None:
    past.open("ward-4", 20)
    plain = past.issue("tennyu", 5, then=["kokuho_join"], language="vi", party=3)
    first = past.issue("tennyu", 4, priority=True)
    rows = part(floor.page, "queues")
    assert rows.index(first) < rows.index(plain)
    row = rows.split(f">{plain}<")[1].split("</tr>")[0]
    assert "このあと E" in row
    assert "3名" in row
    assert "Tiếng Việt" in row
    assert "優先" in rows.split(f">{first}<")[1].split("</tr>")[0]


def test_a_sensitive_procedure_is_never_named(floor: Lead, past: Past, database: Database) -> None:
    with database.transaction() as session:
        session.get_one(Service, "divorce").sensitive = True
        name = session.get_one(Service, "divorce").name["ja"]
        other = session.get_one(Service, "marriage").name["ja"]
    number = past.issue("divorce", 5)
    assert past.issue("marriage", 4) in floor.page
    assert other in part(floor.page, "queues")
    assert number in floor.page
    assert name not in floor.page
    past.open("ward-8", 4)
    past.call("ward-8", 3)
    dialog = floor.ask("number", n=number).text
    assert "(手続きは出しません)" in dialog
    assert name not in dialog.split("<select")[0]


def test_set_aside_and_in_the_making_are_listed(floor: Lead, past: Past) -> None:
    past.open("ward-2", 60)
    parked, gone, made = (past.issue("juminhyo", 30) for _ in range(3))
    past.call("ward-2", 25, Action.START, Action.PARK)
    past.call("ward-2", 25, Action.MISS)
    past.call("ward-2", 25, Action.START, Action.FINISH)
    text = re.sub(r"<[^>]+>", " ", part(floor.page, "queues"))
    assert re.search(rf"{parked}\s+保留", text)
    assert re.search(rf"{gone}\s+不在", text)
    assert made in text.split("作成中")[1]
    assert "保留 1人・最長25分" in floor.page
    assert "不在 1人・最長25分" in floor.page
    assert floor.state == "calm"
    assert "いま、手当ての要る所はありません" in floor.page


def test_the_day_so_far(floor: Lead, past: Past) -> None:
    past.open("ward-2", 60)
    for minutes in (50, 40):
        past.issue("juminhyo", minutes)
        past.call("ward-2", minutes - 10, Action.START, Action.FINISH)
    text = re.sub(r"<[^>]+>", " ", part(floor.page, "figures"))
    assert re.search(r"出した番号\s+2", text)
    assert re.search(r"平均\s+10", text)
    assert "10人に9人は10分まで" in text
    assert "まだ記録がありません" in text


def test_three_proposals_have_keys_and_the_others_are_folded(floor: Lead, past: Past) -> None:
    for service in ("juminhyo", "tennyu", "marriage", "mnc_pickup", "nenkin"):
        past.issue(service, 45)
    page = part(floor.page, "alerts")
    assert re.findall(r'<button[^>]* data-key="(\d)"', page) == ["1", "2", "3"]
    assert "ほか2件" in page


def test_the_screen_loads_itself_anew_without_a_script(floor: Lead) -> None:
    assert re.search(r'<noscript><meta http-equiv="refresh" content="20; url=/lead\?office=ward">', floor.page)


def test_no_style_and_no_script_stands_in_the_markup(floor: Lead, past: Past) -> None:
    late_moving(past)
    pages = [floor.page, *(floor.ask(what, counter="ward-4", n="B001").text for what in ("counter", "number", "keys"))]
    for page in pages:
        assert not re.search(r"<[^>]+ (style|on\w+)=", page)
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
