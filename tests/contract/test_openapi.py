"""The OpenAPI document is what the API does: schemathesis asks it things, and every answer must be in the document.

Seeded and small: the same examples each time. Half of the cases name things that are there.
"""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.db.session import Database
from app.domain.roles import Role
from app.models.place import Office
from app.web.api import openapi
from app.web.limits import Windows
from tests.abuse.conftest import Hall
from tests.policy import city
from tests.policy.callers import Kind

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 25
API = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", city.application(Database("sqlite://")))
OPERATIONS = {operation.label: operation for operation in (found.ok() for found in API.get_all_operations())}


@pytest.fixture(scope="module")
def hall(shared_url: str) -> Iterator[Hall]:
    found = Hall(shared_url)
    yield found
    found.database.dispose()


def _real(hall: Hall) -> dict[str, Any]:
    things = hall.things
    return {
        "office": "ward", "counter": things.counter, "step": things.step, "token": things.ticket,
        "ticket": things.ticket_id, "action": "recall",
    }  # fmt: skip


def _at_home(hall: Hall) -> dict[str, Any]:
    """A number that its holder has still to confirm."""
    found: dict[str, Any] = {}
    for confirmed in (True, False):
        with hall.database.transaction() as session:
            office = session.get_one(Office, "ward")
            office.settings = office.settings | {"web_ticket_confirm": confirmed}
        found = found or hall.caller().ticket("tennyu")
    return found


def test_good_answers_have_their_shape(hall: Hall) -> None:
    """What schemathesis may not reach: each operation answered well, and held to the document.

    It comes first: what schemathesis does to the hall's own step afterwards is anybody's guess.
    """
    lead, counter, step = hall.caller(Role.FLOOR_LEAD), "ward-3", hall.things.step
    ticket, second = lead.ticket("juminhyo"), lead.ticket("tennyu")
    link = ticket["token"]
    lines, at_home = {"categories": ["ward-certificates"]}, _at_home(hall)
    done = [
        ("Offices", lead.get("/offices")),
        ("OfficeInFull", lead.get("/offices/ward")),
        ("Services", lead.get("/offices/ward/services")),
        ("CounterNow", lead.post(f"/counters/{counter}/open", lines)),
        ("CounterNow", lead.post(f"/counters/{counter}/pause", {"back_at": None})),
        ("CounterNow", lead.post(f"/counters/{counter}/open", lines)),
        ("TicketGiven", lead.post("/offices/ward/tickets", {"services": ["juminhyo"]})),
        ("Ticket", lead.get(f"/tickets/{link}")),
        ("Ticket", lead.post(f"/tickets/{at_home['id']}/confirm")),
        ("Called", lead.post(f"/counters/{counter}/call", {"number": ticket["number"]})),
        ("Ticket", lead.get(f"/tickets/{link}")),
        ("Board", lead.get("/offices/ward/board")),
        ("Board", lead.get("/offices/ward/board?hall=ward-citizen")),
        ("Glasses", lead.get("/offices/ward/counters?hall=ward-citizen")),
        ("Queue", lead.get("/offices/ward/queue")),
        ("Moved", lead.post(f"/counters/{counter}/undo", {"step": ticket["steps"][0]["id"], "action": "call"})),
        ("Moved", lead.post(f"/steps/{step}/recall")),
        ("Called", lead.post(f"/counters/{hall.things.counter}/miss-next", {"step": step})),
        ("Called", lead.post(f"/counters/{counter}/call-next")),
        ("Ticket", lead.client.delete(f"/api/v1/tickets/{second['token']}", headers=lead.headers())),
        ("Error", lead.post("/offices/nowhere/tickets", {"services": ["juminhyo"]})),
        ("Error", lead.post(f"/counters/{counter}/close")),
    ]
    document = lead.get("/openapi.json").get_json()
    for place, (shape, answer) in enumerate(done):
        assert (answer.status_code >= 400) == (shape == "Error"), (place, answer.data)
        schema = {"$ref": f"#/components/schemas/{shape}", "components": document["components"]}
        Draft202012Validator(schema).validate(answer.get_json())


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_what_is_answered_is_in_the_document(hall: Hall, label: str) -> None:
    lead, dice, seen = hall.doors.bearer(Kind("bearer", Role.FLOOR_LEAD)), random.Random(label), list[int]()

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=OPERATIONS[label].as_strategy())
    def ask(case: Any) -> None:
        if dice.random() < 0.7:
            case.path_parameters = {
                name: _real(hall).get(name, value) for name, value in (case.path_parameters or {}).items()
            }
        headers = {"Authorization": f"Bearer {lead}"} if dice.random() < 0.8 else {}
        hall.web.extensions["windows"] = Windows()
        answer = case.call(app=hall.web, headers=headers)
        seen.append(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    ask()
    assert seen


@pytest.mark.parametrize("endpoint", sorted(openapi._ANSWERS))
def test_every_route_says_what_it_answers(hall: Hall, endpoint: str) -> None:
    assert endpoint in hall.web.view_functions


def test_no_route_of_the_api_is_silent_about_its_answer(hall: Hall) -> None:
    routes = {rule.endpoint for rule in hall.web.url_map.iter_rules() if rule.rule.startswith("/api/v1/")}
    assert routes - set(openapi._ANSWERS) == {"api_openapi.document"}
    posts = {
        rule.endpoint for rule in hall.web.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and "POST" in (rule.methods or ())
    }  # fmt: skip
    of_providers = {name for name in posts if name.startswith("api_hooks_")}
    assert posts - of_providers == set(openapi._BODIES)


def test_the_document_stands_by_itself(hall: Hall) -> None:
    """Every reference leads somewhere, every schema is one."""
    document = hall.caller().get("/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema), name
    text = str(document)
    for name in {part.split("'")[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"], name
