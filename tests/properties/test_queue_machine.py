"""The queue as a state machine on real files and a real server, with the invariants after every step.

Invariants: one party at a counter, one counter for a party, gapless seq, unique numbers, only moves of the
table, the next call is the smallest (due, arrival, number) among those that may be called, and a screen shows
exactly a fresh board, also after its line was cut or a push was lost.
"""

import itertools
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, func, select, update

from app.db.session import Database
from app.domain.errors import DomainError
from app.domain.ticket import AT_COUNTER, TABLE, Action, State
from app.models.forecast import WaitSample
from app.models.place import Counter, Office
from app.models.ticket import Event, NumberLine, RequestKey, Step, Ticket
from app.services import board, counters, day, queue, tickets
from app.services.snapshots import Snapshots
from displays.relay import Relay
from displays.watchers import Watcher, Watchers

START = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
SERVICES = ("juminhyo", "inkan_cert", "tenkyo", "mnc_pin", "tennyu")
CATEGORIES = ("ward-certificates", "ward-moving")
SECRET = b"a secret for tests only"


ROOM = "board|ward|"


class Glass:
    """A screen that follows as app/static/js/live.js does: the newest wins, a beat ahead of it joins again."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.kept, self.clock = Snapshots(database), clock
        watchers = Watchers()
        watcher = Watcher(sid="glass", namespace="/live", who=None, recheck=None)
        watchers.add(watcher)
        watchers.join(watcher, ROOM)
        self.relay = Relay(database, self.kept, watchers, self.receive, lambda sid, namespace: None, clock)
        self.shown: dict[str, Any] = {"seq": -1}
        self.cut, self.losing, self.seconds = False, False, 0.0

    def receive(self, namespace: str, event: str, body: bytes, room: str) -> None:
        if self.cut:
            return
        said = orjson.loads(body)
        if event == "beat":
            if said["seq"] > self.shown["seq"]:
                self.join()
        elif self.losing:
            self.losing = False
        elif said["seq"] >= self.shown["seq"]:
            self.shown = said

    def join(self) -> None:
        self.cut = False
        self.shown = orjson.loads(self.kept.read("board", "ward", at=self.clock()).body)

    def round(self) -> None:
        """One round of the relay, late enough for a beat."""
        self.seconds += 10
        self.relay.round(self.seconds)


class Hall(RuleBasedStateMachine):
    """A hall with three counters of one line each way; the database is the only memory."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.database = Database(self.url)
        self.at, self.serials = START, itertools.count()
        self.places: list[str] = []
        self.glass = Glass(self.database, lambda: self.at)

    @initialize()
    def empty(self) -> None:
        with self.database.transaction() as session:
            for table in (Event, RequestKey, WaitSample, Step, Ticket, NumberLine):
                session.execute(delete(table))
            session.execute(update(Office).values(seq=0))
            session.execute(update(Counter).values(state="closed", lines=[]))
            self.places = list(session.scalars(select(Counter.id).where(Counter.office_id == "ward").limit(3)))
        for place in self.places:
            with self.database.transaction() as session:
                counters.open_counter(session, counter_id=place, actor="test", at=self.at, categories=list(CATEGORIES))

    def attempt(self, work: Any) -> Any:
        """Do something that may be refused; a refusal must change nothing (the invariants look)."""
        self.at += timedelta(seconds=7)
        try:
            with self.database.transaction() as session:
                return work(session)
        except DomainError:
            return None

    @rule(services=st.lists(st.sampled_from(SERVICES), min_size=1, max_size=3, unique=True), priority=st.booleans())
    def issue(self, services: list[str], priority: bool) -> None:
        wish = tickets.Wish(services=services, channel="kiosk", priority=priority)
        seed = f"seed-{next(self.serials)}-{id(self)}"
        self.attempt(
            lambda session: tickets.issue(
                session, office_id="ward", wish=wish, seed=seed, secret=SECRET, actor="test", at=self.at
            )
        )

    @rule(place=st.integers(0, 2))
    def call_next(self, place: int) -> None:
        with self.database.snapshot() as session:
            expected = self._first(session)
            free = self._free(session, self.places[place])
        called = self.attempt(
            lambda session: queue.call_next(session, counter_id=self.places[place], actor="test", at=self.at)
        )
        if free:
            assert (called[0].id if called else None) == expected

    def _free(self, session: Any, place: str) -> bool:
        held = select(func.count()).where(Step.counter_id == place, Step.state.in_(AT_COUNTER))
        return session.scalar(held) == 0

    def _first(self, session: Any) -> int | None:
        """The rule once more, by brute force: everybody who waits, whose party is not at a counter."""
        steps = session.scalars(select(Step)).all()
        busy = {step.ticket_id for step in steps if step.state in AT_COUNTER}
        waiting = [
            s for s in steps if s.state == State.WAITING and s.category_id in CATEGORIES and s.ticket_id not in busy
        ]
        first = min(waiting, key=lambda s: (s.due_at, s.arrived_at, s.serial, s.id), default=None)
        return first.id if first else None

    @rule(place=st.integers(0, 2), number=st.integers(1, 12), letter=st.sampled_from("AB"))
    def call_number(self, place: int, number: int, letter: str) -> None:
        self.attempt(
            lambda session: queue.call_number(
                session, counter_id=self.places[place], number=f"{letter}{number:03d}", actor="test", at=self.at
            )
        )

    @rule(pick=st.integers(0, 40), action=st.sampled_from([a for a in Action if a is not Action.CALL]),
          service=st.sampled_from(SERVICES))  # fmt: skip
    def act(self, pick: int, action: Action, service: str) -> None:
        with self.database.snapshot() as session:
            ids = session.scalars(select(Step.id).order_by(Step.id)).all()
        if ids:
            self.attempt(
                lambda session: queue.act(
                    session, step_id=ids[pick % len(ids)], action=action, actor="test", at=self.at, service_id=service
                )
            )

    @rule(pick=st.integers(0, 40))
    def cancel(self, pick: int) -> None:
        def work(session: Any) -> None:
            found = session.scalars(select(Ticket).order_by(Ticket.id)).all()
            if found:
                queue.cancel_ticket(session, ticket=found[pick % len(found)], actor="test", at=self.at)

        self.attempt(work)

    @rule()
    def time_passes(self) -> None:
        self.at += timedelta(minutes=11)

    @rule()
    def restart(self) -> None:
        self.database.dispose()
        self.database = Database(self.url)

    @precondition(lambda self: self.at > START + timedelta(minutes=30))
    @rule()
    def close_of_day(self) -> None:
        self.attempt(lambda session: day.close(session, "ward", START.date(), at=self.at))
        with self.database.snapshot() as session:
            left = session.scalar(select(func.count()).where(Step.state.not_in(("done", "cancelled"))))
            assert left == 0
        for place in self.places:
            self.attempt(
                lambda session, place=place: counters.open_counter(
                    session, counter_id=place, actor="test", at=self.at, categories=list(CATEGORIES)
                )
            )

    @rule()
    def the_line_is_cut(self) -> None:
        self.glass.cut = True

    @rule()
    def a_push_is_lost_without_a_word(self) -> None:
        self.glass.losing = True

    @rule()
    def the_glass_comes_back(self) -> None:
        self.glass.join()

    @invariant()
    def the_glass_shows_what_is_true(self) -> None:
        if not self.places:
            return
        self.glass.round()
        if self.glass.cut:
            return
        with self.database.snapshot() as session:
            fresh = board.lean(board.read(session, office_id="ward", at=self.at))
        assert self.glass.shown == orjson.loads(orjson.dumps(fresh))

    @invariant()
    def promises_hold(self) -> None:
        if not self.places:
            return
        with self.database.snapshot() as session:
            steps = session.scalars(select(Step)).all()
            events = session.scalars(select(Event).where(Event.office_id == "ward").order_by(Event.seq)).all()
            office = session.get_one(Office, "ward")
            seen = board.read(session, office_id="ward", at=self.at)
            numbers = session.scalars(select(Ticket.number)).all()
        busy = [step for step in steps if step.state in AT_COUNTER]
        assert len({step.counter_id for step in busy}) == len(busy)
        assert len({step.ticket_id for step in busy}) == len(busy)
        assert [event.seq for event in events] == list(range(1, office.seq + 1))
        assert len(set(numbers)) == len(numbers)
        for event in events:
            if event.before is not None:
                assert TABLE[State(event.before), Action(event.action)] == event.after
        assert seen["seq"] == office.seq
        shown = sorted(number for line in seen["waiting"].values() for number, _, _ in line)
        assert len(shown) == sum(step.state == State.WAITING for step in steps)

    def teardown(self) -> None:
        self.database.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_hall_keeps_its_promises(kind: str, request: pytest.FixtureRequest) -> None:
    with tempfile.TemporaryDirectory() as directory:
        if kind == "sqlite":
            file = Path(directory) / "machine.db"
            shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
            url = f"sqlite:///{file}"
        else:
            url = request.getfixturevalue("fresh_postgres")
        machine = type("OnThis", (Hall,), {"url": url})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=25, stateful_step_count=35, deadline=None, derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
