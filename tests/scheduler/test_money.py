"""The money sweeper: does what is due, waits out trouble, ends when told."""

import threading
from collections.abc import Callable

import pytest

from app.domain.errors import Unavailable
from scheduler import money
from scheduler.money import MoneySweeper


class Calls:
    """Stands where the provider's calls stand; counts what it is asked."""

    def __init__(self, step: Callable[[], bool]) -> None:
        self.step, self.over, self.ledgers = step, 0, list[float]()

    def look_over(self) -> int:
        self.over += 1
        return 0

    def reconcile(self, *, hours: float) -> int:
        self.ledgers.append(hours)
        return 0


def test_the_first_turn_goes_through_a_whole_day_of_the_ledger() -> None:
    calls = Calls(lambda: False)
    sweeper = MoneySweeper(calls)  # type: ignore[arg-type]
    assert [sweeper.step(), sweeper.step()] == [False, False]
    assert (calls.over, calls.ledgers) == (1, [money.WHOLE_LEDGER_HOURS])


@pytest.mark.parametrize("trouble", [Unavailable(retry_after=1), RuntimeError("a defect")])
def test_trouble_in_one_turn_does_not_end_the_sweeping(monkeypatch: pytest.MonkeyPatch, trouble: Exception) -> None:
    monkeypatch.setattr(money, "TROUBLE_SECONDS", 0.0)
    stop, turns = threading.Event(), list[int]()

    def step() -> bool:
        turns.append(1)
        if len(turns) == 1:
            raise trouble
        stop.set()
        return True

    MoneySweeper(Calls(step)).run(stop)  # type: ignore[arg-type]
    assert len(turns) == 2
