"""P18: somebody wants our text messages to cost money. ``python -m tests.faults.attack --requests 10000``.

Sixteen callers from 500 addresses take numbers and ask for codes to 500 telephone numbers, as fast as they can; a
kiosk gives numbers meanwhile. Counted where it costs: in the ledger of the stand-in of Twilio. Then every provider
goes away, and numbers are given and called as before.
"""

import argparse
import json
import os
import random
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import func, select

from app.db.session import Database
from app.domain.delivery import Limits
from app.domain.roles import Role
from app.models.delivery import Budget, Delivery
from app.models.place import Office
from app.services import access, counters
from tests.bench.calls import prepare
from tests.faults.messages import fresh
from tests.hall_server import SECRET, free_port, start, wait_ready
from tests.standins import twilio

CALLERS, ADDRESSES, NUMBERS = 16, 500, 500
# Low enough that the wall of yen is what stops the attack, in a campaign of some minutes.
LIMITS = Limits(yen_per_hour=1_200, yen_per_day=2_000, codes_per_hour=150)
_CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


def _token(database: Database, role: Role) -> str:
    secret = secrets.token_urlsafe(32)
    with database.transaction() as session:
        access.issue_token(session, token=secret, role=role, municipality_id="aonami", office_id="ward",
                           at=datetime.now(UTC))  # fmt: skip
    return secret


class Attacker:
    """One caller: takes a number, asks for three codes, begins again from another address."""

    def __init__(self, address: str, seed: int, statuses: Counter[str]) -> None:
        self.base, self.dice, self.statuses = address, random.Random(seed), statuses
        self.client = httpx.Client(timeout=30, trust_env=False)

    def _from(self) -> dict[str, str]:
        return {"X-Forwarded-For": f"10.9.{self.dice.randrange(2)}.{self.dice.randrange(1, 251)}"}

    def _count(self, what: str, answer: httpx.Response) -> httpx.Response:
        self.statuses[f"{what} {answer.status_code}"] += 1
        return answer

    def run(self, requests: int) -> None:
        done = 0
        while done < requests:
            whence = self._from()
            taken = self._count("ticket", self.client.post(
                f"{self.base}/api/v1/offices/ward/tickets", json={"services": ["juminhyo"]},
                headers=whence | {"Idempotency-Key": secrets.token_hex(12)}))  # fmt: skip
            done += 1
            if taken.status_code != 201:
                continue
            page = f"{self.base}/t/{taken.json()['token']}/notify"
            form = self._count("page", self.client.get(page, headers=whence))
            found = _CSRF.search(form.text)
            done += 1
            for _ in range(3 if found else 0):
                number = f"090{1000 + self.dice.randrange(NUMBERS // 50):04d}{self.dice.randrange(50):04d}"
                asked = {"csrf_token": found[1] if found else "", "by": "ahead:3", "ch": "sms", "tel": number}
                self._count("code", self.client.post(page, data=asked, headers=whence))
                done += 1


class Kiosk:
    """Gives a number five times a second and calls it; counts what went well and how long it took."""

    def __init__(self, address: str, kiosk: str, lead: str, counter: str) -> None:
        self.base, self.kiosk, self.lead, self.counter = f"{address}/api/v1", kiosk, lead, counter
        self.good, self.all, self.seconds = 0, 0, list[float]()
        self.client = httpx.Client(timeout=30, trust_env=False)

    def _post(self, path: str, token: str, body: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": secrets.token_hex(12)}
        begun = time.perf_counter()
        answer = self.client.post(f"{self.base}{path}", json=body, headers=headers)
        self.seconds.append(time.perf_counter() - begun)
        self.all += 1
        self.good += answer.status_code in (200, 201, 204)
        return answer

    def turn(self) -> None:
        self._post("/offices/ward/tickets", self.kiosk, {"services": ["inkan_cert"]})
        called = self._post(f"/counters/{self.counter}/call-next", self.lead, {})
        if called.status_code == 200:
            step = called.json()["step"]["id"]
            for action in ("start", "finish"):
                self._post(f"/steps/{step}/{action}", self.lead, {})

    def until(self, stop: threading.Event) -> None:
        while not stop.wait(0.2):
            self.turn()

    def figures(self) -> dict[str, Any]:
        ordered = sorted(self.seconds)
        return {
            "requests": self.all, "share_good": round(self.good / max(1, self.all), 5),
            "p99_ms": round(1000 * ordered[int(len(ordered) * 0.99)], 1) if ordered else None,
        }  # fmt: skip


def _sender(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "app.cli", "sender"], env=environment)


def _settings(provider: str, url: str, port: int) -> dict[str, str]:
    return {
        "MADOGUCHI_DATABASE_URL": url, "MADOGUCHI_SECRET_KEY": SECRET, "MADOGUCHI_TRUSTED_PROXIES": "1",
        "MADOGUCHI_TWILIO_ACCOUNT_SID": twilio.ACCOUNT, "MADOGUCHI_TWILIO_AUTH_TOKEN": twilio.TOKEN,
        "MADOGUCHI_TWILIO_FROM": twilio.NUMBER, "MADOGUCHI_TWILIO_API_BASE": provider,
        "MADOGUCHI_SMTP_URL": "smtp://127.0.0.1:9", "MADOGUCHI_LINE_CHANNEL_SECRET": "s",
        "MADOGUCHI_LINE_CHANNEL_TOKEN": "t", "MADOGUCHI_LINE_API_BASE": "http://127.0.0.1:9",
        "MADOGUCHI_PORT": str(port),
    }  # fmt: skip


def campaign(url: str, *, requests: int) -> dict[str, Any]:
    """Attack, then take every provider away; returns the figures."""
    database, port = prepare(url), free_port()
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"messages": {
            name: getattr(LIMITS, name) for name in ("yen_per_hour", "yen_per_day", "codes_per_hour")}}  # fmt: skip
        counters.open_counter(session, counter_id="ward-1", actor="attack", at=datetime.now(UTC),
                              categories=["ward-certificates"])  # fmt: skip
    with twilio.running() as provider:
        os.environ.update(_settings(provider.url, url, port))
        server, sender = start(url, port), _sender(dict(os.environ))
        try:
            wait_ready(port, 90)
            figures = _attack(database, f"http://127.0.0.1:{port}", requests)
            time.sleep(5)
            figures |= _costs(database, provider)
            provider.stop()
            figures["providers_away"] = _away(database, f"http://127.0.0.1:{port}")
        finally:
            for process in (server, sender):
                process.terminate()
                process.wait(timeout=20)
    database.dispose()
    return figures


def _kiosk(database: Database, address: str) -> Kiosk:
    return Kiosk(address, _token(database, Role.KIOSK), _token(database, Role.FLOOR_LEAD), "ward-1")


def _attack(database: Database, address: str, requests: int) -> dict[str, Any]:
    statuses, stop, kiosk = Counter[str](), threading.Event(), _kiosk(database, address)
    honest = threading.Thread(target=kiosk.until, args=(stop,))
    honest.start()
    callers = [
        threading.Thread(target=Attacker(address, seed, statuses).run, args=(requests // CALLERS,))
        for seed in range(CALLERS)
    ]
    begun = time.monotonic()
    for each in callers:
        each.start()
    for each in callers:
        each.join()
    stop.set()
    honest.join()
    return {
        "requests": sum(statuses.values()), "seconds": round(time.monotonic() - begun), "statuses": dict(statuses),
        "kiosk": kiosk.figures(),
    }  # fmt: skip


def _costs(database: Database, provider: twilio.TwilioStandIn) -> dict[str, Any]:
    with database.snapshot() as session:
        yen = session.scalar(select(func.sum(Delivery.cost_yen))) or 0
        counted = dict(session.execute(select(Budget.key, Budget.used).where(Budget.key.like("yen:ward:%"))).all())
    per_number = Counter(kept.to for kept in provider.ledger.messages)
    return {
        "sms": len(provider.ledger.messages), "most_to_one_number": max(per_number.values(), default=0), "yen": yen,
        "yen_counted": counted, "caps": {"yen_per_hour": LIMITS.yen_per_hour, "codes_per_hour": LIMITS.codes_per_hour},
    }  # fmt: skip


def _away(database: Database, address: str) -> dict[str, Any]:
    """Twilio, the mail server and LINE are gone: numbers are given and called."""
    kiosk = _kiosk(database, address)
    for _ in range(100):
        kiosk.turn()
    return kiosk.figures()


def broken(figures: dict[str, Any]) -> list[str]:
    """What was promised and is not so."""
    hours = len([key for key in figures["yen_counted"] if "T" in key])
    rules = {
        "yen above the cap": figures["yen"] > LIMITS.yen_per_hour * max(1, hours),
        "more codes than the cap": figures["sms"] > LIMITS.codes_per_hour * max(1, hours),
        "one number was sent more than five": figures["most_to_one_number"] > 5,
        "the kiosk suffered": figures["kiosk"]["share_good"] < 0.99,
        "an answer was a defect": any(status.split()[1] == "500" for status in figures["statuses"]),
        "numbers need a provider": figures["providers_away"]["share_good"] < 1,
        "slow without providers": figures["providers_away"]["p99_ms"] > 300,
    }
    return [rule for rule, is_broken in rules.items() if is_broken]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--requests", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as var:
        os.environ["MADOGUCHI_VAR_DIR"] = var
        with fresh(asked.database) as url:
            figures = campaign(url, requests=asked.requests)
    figures |= {"database": asked.database, "broken": broken(figures)}
    print(json.dumps(figures, indent=1), flush=True)
    sys.exit(1 if figures["broken"] else 0)


if __name__ == "__main__":
    main()
