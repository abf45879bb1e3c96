"""Reports from a hall that ran: what was called, missed and served, at which counter, by which door."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from app.db.session import Database
from app.domain.errors import InvalidInput, NotFound
from app.domain.ticket import Action
from app.models.place import Counter
from app.services import counters, queue, reports, tickets

START = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
DAY = date(2026, 4, 1)


def play(database: Database) -> str:
    """Three people at the certificates; one is served after 4 minutes for 6, one is missed, one waits on."""
    with database.transaction() as session:
        place = session.scalars(select(Counter).where(Counter.office_id == "ward").order_by(Counter.id)).first()
        assert place
        counters.open_counter(session, counter_id=place.id, actor="t", at=START, categories=["ward-certificates"])
        counter, number = place.id, place.number
    for index, door in enumerate(("kiosk", "web", "kiosk")):
        with database.transaction() as session:
            tickets.issue(session, office_id="ward", wish=tickets.Wish(services=["juminhyo"], channel=door),
                          seed=f"r{index}", secret=b"test", actor="t", at=START + timedelta(minutes=index))  # fmt: skip
    for minutes, actions in ((4, (Action.START, Action.FINISH)), (12, (Action.MISS,))):
        with database.transaction() as session:
            called = queue.call_next(session, counter_id=counter, actor="t", at=START + timedelta(minutes=minutes))
            assert called
        for offset, action in enumerate(actions):
            with database.transaction() as session:
                at = START + timedelta(minutes=minutes + 6 * offset)
                queue.act(session, step_id=called[0].id, action=action, actor="t", at=at)
    return number


def test_what_happened_is_counted(database: Database) -> None:
    number = play(database)
    with database.snapshot() as session:
        whole = reports.heads(reports.facts(session, "ward", DAY, DAY))
        doors = {row.key: row.visits for row in reports.read(session, "ward", "channels", DAY, DAY)}
        places = {row.key: (row.steps, row.served, row.missed)
                  for row in reports.read(session, "ward", "counters", DAY, DAY)}  # fmt: skip
        hours = {row.key: row.visits for row in reports.read(session, "ward", "hours", DAY, DAY)}
    assert (whole.visits, whole.served, whole.missed) == (3, 1, 1)
    assert (whole.wait_mean, whole.wait_longest, whole.service_mean) == (7.5, 11.0, 6.0)
    assert doors == {"kiosk": 2, "web": 1}
    assert places == {number: (2, 1, 1)}
    assert hours == {"10": 3}


def test_another_day_and_another_office_know_nothing(database: Database) -> None:
    play(database)
    with database.snapshot() as session:
        assert reports.facts(session, "ward", DAY + timedelta(days=1), DAY + timedelta(days=9)) == []
        assert reports.facts(session, "branch", DAY, DAY) == []


@pytest.mark.parametrize(("since", "until"), [(DAY, DAY - timedelta(days=1)), (DAY, DAY + timedelta(days=800))])
def test_a_span_that_is_none_is_refused(database: Database, since: date, until: date) -> None:
    with database.snapshot() as session, pytest.raises(InvalidInput, match="bad_range"):
        reports.read(session, "ward", "days", since, until)


def test_an_unknown_report_is_not_found(database: Database) -> None:
    with database.snapshot() as session, pytest.raises(NotFound):
        reports.read(session, "ward", "everything", DAY, DAY)
