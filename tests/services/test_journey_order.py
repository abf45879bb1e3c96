"""The order of a visit follows the lines: the next step is where the turn comes soonest, promised times are kept."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.ticket import Action, State
from app.models.ticket import Ticket
from app.services import counters, lines, queue, tickets

AT = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
VISIT = ("tennyu", "kokuho_join", "jido_teate")
LINES = {"ward-4": "ward-moving", "ward-13": "ward-insurance", "ward-18": "ward-children"}


def take(session: Session, *services: str, number: int, at: datetime = AT) -> Ticket:
    wish = tickets.Wish(services=list(services), channel="kiosk")
    return tickets.issue(session, office_id="ward", wish=wish, seed=f"s{number}", secret=b"x", actor="test", at=at)


def open_counters(session: Session, *names: str) -> None:
    for name in names:
        counters.open_counter(session, counter_id=name, actor="test", at=AT, categories=[LINES[name]])


def finish(session: Session, ticket: Ticket, place: str, *, at: datetime) -> int:
    """Call, hear and finish the ticket's waiting step at a counter; returns the step."""
    step = queue.call_number(session, counter_id=place, number=ticket.number, actor="test", at=at)
    for action in (Action.START, Action.FINISH):
        queue.act(session, step_id=step.id, action=action, actor="test", at=at)
    return step.id


def waiting(session: Session, ticket: Ticket) -> str:
    return next(step.service_id for step in lines.steps_of(session, ticket.id) if step.state == State.WAITING)


def test_the_shorter_line_comes_first(database: Database) -> None:
    with database.transaction() as session:
        open_counters(session, *LINES)
        for number in range(4):  # people in the line of insurance, there before our party
            take(session, "kokuho_join", number=number, at=AT - timedelta(minutes=20))
        mine = take(session, *VISIT, number=9)
        finish(session, mine, "ward-4", at=AT + timedelta(minutes=5))
        assert waiting(session, mine) == "jido_teate"
        finish(session, mine, "ward-18", at=AT + timedelta(minutes=9))
        assert waiting(session, mine) == "kokuho_join"


def test_with_equal_lines_the_order_is_the_one_given(database: Database) -> None:
    with database.transaction() as session:
        open_counters(session, *LINES)
        mine = take(session, *VISIT, number=1)
        finish(session, mine, "ward-4", at=AT)
        assert waiting(session, mine) == "kokuho_join"


def test_a_line_nobody_serves_waits_for_the_others(database: Database) -> None:
    with database.transaction() as session:
        open_counters(session, "ward-4", "ward-18")
        mine = take(session, *VISIT, number=1)
        finish(session, mine, "ward-4", at=AT)
        assert waiting(session, mine) == "jido_teate"


def test_promised_times_are_kept_in_their_order(database: Database) -> None:
    with database.transaction() as session:
        open_counters(session, "ward-4", "ward-18")
        mine = take(session, *VISIT, number=1)
        for step in lines.steps_of(session, mine.id):
            step.slot_at = AT + timedelta(minutes=30 * step.position)
        session.flush()
        finish(session, mine, "ward-4", at=AT)
        assert waiting(session, mine) == "kokuho_join"


def test_what_came_before_in_time_may_be_taken_back_though_it_stands_later(database: Database) -> None:
    """jido_teate was heard before kokuho_join; finishing the one does not stop the other from being reopened."""
    with database.transaction() as session:
        open_counters(session, *LINES)
        for number in range(3):
            take(session, "kokuho_join", number=number, at=AT - timedelta(minutes=20))
        mine = take(session, *VISIT, number=9)
        finish(session, mine, "ward-4", at=AT)
        finish(session, mine, "ward-18", at=AT + timedelta(minutes=5))
        last = finish(session, mine, "ward-13", at=AT + timedelta(minutes=9))
        reopened = queue.act(session, step_id=last, action=Action.REOPEN, actor="test", at=AT + timedelta(minutes=10))
        assert (reopened.state, reopened.service_id) == (State.SERVING, "kokuho_join")
