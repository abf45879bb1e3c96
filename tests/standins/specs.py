"""The providers' own OpenAPI documents, where they are at hand: MADOGUCHI_TEST_SPECS names their directory.

Without it the stand-ins hold requests to rules written here by hand, and ``AVAILABLE`` is false: the test that asks
the documents themselves is skipped and says why; the others hold requests to the rules all the same.
"""

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FILES = {"twilio": "twilio_api_v2010.json.gz", "line": "line-messaging-api.yml.gz"}
_DIRECTORY = os.environ.get("MADOGUCHI_TEST_SPECS", "")
AVAILABLE = bool(_DIRECTORY) and all((Path(_DIRECTORY) / name).exists() for name in _FILES.values())


@cache
def document(provider: str) -> dict[str, Any] | None:
    """The provider's document; None where there is none."""
    if not AVAILABLE:
        return None
    raw = gzip.decompress((Path(_DIRECTORY) / _FILES[provider]).read_bytes())
    loaded = json.loads(raw) if _FILES[provider].endswith(".json.gz") else yaml.safe_load(raw)
    found: dict[str, Any] = _nullable(loaded)
    return found


def _nullable(schema: Any) -> Any:
    """``nullable: true`` of OpenAPI 3.0 as JSON Schema says it."""
    if isinstance(schema, list):
        return [_nullable(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _nullable(each) for name, each in schema.items() if name != "example"}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


@cache
def _operation(provider: str, path: str, method: str) -> dict[str, Any]:
    found = document(provider)
    assert found is not None
    operation: dict[str, Any] = found["paths"][path][method]
    return operation


def _check(provider: str, schema: dict[str, Any], value: Any) -> list[str]:
    found = document(provider)
    assert found is not None
    from jsonschema import Draft202012Validator  # only where there is a document: a demo has none

    validator = Draft202012Validator({**schema, "components": found["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def form_problems(provider: str, path: str, form: dict[str, str]) -> list[str]:
    """What the document says against a POST of a form: unknown fields, missing ones, wrong shapes."""
    if document(provider) is None:
        return []
    body = _operation(provider, path, "post")["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
    value = {name: _typed(body["properties"].get(name, {}), text) for name, text in form.items()}
    return _check(provider, {**body, "additionalProperties": False}, value)


def query_problems(provider: str, path: str, query: dict[str, str]) -> list[str]:
    """What the document says against the query of a GET."""
    if document(provider) is None:
        return []
    known = {each["name"]: each for each in _operation(provider, path, "get")["parameters"] if each["in"] == "query"}
    unknown = [f"unknown query parameter {name}" for name in query if name not in known]
    wrong = (
        _check(provider, known[n]["schema"], _typed(known[n]["schema"], v)) for n, v in query.items() if n in known
    )
    return unknown + [problem for found in wrong for problem in found]


def json_problems(provider: str, path: str, body: Any) -> list[str]:
    """What the document says against a POST of JSON."""
    if document(provider) is None:
        return []
    schema = _operation(provider, path, "post")["requestBody"]["content"]["application/json"]["schema"]
    return _check(provider, schema, body)


def problems(provider: str, name: str, value: Any) -> list[str]:
    """What the document's schema of that name says against a value: a discriminator names one it does not apply."""
    if document(provider) is None:
        return []
    return _check(provider, {"$ref": f"#/components/schemas/{name}"}, value)


def answer_problems(provider: str, path: str, method: str, status: int, body: Any) -> list[str]:
    """What the document says against an answer of the stand-in itself."""
    if document(provider) is None:
        return []
    schema = _operation(provider, path, method)["responses"][str(status)]["content"]["application/json"]["schema"]
    return _check(provider, schema, body)


def _typed(schema: dict[str, Any], text: str) -> Any:
    """A form's text as the type its schema wants, left as text where it does not read as one."""
    if schema.get("type") in ("integer", "number"):
        return int(text) if text.lstrip("-").isdigit() else text
    if schema.get("type") == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return [text] if schema.get("type") == "array" else text
