"""Eight clients: four give numbers, four call and serve them, until told to stop."""

import random
import threading
from collections.abc import Callable

from tests.faults.client import History, Operation, Talker

SERVICES = (["juminhyo"], ["inkan_cert"], ["juminhyo", "inkan_cert"])


class Load:
    """The threads of one campaign; ``problems``: whatever a client could not explain."""

    def __init__(self, port: int, kiosk: str, lead: str, counters: list[str], *, seed: int) -> None:
        self.history, self.problems = History(), list[str]()
        self._stop, self._seed = threading.Event(), seed
        self._threads = [self._thread(self._issue, port, kiosk, str(number)) for number in range(4)]
        self._threads += [self._thread(self._serve, port, lead, counter) for counter in counters]

    def _thread(self, work: Callable[[Talker, random.Random, str], None], port: int, token: str, name: str
                ) -> threading.Thread:  # fmt: skip
        def run() -> None:
            talker, dice = Talker(port, token, self.history), random.Random(f"{self._seed}.{work.__name__}.{name}")
            try:
                while not self._stop.is_set():
                    work(talker, dice, name)
            except Exception as error:  # told at the end, with the figures
                self.problems.append(f"{work.__name__} {name}: {error!r}")
            finally:
                talker.hang_up()

        return threading.Thread(target=run, daemon=True)

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Every client finishes what it began."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=180)
            if thread.is_alive():
                self.problems.append("a client did not end")

    def _issue(self, talker: Talker, dice: random.Random, _name: str) -> None:
        done = talker.settle("issue", "/offices/ward/tickets", {"services": dice.choice(SERVICES)})
        self._expect(done, {200, 201})
        self._stop.wait(dice.uniform(0.0, 0.05))

    def _serve(self, talker: Talker, dice: random.Random, counter: str) -> None:
        called = talker.settle("call", f"/counters/{counter}/call-next")
        self._expect(called, {200, 204})
        if called.status != 200:
            self._stop.wait(0.05)
            return
        step = called.answer["step"]["id"]
        for action in dice.choice((("start", "finish"), ("recall", "miss"), ("start", "park"), ("miss",))):
            self._expect(talker.settle("act", f"/steps/{step}/{action}"), {200})

    def _expect(self, done: Operation, statuses: set[int]) -> None:
        if done.status not in statuses:
            self.problems.append(f"{done.kind} {done.path}: {done.status} after {done.outcomes[-4:]}")
