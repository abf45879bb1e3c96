"""Web processes for the browser tests, each forked from one that has imported the application already.

Importing takes five seconds of a core, and a hall is started for nearly every test. What is forked is gunicorn with
the arguments and the environment of ``madoguchi web``: the same arbiter and worker, the same signals, a session of its
own. What must be a process from its first instruction (kill campaigns, benches) is started by ``hall_server``.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from functools import cache

from tests import moved_clock


class Born:
    """A process of the nursery, with what tests ask of a ``subprocess.Popen``."""

    def __init__(self, pid: int) -> None:
        self.pid, self._ended = pid, os.pidfd_open(pid)

    def terminate(self) -> None:
        signal.pidfd_send_signal(self._ended, signal.SIGTERM)

    def kill(self) -> None:
        signal.pidfd_send_signal(self._ended, signal.SIGKILL)

    def wait(self, timeout: float) -> None:
        """Until it ended; raises TimeoutError after ``timeout`` seconds."""
        if not select.select([self._ended], [], [], timeout)[0]:
            raise TimeoutError(f"process {self.pid} goes on")


@cache
def _nursery(_: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "tests.nursery"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            text=True, start_new_session=True)  # fmt: skip


def born(environment: dict[str, str]) -> Born:
    """A new web process with ``environment``."""
    nursery = _nursery(os.getpid())
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(json.dumps(environment) + "\n")
    nursery.stdin.flush()
    return Born(int(nursery.stdout.readline()))


def _live(environment: dict[str, str]) -> None:
    """Become ``madoguchi web``; does not return."""
    from config import settings

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)

    from gunicorn.app.wsgiapp import run

    from app.commands.serve import web_command

    if moved_clock.VARIABLE in environment:
        moved_clock.move()

    sys.argv = web_command(settings.load())[2:]
    run()


def _wait_for_orders() -> None:
    from gevent import monkey

    monkey.patch_all()
    import app.factory  # noqa: F401 - what every child would import by itself

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children here
    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            try:
                _live(json.loads(line))
            finally:
                os._exit(1)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _wait_for_orders()
