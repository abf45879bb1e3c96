"""The negative control of the rush at slots: the same server without the guard on places, which must overbook.

``python -m tests.faults.unguarded`` serves it as ``python -m app.cli web`` serves the real one. It lives here so that
no installation can be told to do this.
"""

import os
import sys

MODULE = "tests.faults.unguarded"


def main() -> None:
    """gunicorn, as app/commands/serve.py starts it, with the application below."""
    command = [
        sys.executable, "-m", "gunicorn", f"{MODULE}:application", "--workers", "1", "--worker-class",
        "geventwebsocket.gunicorn.workers.GeventWebSocketWorker", "--bind",
        f"{os.environ['MADOGUCHI_HOST']}:{os.environ['MADOGUCHI_PORT']}", "--log-level", "warning",
    ]  # fmt: skip
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
else:
    from gevent import monkey

    monkey.patch_all()

    from collections.abc import Iterator
    from contextlib import contextmanager

    from sqlalchemy.orm import Session

    from app.db.session import Database
    from app.wsgi import application  # noqa: F401 - what gunicorn loads

    guarded = Database.transaction

    @contextmanager
    def without_the_guard(database: Database) -> Iterator[Session]:
        """What services/places.py asks for before it takes a place."""
        with guarded(database) as session:
            session.info["unguarded"] = True
            yield session

    Database.transaction = without_the_guard  # type: ignore[method-assign]
