"""Starting and asking the worker (forecasting/worker.py): exec, never fork; a time-out ends it, whatever it is at."""

import json
import os
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, Self

MEMORY_MB = 3072
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
_CHUNK = 1 << 16


class Failed(Exception):
    """The worker gave no forecast; ``code``: timeout, memory, no_history, defect."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Worker:
    """One worker process, started when first asked and again after one that was ended."""

    def __init__(self, *, memory_mb: int = MEMORY_MB) -> None:
        self.memory_mb = memory_mb
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def ask(self, request: dict[str, Any], *, timeout: float) -> dict[str, Any]:
        """The answer to a request. Raises Failed; a worker that was too slow, or died, is ended."""
        process = self._started()
        if process.stdin is None or process.stdout is None:
            raise Failed("defect")
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            line = _line(process.stdout.fileno(), time.monotonic() + timeout)
        except (TimeoutError, BrokenPipeError, EOFError) as error:
            self.end()
            raise Failed("timeout" if isinstance(error, TimeoutError) else "memory") from None
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise Failed(found["error"])
        answer: dict[str, Any] = found["answer"]
        return answer

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "forecasting.worker", str(self.memory_mb)], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, env=os.environ | _ONE_THREAD, start_new_session=True,
            )  # fmt: skip
        return self._process

    def end(self) -> None:
        """End the process, if there is one, and what it started."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.wait()


def _line(pipe: int, deadline: float) -> bytes:
    """One line from a pipe; raises TimeoutError, EOFError."""
    found = b""
    while not found.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            raise TimeoutError
        chunk = os.read(pipe, _CHUNK)
        if not chunk:
            raise EOFError
        found += chunk
    return found
