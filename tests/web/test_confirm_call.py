"""A program of the staff confirms a number taken at home: POST /tickets/{ticket}/confirm."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Office
from app.models.ticket import Event, Ticket
from tests.web.conftest import Caller


@pytest.fixture
def at_home(public: Caller, database: Database) -> dict[str, Any]:
    """A number that its holder has still to confirm."""
    with database.transaction() as session:
        office = session.get_one(Office, "ward")
        office.settings = office.settings | {"web_ticket_confirm": True}
    return public.ticket("tennyu")


def test_it_is_found_in_the_queue_and_joins_its_line_once(
    lead: Caller, public: Caller, database: Database, at_home: dict[str, Any]
) -> None:
    pending = [step for step in lead.get("/offices/ward/queue").get_json()["steps"] if step["state"] == "pending"]
    assert pending[0]["ticket"] == at_home["id"]
    address, key = f"/tickets/{at_home['id']}/confirm", "the same key"
    answers = [lead.post(address, key=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].get_json() == answers[1].get_json()
    seen = answers[0].get_json()
    assert (seen["status"], seen["ahead"], seen["confirm_by"], "token" in seen) == ("waiting", 0, None, False)
    assert public.get(f"/tickets/{at_home['token']}").get_json()["status"] == "waiting"
    with database.snapshot() as session:
        event = session.scalars(select(Event).where(Event.action == "ready")).one()
        assert (event.before, event.after, event.reason) == ("pending", "waiting", "confirmed")


def test_what_needs_no_confirming_and_what_comes_too_late_is_refused(
    lead: Caller, database: Database, at_home: dict[str, Any]
) -> None:
    address = f"/tickets/{at_home['id']}/confirm"
    with database.transaction() as session:
        session.get_one(Ticket, at_home["id"]).confirm_by = datetime.now(UTC) - timedelta(minutes=1)
    late = lead.post(address)
    assert (late.status_code, late.get_json()["error"]["code"]) == (409, "confirm_too_late")
    with database.transaction() as session:
        session.get_one(Ticket, at_home["id"]).confirm_by = datetime.now(UTC) + timedelta(minutes=1)
    assert lead.post(address).status_code == 200
    again = lead.post(address)
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "confirm_not_needed")
    for absent in (0, 999_999, 2**63):
        assert lead.post(f"/tickets/{absent}/confirm").status_code == 404


@pytest.mark.parametrize("role", [Role.KIOSK, Role.DISPLAY, Role.AUDITOR])
def test_only_who_may_call_confirms(
    client: FlaskClient, token: Callable[..., str], public: Caller, at_home: dict[str, Any], role: Role
) -> None:
    address = f"/tickets/{at_home['id']}/confirm"
    assert Caller(client, token(role)).post(address).status_code == 403
    assert public.post(address).status_code == 401
    assert public.get(f"/tickets/{at_home['token']}").get_json()["status"] == "pending"
