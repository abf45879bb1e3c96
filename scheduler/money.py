"""The money sweeps: webhooks that were kept, attempts without an answer, refunds on their way, the provider's ledger.

Runs beside the jobs, as the sender of messages does, and needs no lease: every step of it is safe to do twice, and no
transaction is open while it speaks to a provider. Without keys it has nothing to do.
"""

import logging
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from app.db.session import Database
from app.domain.errors import DomainError
from app.gateways.registry import gateways
from app.services.money_calls import MoneyCalls
from config.settings import Settings

log = logging.getLogger(__name__)
IDLE_SECONDS = 1.0
TROUBLE_SECONDS = 5.0
# How often money is looked over that is not owed any more, and the provider's ledger of the last hours gone through.
LOOK_OVER_SECONDS, LEDGER_SECONDS = 30.0, 600.0
LEDGER_HOURS, WHOLE_LEDGER_HOURS = 2.0, 26.0
WHOLE_EVERY = 24


class MoneySweeper:
    """One sweeper; ``step`` does one thing and says whether there was any."""

    def __init__(self, calls: MoneyCalls) -> None:
        self.calls = calls
        self._looked_over = self._ledger = 0.0
        self._ledgers = 0

    def step(self) -> bool:
        """One thing that is due; False when nothing was."""
        now = time.monotonic()
        if now - self._looked_over > LOOK_OVER_SECONDS or not self._looked_over:
            self._looked_over = now
            self.calls.look_over()
        if now - self._ledger > LEDGER_SECONDS or not self._ledger:
            self._ledger = now
            whole = self._ledgers % WHOLE_EVERY == 0
            self._ledgers += 1
            self.calls.reconcile(hours=WHOLE_LEDGER_HOURS if whole else LEDGER_HOURS)
        return self.calls.step()

    def run(self, stop: threading.Event) -> None:
        """Until stopped; a failure is waited out, a defect in one turn does not end the sweeping."""
        while not stop.is_set():
            try:
                if not self.step():
                    stop.wait(IDLE_SECONDS)
            except (DomainError, SQLAlchemyError):
                log.exception("money could not be looked after")
                stop.wait(TROUBLE_SECONDS)
            except Exception:
                log.exception("the money sweeper met a defect")
                stop.wait(TROUBLE_SECONDS)


def start(database: Database, settings: Settings, stop: threading.Event) -> None:
    """A sweeper on a thread of this process; it ends with ``stop``."""
    sweeper = MoneySweeper(MoneyCalls(database, gateways(settings)))
    threading.Thread(target=sweeper.run, args=(stop,), name="money", daemon=True).start()
