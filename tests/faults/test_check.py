"""The checker of the campaigns finds what it is for: each promise broken on purpose, and only that one told."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.roles import Role
from app.services import access
from tests.faults import check
from tests.faults.client import Operation
from tests.policy import city


@pytest.fixture
def history(database: Database) -> list[Operation]:
    """Three numbers, one of them called and missed, as a client saw it."""
    client, token = city.application(database).test_client(), secrets.token_urlsafe(24)
    with database.transaction() as session:
        access.issue_token(session, token=token, role=Role.FLOOR_LEAD, municipality_id="aonami", office_id="ward",
                           at=datetime.now(UTC))  # fmt: skip
    done: list[Operation] = []

    def ask(kind: str, path: str, body: dict[str, object]) -> Operation:
        operation = Operation(secrets.token_hex(8), kind, path, body)
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": operation.key}
        answer = client.post(f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code < 300, answer.data
        operation.status, operation.answer = answer.status_code, answer.get_json()
        operation.outcomes.append("ok")
        done.append(operation)
        return operation

    for _ in range(3):
        ask("issue", "/offices/ward/tickets", {"services": ["juminhyo"]})
    ask("open", "/counters/ward-2/open", {"categories": ["ward-certificates"]})
    called = ask("call", "/counters/ward-2/call-next", {})
    ask("act", f"/steps/{called.answer['step']['id']}/miss", {})
    return done


def broken(session: Session, history: list[Operation]) -> set[str]:
    return {name for name, found in check.violations(session, history).items() if found}


def test_a_whole_history_breaks_nothing(database: Database, history: list[Operation]) -> None:
    with database.snapshot() as session:
        assert broken(session, history) == set()


def _of(session: Session, statement: str, **values: object) -> None:
    session.execute(text(statement), values)


def _a_ticket_is_gone(session: Session, history: list[Operation]) -> None:
    ticket = history[2].answer["id"]
    _of(session, "DELETE FROM wait_sample WHERE step_id IN (SELECT id FROM step WHERE ticket_id = :t)", t=ticket)
    _of(session, "DELETE FROM event WHERE ticket_id = :t", t=ticket)
    _of(session, "DELETE FROM step WHERE ticket_id = :t", t=ticket)
    _of(session, "DELETE FROM ticket WHERE id = :t", t=ticket)


def _a_ticket_has_another_number(session: Session, history: list[Operation]) -> None:
    _of(session, "UPDATE ticket SET number = 'A777' WHERE id = :t", t=history[1].answer["id"])


def _nobody_asked_for_a_ticket(session: Session, history: list[Operation]) -> None:
    _of(session, "UPDATE event SET request_key = 'nobody' WHERE ticket_id = :t", t=history[1].answer["id"])


def _a_key_has_two_tickets(session: Session, history: list[Operation]) -> None:
    _of(session, "UPDATE event SET request_key = :k WHERE request_key = :other", k=history[0].key, other=history[1].key)


def _a_call_is_gone(session: Session, history: list[Operation]) -> None:
    _of(session, "DELETE FROM event WHERE request_key = :k", k=history[4].key)


def _two_clients_got_one_call(session: Session, history: list[Operation]) -> None:
    again = Operation(history[4].key, "call", history[4].path, {}, ["ok"], 200, history[4].answer)
    history.append(again)


def _an_act_is_gone(session: Session, history: list[Operation]) -> None:
    _of(session, "UPDATE event SET request_key = NULL WHERE request_key = :k", k=history[5].key)


def _the_sequence_has_a_hole(session: Session, history: list[Operation]) -> None:
    _of(session, "UPDATE office SET seq = seq + 1 WHERE id = 'ward'")


@pytest.mark.parametrize(
    ("mischief", "promises"),
    [
        (_a_ticket_is_gone, {"lost_tickets", "seq_gaps", "rules"}),
        (_a_ticket_has_another_number, {"lost_tickets"}),
        (_nobody_asked_for_a_ticket, {"lost_tickets", "phantom_tickets"}),
        (_a_key_has_two_tickets, {"lost_tickets", "two_tickets_for_a_key"}),
        (_a_call_is_gone, {"lost_calls", "seq_gaps", "rules"}),
        (_two_clients_got_one_call, {"a_call_acknowledged_twice"}),
        (_an_act_is_gone, {"lost_acts"}),
        (_the_sequence_has_a_hole, {"seq_gaps"}),
    ],
)  # fmt: skip
def test_a_broken_promise_is_named(
    database: Database, history: list[Operation], mischief: Callable[[Session, list[Operation]], None],
    promises: set[str],
) -> None:  # fmt: skip
    with database.transaction() as session:
        mischief(session, history)
    with database.snapshot() as session:
        assert broken(session, history) == promises
