"""One tap after a visit: kept once, changed by whoever has the link, joined to nobody, counted beside the waits."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.db.base import Base
from app.db.session import Database
from app.domain.errors import Conflict
from app.domain.feedback import OPEN_FOR, Topic, Verdict, topics
from app.domain.refs import feedback_key, ticket_token
from app.domain.ticket import Action
from app.models.feedback import Feedback
from app.models.ticket import Event
from app.services import feedback, lines, queue, reports, tickets
from tests.services.test_reports import DAY, START, play

DONE, MISSED, WAITING = (ticket_token(b"test", f"r{number}") for number in range(3))


def hall(database: Database) -> None:
    """Three numbers of the certificates (tests/services/test_reports.py); the first one has been handed over too."""
    play(database)
    at = START + timedelta(minutes=20)
    with database.transaction() as session:
        steps = lines.steps_of(session, tickets.by_token(session, DONE).id)
        counter = session.scalars(select(Event.counter_id).where(Event.action == Action.CALL)).first()
        assert counter
        queue.act(session, step_id=steps[1].id, action=Action.READY, actor="t", at=at)
        queue.call_step(session, counter_id=counter, step_id=steps[1].id, actor="t", at=at)
        for action in (Action.START, Action.FINISH):
            queue.act(session, step_id=steps[1].id, action=action, actor="t", at=at)


def say(database: Database, token: str = DONE, *, days: int = 0, **what: Verdict | Topic) -> None:
    with database.transaction() as session:
        found = tickets.by_token(session, token)
        feedback.give(session, found, token=token, at=START + timedelta(days=days), **what)  # type: ignore[arg-type]


def kept(database: Database) -> list[tuple[str, str | None]]:
    with database.snapshot() as session:
        return [(row.verdict, row.topic) for row in session.scalars(select(Feedback))]


def test_an_answer_is_kept_once_and_may_be_changed(database: Database) -> None:
    hall(database)
    for _ in range(2):
        say(database, verdict=Verdict.GOOD)
    assert kept(database) == [("good", None)]
    say(database, topic=Topic.MANNER)
    assert kept(database) == [("good", "manner")]
    say(database, verdict=Verdict.GOOD)  # the same again takes nothing back
    assert kept(database) == [("good", "manner")]
    say(database, verdict=Verdict.BAD)  # what was about the other answer goes with it
    assert kept(database) == [("bad", None)]


def test_two_taps_at_once_are_one_answer(database: Database) -> None:
    hall(database)
    with ThreadPoolExecutor(4) as pool:
        for tap in [pool.submit(say, database, verdict=each) for each in (Verdict.GOOD, Verdict.BAD) * 4]:
            tap.result()
    assert len(kept(database)) == 1


@pytest.mark.parametrize("token", [MISSED, WAITING])
def test_a_visit_that_has_not_ended_is_not_asked(database: Database, token: str) -> None:
    hall(database)
    with database.snapshot() as session:
        assert not feedback.asked(session, tickets.by_token(session, token), at=START)
    with pytest.raises(Conflict, match="feedback_not_now"):
        say(database, token, verdict=Verdict.GOOD)
    assert kept(database) == []


def test_nobody_is_asked_long_after(database: Database) -> None:
    hall(database)
    say(database, days=OPEN_FOR.days, verdict=Verdict.FAIR)
    with pytest.raises(Conflict, match="feedback_not_now"):
        say(database, days=OPEN_FOR.days + 1, verdict=Verdict.GOOD)
    assert kept(database) == [("fair", None)]


def test_a_topic_of_nothing_is_refused(database: Database) -> None:
    hall(database)
    with pytest.raises(Conflict, match="feedback_not_now"):
        say(database, topic=Topic.WAIT)


def test_no_table_says_whose_answer_it_is(database: Database) -> None:
    hall(database)
    say(database, verdict=Verdict.BAD)
    key = feedback_key(DONE)
    with database.snapshot() as session:
        ticket = tickets.by_token(session, DONE)
        assert key != ticket.token_hash
        for table in Base.metadata.tables.values():
            for row in session.execute(select(table)):
                assert table.name == "feedback" or key not in str(row), table.name
        (row,) = session.execute(select(Feedback.__table__)).mappings()
    assert not {ticket.number, ticket.id, ticket.seed, ticket.token_hash} & set(row.values())
    assert set(row) == {"key", "office_id", "business_date", "category_id", "service_id", "verdict", "topic"}


def test_answers_are_counted_beside_the_waits(database: Database) -> None:
    hall(database)
    say(database, verdict=Verdict.BAD, topic=Topic.WAIT)
    with database.snapshot() as session:
        for name in ("days", "months", "weekdays", "categories", "services", "days-categories"):
            (row,) = reports.read(session, "ward", name, DAY, DAY)
            assert (row.good, row.fair, row.bad) == (0, 0, 1), name
        (hours,) = reports.read(session, "ward", "hours", DAY, DAY)
        assert (hours.good, hours.fair, hours.bad) == (None, None, None)
        said = feedback.said(session, "ward", DAY, DAY)
        assert topics(said, Verdict.BAD) == [(Topic.WAIT, 1)]
        assert topics(said, Verdict.GOOD) == []
        assert feedback.said(session, "branch", DAY, DAY) == []
        assert feedback.said(session, "ward", DAY + timedelta(days=1), DAY + timedelta(days=2)) == []
        assert session.scalar(select(func.count()).select_from(Feedback)) == 1
