"""The sender: takes messages from the outbox one by one, hands them over, and asks about those in doubt.

Several may run at once; a claimed row is one sender's. No transaction is open while it speaks to a provider. It
runs beside the jobs and needs no lease: every step of it is safe to do twice.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from app.channels.base import Traced
from app.channels.registry import ways
from app.db.sealed import Sealer
from app.db.session import Database
from app.domain.delivery import Channel
from app.domain.errors import DomainError
from app.services import contacts, notices, outbox, receipts, sending
from app.services.sending import Outfit
from config.failpoints import fail_at
from config.settings import Settings

log = logging.getLogger(__name__)
IDLE_SECONDS = 0.5
# Time goes on in a line that stands still: "about ten minutes" comes true without a call.
LOOK_SECONDS = 20.0
# Senders beside each other in one process: a slow provider holds up one message, not all.
THREADS = 3
# After a failure of our own (a database away), not in every turn of the loop.
TROUBLE_SECONDS = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


class Sender:
    """One sender: the database, what it sends with, and the clock it reads."""

    def __init__(self, database: Database, outfit: Outfit, *, clock: Callable[[], datetime] = _now) -> None:
        self.database, self.outfit, self.clock = database, outfit, clock
        self._positions: dict[str, int] = {}
        self._looked = 0.0

    def step(self) -> bool:
        """One message settled, sent or asked about; False when there was nothing to do.

        What is in doubt comes first: behind a long queue it would wait for its end as long as the queue is.
        """
        return self.settle_one() or self.send_one() or self.ask_one()

    def send_one(self) -> bool:
        """Claim, commit, send, mark."""
        fail_at("send.before_claim")
        with self.database.transaction() as session:
            claimed = sending.claim(session, self.outfit, at=self.clock())
        if claimed is None:
            return False
        fail_at("send.claimed")
        outcome = claimed.channel.send(claimed.message)
        fail_at("send.accepted")
        with self.database.transaction() as session:
            if not sending.mark(session, claimed, outcome, at=self.clock()):
                log.warning("message %s was settled by another", claimed.id)
        fail_at("send.marked")
        return True

    def settle_one(self) -> bool:
        """Ask about a message in doubt before it is ever sent again."""
        with self.database.transaction() as session:
            claimed = sending.claim_doubtful(session, self.outfit, at=self.clock())
        if claimed is None:
            return False
        answer = None
        if isinstance(claimed.channel, Traced):
            with self.database.snapshot() as session:
                known = sending.known_ids(session, claimed.id)
            answer = claimed.channel.look_up(claimed.message, until=self.clock(), known=known)
        with self.database.transaction() as session:
            sending.settle(session, claimed, answer, at=self.clock())
        return True

    def ask_one(self) -> bool:
        """Ask about a message that was taken and never reported on."""
        with self.database.transaction() as session:
            row = receipts.without(session, at=self.clock())
            asked = (row.id, row.channel, row.provider_id) if row is not None else None
        if asked is None:
            return False
        number, name, provider_id = asked
        channel = self.outfit.ways.channels.get(Channel(name))
        if isinstance(channel, Traced) and provider_id:
            answer = channel.ask(provider_id)
            with self.database.transaction() as session:
                receipts.asked(session, number, answer, at=self.clock())
        return True

    def tidy(self) -> int:
        """End what came to its time without having left."""
        with self.database.transaction() as session:
            return outbox.expire(session, at=self.clock())

    def look_at_lines(self) -> int:
        """Tell whose turn is near, if any line has moved since the last look; returns how many."""
        with self.database.snapshot() as session:
            positions = notices.log_positions(session)
            still = positions == self._positions and time.monotonic() - self._looked < LOOK_SECONDS
            due = [] if still else notices.due(session, at=self.clock())
        told = 0
        for step in due:
            with self.database.transaction() as session:
                told += notices.tell_soon(session, step, at=self.clock())
        if not still:
            self._positions, self._looked = positions, time.monotonic()
        return told

    def run(self, stop: threading.Event, *, first: bool = True) -> None:
        """Until stopped; a failure of our own is waited out. The ``first`` of several also looks at the lines."""
        tidied = 0.0
        while not stop.is_set():
            try:
                if first:
                    self.look_at_lines()
                if first and time.monotonic() - tidied > TROUBLE_SECONDS:
                    self.tidy()
                    tidied = time.monotonic()
                if not self.step():
                    stop.wait(IDLE_SECONDS)
            except (DomainError, SQLAlchemyError):
                log.exception("the sender could not work")
                stop.wait(TROUBLE_SECONDS)


def outfit_of(settings: Settings) -> Outfit:
    """What a sender of this installation works with."""
    return Outfit(
        ways=ways(settings), secret=settings.secret_key.encode(), address=settings.address,
        reveal=contacts.revealer(Sealer(settings.secret_key.encode())),
    )  # fmt: skip


def start(database: Database, settings: Settings, stop: threading.Event, *, threads: int = THREADS) -> None:
    """Senders on threads of this process; they end with ``stop``."""
    me = Sender(database, outfit_of(settings))
    for place in range(threads):
        threading.Thread(target=_guarded, args=(me, stop, place == 0), name=f"sender-{place}", daemon=True).start()


def _guarded(me: Sender, stop: threading.Event, first: bool) -> None:
    """A defect in one turn must not end the sending of all others."""
    while not stop.is_set():
        try:
            me.run(stop, first=first)
        except Exception:
            log.exception("the sender met a defect")
            stop.wait(TROUBLE_SECONDS)
