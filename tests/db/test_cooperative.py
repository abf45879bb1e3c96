"""A connection that waits through the loop: others work meanwhile, and what goes wrong is said, not waited for."""

from collections.abc import Iterator

import gevent
import psycopg
import pytest

from app.db.cooperative import CooperativeConnection, wanted


@pytest.fixture
def connection(fresh_empty_postgres: str) -> Iterator[CooperativeConnection]:
    opened = CooperativeConnection.connect(fresh_empty_postgres, autocommit=True)
    yield opened
    opened.close()


def test_others_work_while_one_waits(connection: CooperativeConnection) -> None:
    steps: list[str] = []

    def ask() -> None:
        steps.append("asked")
        connection.execute("SELECT pg_sleep(1)")
        steps.append("answered")

    def tick() -> None:
        gevent.sleep(0.01)
        steps.append("worked")

    gevent.joinall([gevent.spawn(ask), gevent.spawn(tick)], raise_error=True)
    assert steps == ["asked", "worked", "answered"]


def test_large_questions_and_answers_go_through(connection: CooperativeConnection) -> None:
    text = "窓口" * 2_000_000
    assert connection.execute("SELECT %s::text", (text,)).fetchone() == (text,)


def test_a_refusal_leaves_the_connection_good(connection: CooperativeConnection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        connection.execute("SELECT 1/0")
    assert connection.execute("SELECT 2").fetchone() == (2,)


def test_a_server_that_ends_it_is_an_error_and_no_endless_wait(
    connection: CooperativeConnection, fresh_empty_postgres: str
) -> None:
    def end() -> None:
        gevent.sleep(0.05)
        with psycopg.connect(fresh_empty_postgres, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))

    ending = gevent.spawn(end)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT pg_sleep(30)")
    ending.get()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_one_that_is_closed_says_so(connection: CooperativeConnection) -> None:
    connection.execute("SELECT 1")
    connection.close()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_a_connection_may_come_to_another_thread(connection: CooperativeConnection) -> None:
    """Work off the loop (passwords, PDFs) may hold a connection the loop has used; each thread has a loop."""
    connection.execute("SELECT 1")
    assert gevent.get_hub().threadpool.apply(lambda: connection.execute("SELECT 2").fetchone()) == (2,)
    assert connection.execute("SELECT 3").fetchone() == (3,)


def test_only_a_process_of_greenlets_wants_it() -> None:
    assert not wanted()
