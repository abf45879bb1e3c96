"""/api/v1: what kiosks, boards and a city's scripts are written against (contract.md)."""

from flask import Flask

from app.web.api import counters, desk, offices, openapi, steps, tickets


def install(app: Flask) -> None:
    """Mount the parts of the API."""
    for part in (offices, tickets, counters, desk, steps, openapi):
        app.register_blueprint(part.blueprint)
