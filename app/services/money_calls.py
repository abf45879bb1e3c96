"""Claim, commit, call, mark: every call of a provider, between two transactions and in none.

Whatever is interrupted between the steps is found by the sweeps: an attempt by its own ``look_at``, a webhook and a
refund by theirs. To do a step twice does no harm: the key is the same.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import Database
from app.domain.errors import Conflict
from app.domain.payment import PAID
from app.gateways.base import Absent, Gateway, Gateways, Refused, Sight, Unknown
from app.models.payment import Payment, PaymentAttempt
from app.services import holding, payment_events, payments, refunds, sightings
from app.services.fees import Visit
from app.services.payment_events import Heard
from app.services.payments import Asking
from config.failpoints import fail_at

log = logging.getLogger(__name__)
# Visits whose payment is looked over again for money that is not owed any more.
_LOOKED_OVER = 500


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What came of asking for money online; ``url`` empty: nobody knows yet, the payment's page will tell."""

    payment_id: int
    amount_yen: int
    url: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledgers:
    """What the providers' own ledgers said: attempts moved, money under a key no attempt has, who did not answer."""

    moved: int
    strange: tuple[Sight, ...]
    silent: tuple[str, ...]


class MoneyCalls:
    """The database, the gateways that have their keys, and the clock. A restored copy calls nobody (``held``)."""

    def __init__(self, database: Database, gateways: Gateways, *, clock: Callable[[], datetime] = _now) -> None:
        self.database, self.gateways, self.clock = database, gateways, clock

    def held(self) -> bool:
        """Whether this is a restored copy that was not released yet."""
        with self.database.snapshot() as session:
            return holding.held(session, holding.MONEY)

    def start(self, visit: Callable[[Session], Visit], asking: Asking) -> Started:
        """Begin or continue the attempt of a visit and tell where to pay.

        Raises Conflict: nothing_owed, payment_off, payment_underway.
        """
        try:
            return self._start(visit, asking)
        except Conflict as error:
            # An attempt for another sum stands open: it is ended at the provider before the new one begins.
            before = error.values.get("attempt")
            if error.reason != "payment_underway" or not isinstance(before, int) or not self.look(before):
                raise
        return self._start(visit, asking)

    def _start(self, visit: Callable[[Session], Visit], asking: Asking) -> Started:
        gateway = self.gateways.ready.get(asking.gateway)
        if gateway is None or self.held():
            raise Conflict("payment_off")
        fail_at("pay.before_claim")
        with self.database.transaction() as session:
            attempt = payments.begin(session, visit(session), asking, at=self.clock())
            payment = session.get_one(Payment, attempt.payment_id)
            order, known = payments.order_of(payment, attempt), attempt.checkout_url
            token = order.back_to.rsplit("/", 1)[1]
        fail_at("pay.claimed")
        if known:
            return Started(payment_id=payment.id, amount_yen=attempt.amount_yen, url=known, token=token)
        outcome = gateway.open(order)
        if isinstance(outcome, Unknown):
            outcome = gateway.open(order)
        fail_at("pay.accepted")
        with self.database.transaction() as session:
            marked = sightings.opened(session, attempt.id, outcome, at=self.clock())
            url = marked.checkout_url or ""
        fail_at("pay.marked")
        if isinstance(outcome, Refused):
            raise Conflict("payment_off")
        return Started(payment_id=payment.id, amount_yen=attempt.amount_yen, url=url, token=token)

    def look(self, attempt_id: int | None = None) -> bool:
        """Ask about one attempt, the one longest due or a named one; False when there was none to ask about."""
        if self.held():
            return False
        with self.database.transaction() as session:
            claimed = sightings.claim(session, at=self.clock(), attempt_id=attempt_id)
        if claimed is None:
            return False
        gateway = self.gateways.ready.get(claimed.gateway)
        if gateway is not None:
            outcome = _ask(gateway, claimed)
            with self.database.transaction() as session:
                sightings.opened(session, claimed.attempt_id, outcome, at=self.clock())
        return True

    def hear(self, heard: Heard) -> str:
        """A verified webhook: kept, its object fetched, the attempt moved. Returns the event's state."""
        try:
            with self.database.transaction() as session:
                kept = payment_events.hear(session, heard, at=self.clock())
        except Conflict:
            # The same one at the same moment: whoever kept it looks after it.
            return "known"
        fail_at("pay.heard")
        return self._after(heard) if kept == "heard" and not self.held() else kept

    def listen(self) -> bool:
        """One webhook that was kept and not looked after."""
        if self.held():
            return False
        with self.database.transaction() as session:
            heard = payment_events.claim(session, at=self.clock())
        if heard is None:
            return False
        self._after(heard)
        return True

    def _after(self, heard: Heard) -> str:
        gateway = self.gateways.ready.get(heard.gateway)
        seen: Sight | Absent | Unknown = Unknown(reason="off")
        if heard.thing.kind == "dispute":
            seen = Absent()
        elif gateway is not None:
            seen = gateway.attempt_of(heard.thing)
        with self.database.transaction() as session:
            return payment_events.apply(session, heard, seen, at=self.clock())

    def give_back(self) -> bool:
        """One refund handed over, or asked about."""
        if self.held():
            return False
        with self.database.transaction() as session:
            claimed = refunds.claim(session, at=self.clock())
        if claimed is None:
            return False
        gateway = self.gateways.ready.get(claimed.gateway)
        if gateway is not None:
            fail_at("refund.claimed")
            outcome = gateway.give_back(claimed.wish) if claimed.repeatable else gateway.look_back(claimed.wish)
            fail_at("refund.accepted")
            with self.database.transaction() as session:
                refunds.sent(session, claimed.refund_id, outcome, at=self.clock())
        return True

    def look_over(self) -> int:
        """Money that was paid for what is cancelled since: on its way back. Returns how many refunds were made."""
        if self.held():
            return 0
        paid = select(PaymentAttempt.payment_id).where(PaymentAttempt.state.in_(sorted(PAID)))
        with self.database.snapshot() as session:
            ids = session.scalars(paid.order_by(PaymentAttempt.id.desc()).limit(_LOOKED_OVER)).all()
        made = 0
        for each in dict.fromkeys(ids):
            with self.database.snapshot() as session:
                surplus = sightings.has_surplus(session, each)
            if surplus:
                with self.database.transaction() as session:
                    made += sightings.settle_visit(session, each, at=self.clock())
        return made

    def reconcile(self, *, hours: float) -> int:
        """Go through the provider's own ledger of the last hours; returns the attempts that had missed something."""
        return 0 if self.held() else self.go_through(hours=hours).moved

    def go_through(self, *, hours: float) -> Ledgers:
        """The ledgers of the last hours, also of a copy that is held: to ask changes nothing at the provider.

        Money under a key of ours that no attempt has (a database restored from before it) is said aloud.
        """
        moved = 0
        strange: list[Sight] = []
        silent: list[str] = []
        for name, gateway in self.gateways.ready.items():
            ledger = gateway.recent(self.clock() - timedelta(hours=hours))
            if isinstance(ledger, Unknown):
                silent.append(name)
                continue
            for seen in ledger:
                with self.database.snapshot() as session:
                    missed = sightings.missed(session, seen, gateway=name)
                if missed is None and seen.state in PAID and seen.key.startswith("pay:"):
                    strange.append(seen)
                    log.error("money without an attempt at %s: %s under %s", name, seen.provider_id, seen.key)
                if missed:
                    with self.database.transaction() as session:
                        moved += sightings.told(session, seen, gateway=name, at=self.clock())
        return Ledgers(moved=moved, strange=tuple(strange), silent=tuple(silent))

    def step(self) -> bool:
        """One thing done; False when nothing was due."""
        return self.listen() or self.look() or self.give_back()


def _ask(gateway: Gateway, claimed: sightings.Look) -> Sight | Refused | Absent | Unknown:
    """End what nobody owes any more, repeat what was never answered, look at all else."""
    known = claimed.known
    if not known.provider_id:
        if claimed.wanted and claimed.repeatable:
            return gateway.open(claimed.order)
        found = gateway.find(known)
        if not isinstance(found, Sight) or claimed.wanted:
            return found
        known = sightings.as_seen(known, found)
    return gateway.look(known) if claimed.wanted else gateway.stop(known)
