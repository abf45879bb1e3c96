"""A real server on a free port and a given database, for tests and benches that speak HTTP."""

import itertools
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import httpx

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"
# Below the ports that connections leave from (32768 and up on Linux), or somebody could be given the port of a server
# that is about to start anew. Each worker of a run goes through a stretch of its own.
_FIRST, _LAST, _STRETCH = 10_240, 32_240, 1_000
_RUN = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID") or os.getpid())
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.count(_STRETCH * (_RUN.randrange((_LAST - _FIRST) // _STRETCH) + _WORKER))


def free_port() -> int:
    """A port nobody listens at, and that was not given before in this process."""
    for number in _ports:
        with socket.socket() as found, suppress(OSError):
            found.bind(("127.0.0.1", _FIRST + number % (_LAST - _FIRST)))
            return int(found.getsockname()[1])
    raise AssertionError("unreachable: numbers do not end")


REAL = ("app.cli", "web")


def environment(database_url: str, port: int) -> dict[str, str]:
    """What a web process of this database and port is started with."""
    return os.environ | {
        "MADOGUCHI_DATABASE_URL": database_url, "MADOGUCHI_PORT": str(port), "MADOGUCHI_SECRET_KEY": SECRET,
        "MADOGUCHI_HOST": "127.0.0.1",
    }  # fmt: skip


def start(database_url: str, port: int, program: Sequence[str] = REAL) -> subprocess.Popen[bytes]:
    """The web process alone, in a session of its own so that it can be killed whole."""
    return subprocess.Popen(
        [sys.executable, "-m", *program], env=environment(database_url, port), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def wait_ready(port: int, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")


@contextmanager
def serving(database_url: str, program: Sequence[str] = REAL) -> Iterator[str]:
    """The address of a running server."""
    port = free_port()
    process = start(database_url, port, program)
    try:
        wait_ready(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)
