"""The web process is killed while a payment begins: after its row is kept, and after the provider's yes.

Asked again with its key, the same visit has one session at the provider and one attempt here.
"""

import shutil
import uuid
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.models.payment import PaymentAttempt
from tests import hall_server
from tests.displays.test_live import token
from tests.standins import stripe as standins


def _post(address: str, path: str, body: dict[str, object], key: str, bearer: str) -> httpx.Response:
    headers = {"Idempotency-Key": key, "Authorization": f"Bearer {bearer}"}
    return httpx.post(f"{address}/api/v1{path}", json=body, headers=headers, timeout=30, trust_env=False)


@pytest.mark.parametrize("point", ["pay.claimed", "pay.accepted"])
def test_killed_while_a_payment_begins(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    file = tmp_path / "hall.db"
    shutil.copyfile(sqlite_template, file)
    url = f"sqlite:///{file}"
    kiosk, key = token(url, Role.KIOSK), uuid.uuid4().hex
    with standins.running() as standin:
        for name, value in (("API_KEY", standins.KEY), ("WEBHOOK_SECRET", standins.SECRET), ("API_BASE", standin.url)):
            monkeypatch.setenv(f"MADOGUCHI_STRIPE_{name}", value)
        monkeypatch.setenv("MADOGUCHI_FAILPOINT", point)
        with hall_server.serving(url) as address:
            made = _post(address, "/offices/ward/tickets", {"services": ["juminhyo"]}, uuid.uuid4().hex, kiosk).json()
            with pytest.raises(httpx.TransportError):
                _post(address, "/payments", {"ticket": made["token"]}, key, kiosk)
        before = len(standin.ledger.sessions)
        assert before == (point == "pay.accepted")
        monkeypatch.delenv("MADOGUCHI_FAILPOINT")
        with hall_server.serving(url) as address:
            answer = _post(address, "/payments", {"ticket": made["token"]}, key, kiosk)
            again = _post(address, "/payments", {"ticket": made["token"]}, key, kiosk)
        assert (answer.status_code, answer.json()) == (201, again.json())
        assert answer.json()["checkout_url"].startswith(standin.url)
        assert len(standin.ledger.sessions) == 1
    database = Database(url)
    with database.snapshot() as session:
        assert len(session.scalars(select(PaymentAttempt.id)).all()) == 1
    database.dispose()
