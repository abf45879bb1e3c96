"""The checker of logs: a good log says nothing, and each broken rule is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.history import Entry, violations

NINE = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
LINES = {"c1": frozenset({"a"}), "c2": frozenset({"a"})}


def place(due: int, serial: int) -> dict[str, object]:
    return {
        "due": f"2026-04-01T00:{due:02d}:00+00:00", "arrived": f"2026-04-01T00:{serial:02d}:00+00:00",
        "serial": serial, "category": "a", "eligible": "2026-04-01T00:00:00+00:00",
    }  # fmt: skip


def entry(seq: int, action: str, step: int, before: str, after: str, **more: Any) -> Entry:
    values: dict[str, Any] = {"counter": None, "reason": None, "place": {}, "ticket": step} | more
    return Entry(
        seq=seq, at=NINE + timedelta(minutes=seq), action=action, step=step, before=before, after=after, **values
    )


def waits(seq: int, step: int) -> Entry:
    return entry(seq, "ready", step, "pending", "waiting", place=place(30 + step, step))


def called(seq: int, step: int, counter: str = "c1", **more: Any) -> Entry:
    return entry(seq, "call", step, "waiting", "called", counter=counter, **({"reason": "earliest"} | more))


GOOD = [
    waits(1, 1), waits(2, 2), called(3, 1), called(4, 2, "c2"), entry(5, "start", 1, "called", "serving", counter="c1"),
    entry(6, "finish", 1, "serving", "done", counter="c1"), entry(7, "miss", 2, "called", "missed"),
    entry(8, "rejoin", 2, "missed", "waiting", place=place(40, 2)), called(9, 2),
    entry(10, "uncall", 2, "called", "waiting", place=place(40, 2)),
    entry(11, "cancel", 2, "waiting", "cancelled"),
]  # fmt: skip


def test_a_good_log_says_nothing() -> None:
    assert violations(GOOD, lines=LINES) == []
    assert violations([], lines=LINES) == []


def test_events_of_counters_are_not_steps() -> None:
    opened = Entry(seq=1, at=NINE, action="open", step=None, ticket=None, counter="c1", before=None, after=None,
                   reason=None, place={})  # fmt: skip
    assert violations([opened, waits(2, 1)], lines=LINES) == []


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ([waits(1, 1), waits(3, 2)], "seq 3 follows 1"),
        ([waits(1, 1), waits(1, 2)], "seq 1 follows 1"),
        ([waits(1, 1), waits(2, 1)], "step 1 was waiting, not pending"),
        ([waits(1, 1), entry(2, "finish", 1, "waiting", "done")], "waiting -finish-> done is not in the table"),
        ([waits(1, 1), waits(2, 2), called(3, 1), called(4, 2)], "counter c1 already holds a party"),
        ([waits(1, 1), waits(2, 2), called(3, 1), called(4, 2, "c2", ticket=1)], "ticket 1 is at another counter"),
        ([waits(1, 1), waits(2, 2), called(3, 2)], "step 2 was called past place"),
    ],
)
def test_a_broken_rule_is_named(log: list[Entry], said: str) -> None:
    assert any(said in each for each in violations(log, lines=LINES))


@pytest.mark.parametrize("reason", ["picked", "secondary", "early"])
def test_a_call_out_of_turn_with_its_reason_is_none(reason: str) -> None:
    assert violations([waits(1, 1), waits(2, 2), called(3, 2, reason=reason)], lines=LINES) == []


def test_a_place_is_passed_only_in_a_line_that_the_counter_serves() -> None:
    assert violations([waits(1, 1), waits(2, 2), called(3, 2)], lines={"c1": frozenset({"b"})}) == []


def test_somebody_who_may_not_be_called_yet_is_not_passed() -> None:
    early = waits(1, 1)
    later = early.place | {"eligible": "2026-04-01T08:00:00+00:00"}  # type: ignore[operator]
    log = [entry(1, "ready", 1, "pending", "waiting", place=later), waits(2, 2), called(3, 2)]
    assert violations(log, lines=LINES) == []
