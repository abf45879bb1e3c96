"""A real server on a free port and a given database, for tests and benches that speak HTTP."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx

SECRET = "kq8Zr2Wv7Yt3Nx9Lm4Bp6Hd1Jf5Gs0Ac"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


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


def wait_ready(port: int, seconds: float = 40) -> None:
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
