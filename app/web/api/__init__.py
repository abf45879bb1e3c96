"""/api/v1: what kiosks, boards and a city's scripts are written against (contract.md)."""

from flask import Flask

from app.web.api import counters, offices, openapi, steps, tickets


def install(app: Flask) -> None:
    """Mount the five parts of the API."""
    for part in (offices, tickets, counters, steps, openapi):
        app.register_blueprint(part.blueprint)
