"""Real scheduler processes, ended with the test."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scheduler.tasks import forecasts

ROOT = Path(__file__).parents[2]
Spawn = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(autouse=True)
def nights(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """``(office, token)`` of the nights that would have been started: no sweep of a test leaves a process behind."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(forecasts, "start", lambda office, token, _url: found.append((office, token)))
    return found


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """spawn("race", url, zone="UTC") starts tests/scheduler/worker.py."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, zone: str = "") -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.scheduler.worker", *arguments], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | ({"TZ": zone} if zone else {}),
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
