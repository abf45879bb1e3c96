"""Is it alive, is it ready: for supervisors and proxies; no version and no personal data."""

from typing import Any

from flask import Blueprint, jsonify
from sqlalchemy import select

from app.domain.errors import Unavailable
from app.domain.roles import Function
from app.models.place import Office
from app.web.security import database, policy

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@policy(Function.PUBLIC)
def live() -> Any:
    """The process answers; says nothing about the database."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@policy(Function.PUBLIC)
def ready() -> Any:
    """The database answers and holds an office."""
    with database().snapshot() as session:
        if session.scalar(select(Office.id).limit(1)) is None:
            raise Unavailable(retry_after=5)
    return jsonify(status="ready")
