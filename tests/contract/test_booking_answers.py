"""A booking from the first question to the ticket, over HTTP, each answer held to the OpenAPI document."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from jsonschema import Draft202012Validator

from app.domain.roles import Role
from tests.abuse.conftest import Hall

NOW = datetime(2026, 4, 8, 3, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def hall(shared_url: str) -> Iterator[Hall]:
    found = Hall(shared_url)
    yield found
    found.database.dispose()


def test_the_whole_way_of_a_booking(hall: Hall) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        public = hall.caller()
        document = public.get("/openapi.json").get_json()

        def good(shape: str, answer: Any, status: int = 200) -> dict[str, Any]:
            assert answer.status_code == status, answer.data
            schema = {"$ref": f"#/components/schemas/{shape}", "components": document["components"]}
            Draft202012Validator(schema).validate(answer.get_json())
            found: dict[str, Any] = answer.get_json()
            return found

        slots = good("Slots", public.get("/offices/ward/slots?service=tennyu,kokuho_join&from=2026-04-13"))["slots"]
        assert all(slot["free"] <= slot["capacity"] for slot in slots)
        start = next(slot["start"] for slot in slots if slot["free"])
        asked = {"services": ["tennyu", "kokuho_join"], "start": start, "party": 2}
        hold = good("HoldGiven", public.post("/offices/ward/holds", asked), 201)
        assert datetime.fromisoformat(hold["expires_at"]) == NOW + timedelta(minutes=5)
        person = {"hold": hold["token"], "name": "山田 花子", "email": "hanako@example.jp", "language": "en"}
        booking = good("BookingGiven", public.post("/bookings", person), 201)
        assert booking["manage_url"].endswith(f"/b/{booking['token']}")
        assert len(booking["reference"]) == 7
        path = f"/bookings/{booking['token']}"
        assert good("Booking", public.get(path))["start"] == start
        later = datetime.fromisoformat(start) + timedelta(hours=1)
        moved = good("Booking", public.post(f"{path}/move", {"start": later.isoformat()}))
        assert datetime.fromisoformat(moved["start"]) == later
        clock.move_to(later - timedelta(minutes=10))
        ticket = good("TicketGiven", public.post(f"{path}/check-in"), 201)
        assert [step["service"] for step in ticket["steps"]] == [stage["service"] for stage in moved["stages"]]
        assert good("Booking", public.get(path))["ticket"]["number"] == ticket["number"]
        assert public.get(f"/tickets/{ticket['token']}").status_code == 200


def test_a_booking_given_back(hall: Hall) -> None:
    with time_machine.travel(NOW, tick=False):
        kiosk = hall.caller(Role.KIOSK)
        start = "2026-04-14T10:00:00+09:00"
        hold = kiosk.post("/offices/ward/holds", {"services": ["tennyu"], "start": start}).get_json()
        token = kiosk.post("/bookings", {"hold": hold["token"]}).get_json()["token"]
        day = kiosk.get("/offices/ward/slots?service=tennyu&from=2026-04-14&to=2026-04-14").get_json()["slots"]
        taken = next(slot for slot in day if slot["start"] == "2026-04-14T01:00:00+00:00")
        gone = kiosk.client.delete(f"/api/v1/bookings/{token}", headers=kiosk.headers())
        assert gone.get_json()["state"] == "cancelled"
        again = kiosk.get(f"/offices/ward/slots?service=tennyu&from={start.replace('+', '%2B')}&to=2026-04-14")
        assert again.get_json()["slots"][0]["free"] == taken["free"] + 1
