"""Every code of the domain becomes a status and a translated sentence, here and nowhere else."""

from typing import Any

from flask import Flask, Response, jsonify, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from app.domain import errors
from app.web.border import host_is_ours
from app.web.locale import plain, t
from app.web.sentences import SENTENCES

_STATUS: dict[type[errors.DomainError], int] = {
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.Forbidden: 403,
    errors.Unauthenticated: 401,
    errors.Conflict: 409,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}
_HTTP_CODES = {
    400: "bad_request", 401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    408: "timeout", 409: "conflict", 413: "too_large", 414: "too_large", 415: "unsupported_type", 422: "invalid_input",
    429: "too_many", 431: "too_large", 503: "unavailable",
}  # fmt: skip

# What comes before everything else, and the page where it is done.
_FIRST = {"password_must_change": "sign_in.password", "second_factor_required": "second_factor.show"}


def status_of(error: errors.DomainError) -> int:
    """The status of the closest class in the tree."""
    return (
        next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
        if error.reason != "idempotency_key_required"
        else 400
    )


def sentence(code: str, values: dict[str, object]) -> Markup:
    """What happened and what to do, in the caller's language; values never echo input."""
    text = SENTENCES.get(code) or SENTENCES["error"]
    safe = {name: value for name, value in values.items() if isinstance(value, int)}
    return t(text, **safe)


def answer(code: str, status: int, values: dict[str, object]) -> Response:
    """JSON under /api and for a host that is not ours (no page has links there), a page elsewhere."""
    message = sentence(code, values)
    if not host_is_ours() or request.path.startswith(("/api/", "/metrics", "/healthz", "/readyz")):
        details = {
            name: value for name, value in values.items() if name != "what" and isinstance(value, int | str | list)
        }
        response = jsonify(error={"code": code, "message": plain(message), "details": details})
    else:
        response = Response(render_template("error.html", code=code, status=status, message=message))
    response.status_code = status
    if "retry_after" in values or status in (429, 503):
        response.headers["Retry-After"] = str(values.get("retry_after", 1))
    response.headers["Cache-Control"] = "no-store"
    return response


def _wants_sign_in() -> bool:
    return request.method == "GET" and not request.path.startswith("/api/")


def install(app: Flask) -> None:
    """Answer domain errors, HTTP errors and defects in one shape."""

    @app.errorhandler(errors.DomainError)
    def refused(error: errors.DomainError) -> Any:
        status = status_of(error)
        if status == 401 and _wants_sign_in():
            return redirect(url_for("sign_in.page", next=request.path))
        if error.reason in _FIRST and _wants_sign_in():
            return redirect(url_for(_FIRST[error.reason]))
        return answer(error.reason, status, dict(error.values))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Any:
        status = error.code or 500
        if status < 400:
            return error
        return answer(_HTTP_CODES.get(status, "error"), status, {})

    @app.errorhandler(Exception)
    def defect(error: Exception) -> Any:
        app.logger.exception("defect", exc_info=error)
        return answer("defect", 500, {})
