"""Places where a test may end this process as a power cut would: ``MADOGUCHI_FAILPOINT=send.claimed`` (or ``…:7``).

Never in production: an installation with a public https address refuses to start with one set (config/settings.py).
"""

import os
import signal
from itertools import count

NAME = "MADOGUCHI_FAILPOINT"
_passed = count(1)
_asked = os.environ.get(NAME)


def arm(point: str) -> None:
    """Ask for a place from now on: a test that has to come near it first."""
    global _asked  # noqa: PLW0603 - one of this process, as the environment is
    _asked = point


def fail_at(point: str) -> None:
    """End the process here, at once and without tidying up, if this place was asked for.

    A number after a colon says at which passing; without one it is the first.
    """
    if _asked is None:
        return
    place, _, passing = _asked.partition(":")
    if place == point and next(_passed) >= int(passing or "1"):
        os.kill(os.getpid(), signal.SIGKILL)
