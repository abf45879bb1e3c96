"""The body of a request, checked at the border; and values on their way out."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

import orjson
from flask import Response, request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app.domain.errors import InvalidInput

Model = TypeVar("Model", bound="Body")


class Body(BaseModel):
    """Every field is declared; an unknown one is refused, never applied, and no value is bent to fit (true is no 1)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_max_length=200)


def read(model: type[Model]) -> Model:
    """The request's JSON as ``model``; 415 for another type, 400 unparsable, 422 for a wrong value."""
    raw = request.get_data(cache=True)
    if raw and request.mimetype != "application/json":
        raise UnsupportedMediaType()
    if b"\x00" in raw or b"\\u0000" in raw:
        raise InvalidInput(fields=["body"])
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise BadRequest() from None
        fields = sorted({".".join(str(part) for part in found["loc"]) for found in error.errors()})
        known = [field for field in fields if field.split(".")[0] in model.model_fields]
        raise InvalidInput(fields=known or ["body"]) from None


def plain(value: Any) -> Any:
    """Mappings and instants as JSON has them: ISO 8601 with offset."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    return value


def day_asked(name: str, usual: date | None = None) -> date:
    """The day of ``?name=2026-04-01``, or ``usual`` when it is not asked; raises InvalidInput for what is no day."""
    text = request.args.get(name)
    if text is None and usual is not None:
        return usual
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        raise InvalidInput(fields=[name]) from None


def answer(value: Mapping[str, Any], status: int = 200) -> Response:
    """A JSON response."""
    return Response(orjson.dumps(value, default=plain), status=status, mimetype="application/json")
