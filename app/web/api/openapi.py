"""GET /api/v1/openapi.json: the contract, generated from the routes, the models of their bodies and their answers."""

import inspect
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Blueprint, Response, current_app
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app import __version__
from app.domain.roles import Function
from app.web import security
from app.web.api import (
    body,
    booking_shapes,
    bookings,
    congestion,
    counters,
    desk,
    forecasts,
    payments,
    reports,
    shapes,
    slots,
    staffing,
    steps,
    tickets,
)
from app.web.api.body import answer

blueprint = Blueprint("api_openapi", __name__, url_prefix="/api/v1")
_REFERENCE = "#/components/schemas/{model}"
_BODIES: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "api_tickets.issue": tickets.NewTicket,
        "api_tickets.confirm": body.Body,
        "api_counters.open_": counters.Opening,
        "api_counters.pause": counters.Pause,
        "api_counters.close": body.Body,
        "api_counters.call_next": body.Body,
        "api_counters.call": counters.Number,
        "api_desk.undo": desk.Undoing,
        "api_desk.miss_next": desk.NoShow,
        "api_steps.act": steps.Doing,
        "api_payments.ask": payments.Asked,
        "api_slots.hold": slots.NewHold,
        "api_bookings.confirm": bookings.NewBooking,
        "api_bookings.move": bookings.NewStart,
        "api_bookings.check_in": body.Body,
    }
)
# What may be asked in the address; a wrong value there is answered 422.
_QUERIES: Mapping[str, Mapping[str, dict[str, Any]]] = MappingProxyType(
    {
        "api_slots.free": slots.QUERY,
        "api_forecasts.show": forecasts.QUERY,
        "api_staffing.show": staffing.QUERY,
        "api_congestion.show": congestion.QUERY,
        "api_congestion.as_csv": congestion.QUERY,
        "api_reports.csv_of": reports.QUERY,
    }
)
_REQUIRED = {
    ("api_slots.free", "service"), ("api_staffing.show", "date"),
    ("api_reports.csv_of", "from"), ("api_reports.csv_of", "to"),
}  # fmt: skip
# Status and shape of each answer; a route that is missing here answers 200 with an object.
_ANSWERS: Mapping[str, Mapping[str, type[BaseModel] | None]] = MappingProxyType(
    {
        "api_offices.every": {"200": shapes.Offices},
        "api_offices.one": {"200": shapes.OfficeInFull},
        "api_offices.services": {"200": shapes.Services},
        "api_offices.show_board": {"200": shapes.Board, "304": None},
        "api_offices.show_counters": {"200": shapes.Glasses, "304": None},
        "api_offices.show_queue": {"200": shapes.Queue, "304": None},
        "api_slots.free": {"200": booking_shapes.Slots},
        "api_slots.hold": {"201": booking_shapes.HoldGiven, "200": booking_shapes.HoldGiven},
        "api_bookings.confirm": {"201": booking_shapes.BookingGiven, "200": booking_shapes.BookingGiven},
        "api_bookings.look": {"200": booking_shapes.Booking},
        "api_bookings.move": {"200": booking_shapes.Booking},
        "api_bookings.cancel": {"200": booking_shapes.Booking},
        "api_bookings.check_in": {"201": shapes.TicketGiven, "200": shapes.TicketGiven},
        "api_forecasts.show": {"200": forecasts.Forecast},
        "api_staffing.show": {"200": staffing.Staffing},
        "api_congestion.show": {"200": congestion.Congestion},
        "api_congestion.as_csv": {"200": None},
        "api_reports.csv_of": {"200": None},
        "api_tickets.issue": {"201": shapes.TicketGiven, "200": shapes.TicketGiven},
        "api_tickets.look": {"200": shapes.Ticket},
        "api_tickets.cancel": {"200": shapes.Ticket},
        "api_tickets.confirm": {"200": shapes.Ticket},
        "api_counters.open_": {"200": shapes.CounterNow},
        "api_counters.pause": {"200": shapes.CounterNow},
        "api_counters.close": {"200": shapes.CounterNow},
        "api_counters.call_next": {"200": shapes.Called, "204": None},
        "api_counters.call": {"200": shapes.Called},
        "api_desk.undo": {"200": shapes.Moved},
        "api_desk.miss_next": {"200": shapes.Called, "204": None},
        "api_steps.act": {"200": shapes.Moved},
        "api_payments.ask": {"201": shapes.PaymentAsked},
        "api_payments.look": {"200": shapes.PaymentNow},
        "api_hooks_stripe.heard": {"200": shapes.HookHeard},
        "api_hooks_messages.status": {"204": None},
        "api_hooks_messages.inbound": {"204": None},
        "api_hooks_messages.line": {"200": None},
    }
)
_SAID = {
    "200": "the answer",
    "201": "made",
    "204": "nothing to tell",
    "304": "you have the newest",
}
_REFUSALS = {
    "400": "unparsable, or a host that is not ours", "401": "a bearer token that does not stand, or none where needed",
    "403": "not among what you may do", "404": "absent, or not yours", "405": "not this method",
    "429": "too many; Retry-After says how long", "431": "a header of more than 8 kB", "503": "busy; Retry-After",
}  # fmt: skip
_REFUSALS_OF_CHANGES = {"409": "not in this state, or the key was used otherwise"}
_REFUSALS_OF_BODIES = {"413": "more than 64 kB", "415": "not JSON", "422": "a wrong value"}
_OF_A_HALL = {"api_offices.show_board", "api_offices.show_counters"}
_SNAPSHOTS = {*_OF_A_HALL, "api_offices.show_queue"}


def _models() -> list[type[BaseModel]]:
    answers = [model for each in _ANSWERS.values() for model in each.values() if model is not None]
    return list(dict.fromkeys([*_BODIES.values(), *answers, shapes.Error]))


def _reference(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}}


def _parameters(rule: Any, method: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True,
         "schema": {"type": "integer", "minimum": 0} if f"<int:{name}>" in rule.rule else {"type": "string"}}
        for name in sorted(rule.arguments)
    ]  # fmt: skip
    # What a provider posts is its own and carries no key of ours.
    if method == "post" and rule.endpoint in _BODIES:
        key = {"type": "string", "minLength": 8, "maxLength": 200, "pattern": "^[!-~]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": key})
    if rule.endpoint in _OF_A_HALL:
        found.append({"name": "hall", "in": "query", "schema": {"type": "string"}})
    for name, schema in _QUERIES.get(rule.endpoint, {}).items():
        found.append({"name": name, "in": "query", "required": (rule.endpoint, name) in _REQUIRED, "schema": schema})
    if rule.endpoint in _SNAPSHOTS:
        found.append({"name": "If-None-Match", "in": "header", "schema": {"type": "string"},
                      "description": 'the ETag of the last answer, "epoch.seq"'})  # fmt: skip
    return found


def _responses(endpoint: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for status, model in _ANSWERS.get(endpoint, {"200": None}).items():
        found[status] = {"description": _SAID[status]} | ({"content": _reference(model)} if model else {})
    refusals = _REFUSALS | (_REFUSALS_OF_CHANGES if method in ("post", "delete") else {})
    refusals |= _REFUSALS_OF_BODIES if endpoint in _BODIES else {}
    refusals |= {"422": "a wrong value in the address"} if endpoint in _QUERIES else {}
    for status, why in refusals.items():
        found[status] = {"description": why, "content": _reference(shapes.Error)}
    return found


def _operation(rule: Any, method: str) -> dict[str, Any]:
    view = current_app.view_functions[rule.endpoint]
    function = security.policy_of(view)
    operation: dict[str, Any] = {
        "operationId": rule.endpoint,
        "summary": (inspect.getdoc(view) or "").split("\n")[0],
        "parameters": _parameters(rule, method),
        "responses": _responses(rule.endpoint, method),
        "security": [{}, {"bearer": []}] if function is Function.PUBLIC else [{"bearer": []}],
        "x-function": function.value,
    }
    if rule.endpoint in _BODIES:
        operation["requestBody"] = {"content": _reference(_BODIES[rule.endpoint])}
    return operation


@blueprint.get("/openapi.json")
@security.policy(Function.PUBLIC)
def document() -> Response:
    """This document."""
    paths: dict[str, dict[str, Any]] = {}
    for rule in current_app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/"):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(rule, method.lower())
    _, schemas = models_json_schema([(model, "validation") for model in _models()], ref_template=_REFERENCE)
    return answer(
        {
            "openapi": "3.1.0",
            "info": {"title": "Madoguchi", "version": __version__},
            "paths": paths,
            "components": {
                "schemas": schemas["$defs"],
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
        }
    )
