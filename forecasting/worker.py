"""The process in which forecasts are made: a request a line on standard input, an answer a line on standard output.

Prophet, pandas and scikit-learn are loaded here and nowhere else. It is started anew (never forked), holds itself to a
limit of memory, and gives way to everybody (nice). Kinds of request: ``tell`` (one method over rolling origins, for
the figures) and ``forecast`` (one line from end to end).
"""

import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from forecasting.series import NotEnough

NICE = 10
MEGABYTE = 1024 * 1024
_NO_ROOM = ("failed to map segment", "Cannot allocate memory", "Unable to allocate")


def _limit(megabytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * MEGABYTE, megabytes * MEGABYTE))
    os.nice(NICE)


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _peak_mb() -> float:
    """The largest this process or one it started has been."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024


def _tell(request: Mapping[str, Any]) -> dict[str, Any]:
    from forecasting import rolling
    from forecasting.task import Task

    lines, name = [Task.from_json(task).series() for task in request["tasks"]], request["method"]
    _warm(name)
    begun = _cpu_seconds()
    at = rolling.Plan(**request["plan"])
    found = rolling.tell_all(lines, request["offices"], name, at)
    return {
        "failed": found.failed, "naive": found.naive, "expected": [each.expected.tolist() for each in found.told],
        "cpu_seconds": (_cpu_seconds() - begun) / max(len(found.told) * len(lines), 1), "peak_mb": _peak_mb(),
    }  # fmt: skip


def _warm(name: str) -> None:
    """Import what a method needs: once for all series, so it is no part of the cost of one."""
    if name == "hybrid":
        import forecasting.prophet_model
    elif name in ("glm", "trees"):
        import forecasting.regression  # noqa: F401


def _forecast(request: Mapping[str, Any]) -> dict[str, Any]:
    from forecasting import line
    from forecasting.task import Task

    begun = _cpu_seconds()
    found = asdict(line.forecast(Task.from_json(request["task"])))
    return found | {"cpu_seconds": _cpu_seconds() - begun, "peak_mb": _peak_mb()}


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = MappingProxyType(
    {"tell": _tell, "forecast": _forecast}
)


def _is_memory(error: Exception) -> bool:
    """Whether the limit was reached: the interpreter and the loader have words of their own for it."""
    return isinstance(error, MemoryError | SystemError) or any(words in str(error) for words in _NO_ROOM)


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": _KINDS[request["kind"]](request)}
    except NotEnough:
        return {"error": "no_history"}
    except Exception as error:
        if _is_memory(error):
            return {"error": "memory"}
        # Whatever a library makes of odd numbers must not end the other lines; the trace is in the log.
        traceback.print_exc()
        return {"error": "defect"}


def main() -> None:
    """Answer until the input ends. The one argument: megabytes of address space."""
    _limit(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Libraries that print must not be taken for answers.
    os.dup2(2, 1)
    for request in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(request))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
