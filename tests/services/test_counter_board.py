"""What stands above the counters: whom they called, where else to go, and not a word about anybody."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.errors import NotFound
from app.domain.ticket import Action
from app.services import board, counter_board, counters, queue, tickets

AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
LINES = ["ward-certificates"]


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as found:
        yield found


def glass(session: Session, counter: str, hall: str | None = "ward-citizen") -> dict[str, object]:
    seen = counter_board.read(session, office_id="ward", hall_id=hall, at=AT)
    return next(each for each in seen["counters"] if each["id"] == counter)


def called(session: Session, counter: str = "ward-2") -> int:
    wish = tickets.Wish(services=["juminhyo"], channel="kiosk", language="vi")
    tickets.issue(
        session, office_id="ward", wish=wish, seed=f"seed of {counter}", secret=b"k" * 32, actor="test", at=AT
    )
    counters.open_counter(session, counter_id=counter, actor="test", at=AT, categories=LINES)
    found = queue.call_next(session, counter_id=counter, actor="test", at=AT)
    assert found is not None
    return found[0].id


def test_a_call_stands_above_its_counter_with_the_boards_seq(session: Session) -> None:
    step = called(session)
    assert glass(session, "ward-2")["now"] == {
        "number": "A001", "state": "called", "phase": "accept", "category": "ward-certificates", "recalls": 0,
    }  # fmt: skip
    assert glass(session, "ward-3")["now"] is None
    seen = counter_board.read(session, office_id="ward", at=AT)
    same = board.read(session, office_id="ward", at=AT)
    assert [seen[name] for name in ("epoch", "seq", "at")] == [same[name] for name in ("epoch", "seq", "at")]
    for action, left in ((Action.RECALL, ("called", 1)), (Action.START, ("serving", 1)), (Action.FINISH, None)):
        queue.act(session, step_id=step, action=action, actor="test", at=AT)
        now = glass(session, "ward-2")["now"]
        assert (now and (now["state"], now["recalls"])) == left  # type: ignore[index]


def test_who_is_not_there_says_who_is(session: Session) -> None:
    """A closed counter names an open one of its line; what it served before it closed, or serves as a rule."""
    assert glass(session, "ward-2") | {"now": 0} == {
        "id": "ward-2", "number": "2", "state": "closed", "back_at": None, "line": "ward-certificates",
        "instead": None, "now": 0,
    }  # fmt: skip
    counters.open_counter(session, counter_id="ward-3", actor="test", at=AT, categories=LINES)
    assert glass(session, "ward-2")["instead"] == "3"
    counters.open_counter(session, counter_id="ward-2", actor="test", at=AT, categories=LINES)
    back = AT + timedelta(minutes=30)
    counters.pause_counter(session, counter_id="ward-2", actor="test", at=AT, back_at=back)
    assert glass(session, "ward-2")["back_at"] == back.isoformat(timespec="minutes")
    assert glass(session, "ward-2")["instead"] == "3"
    assert glass(session, "ward-3")["instead"] is None
    # The information counter serves no line: nobody stands in for it.
    assert (glass(session, "ward-1")["line"], glass(session, "ward-1")["instead"]) == (None, None)


def test_a_helper_is_not_named_instead(session: Session) -> None:
    """A counter that takes the line only when it waits long does not call its numbers as a rule."""
    helper = counters.open_counter(session, counter_id="ward-4", actor="test", at=AT)
    helper.lines = [{"category": "ward-certificates", "after_minutes": 10}]
    assert glass(session, "ward-2")["instead"] is None
    helper.lines = [{"category": "ward-certificates", "after_minutes": None}]
    assert glass(session, "ward-2")["instead"] == "4"


def test_nothing_about_a_person_is_sent_and_it_stays_small(session: Session) -> None:
    for number in range(2, 12):
        called(session, f"ward-{number}")
    sent = json.dumps(counter_board.read(session, office_id="ward", at=AT), ensure_ascii=False)
    assert len(sent.encode()) <= 6_000
    for word in ("juminhyo", "住民票", '"vi"', "staff", "token"):
        assert word not in sent


def test_a_hall_shows_its_own_counters(session: Session) -> None:
    whole = counter_board.read(session, office_id="ward", at=AT)["counters"]
    tax = counter_board.read(session, office_id="ward", hall_id="ward-tax", at=AT)["counters"]
    assert 0 < len(tax) < len(whole)
    for office, hall in (("nowhere", None), ("ward", "nowhere"), ("ward", "branch-main")):
        with pytest.raises(NotFound):
            counter_board.read(session, office_id=office, hall_id=hall, at=AT)
