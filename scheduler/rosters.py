"""Starts a process for each roster that is asked for, within a second; OR-tools is loaded there and nowhere else.

A look beside the jobs, like the sender's: a claim is one process's, so several schedulers may look at once.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from app.db.session import Database
from app.domain.errors import DomainError
from app.models.staffing import RosterSearch
from app.services import roster_searches

log = logging.getLogger(__name__)
IDLE_SECONDS = 1.0
TROUBLE_SECONDS = 5.0
# A search uses the cores it finds; more at once would only share them.
MOST_AT_ONCE = 2
_NICE = 10

Start = Callable[[RosterSearch, str], "subprocess.Popen[bytes]"]


def command(search: RosterSearch) -> list[str]:
    """What makes the roster of a claimed search."""
    return [
        sys.executable, "-m", "app.cli", "roster", "solve", "--office", search.office_id, "--date",
        search.day.isoformat(), "--seconds", str(search.seconds), "--search", search.token,
    ]  # fmt: skip


def process(search: RosterSearch, url: str) -> "subprocess.Popen[bytes]":
    """The process of a claimed search on the database at ``url``; it gives way to everybody."""
    kindly = ["nice", "-n", str(_NICE), *command(search)]
    environment = os.environ | {"MADOGUCHI_DATABASE_URL": url}
    return subprocess.Popen(kindly, env=environment)  # noqa: S603 - our own command


@dataclass(frozen=True, slots=True)
class Running:
    """A process and the search it was started for."""

    process: "subprocess.Popen[bytes]"
    search: RosterSearch


class Looker:
    """Claims and starts; knows what it has started."""

    def __init__(self, database: Database, start: Start = process) -> None:
        self.database, self.start = database, start
        self.running: list[Running] = []

    def look(self, at: datetime) -> bool:
        """Start one search that was asked for; False when there was none or enough run."""
        self._tidy(at)
        if len(self.running) >= MOST_AT_ONCE:
            return False
        with self.database.snapshot() as session:
            if not roster_searches.waiting(session, at=at):
                return False
        with self.database.transaction() as session:
            search = roster_searches.claim(session, at=at)
            if search is not None:
                session.expunge(search)
        if search is None:
            return False
        url = self.database.engine.url.render_as_string(hide_password=False)
        self.running.append(Running(self.start(search, url), search))
        return True

    def _tidy(self, at: datetime) -> None:
        """Let go of what has ended; one that ended badly could not say so itself."""
        for each in [each for each in self.running if each.process.poll() is not None]:
            self.running.remove(each)
            if each.process.returncode:
                with self.database.transaction() as session:
                    roster_searches.end(
                        session, office_id=each.search.office_id, day=each.search.day, token=each.search.token,
                        error="defect", at=at,
                    )  # fmt: skip

    def run(self, stop: threading.Event) -> None:
        """Until stopped; a database away for a while is waited out."""
        while not stop.is_set():
            try:
                found = self.look(datetime.now(UTC))
            except (DomainError, SQLAlchemyError, OSError):
                log.exception("rosters could not be looked after")
                stop.wait(TROUBLE_SECONDS)
                continue
            if not found:
                stop.wait(IDLE_SECONDS)


def start(database: Database, stop: threading.Event) -> None:
    """Look on a thread of this process; it ends with ``stop``."""
    threading.Thread(target=Looker(database).run, args=(stop,), name="rosters", daemon=True).start()
