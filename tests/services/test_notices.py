"""Who wished to be told is told: near, called, ready, missed; each once, and nobody else."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.delivery import Channel
from app.domain.errors import DomainError, InvalidInput, TooMany
from app.domain.ticket import Action, Phase
from app.models.delivery import Contact, ContactCode, Delivery, NoticeWish
from app.models.place import Office
from app.models.ticket import Step, Ticket
from app.services import contact_codes, counters, notices, queue, tickets
from app.services.contact_codes import Verdict
from app.services.sending import code_digits
from tests.conftest import NOON
from tests.services.messages import SEALER, SECRET, Clock, contact, sender, sms_of, work
from tests.standins import twilio

PHONE = "+819012345678"


def take(session: Session, place: int, *, service: str = "juminhyo") -> Ticket:
    wish = tickets.Wish(services=[service], channel="web")
    return tickets.issue(session, office_id="ward", wish=wish, seed=f"seed {place}", secret=SECRET, actor="test",
                         at=NOON + timedelta(seconds=place))  # fmt: skip


def wished(session: Session, ticket: Ticket, *, rule: str = "ahead", amount: int = 3, active: bool = True) -> None:
    person = contact(session, at=NOON)
    notices.wish(session, ticket=ticket, channel=Channel.SMS, contact_id=person.id, rule=rule, amount=amount,
                 language="ja", active=active, at=NOON)  # fmt: skip


def open_counter(session: Session) -> None:
    counters.open_counter(session, counter_id="ward-1", actor="test", at=NOON, categories=["ward-certificates"])


def told(database: Database) -> list[tuple[str, str]]:
    with database.snapshot() as session:
        rows = session.scalars(select(Delivery).order_by(Delivery.id)).all()
        return [(row.occasion, row.text["short"]) for row in rows]


def test_the_holder_is_told_when_so_many_are_before(database: Database) -> None:
    with database.transaction() as session:
        made = [take(session, place) for place in range(5)]
        wished(session, made[4])
        wished(session, made[1], active=False)
        open_counter(session)
    me = sender(database, clock=Clock(NOON + timedelta(minutes=1)))
    assert me.look_at_lines() == 0
    with database.transaction() as session:
        queue.call_next(session, counter_id="ward-1", actor="test", at=NOON + timedelta(minutes=2))
    assert me.look_at_lines() == 1
    assert me.look_at_lines() == 0
    ((occasion, short),) = told(database)
    assert occasion == "soon"
    assert "あと3人。" in short, "the time is not known yet, so it is not told"
    assert made[4].number in short


def test_a_call_is_told_in_its_own_transaction(database: Database) -> None:
    at = NOON + timedelta(minutes=2)
    with database.transaction() as session:
        first = take(session, 0)
        take(session, 1)
        wished(session, first)
        open_counter(session)

    def call_and_fail() -> None:
        with database.transaction() as session:
            queue.call_next(session, counter_id="ward-1", actor="test", at=at)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        call_and_fail()
    assert told(database) == []
    with database.transaction() as session:
        called = queue.call_next(session, counter_id="ward-1", actor="test", at=at)
        assert called is not None
        queue.act(session, step_id=called[0].id, action=Action.RECALL, actor="test", at=at + timedelta(minutes=1))
    assert [occasion for occasion, _ in told(database)] == ["called"]
    assert f"{first.number}番の方、1番窓口へ" in told(database)[0][1]
    with database.transaction() as session:
        queue.act(session, step_id=called[0].id, action=Action.MISS, actor="test", at=at + timedelta(minutes=3))
    assert [occasion for occasion, _ in told(database)] == ["called", "missed"]
    with database.snapshot() as session:
        states = {row.occasion: (row.state, row.reason) for row in session.scalars(select(Delivery))}
    assert states["called"] == ("failed", "withdrawn"), "what has not left when it is no longer true stays here"


@pytest.mark.parametrize("then", [Action.START, Action.UNCALL])
def test_a_call_that_is_over_is_not_told_when_the_provider_is_back(database: Database, then: Action) -> None:
    at = NOON + timedelta(minutes=2)
    with database.transaction() as session:
        wished(session, take(session, 0))
        open_counter(session)
        called = queue.call_next(session, counter_id="ward-1", actor="test", at=at)
        assert called is not None
        queue.act(session, step_id=called[0].id, action=then, actor="test", at=at + timedelta(minutes=1))
    with twilio.running() as provider:
        work(sender(database, sms_of(provider), clock=Clock(at + timedelta(minutes=2))))
        assert provider.ledger.messages == []
    with database.snapshot() as session:
        (row,) = session.scalars(select(Delivery)).all()
        assert (row.state, row.reason, row.cost_yen) == ("failed", "withdrawn", 0)


def test_a_certificate_that_is_ready_is_told_once_in_the_transaction_that_says_so(database: Database) -> None:
    at = NOON + timedelta(minutes=2)
    with database.transaction() as session:
        first = take(session, 0)
        wished(session, first)
        open_counter(session)
        called = queue.call_next(session, counter_id="ward-1", actor="test", at=at)
        assert called is not None
        for action in (Action.START, Action.FINISH):
            queue.act(session, step_id=called[0].id, action=action, actor="test", at=at)
        deliver = session.scalars(select(Step).where(Step.ticket_id == first.id, Step.phase == Phase.DELIVER)).one().id
    before = told(database)

    def ready(*, fails: bool) -> None:
        with database.transaction() as session:
            queue.act(session, step_id=deliver, action=Action.READY, actor="test", at=at + timedelta(minutes=9))
            if fails:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        ready(fails=True)
    assert told(database) == before
    ready(fails=False)
    with pytest.raises(DomainError):
        ready(fails=False)
    assert [occasion for occasion, _ in told(database)[len(before) :]] == ["ready"]
    assert first.number in told(database)[-1][1]


def test_whoever_wished_for_nothing_is_told_nothing(database: Database) -> None:
    with database.transaction() as session:
        take(session, 0)
        open_counter(session)
        queue.call_next(session, counter_id="ward-1", actor="test", at=NOON)
    assert told(database) == []


def test_no_more_of_it(database: Database) -> None:
    with database.transaction() as session:
        first = take(session, 0)
        wished(session, first)
        notices.stop(session, first, at=NOON)
        open_counter(session)
        queue.call_next(session, counter_id="ward-1", actor="test", at=NOON)
    assert told(database) == []


@pytest.mark.parametrize(("rule", "amount"), [("ahead", 2), ("minutes", 7), ("both", 3)])
def test_only_what_the_page_offers_can_be_wished(database: Database, rule: str, amount: int) -> None:
    def wish() -> None:
        with database.transaction() as session:
            wished(session, take(session, 0), rule=rule, amount=amount)

    with pytest.raises(InvalidInput, match="bad_wish"):
        wish()


class Page:
    """A ticket's page that asks for codes."""

    def __init__(self, database: Database) -> None:
        self.database, self.at = database, NOON
        with database.transaction() as session:
            self.ticket = take(session, 0)

    def ask(self, value: str = PHONE, *, ticket: Ticket | None = None) -> int:
        with self.database.transaction() as session:
            return contact_codes.ask(session, sealer=SEALER, ticket=ticket or self.ticket, channel=Channel.SMS,
                                     value=value, language="ja", at=self.at).id  # fmt: skip

    def digits(self, ticket: Ticket | None = None) -> str:
        with self.database.snapshot() as session:
            mine = ContactCode.ticket_id == (ticket or self.ticket).id
            code = session.scalars(select(ContactCode.id).where(mine).order_by(ContactCode.id.desc())).first()
            return code_digits(SECRET, code or 0)

    def check(self, digits: str) -> Verdict:
        with self.database.transaction() as session:
            return contact_codes.check(session, secret=SECRET, ticket=self.ticket, digits=digits, at=self.at)[0]


@pytest.fixture
def page(database: Database) -> Page:
    return Page(database)


def test_the_right_code_proves_the_contact_once(page: Page) -> None:
    page.ask()
    assert page.check("x") is Verdict.WRONG
    assert page.check("４８") is Verdict.WRONG
    assert page.check(page.digits()) is Verdict.RIGHT
    assert page.check(page.digits()) is Verdict.DEAD


def test_a_code_is_dead_after_five_wrong_tries(page: Page) -> None:
    page.ask()
    right = page.digits()
    wrong = "000000" if right != "000000" else "000001"
    assert [page.check(wrong) for _ in range(6)] == [Verdict.WRONG] * 4 + [Verdict.DEAD] * 2
    assert page.check(right) is Verdict.DEAD


def test_a_code_is_dead_after_ten_minutes(page: Page) -> None:
    page.ask()
    page.at += timedelta(minutes=10)
    assert page.check(page.digits()) is Verdict.DEAD


def test_a_code_of_another_page_is_wrong_here(page: Page) -> None:
    with page.database.transaction() as session:
        other = take(session, 1)
    page.ask()
    page.ask("+819012345679", ticket=other)
    assert page.check(page.digits(other)) is Verdict.WRONG


def test_a_new_code_ends_the_old_one(page: Page) -> None:
    page.ask()
    old = page.digits()
    page.at += timedelta(minutes=1)
    page.ask()
    assert page.check(old) is Verdict.WRONG
    assert page.check(page.digits()) is Verdict.RIGHT


def test_one_number_is_sent_three_codes_in_ten_minutes_and_five_a_day(database: Database) -> None:
    pages = [Page(database)]
    with database.transaction() as session:
        more = [take(session, place) for place in range(1, 8)]
    page, sent = pages[0], 0
    for place, ticket in enumerate(more):
        page.at = NOON + timedelta(minutes=place)
        try:
            page.ask(ticket=ticket)
            sent += 1
        except TooMany:
            pass
    assert sent == 3
    for place, ticket in enumerate(more):
        page.at = NOON + timedelta(minutes=30 + 15 * place)
        try:
            page.ask(ticket=ticket)
            sent += 1
        except TooMany:
            pass
    assert sent == 5


def test_ninety_numbers_of_one_block_are_stopped(database: Database, page: Page) -> None:
    with database.transaction() as session:
        more = [take(session, place) for place in range(1, 92)]
    sent = 0
    for place, ticket in enumerate(more):
        page.at = NOON + timedelta(seconds=place)
        try:
            page.ask(f"+8190123400{place:02d}", ticket=ticket)
            sent += 1
        except TooMany:
            pass
    assert sent == 20


def test_the_yen_are_used_up_and_no_code_is_promised(database: Database, page: Page) -> None:
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"messages": {"yen_per_day": 11}}
    with pytest.raises(TooMany, match="message_limit"):
        page.ask()
    with database.snapshot() as session:
        assert session.scalars(select(Delivery)).all() == []


def test_a_contact_that_is_erased_takes_its_wish_along(database: Database) -> None:
    with database.transaction() as session:
        first = take(session, 0)
        wished(session, first)
        session.delete(session.scalars(select(Contact)).one())
        session.flush()
        session.expire_all()
        assert session.get_one(NoticeWish, first.id).contact_id is None
        open_counter(session)
        queue.call_next(session, counter_id="ward-1", actor="test", at=NOON)
    assert told(database) == []
    assert work(sender(database, clock=Clock(NOON))) == 0
