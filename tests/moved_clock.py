"""The web process of a morning that is over: its clock stands ``MOVED_BY`` seconds beside the machine's.

``hall_server.serving(url, ("tests.moved_clock",))``, or a nursery's process whose environment has ``MOVED_BY``. The
clock runs; only where it stands is ours.
"""

import os
import sys
from datetime import datetime, timedelta, tzinfo

VARIABLE = "MOVED_BY"


class Moved(datetime):
    """``datetime`` with another now."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Moved":
        return super().now(tz) + timedelta(seconds=float(os.environ[VARIABLE]))


def move() -> None:
    """Move the clock of this process; ``app.factory`` is imported already."""
    from app.web import security
    from displays import relay

    for looked_at in (security, relay):
        setattr(looked_at, "datetime", Moved)  # noqa: B010


def main() -> None:
    """Become ``madoguchi web`` with the moved clock."""
    from gevent import monkey

    monkey.patch_all()
    import app.factory  # noqa: F401 - every module that looks at the clock
    from app.commands.serve import web_command
    from config import settings

    move()
    from gunicorn.app.wsgiapp import run

    sys.argv = web_command(settings.load())[2:]
    run()


if __name__ == "__main__":
    main()
