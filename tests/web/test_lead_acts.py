"""What each act of a floor lead does, and that two leads do not both run."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.domain.ticket import Action
from app.models.place import Office
from app.models.ticket import Event, Step
from tests.web.conftest import Caller, SignIn
from tests.web.lead_screen import Lead, Past, counter_of, late_moving, part


def test_a_proposal_opens_the_counter_and_can_be_taken_back(floor: Lead, past: Past, database: Database) -> None:
    late_moving(past)
    assert floor.send(floor.proposal(action="open", counter="ward-5")).status_code == 303
    assert counter_of(database, "ward-5").state == "open"
    page = floor.page
    assert "5番窓口を開きました。" in part(page, "notice")
    back = floor.forms(part(page, "notice"))[0]
    assert back["action"] == "close"
    floor.send(back)
    assert counter_of(database, "ward-5").state == "closed"
    assert "5番窓口を閉じました。" in floor.page


def test_a_proposal_on_a_counter_that_changed_meanwhile_is_refused(floor: Lead, past: Past, database: Database) -> None:
    late_moving(past)
    form = floor.proposal(action="open", counter="ward-5")
    past.open("ward-5", 0, staff="田中", profile_id="ward-certificates")
    answer = floor.send(form)
    assert answer.status_code == 409
    assert "見ているあいだに様子が変わりました" in answer.text
    assert counter_of(database, "ward-5").profile_id == "ward-certificates"


def test_taking_back_is_refused_once_the_clerk_sits_there(floor: Lead, past: Past, database: Database) -> None:
    late_moving(past)
    floor.send(floor.proposal(action="open", counter="ward-5"))
    back = floor.forms(part(floor.page, "notice"))[0]
    past.open("ward-5", 0, staff="田中", profile_id="ward-moving")
    assert floor.send(back).status_code == 409
    assert counter_of(database, "ward-5").state == "open"


def test_a_double_press_is_one_act(floor: Lead, past: Past, database: Database) -> None:
    past.open("ward-2", 5)
    for _ in range(2):
        past.issue("juminhyo", 3)
    form = floor.proposal(floor.ask("counter", counter="ward-2").text, action="call-next")
    assert [floor.send(form).status_code for _ in range(2)] == [303, 303]
    with database.snapshot() as session:
        assert len(session.scalars(select(Event).where(Event.action == "call")).all()) == 1


def test_an_idle_counter_calls_the_next_and_it_can_be_taken_back(floor: Lead, past: Past, database: Database) -> None:
    past.open("ward-2", 20)
    number = past.issue("juminhyo", 10)
    assert f"次の {number} を 2番窓口に呼ぶ" in floor.page
    floor.send(floor.proposal(action="call-next"))
    assert f"{number} を呼びました。" in floor.page
    floor.send(floor.forms(part(floor.page, "notice"))[0])
    with database.snapshot() as session:
        assert session.scalars(select(Step.state).where(Step.phase == "accept")).all() == ["waiting"]


def test_a_number_is_called_to_a_counter(floor: Lead, past: Past, database: Database) -> None:
    past.open("ward-2", 5)
    past.issue("juminhyo", 3)
    later = past.issue("juminhyo", 2)
    page = floor.ask("number", n=later.lower()).text
    assert '<option value="ward-2"' in page
    floor.send(floor.proposal(page, action="call", number=later) | {"counter": "ward-2"})
    with database.snapshot() as session:
        assert session.scalars(select(Event.reason).where(Event.action == "call")).all() == ["picked"]
    assert f"{later} を呼びました。" in floor.page


def test_a_counter_pauses_closes_and_takes_another_profile(floor: Lead, past: Past, database: Database) -> None:
    past.open("ward-4", 5, staff="鈴木")
    floor.done(action="open", counter="ward-4", profile="ward-civic")
    assert (counter_of(database, "ward-4").profile_id, counter_of(database, "ward-4").staff_name) == (
        "ward-civic", "鈴木",
    )  # fmt: skip
    page = floor.done(action="pause", counter="ward-4", minutes=15)
    assert "15分後に戻ります" in page
    assert counter_of(database, "ward-4").state == "paused"
    floor.send(floor.forms(part(page, "notice"))[0])
    assert (counter_of(database, "ward-4").state, counter_of(database, "ward-4").profile_id) == ("open", "ward-civic")
    floor.done(action="close", counter="ward-4")
    assert counter_of(database, "ward-4").state == "closed"


def test_a_seat_that_was_taken_away_cannot_be_given_back(floor: Lead, past: Past, staff: Callable[..., int]) -> None:
    past.open("ward-4", 5, staff="鈴木", staff_id=staff("suzuki"))
    assert not floor.forms(part(floor.done(action="close", counter="ward-4"), "notice"))
    past.open("ward-8", 5)
    assert floor.forms(part(floor.done(action="close", counter="ward-8"), "notice"))


def test_the_way_back_is_shown_for_three_minutes(floor: Lead) -> None:
    page = floor.done(action="open", counter="ward-4", profile="ward-moving")
    assert "4番窓口を開きました。" in page
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2), tick=False):
        assert "4番窓口を開きました。" in floor.page
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=4), tick=False):
        assert "4番窓口を開きました。" not in floor.page


def test_a_break_past_its_end_is_opened_with_what_it_had(floor: Lead, past: Past, database: Database) -> None:
    past.open("ward-4", 60, categories=["ward-moving"])
    past.pause("ward-4", 30, back=10)
    assert "戻る時刻を10分過ぎています" in floor.page
    floor.send(floor.proposal(action="open", counter="ward-4"))
    found = counter_of(database, "ward-4")
    assert (found.state, [line["category"] for line in found.lines]) == ("open", ["ward-moving"])


@pytest.mark.parametrize("fields", [{"minutes": 7}, {"minutes": "x"}, {}])
def test_a_break_has_one_of_the_offered_lengths(floor: Lead, past: Past, fields: dict[str, object]) -> None:
    past.open("ward-4", 5)
    assert floor.press(action="pause", counter="ward-4", **fields).status_code == 422


def test_a_closed_counter_has_no_break(floor: Lead) -> None:
    assert floor.press(action="pause", counter="ward-4", minutes=15).status_code == 409


def test_a_counter_that_holds_a_party_does_not_close(floor: Lead, past: Past) -> None:
    past.open("ward-2", 5)
    past.issue("juminhyo", 3)
    past.call("ward-2", 2)
    answer = floor.press(action="close", counter="ward-2")
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
    floor: Lead, past: Past, database: Database, before: tuple[Action, ...], action: str, after: str
) -> None:
    past.open("ward-4", 5)
    past.issue("nenkin", 3)
    past.open("ward-13", 5)
    step = past.call("ward-13", 2, *before)
    floor.done(action=action, step=step)
    with database.snapshot() as session:
        assert session.get_one(Step, step).state == after
        event = session.scalars(select(Event).where(Event.action == action)).one()
        assert (event.reason, event.actor.split(":")[0]) == ("lead", "staff")


def test_what_the_table_does_not_allow_is_refused(floor: Lead, past: Past) -> None:
    past.open("ward-13", 5)
    past.issue("nenkin", 3)
    step = past.call("ward-13", 2)
    assert floor.press(action="rejoin", step=step).status_code == 409


def test_a_hand_over_is_made_ready_only_after_its_hearing(floor: Lead, past: Past, database: Database) -> None:
    past.open("ward-2", 9)
    number = past.issue("juminhyo", 5)
    assert "準備完了" not in floor.ask("number", n=number).text
    past.call("ward-2", 3, Action.START, Action.FINISH)
    floor.send(floor.proposal(floor.ask("number", n=number).text, action="ready"))
    with database.snapshot() as session:
        assert session.scalars(select(Step.state).where(Step.phase == "deliver")).one() == "waiting"


def test_a_party_is_transferred_and_a_number_cancelled(floor: Lead, past: Past, database: Database) -> None:
    past.open("ward-13", 5)
    number = past.issue("nenkin", 3)
    step = past.call("ward-13", 2, Action.START)
    form = floor.proposal(floor.ask("number", n=number).text, action="transfer", step=str(step))
    floor.send(form | {"service": "marriage"})
    with database.snapshot() as session:
        moved = session.get_one(Step, step)
        assert (moved.state, moved.category_id) == ("waiting", "ward-register")
    floor.send(floor.proposal(floor.ask("number", n=number).text, action="cancel-number"))
    with database.snapshot() as session:
        assert session.get_one(Step, step).state == "cancelled"


def test_help_is_answered_and_ended(floor: Lead, past: Past, database: Database) -> None:
    past.open("ward-4", 20, staff="鈴木")
    past.help("ward-4", 2)
    page = part(floor.page, "alerts")
    assert "4番窓口へ応援に行く" in page
    assert "行きます" in page
    floor.send(floor.proposal(floor.ask("counter", counter="ward-4").text, action="helped"))
    assert counter_of(database, "ward-4").help_since is None


def test_what_one_lead_has_seen_the_other_reads(floor: Lead, past: Past, signed_in: SignIn, database: Database) -> None:
    late_moving(past)
    other = Lead(signed_in("mori", role=Role.FLOOR_LEAD, name="森"))
    form = floor.proposal(action="seen")
    late = other.proposal(action="seen")
    assert floor.send(form).status_code == 303
    assert floor.state == "calm"
    assert "山口さんが" in other.page
    assert "5番窓口を開ける" not in part(other.page, "alerts")
    other.send(late)
    assert "山口さんが見ています" in part(other.page, "notice")
    with database.snapshot() as session:
        assert len(session.scalars(select(Event).where(Event.action == "seen")).all()) == 1


def test_what_is_over_cannot_be_seen(floor: Lead, past: Past, database: Database) -> None:
    late_moving(past)
    form = floor.proposal(action="seen")
    with database.transaction() as session:
        for step in session.scalars(select(Step).where(Step.state == "waiting")):
            step.waiting_since = step.eligible_at = past.now
    floor.send(form)
    assert "もう済んでいます" in floor.page
    with database.snapshot() as session:
        assert session.scalars(select(Event).where(Event.action == "seen")).all() == []


def test_a_lead_confirms_a_number_taken_at_home(floor: Lead, public: Caller, database: Database) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"web_ticket_confirm": True}
    number = public.ticket("tennyu")["number"]
    floor.send(floor.proposal(floor.ask("number", n=number).text, action="confirm-number"))
    assert f"{number} の来庁を確認しました" in part(floor.page, "notice")
    with database.snapshot() as session:
        assert session.scalars(select(Step.state).order_by(Step.position)).first() == "waiting"
