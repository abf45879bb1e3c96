"""GET /api/v1/openapi.json: the contract, generated from the routes and the models of their bodies."""

import inspect
import re
from typing import Any

from flask import Blueprint, Response, current_app
from pydantic import BaseModel

from app import __version__
from app.domain.roles import Function
from app.web import security
from app.web.api import body, counters, desk, steps, tickets
from app.web.api.body import answer

blueprint = Blueprint("api_openapi", __name__, url_prefix="/api/v1")
_BODIES: dict[str, type[BaseModel]] = {
    "api_tickets.issue": tickets.NewTicket,
    "api_counters.open_": counters.Opening,
    "api_counters.pause": counters.Pause,
    "api_counters.close": body.Body,
    "api_counters.call_next": body.Body,
    "api_counters.call": counters.Number,
    "api_desk.undo": desk.Undoing,
    "api_desk.miss_next": desk.NoShow,
    "api_steps.act": steps.Doing,
}
_REFUSALS = {"400": "unparsable or without Idempotency-Key", "404": "absent or not yours", "409": "not in this state",
             "415": "not JSON", "422": "a wrong value", "429": "too many", "503": "busy"}  # fmt: skip


def _parameters(rule: Any, method: str) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True,
         "schema": {"type": "integer" if f"<int:{name}>" in rule.rule else "string"}}
        for name in sorted(rule.arguments)
    ]  # fmt: skip
    if method == "post":
        found.append({"name": "Idempotency-Key", "in": "header", "required": True,
                      "schema": {"type": "string", "minLength": 8, "maxLength": 200}})  # fmt: skip
    return found


def _operation(rule: Any, method: str) -> dict[str, Any]:
    view = current_app.view_functions[rule.endpoint]
    function = security.policy_of(view)
    error = {"$ref": "#/components/schemas/Error"}
    operation: dict[str, Any] = {
        "operationId": rule.endpoint,
        "summary": (inspect.getdoc(view) or "").split("\n")[0],
        "parameters": _parameters(rule, method),
        "responses": {
            "200": {"description": "the answer"},
            **{
                status: {"description": why, "content": {"application/json": {"schema": error}}}
                for status, why in _REFUSALS.items()
            },
        },
        "security": [] if function is Function.PUBLIC else [{"bearer": []}],
        "x-function": function.value,
    }
    if rule.endpoint in _BODIES:
        schema = _BODIES[rule.endpoint].model_json_schema()
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
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
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "object", "required": ["code", "message", "details"], "properties": {
            "code": {"type": "string"}, "message": {"type": "string"}, "details": {"type": "object"}}}},
    }  # fmt: skip
    return answer(
        {
            "openapi": "3.1.0",
            "info": {"title": "Madoguchi", "version": __version__},
            "paths": paths,
            "components": {
                "schemas": {"Error": error},
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
        }
    )
