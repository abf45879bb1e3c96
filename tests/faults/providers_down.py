"""P14: Stripe, Twilio, the mail server and LINE are all down. ``python -m tests.faults.providers_down --how hang``.

``refuse``: nobody listens. ``hang``: connections are taken and nothing is answered. A sender with messages for every
channel and people asking to pay go on meanwhile; numbers are given and called. Prints JSON.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.delivery import Channel, Occasion
from app.domain.roles import Role
from app.models.delivery import Delivery
from app.models.place import Office
from app.services import counters, outbox
from tests import hall_server
from tests.bench.payer_beside import hanging
from tests.displays.test_live import token
from tests.faults.attack import Kiosk
from tests.faults.payments import database_of
from tests.services.messages import contact
from tests.standins import twilio

PAYERS, MESSAGES = 2, 30
REACHED = {Channel.SMS: "+819012345678", Channel.EMAIL: "a@example.jp", Channel.LINE: "U" + "0" * 32}


def settings(address: str, var: str) -> dict[str, str]:
    """Every provider has its keys, and the same address."""
    return {
        "MADOGUCHI_STRIPE_API_KEY": "sk_test_down", "MADOGUCHI_STRIPE_WEBHOOK_SECRET": "whsec_down",
        "MADOGUCHI_STRIPE_API_BASE": address, "MADOGUCHI_TWILIO_ACCOUNT_SID": twilio.ACCOUNT,
        "MADOGUCHI_TWILIO_AUTH_TOKEN": twilio.TOKEN, "MADOGUCHI_TWILIO_FROM": twilio.NUMBER,
        "MADOGUCHI_TWILIO_API_BASE": address, "MADOGUCHI_SMTP_URL": address.replace("http", "smtp"),
        "MADOGUCHI_LINE_CHANNEL_SECRET": "s", "MADOGUCHI_LINE_CHANNEL_TOKEN": "t",
        "MADOGUCHI_LINE_API_BASE": address, "MADOGUCHI_SECRET_KEY": hall_server.SECRET, "MADOGUCHI_VAR_DIR": var,
    }  # fmt: skip


def _fill(url: str) -> None:
    """An open counter, and messages that want to leave by every channel."""
    database, at = Database(url), datetime.now(UTC)
    with database.transaction() as session:
        counters.open_counter(session, counter_id="ward-2", actor="faults", at=at, categories=["ward-certificates"])
        office = session.get_one(Office, "ward")
        people = [(each, contact(session, value, at=at, channel=each).id) for each, value in REACHED.items()]
        for place in range(MESSAGES):
            channel, person = people[place % len(people)]
            outbox.enqueue(
                session, office=office, occasion=Occasion.CALLED, target=f"ticket:{place}", once="1", at=at,
                to=outbox.Recipient(contact_id=person, channel=channel, language="ja"),
                values={"番号": "A1", "窓口": "2"},
            )  # fmt: skip
    database.dispose()


@contextmanager
def _sender(url: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "sender"],
                               env=os.environ | {"MADOGUCHI_DATABASE_URL": url})  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _pay(address: str, bearer: str, stop: threading.Event, told: Counter[str]) -> None:
    headers = {"Authorization": f"Bearer {bearer}"}
    with httpx.Client(base_url=f"{address}/api/v1", timeout=60, trust_env=False, headers=headers) as client:

        def post(path: str, body: dict[str, Any]) -> httpx.Response:
            return client.post(path, json=body, headers={"Idempotency-Key": uuid.uuid4().hex})

        ticket = post("/offices/ward/tickets", {"services": ["koseki_cert"]}).json()["token"]
        while not stop.wait(0.1):
            told[str(post("/payments", {"ticket": ticket}).status_code)] += 1


def campaign(url: str, *, how: str, rounds: int) -> dict[str, Any]:
    """Figures of one run."""
    _fill(url)
    bearer, stop, told = token(url, Role.KIOSK), threading.Event(), Counter[str]()
    gone = f"http://127.0.0.1:{hall_server.free_port()}"
    with hanging() if how == "hang" else nullcontext(gone) as provider, tempfile.TemporaryDirectory() as var:
        os.environ.update(settings(provider, var))
        with hall_server.serving(url) as address, _sender(url):
            kiosk = Kiosk(address, bearer, token(url, Role.FLOOR_LEAD), "ward-2")
            payers = [threading.Thread(target=_pay, args=(address, bearer, stop, told)) for _ in range(PAYERS)]
            for each in payers:
                each.start()
            _wait_for_a_try(url)
            for _ in range(rounds):
                kiosk.turn()
            stop.set()
            for each in payers:
                each.join()
    return kiosk.figures() | {"how": how, "payers_told": dict(told), "messages": _messages(url)}


def _messages(url: str) -> dict[str, Any]:
    """Messages by state, and how often the sender tried."""
    database = Database(url)
    with database.snapshot() as session:
        found = session.execute(select(Delivery.state, func.count()).group_by(Delivery.state)).all()
        tries = session.scalar(select(func.sum(Delivery.attempts)))
    database.dispose()
    return {str(state): count for state, count in found} | {"tries": tries}


def _wait_for_a_try(url: str, seconds: float = 40) -> None:
    """Until the sender has met a provider that is not there."""
    until = time.monotonic() + seconds
    while not _messages(url)["tries"] and time.monotonic() < until:
        time.sleep(0.2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--how", choices=("refuse", "hang"), default="hang")
    parser.add_argument("--rounds", type=int, default=300)
    asked = parser.parse_args()
    with database_of(asked.database) as url:
        figures = campaign(url, how=asked.how, rounds=asked.rounds)
    print(json.dumps(figures | {"database": asked.database}, indent=1))
    # Without a try of the sender and an answer to a payer nobody has met the providers that are gone.
    met = bool(figures["messages"]["tries"]) and bool(figures["payers_told"])
    sys.exit(0 if met and figures["share_good"] == 1 and figures["p99_ms"] < 300 else 1)


if __name__ == "__main__":
    main()
